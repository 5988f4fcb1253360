"""`turbo-trader calibration`: what the journal says, as JSON and as tables; an empty journal is an answer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from typer.testing import CliRunner

from turbo_trader.console.command_line import app
from turbo_trader.console.summary import calibration_lines
from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.outcomes import OUTCOME, STOP, TARGET, TIMEOUT
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.trader.commands import Note, Resolved


def verb(folder: Path, *args: str) -> str:
    result = CliRunner().invoke(
        app, ["calibration", "--journal-dir", str(folder), *args], env={"COLUMNS": "80"}
    )
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture
def written(tmp_path: Path) -> Path:
    """Sixty outcomes of two symbols: twice what was forecast came for BTC, its opposite for ETH; one trade."""
    rows = cast("Rows", np.zeros(60, OUTCOME))
    rows["ts"] = np.arange(60) * 900 * SECOND
    rows["symbol"] = np.arange(60) % 2
    rows["direction"] = np.where(np.arange(60) % 4 < 2, 1, -1)
    rows["forecasts"][:, WEIGHED] = rows["direction"] * np.linspace(0.001, 0.003, 60)
    rows["realised"] = rows["forecasts"][:, WEIGHED] * np.where(rows["symbol"] == 0, 2.0, -1.0)
    rows["confidences"][:, WEIGHED], rows["p_targets"][:, WEIGHED] = 0.8, np.linspace(0.1, 0.6, 60)
    rows["first"] = np.where(rows["symbol"] == 0, TARGET, np.where(np.arange(60) % 3 == 0, STOP, TIMEOUT))
    journal = Journal(tmp_path, ("BTCUSDT", "ETHUSDT"))
    journal.resolved(Resolved(1, rows))
    trade = {"symbol": "ETHUSDT", "ev": 0.0004, "honest_ev": -0.0011, "net_fraction": -0.0021}
    journal.note(Note(2, "trade", "info", trade))
    journal.close(3, "test")
    return tmp_path


def test_json_has_slope_reliability_and_ev_over_all_and_per_symbol(written: Path) -> None:
    found: dict[str, Any] = json.loads(verb(written, "--json"))
    assert found["journal"] == str(written)
    assert found["over_all"]["outcomes"] == 60
    symbols = found["symbols"]
    assert symbols["BTCUSDT"]["weighed"]["slope"]["slope"] == pytest.approx(2.0)
    assert symbols["ETHUSDT"]["weighed"]["slope"]["slope"] == pytest.approx(-1.0)
    assert symbols["BTCUSDT"]["weighed"]["confidence"][0]["came"] == 1.0
    assert symbols["ETHUSDT"]["first"] == {"target": 0, "stop": 10, "timeout": 20}
    assert symbols["BTCUSDT"]["trades"]["closed"] == 0
    assert symbols["ETHUSDT"]["trades"] == {
        "closed": 1, "ev": 0.0004, "honest_ev": -0.0011, "realised": -0.0021, "realised_error": None
    }  # fmt: skip
    assert [row["outcomes"] for row in found["over_all"]["weighed"]["p_tp"]] == [20, 20, 20]


def test_tables_show_the_same(written: Path) -> None:
    text = verb(written)
    assert "2.00 to 2.00" in text
    assert "-1.00 to -1.00" in text
    assert "ETHUSDT" in text
    assert "0/10/20" in text
    assert "-21.0" in text
    assert "p_tp" in text


def test_an_empty_journal_is_an_answer(tmp_path: Path) -> None:
    Journal(tmp_path, ("BTCUSDT",)).close(1, "test")
    assert "no outcome in the journal yet" in verb(tmp_path)
    found = json.loads(verb(tmp_path, "--json"))
    assert found["over_all"]["outcomes"] == 0
    assert found["symbols"] == {}


def test_a_backtest_says_it_in_a_line_for_each_belief(written: Path) -> None:
    figures = json.loads(verb(written, "--json"))["over_all"]
    asked, weighed, measured, trades = calibration_lines(figures)
    assert asked == "asked       no outcome of a forecast"
    assert "60 forecasts followed: said +20.0 bp" in weighed
    assert measured.startswith("measured")
    assert trades == "EV          +4.0 bp, honest EV -11.0 bp, came -21.0 bp"
