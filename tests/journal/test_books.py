"""Backup, check, export and restore of journals that a Trader has written, and of ones that are wrong."""

from __future__ import annotations

import contextlib
import csv
import json
import sqlite3
import stat
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from tests.journal import earlier
from tests.journal.booked import NOW, BookedRun
from tests.sent_orders import entry

from turbo_trader.journal import readers
from turbo_trader.journal.backup import backup, restore
from turbo_trader.journal.books import books
from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.export import COLUMNS, tables, write
from turbo_trader.journal.journal_check import examine
from turbo_trader.journal.journal_errors import UnsoundJournal
from turbo_trader.journal.lease import GUARD, Lease
from turbo_trader.journal.schema import FILE, VERSION
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.trader.commands import Note
from turbo_trader.trader.events import CommandResult, Outcome


def wrong(folder: Path) -> list[str]:
    return [each.name for each in examine(folder) if not each.ok]


@pytest.fixture
def run(tmp_path: Path) -> BookedRun:
    run = BookedRun(tmp_path / "live")
    run.fill("1.25", "0.033")
    run.fill("-0.5", "0.03301")
    run.fill("0", "0.0021", kind="Funding")
    run.transfer("5")
    return run


def test_books_that_add_up_are_said_in_one_line(run: BookedRun) -> None:
    run.read(run.ledger.balance)
    found = examine(run.journal.folder)
    assert [each.name for each in found] == ["file", "books", "explained", "wallet"]
    assert all(each.ok for each in found)
    assert found[1].text.startswith("23.68189 = 18 + 0.75 - 0.06601 + -0.0021 + 5 ")
    run.journal.close(NOW, "test")


def test_a_fill_that_is_missing_is_found(run: BookedRun) -> None:
    run.fill("0.1", "0.01", noted=False)
    run.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == ["books"]
    (text,) = [each.text for each in books(run.journal.folder) if not each.ok]
    assert text == "fees 0.07601, booked one by one 0.06601; results 0.85, booked one by one 0.75"


def test_money_that_nothing_explains_is_wrong(run: BookedRun) -> None:
    run.ledger.explain("USDT", Decimal(-3), [])
    run.fill("0", "0")
    run.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == ["explained"]


def test_a_wallet_counts_as_wrong_when_two_reads_agree(run: BookedRun) -> None:
    run.read(run.ledger.balance + 1)
    run.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == []
    again = BookedRun(run.journal.folder, run.ledger, run.n)
    again.read(run.ledger.balance + 1, 90)
    again.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == ["wallet"]


def test_a_wallet_read_beside_a_fill_says_nothing(run: BookedRun) -> None:
    run.read(run.ledger.balance + 1, 1)
    run.read(run.ledger.balance + 1, 1)
    run.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == []


@pytest.mark.parametrize("schema", earlier.SCHEMAS)
def test_an_earlier_version_is_checked_as_far_as_it_says(tmp_path: Path, schema: str) -> None:
    earlier.write(tmp_path, schema)
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        db.execute(
            "INSERT INTO notes (ts, name, level, fields) VALUES (6, 'fill', 'info', ?)", (b'{"fee":"0.3"}',)
        )
        db.commit()
    found = examine(tmp_path)
    assert all(each.ok for each in found)
    assert "the next `run` brings it up" in found[0].text
    assert "results of 1 fills of an earlier version" in found[1].text


def test_damage_and_absence_are_one_line_each(tmp_path: Path, run: BookedRun) -> None:
    with pytest.raises(InputError, match="no journal here"):
        examine(tmp_path)
    run.journal.close(NOW, "test")
    path = run.journal.folder / FILE
    with path.open("r+b") as file:
        file.seek(8192)
        file.write(b"\xff" * 8192)
    (found,) = examine(run.journal.folder)
    assert not found.ok
    assert "\n" not in found.text


def test_a_backup_is_whole_while_the_journal_is_written(run: BookedRun, tmp_path: Path) -> None:
    stop = threading.Event()
    copies: list[Path] = []

    def copying() -> None:
        while not stop.is_set() and len(copies) < 8:
            copies.append(backup(run.journal.folder, tmp_path / "copies" / f"{len(copies)}.sqlite"))
        stop.set()

    thread = threading.Thread(target=copying)
    thread.start()
    while not stop.is_set():
        run.fill("0.01", "0.001")
    thread.join()
    run.journal.close(NOW, "test")
    assert len(copies) == 8
    for n, copy in enumerate(copies):
        assert stat.S_IMODE(copy.stat().st_mode) == 0o600
        assert not list(copy.parent.glob(f"{copy.name}-*"))
        folder = tmp_path / f"look-{n}"
        restore(folder, copy, "now")
        assert wrong(folder) == []


def test_a_backup_never_replaces_a_file_and_leaves_none_half_made(run: BookedRun, tmp_path: Path) -> None:
    (tmp_path / "there").write_text("mine")
    with pytest.raises(InputError, match="is there already"):
        backup(run.journal.folder, tmp_path / "there")
    assert (tmp_path / "there").read_text() == "mine"
    with pytest.raises(InputError, match="no journal here"):
        backup(tmp_path / "nowhere", tmp_path / "new.sqlite")
    with pytest.raises(InputError, match="name another place"):
        backup(run.journal.folder, tmp_path / "there" / "new.sqlite")
    assert not (tmp_path / "new.sqlite").exists()
    run.journal.close(NOW, "test")


