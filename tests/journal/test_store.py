import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from tests.sent_orders import entry

from turbo_trader.journal import readers
from turbo_trader.journal.books import books
from turbo_trader.journal.connection import SqliteFile, Statement, open_file
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.schema import FILE, TABLES, VERSION
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Scanned
from turbo_trader.trader.events import Clock, CommandResult, Control, Outcome

SYMBOLS = ("BTCUSDT", "ETHUSDT")


def test_state_and_intents_come_back_after_a_restart(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    assert journal.restored() is None
    journal.persist(Persist(1, "session", {"equity": Decimal("18.00"), "halted": False}))
    journal.intent(2, entry("a"))
    journal.intent(2, entry("b"))
    journal.commit()
    journal.outcome(CommandResult(ts=3, id="b", outcome=Outcome.CONFIRMED))
    journal.close(4, "test")
    again = Journal(tmp_path, SYMBOLS)
    assert again.boot != journal.boot
    assert again.restored() == {"session": {"equity": "18.00", "halted": False}}
    (left,) = again.unresolved(since=2)
    assert (left["id"], left["command"]["stop_loss"]) == ("a", "59000")
    assert again.unresolved(since=3) == []
    assert again.boots() == [journal.boot, again.boot]
    again.close(5, "test")
    assert readers.overview(tmp_path)["intents"] == {"open": 1, "confirmed": 1}


def test_what_no_request_waits_for_is_written_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    journal.event(Clock(1))
    journal.scanned(Scanned(1, np.zeros(2, SCAN)))
    journal.note(Note(1, "line", "info", {}))
    journal.intent(2, entry("a"))

    def written() -> list[int]:
        tables = ("intents", "notes", "events", "scans")
        with contextlib.closing(sqlite3.connect(tmp_path / FILE)) as db:
            return [db.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]

    journal.commit()
    assert written() == [1, 1, 0, 0]
    journal.flush()
    assert written() == [1, 1, 1, 1]
    journal.close(3, "test")


def test_a_checkpoint_from_another_thread_brings_what_was_flushed_into_the_main_file(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS)
    journal.note(Note(1, "line", "info", {}))
    journal.flush()

    def in_main_file(name: str) -> int:
        copy = tmp_path / name
        copy.write_bytes((tmp_path / "a" / FILE).read_bytes())  # without what is only in the write-ahead log
        with contextlib.closing(sqlite3.connect(copy)) as db:
            tables = db.execute("SELECT count(*) FROM sqlite_master WHERE name = 'notes'").fetchone()[0]
            return int(db.execute("SELECT count(*) FROM notes").fetchone()[0]) if tables else 0

    assert in_main_file("before") == 0
    thread = threading.Thread(target=journal.checkpoint)
    thread.start()
    thread.join()
    assert in_main_file("after") == 1
    journal.folder = tmp_path / "nowhere"
    journal.checkpoint()  # says nothing: the next commits are what tells of trouble
    journal.sync()
    journal.folder = tmp_path / "a"
    journal.close(2, "test")


def test_scans_are_read_back_with_their_fields(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    for i in range(30):
        rows = np.zeros(2, SCAN)
        rows["ev"] = (i, -i)
        rows["verdict"][1, 0] = 3
        journal.scanned(Scanned(i, rows))
    journal.note(Note(7, "trade-closed", "info", {"net": Decimal("0.10")}))
    journal.flush()
    found = readers.scans(tmp_path, "ETHUSDT", last=5)
    assert [float(row["ev"]) for row in found] == [-25, -26, -27, -28, -29]
    assert found[0]["verdict"][0] == 3
    assert sum(1 for _ in readers.all_scans(tmp_path)) == 30
    assert readers.notes(tmp_path, "trade-closed") == [
        {"ts": 7, "name": "trade-closed", "level": "info", "net": "0.10"}
    ]
    with pytest.raises(InputError, match="SOLUSDT"):
        readers.scans(tmp_path, "SOLUSDT", 20)
    journal.close(1, "test")


def test_an_absent_journal_is_an_answer(tmp_path: Path) -> None:
    assert readers.scans(tmp_path, "BTCUSDT", 20) == []
    assert readers.notes(tmp_path) == []
    counts = dict.fromkeys(("boots", "scans", "events", "notes"), 0)
    assert readers.overview(tmp_path) == {"journal": str(tmp_path / FILE), **counts, "intents": {}}
    assert books(tmp_path) == []


def test_s09_a_second_instance_is_refused_while_the_first_runs(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    with pytest.raises(InputError, match=f"in use by another instance .process {os.getpid()}"):
        Journal(tmp_path, SYMBOLS)
    journal.close(1, "test")
    Journal(tmp_path, SYMBOLS).close(1, "test")


def test_an_unusable_folder_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="journal folder"):
        Journal(tmp_path / "file" / "var", SYMBOLS)


def test_another_version_is_refused_and_left_alone(tmp_path: Path) -> None:
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(InputError, match="version 99"):
        Journal(tmp_path, SYMBOLS)
    Path(tmp_path / FILE).unlink()
    Journal(tmp_path, SYMBOLS).close(1, "test")  # the lock was let go


def test_s39_a_corrupt_journal_is_a_typed_error(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"this is not a database at all, by any means " * 200)
    with pytest.raises(JournalError, match="move it away"):
        Journal(tmp_path, SYMBOLS)


def test_s39_a_full_disk_fails_the_commit_keeps_the_state_and_works_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    pages = journal._db.execute("PRAGMA page_count").fetchone()[0]
    journal._db.execute(f"PRAGMA max_page_count={pages}")
    journal.note(Note(1, "long", "info", {"text": "x" * 100_000}))
    journal.persist(Persist(1, "session", {"n": 1}))
    with pytest.raises(JournalError, match="full"):
        journal.commit()
    assert journal.failed
    assert not journal.probe() or not journal.failed
    journal._db.execute(f"PRAGMA max_page_count={pages + 100}")
    assert journal.probe()
    assert not journal.failed
    assert journal.restored() == {"session": {"n": 1}}
    journal.close(1, "test")


def test_s39_a_locked_journal_fails_the_commit_and_works_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal.persist(Persist(1, "session", {"n": 1}))
    with pytest.raises(JournalError, match="locked"):
        journal.commit()
    assert journal.failed
    assert not journal.probe()
    other.execute("ROLLBACK")
    assert journal.probe()
    assert not journal.failed
    assert journal.restored() == {"session": {"n": 1}}  # the state was not lost meanwhile
    journal.close(1, "test")


def test_what_comes_while_a_journal_fails_is_written_once_it_works_again(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal.note(Note(1, "fill"))  # money is kept, whatever fails
    with pytest.raises(JournalError):
        journal.flush()
    journal.intent(2, entry("a"))
    journal.note(Note(3, "y"))
    journal.event(Control(4, "halt", "a person"))
    other.execute("ROLLBACK")
    assert journal.probe()
    journal.close(5, "test")
    assert readers.overview(tmp_path)["intents"] == {"open": 1}
    assert [note["name"] for note in readers.notes(tmp_path)] == ["fill", "y"]
    assert [event["by"] for _, event in readers.events(tmp_path, ("Control",))] == ["a person"]


def test_a_failing_journal_does_not_eat_the_memory(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    other = sqlite3.connect(tmp_path / FILE, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    journal.note(Note(1, "x"))
    with pytest.raises(JournalError):
        journal.flush()
    for i in range(25_000):
        journal.note(Note(i, "x"))
        journal.event(Clock(i))
    assert len(journal._due) + len(journal._later) <= 20_002
    other.execute("ROLLBACK")
    journal.close(1, "test")


CRASH = """
import sys, time
from pathlib import Path
from decimal import Decimal
from turbo_trader.journal.store import Journal
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.trader.commands import PlaceOrder, Purpose
journal = Journal(Path(sys.argv[1]), ("BTCUSDT",))
for i in range(1000):
    journal.intent(i, PlaceOrder(
        id=f"{journal.boot}-{i}", symbol="BTCUSDT", side=Side.BUY, qty=Decimal(1), order_type=OrderType.LIMIT,
        time_in_force=TimeInForce.IOC, reduce_only=False, purpose=Purpose.ENTRY,
    ))
    journal.flush() if i % 2 else journal.commit()
    print(f"{journal.boot}-{i}", flush=True)
    time.sleep(0.002)
"""


def test_s04_what_was_committed_is_there_after_kill_9(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", CRASH, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    sent = [process.stdout.readline().strip() for _ in range(5)]
    time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    sent += process.stdout.read().split()
    process.wait()
    journal = Journal(tmp_path, SYMBOLS)
    ids = [item["id"] for item in journal.unresolved(since=0)]
    assert ids[: len(sent)] == sent  # every send has its intent; at most one intent was not sent
    assert len(ids) - len(sent) <= 1
    journal.close(1, "test")


def test_nothing_but_plain_json_is_in_the_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    journal.note(Note(1, "x", "info", {"array": np.arange(2), "number": np.float64(1.5), "path": tmp_path}))
    journal.flush()
    assert readers.notes(tmp_path)[0] == {
        "ts": 1,
        "name": "x",
        "level": "info",
        "array": [0, 1],
        "number": 1.5,
        "path": str(tmp_path),
    }
    json.dumps(readers.notes(tmp_path))
    journal.close(1, "test")


def test_an_open_journal_keeps_sqlites_lock_that_keeps_its_memory_whole(tmp_path: Path) -> None:
    """Without this lock the next process that opens the journal cuts the shared memory short under the one that trades."""
    code = (
        "import fcntl, sys; file = open(sys.argv[1], 'r+b')\n"
        "try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, 128)\n"  # SQLite's WAL_SHM DMS byte
        "except BlockingIOError: print('held')"
    )
    Journal(tmp_path, SYMBOLS).close(10**18, "an older life leaves -wal and -shm behind")
    for life in range(2):
        journal = Journal(tmp_path, SYMBOLS)
        shared = tmp_path / f"{FILE}-shm"
        found = subprocess.run(
            [sys.executable, "-c", code, str(shared)], capture_output=True, text=True, check=True
        )
        assert found.stdout == "held\n", life
        journal.close(10**18, "test")


def in_one_go(db: SqliteFile, statements: list[Statement]) -> None:
    db.write(statements, synced=True)


def one_by_one(db: SqliteFile, statements: list[Statement]) -> None:
    with db.transaction(synced=True):
        for sql, values in statements:
            db.execute(sql, values)


@pytest.mark.parametrize("way", [in_one_go, one_by_one])
def test_statements_that_fail_together_leave_nothing_and_the_next_are_written(
    tmp_path: Path, way: Callable[[SqliteFile, list[Statement]], None]
) -> None:
    note = "INSERT INTO notes (ts, name, level, fields) VALUES (?, 'x', 'info', '{}')"
    with contextlib.closing(open_file(tmp_path / FILE)) as db:
        db.make_ready(TABLES, VERSION, new=True)
        with pytest.raises(sqlite3.Error):
            way(db, [(note, (1,)), ("INSERT INTO nowhere VALUES (1)", ())])
        way(db, [(note, (2,))])
        assert db.execute("SELECT ts FROM notes").fetchall() == [(2,)]


def test_the_main_file_is_left_alone_by_commits(tmp_path: Path) -> None:
    """Copying the write-ahead log into it takes time that an order would wait."""
    journal = Journal(tmp_path, SYMBOLS)
    journal.checkpoint()
    before = (tmp_path / FILE).stat().st_size
    journal.note(Note(1, "long", "info", {"text": "x" * 6_000_000}))
    journal.commit()
    assert (tmp_path / FILE).stat().st_size == before
    journal.checkpoint()
    assert (tmp_path / FILE).stat().st_size > before
    journal.close(2, "test")


def test_a_commit_waits_for_the_disk_and_what_is_flushed_is_brought_there_by_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path, SYMBOLS)
    synced: list[Path] = []
    monkeypatch.setattr(os, "fsync", lambda file: synced.append(Path(f"/proc/self/fd/{file}").readlink()))
    for write, waits in ((journal.flush, 1), (journal.commit, 2), (journal.flush, 1)):
        journal.note(Note(1, "x"))
        write()
        assert journal._db.execute("PRAGMA synchronous").fetchone() == (waits,)  # NORMAL, FULL
    journal.sync()
    assert synced == [tmp_path / f"{FILE}-wal"]
    journal.close(2, "test")
