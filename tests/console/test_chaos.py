"""`turbo-trader chaos`: figures, one JSON object, exit code 1 and a way back when something broke."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.chaos.play import Chaos
from turbo_trader.console import exit_codes
from turbo_trader.console.main import main
from turbo_trader.simulation.faults import explained


def end(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr("sys.argv", ["turbo-trader", "chaos", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_one_json_object_with_its_figures_and_no_violation(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("--seeds", "1", "--hours", "0.05", "--symbols", "2", "--situation", "faulty", "--json")
    assert end(monkeypatch, *arguments) == exit_codes.OK
    reported = json.loads(capsys.readouterr().out)
    assert reported["seeds"] == 1
    assert reported["simulated_seconds"] > 180
    assert reported["wall_seconds"] > 0
    assert {"faults", "crashes", "trades"} <= reported.keys()
    assert reported["violations"] == []


def test_a_broken_invariant_ends_with_exit_code_1_and_a_command(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(self: Chaos, seed: int) -> dict[str, Any]:
        violation = {
            "invariant": "I2", "what": "two orders open one position", "seed": seed, "simulated_s": 12.5,
            "last": ["1 first", "2 second"]}  # fmt: skip
        return {
            "seed": seed, "simulated_s": 12.5, "cpu_seconds": 1.0, "speed": 12.5, "lives": 1, "entries": 2, "trades": 0,
            "trace": "", "faults": {"lost": 1}, "notes": {}, "violation": violation,
        }  # fmt: skip

    monkeypatch.setattr(Chaos, "play", broken)
    assert end(monkeypatch, "--seeds", "1", "--from", "7", "--no-shrink") == exit_codes.FAILED
    out, err = capsys.readouterr()
    assert "two orders open one position" in out
    assert "2 second" in out
    assert "again: turbo-trader chaos --from 7 --seeds 1 --situation" in out
    assert "seed 7" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--faults", "lots"), "lots"), (("--situation", "calm"), "calm"), (("--defect", "none-such"), "none-such"),
        (("--balance", "-1"), "--balance"),
    ],
)  # fmt: skip
def test_what_cannot_be_played_is_named(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    named: str,
) -> None:
    assert end(monkeypatch, *arguments) == exit_codes.USAGE
    assert named in capsys.readouterr().err


def test_help_says_what_every_fault_means(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(monkeypatch, "--faults", "help") == exit_codes.OK
    said = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert said == list(explained())
