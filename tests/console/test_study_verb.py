"""`study edge`: one JSON object and an exit code; every study is in the ledger of its user."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studies.searching import written
from turbo_trader.console import main
from turbo_trader.lab.edge_study import study_edge
from turbo_trader.lab.known_markets import ECHO as ECHO_SIGNAL
from turbo_trader.lab.made_up_panels import MadeUpPanel
from turbo_trader.lab.score_trades import Market
from turbo_trader.lab.trials_ledger import Ledger

ECHO = "from turbo_trader.lab.made_up_panels import Echo as Signal\n"


def asked(monkeypatch: pytest.MonkeyPatch, *given: str) -> int:
    monkeypatch.setattr("sys.argv", ["turbo-trader", "study", "edge", *given])
    with pytest.raises(SystemExit) as ended:
        main.main()
    return int(ended.value.code or 0)


def test_edge_is_zero_any_other_verdict_one_and_bad_input_two(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    signal, data = tmp_path / "echo.py", tmp_path / "bars"
    signal.write_text(ECHO)
    data.mkdir()
    written(MadeUpPanel(days=14, symbols=4, edge=0.006).panel(1), data)
    assert asked(monkeypatch, str(signal), str(data), "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["trials"]) == ("edge", 1)
    assert (
        asked(monkeypatch, str(signal), str(data), "--param", "times=4", "--spread-bp", "200", "--json") == 1
    )
    found = json.loads(capsys.readouterr().out)
    assert (found["verdict"], found["trials"]) == ("no edge", 2)
    assert len((tmp_path / "state" / "turbo-trader" / "trials.jsonl").read_text().splitlines()) == 3
    assert asked(monkeypatch, "astrology", str(data)) == 2
    assert "no such signal" in capsys.readouterr().err


def test_every_part_of_a_study_shows_its_share(tmp_path: Path) -> None:
    heard: list[tuple[str, list[float]]] = []
    study_edge(
        ECHO_SIGNAL,
        Market(MadeUpPanel(days=14, symbols=4, edge=0.006).panel(1)),
        Ledger(tmp_path / "trials.jsonl"),
        now="",
        progress=lambda part: heard.append((part, [])),
        share=lambda done: heard[-1][1].append(done),
    )
    assert len(heard) == 6
    for part, shares in heard[:-1]:  # a signal made in memory has no process of its own
        assert len(shares) > 1, part
        assert shares == sorted(shares), part
        assert 0.0 < shares[0] < shares[-1] <= 1.0, part