def test_a_restored_journal_opens_with_what_the_copy_knew(run: BookedRun, tmp_path: Path) -> None:
    folder = run.journal.folder
    copy = backup(folder, tmp_path / "copy.sqlite")
    run.fill("3", "0.1")
    run.journal.close(NOW, "test")
    later = Journal(folder, ("BTCUSDT",))
    later.close(NOW, "test")
    done = restore(folder, copy, "20260105-090000")
    assert isinstance(done.before, Path)
    assert readers.state(done.before.parent)["ledger"]["results"] == "0.75"
    with contextlib.closing(sqlite3.connect(done.before)) as db:
        assert (
            json.loads(db.execute("SELECT value FROM state WHERE key = 'ledger'").fetchone()[0])["results"]
            == "3.75"
        )
    again = Journal(folder, ("BTCUSDT",))
    assert {run.journal.boot, later.boot} <= set(again.boots())  # their orders are still ours
    again.close(NOW, "test")
    assert wrong(folder) == []


def test_a_restore_is_refused_while_somebody_is_at_work(run: BookedRun, tmp_path: Path) -> None:
    folder = run.journal.folder
    copy = backup(folder, tmp_path / "copy.sqlite")
    with pytest.raises(InputError, match="in use by another instance"):
        restore(folder, copy, "now")
    run.journal.close(NOW, "test")
    lease = Lease(EpochFiles(folder), GUARD)
    assert lease.take()
    with pytest.raises(Refused, match="guard --stop"):
        restore(folder, copy, "now")
    lease.release()
    restore(folder, copy, "now")


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "nothing is in it"), (b"no database " * 99, "no whole copy of a journal")]
)
def test_only_a_journal_is_restored(run: BookedRun, tmp_path: Path, content: bytes, said: str) -> None:
    run.journal.close(NOW, "test")
    before = (run.journal.folder / FILE).read_bytes()
    (tmp_path / "other").write_bytes(content)
    with pytest.raises((InputError, UnsoundJournal), match=said):
        restore(run.journal.folder, tmp_path / "other", "now")
    with pytest.raises(InputError, match="no such file"):
        restore(run.journal.folder, tmp_path / "nowhere", "now")
    assert (run.journal.folder / FILE).read_bytes() == before


def test_rolling_back_to_the_copy_of_an_earlier_version(tmp_path: Path) -> None:
    earlier.write(tmp_path, "1, with outcomes")
    journal = Journal(tmp_path, earlier.SYMBOLS)
    assert journal.copy is not None
    journal.close(10**18, "test")
    restore(tmp_path, journal.copy, "now")
    assert readers.state(tmp_path) == earlier.STATE
    with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (1,)
    again = Journal(tmp_path, earlier.SYMBOLS)
    assert again.restored() == earlier.STATE
    again.close(10**18, "test")
    assert VERSION > 1


def test_exports_hold_every_booking_and_the_balance_after_it(run: BookedRun, tmp_path: Path) -> None:
    order = entry("tt-1-entry", price=Decimal("60000.5"), stop_loss=None)
    run.journal.intent(NOW, order)
    run.journal.note(
        Note(NOW, "trade", "info", {"symbol": "BTCUSDT", "id": "tt-1-entry", "net": Decimal("0.75")})
    )
    run.journal.commit()
    run.journal.outcome(CommandResult(ts=NOW, id="tt-1-entry", outcome=Outcome.CONFIRMED))
    run.journal.close(NOW, "test")
    found = tables(run.journal.folder)
    assert {name: len(rows) for name, rows in found.items()} == {
        "trades": 1,
        "orders": 1,
        "fills": 2,
        "ledger": 7,
    }
    assert found["orders"][0]["outcome"] == "confirmed"
    assert found["orders"][0]["price"] == "60000.5"
    assert found["ledger"][-1]["balance"] == f"{run.ledger.balance:f}"
    for form in ("csv", "json", "parquet"):
        written = write(found, tmp_path / form, form)
        assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in written.values())
    with (tmp_path / "csv" / "ledger.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [row["cause"] for row in rows] == [
        "start",
        "result",
        "fee",
        "result",
        "fee",
        "funding",
        "transfer",
    ]
    assert tuple(rows[0]) == COLUMNS["ledger"]
    assert json.loads((tmp_path / "json" / "fills.json").read_text()) == found["fills"]


def test_more_than_two_reads_that_agree_count_no_less(run: BookedRun) -> None:
    for after_s in (60, 90, 120):
        run.read(run.ledger.balance + 1, after_s)
    run.journal.close(NOW, "test")
    assert wrong(run.journal.folder) == ["wallet"]


def test_an_export_that_fails_leaves_no_half_made_file(run: BookedRun, tmp_path: Path) -> None:
    found = tables(run.journal.folder)
    run.journal.close(NOW, "test")
    to = tmp_path / "out"
    (to / "trades.csv").mkdir(parents=True)
    with pytest.raises(InputError, match="name another folder"):
        write(found, to, "csv")
    assert [path.name for path in to.iterdir()] == ["trades.csv"]
