"""The guard's hand in the daemon's journal: intents on disk before the request, nothing held between, nobody kept out."""

from __future__ import annotations

import json
import sqlite3
from decimal import Decimal
from pathlib import Path

import pytest
from tests.sent_orders import close, entry

from turbo_trader.journal import readers
from turbo_trader.journal.connection import SqliteFile
from turbo_trader.journal.intents import Beside
from turbo_trader.journal.schema import ADOPTED, FILE
from turbo_trader.journal.store import Journal
from turbo_trader.trader.commands import SetStops
from turbo_trader.trader.events import CommandResult, Outcome

SYMBOLS = ("BTCUSDT",)
STOP = SetStops("tt-g1-1-stop", "BTCUSDT", Decimal(59000), None)
CLOSE = close("tt-g1-2-guard", qty=Decimal("0.1"))


def test_what_the_guard_intends_is_on_disk_at_once_and_found_by_the_next_start(tmp_path: Path) -> None:
    Journal(tmp_path, SYMBOLS).close(1, "killed")
    guard = Beside(tmp_path, "g1", lambda: 5)
    assert guard.intent(STOP)
    assert guard.intent(CLOSE)
    assert guard.outcome(CommandResult(ts=6, id=STOP.id, outcome=Outcome.CONFIRMED))
    found = Journal(tmp_path, SYMBOLS)
    (left,) = found.unresolved(since=0)
    assert (left["id"], left["kind"], left["command"]["reduce_only"]) == (CLOSE.id, "PlaceOrder", True)
    assert "g1" in found.boots()
    found.close(7, "test")
    reported = readers.overview(tmp_path)
    assert (reported["boots"], reported["intents"], reported["last_boot"]["boot"]) == (
        2,
        {"confirmed": 1, "open": 1},
        found.boot,
    )


def test_it_writes_beside_a_daemon_that_hangs_with_its_journal_open(tmp_path: Path) -> None:
    hung = Journal(tmp_path, SYMBOLS)
    assert Beside(tmp_path, "g1", lambda: 5).intent(STOP)
    hung.intent(6, CLOSE)
    hung.commit()
    hung.close(7, "test")


def test_what_it_cannot_write_is_reported_and_raises_nothing(tmp_path: Path) -> None:
    assert not Beside(tmp_path / "nowhere", "g1", lambda: 5).intent(STOP)
    journal = Journal(tmp_path, SYMBOLS)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert not Beside(tmp_path, "g1", lambda: 5).intent(STOP)
    other.execute("ROLLBACK")
    other.execute("PRAGMA user_version = 99")
    other.close()
    assert not Beside(tmp_path, "g1", lambda: 5).intent(STOP)
    journal.close(7, "test")


def test_adopted_starts_are_known_from_then_on_and_count_as_no_run(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    journal.adopt(["beef"], 3)
    journal.close(4, "test")
    again = Journal(tmp_path, SYMBOLS)
    assert set(again.boots()) == {"beef", journal.boot, again.boot} == set(readers.boots(tmp_path))
    again.close(5, "test")
    assert readers.overview(tmp_path)["boots"] == 2
    with sqlite3.connect(tmp_path / FILE) as db:
        assert db.execute("SELECT mode FROM boots WHERE boot = 'beef'").fetchone() == (ADOPTED,)
    json.dumps(readers.overview(tmp_path))


def test_what_the_guard_intends_waits_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Journal(tmp_path, ("BTCUSDT",)).close(1, "test")
    asked: list[bool] = []
    begin = SqliteFile._begin

    def seen(db: SqliteFile, *, synced: bool) -> None:
        asked.append(synced)
        begin(db, synced=synced)

    monkeypatch.setattr(SqliteFile, "_begin", seen)
    assert Beside(tmp_path, "g1234", lambda: 5).intent(entry("g1"))
    assert asked
    assert all(asked)
