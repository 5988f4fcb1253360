"""An emptied journal is not taken for a new one: what stood in it (halts above all) is not lost silently."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from turbo_trader.journal.journal_errors import UnsoundJournal
from turbo_trader.journal.marker import MARKER
from turbo_trader.journal.readers import state
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import Refused
from turbo_trader.trader.commands import Persist

SYMBOLS = ("BTCUSDT",)


def halted(folder: Path) -> None:
    journal = Journal(folder, SYMBOLS)
    journal.persist(Persist(1, "session", {"halted": "a person"}))
    journal.commit()
    journal.close(2, "test")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def deleted(path: Path) -> None:
    path.unlink()


def rows_deleted(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM boots")
        db.execute("DELETE FROM state")


def session_deleted(path: Path) -> None:
    with sqlite3.connect(path) as db:
        db.execute("DELETE FROM state")


@pytest.mark.parametrize(
    "damage", [emptied, deleted, rows_deleted, session_deleted], ids=lambda d: d.__name__
)
def test_an_emptied_journal_is_refused_until_a_person_takes_over(
    tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    halted(tmp_path)
    damage(tmp_path / FILE)
    for _ in range(2):  # a refusal leaves all as it was
        with pytest.raises(Refused, match="run --take-over"):
            Journal(tmp_path, SYMBOLS)
    Journal(tmp_path, SYMBOLS, take_over=True).close(3, "test")
    Journal(tmp_path, SYMBOLS).close(4, "test")  # from then on it is the journal


def test_a_copy_from_before_the_last_start_is_refused(tmp_path: Path) -> None:
    Journal(tmp_path, SYMBOLS).close(1, "test")
    copy = (tmp_path / FILE).read_bytes()
    halted(tmp_path)
    (tmp_path / FILE).write_bytes(copy)
    with pytest.raises(UnsoundJournal, match="older than its last start"):
        Journal(tmp_path, SYMBOLS)


def test_a_copy_of_the_whole_folder_is_taken(tmp_path: Path) -> None:
    halted(tmp_path)
    copy = {path.name: path.read_bytes() for path in tmp_path.iterdir() if path.is_file()}
    halted(tmp_path)
    for name, data in copy.items():
        (tmp_path / name).write_bytes(data)
    Journal(tmp_path, SYMBOLS).close(3, "test")
    assert state(tmp_path)["session"] == {"halted": "a person"}


def test_a_journal_without_a_marker_gets_one(tmp_path: Path) -> None:
    halted(tmp_path)
    (tmp_path / MARKER).unlink()
    Journal(tmp_path, SYMBOLS).close(3, "test")
    assert (tmp_path / MARKER).exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_everything_of_a_journal_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    folder = tmp_path / "var" / "live"
    before = os.umask(mask)
    try:
        journal = Journal(folder, SYMBOLS)
        journal.persist(Persist(1, "session", {}))
        journal.commit()
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
        journal.close(2, "test")
    finally:
        os.umask(before)
    assert {FILE, f"{FILE}-wal", f"{FILE}-shm", "lock", MARKER} <= set(modes)
    assert set(modes.values()) == {0o600}
    assert {stat.S_IMODE(each.stat().st_mode) for each in (folder, folder.parent)} == {0o700}


def test_an_older_journal_that_others_could_read_is_closed_to_them(tmp_path: Path) -> None:
    halted(tmp_path)
    tmp_path.chmod(0o755)
    (tmp_path / FILE).chmod(0o644)
    Journal(tmp_path, SYMBOLS).close(2, "test")
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700
