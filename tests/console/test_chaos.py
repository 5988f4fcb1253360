"""`turbo-trader chaos`: figures, one JSON object, exit code 1 and a way back when something broke."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.console import exits
from turbo_trader.console.main import main
from turbo_trader.simulation import chaos as play


def end(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["turbo-trader", "chaos", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_one_json_object_with_speed_faults_and_no_violation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(monkeypatch, "--seeds", "1", "--hours", "0.1", "--symbols", "2", "--json") == exits.OK
    told = json.loads(capsys.readouterr().out)
    assert told["seeds"] == 1
    assert told["simulated_hours"] > 0.1
    assert told["speed"] > 0
    assert told["violations"] == []
    assert sum(told["faults"].values()) > 0


def test_a_broken_invariant_ends_with_exit_code_1_and_its_seed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: play.Chaos, seed: int) -> dict[str, Any]:
        violation = {"name": "two opens", "seed": seed, "simulated_s": 12.5, "last": ["1 first", "2 second"]}
        return {
            "seed": seed, "simulated_s": 12.5, "cpu_seconds": 1.0, "speed": 12.5, "lives": 1, "entries": 2, "trades": 0,
            "faults": {"lost": 1}, "notes": {}, "violation": violation,
        }  # fmt: skip

    monkeypatch.setattr(play.Chaos, "play", broken)
    assert end(monkeypatch, "--seeds", "1", "--seed", "7") == exits.FAILED
    out, err = capsys.readouterr()
    assert "two opens" in out
    assert "2 second" in out
    assert "seed 7" in err


def test_wrong_faults_are_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert end(monkeypatch, "--faults", "lots") == exits.USAGE
    assert "lots" in capsys.readouterr().err
