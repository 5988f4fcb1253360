"""Outcomes in the journal: read back as they were, by symbol, also by a run with other symbols."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import cast

import numpy as np

from turbo_trader.journal import readers
from turbo_trader.journal.layouts import described
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.market.rows import Rows
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.trader.commands import Resolved


def some(*symbols: int) -> Rows:
    rows = cast("Rows", np.zeros(len(symbols), OUTCOME))
    rows["symbol"] = symbols
    rows["forecasts"][:, WEIGHED] = np.arange(len(symbols)) + 0.25
    return rows


def test_outcomes_come_back_as_they_were(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("BTCUSDT", "ETHUSDT"))
    journal.resolved(Resolved(1, some(0, 1)))
    journal.resolved(Resolved(2, some(1)))
    journal.flush()
    symbols, rows = readers.outcomes(tmp_path)
    assert symbols == ["BTCUSDT", "ETHUSDT"]
    assert rows.tobytes() == np.concatenate([some(0, 1), some(1)]).tobytes()
    assert journal.outcomes().tobytes() == rows.tobytes()
    journal.close(1, "test")


def test_the_next_run_finds_its_symbols_outcomes_under_its_own_numbers(tmp_path: Path) -> None:
    first = Journal(tmp_path, ("BTCUSDT", "ETHUSDT", "SOLUSDT"))
    first.resolved(Resolved(1, some(0, 1, 2)))
    first.close(1, "test")
    second = Journal(tmp_path, ("SOLUSDT", "XRPUSDT", "BTCUSDT"))
    rows = second.outcomes()
    assert rows["symbol"].tolist() == [2, 0]
    assert rows["forecasts"][:, WEIGHED].tolist() == [0.25, 2.25]
    second.resolved(Resolved(2, some(1)))
    second.close(2, "test")
    symbols, found = readers.outcomes(tmp_path)
    assert [symbols[int(s)] for s in found["symbol"]] == ["BTCUSDT", "ETHUSDT", "SOLUSDT", "XRPUSDT"]


def test_no_journal_an_empty_one_and_one_from_before_outcomes_have_none(tmp_path: Path) -> None:
    assert len(readers.outcomes(tmp_path)[1]) == 0
    Journal(tmp_path, ("BTCUSDT",)).close(1, "test")
    assert readers.outcomes(tmp_path)[0] == []
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("DROP TABLE outcomes")
    db.close()
    assert len(readers.outcomes(tmp_path)[1]) == 0
    again = Journal(tmp_path, ("BTCUSDT",))  # made on the way
    again.resolved(Resolved(1, some(0)))
    again.close(2, "test")
    assert len(readers.outcomes(tmp_path)[1]) == 1


def test_outcomes_with_other_fields_are_left_out(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("BTCUSDT",))
    journal.resolved(Resolved(1, some(0)))
    journal.close(1, "test")
    db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    fields = str([["ts", "<i8", []]]).replace("'", '"')
    db.execute("INSERT INTO layouts (symbols, fields) VALUES ('[\"BTCUSDT\"]', ?)", (fields,))
    number = db.execute("SELECT max(n) FROM layouts").fetchone()[0]
    db.execute("INSERT INTO outcomes (ts, symbols, rows) VALUES (2, ?, ?)", (number, b"12345678"))
    db.close()
    assert len(readers.outcomes(tmp_path)[1]) == 1
    assert ["ts", "<i8", []] in described(OUTCOME)
