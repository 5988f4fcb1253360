"""A run read from its journal: whole, or a part of its time."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from tests.reports.conftest import BEGIN, SYMBOLS, Write

from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import MINUTE
from turbo_trader.reports.reading import read_run
from turbo_trader.reports.run_catalogue import catalogue
from turbo_trader.reports.run_data import RunState
from turbo_trader.trader.commands import Note


def test_a_run_has_its_trades_scans_prices_and_books(run_folder: Write) -> None:
    run = read_run(run_folder(trades=4))
    assert [trade.id for trade in run.trades] == [f"t{i}-entry" for i in range(4)]
    assert (run.state, run.why_ended, run.mode) == (RunState.ENDED, "stop", "paper")
    assert (run.scanned.total.scans, run.scanned.total.candidates) == (480, 240)
    assert len(run.scanned.prices.of("ETHUSDT")[0]) == 240
    assert run.end_equity - run.start_equity == sum((trade.net for trade in run.trades), Decimal(0))
    assert len(run.outcomes) == 40


def test_a_part_of_a_run_has_the_trades_closed_in_it(run_folder: Write) -> None:
    folder = run_folder(trades=4)
    whole = read_run(folder)
    since, until = BEGIN + 35 * MINUTE, BEGIN + 95 * MINUTE
    part = read_run(folder, since, until)
    assert [trade.id for trade in part.trades] == ["t1-entry", "t2-entry"]
    assert part.start_equity == whole.start_equity + whole.trades[0].net
    assert part.end_equity == part.start_equity + sum((trade.net for trade in part.trades), Decimal(0))
    assert part.scanned.total.scans == 2 * 120
    assert (part.scanned.prices.ts >= since).all()
    assert (part.scanned.prices.ts < until).all()


def test_a_folder_without_a_journal_is_an_empty_run(tmp_path: Path) -> None:
    run = read_run(tmp_path)
    assert (run.state, list(run.trades), run.end, run.mode) == (RunState.EMPTY, [], 0, "")


@pytest.mark.parametrize(
    ("market", "made_up"),
    [("synthetic market, seed 1, edge 2: made up, proves nothing", True), ("bars (rebuilt from one-minute bars)", True),
     ("Bybit", False)],
)  # fmt: skip
def test_a_run_says_what_market_it_was_on(tmp_path: Path, market: str, made_up: bool) -> None:
    journal = Journal(tmp_path, SYMBOLS, "paper", now=lambda: BEGIN)
    journal.note(Note(BEGIN, "started", "info", {"mode": "paper", "market": market}))
    journal.close(BEGIN, "stop")
    run = read_run(tmp_path, since=BEGIN + 1)  # of a later part, too
    assert (run.source, run.made_up) == (market, made_up)


def test_the_list_says_how_each_run_stands(run_folder: Write, tmp_path: Path) -> None:
    run_folder("paper-1", trades=2)
    run_folder("paper-2", trades=1, ended=False)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "journal.sqlite").write_text("this is no database, whatever its name says")
    running = Journal(tmp_path / "live", ("BTCUSDT",), "live")
    found = {entry.name: entry for entry in catalogue(tmp_path)}
    running.close(1, "stop")
    assert (found["paper-1"].state, found["paper-1"].trades) == (RunState.ENDED, 2)
    assert (found["paper-2"].state, found["paper-2"].trades) == (RunState.CRASHED, 1)
    assert found["live"].state is RunState.RUNNING
    assert found["broken"].error
