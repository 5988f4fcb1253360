"""Copies of a journal while a daemon writes it, and a journal from a copy."""

from __future__ import annotations

import contextlib
import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from turbo_trader.journal.errors import explained
from turbo_trader.journal.lease import GUARD, current
from turbo_trader.journal.marker import SESSION, Mark, write_mark
from turbo_trader.journal.migrations import copied, damaged
from turbo_trader.journal.opening import check, reading
from turbo_trader.journal.private import private_file, private_folder
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import lock
from turbo_trader.market.errors import InputError, Refused

_BESIDE: Final = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """A journal that was put in place of another. `before`: where that one is now, None: there was none."""

    path: Path
    before: Path | None
    starts: int  # starts of the one before that are ours in this one too


def backup(folder: Path, to: Path) -> Path:
    """A whole, verified, private copy of one moment, in one file; the daemon goes on writing meanwhile.

    InputError where there is no journal, or `to` is there already; JournalError, UnsoundJournal where it cannot be read or written.
    """
    if to.exists():
        raise InputError(f"{to}: is there already; name another file")
    with reading(folder) as db:
        if db is None:
            raise InputError(f"{folder}: no journal here; name one with --journal-dir")
        try:
            private_folder(to.parent)
            copied(folder / FILE, db, to)
            _to_disk(to)
        except OSError as error:
            raise InputError(f"{to}: {error.strerror}; name another place") from None
        except sqlite3.Error as error:
            raise explained(to, error) from None
    return to


def restore(folder: Path, copy: Path, stamp: str) -> Restored:
    """Put `copy` in the place of the journal in `folder`; the one there stays beside it under a name with `stamp`.

    Starts that the replaced journal knew stay ours, where it can be read. Refused while a daemon or a guard is at work; InputError
    where `copy` is none.
    """
    _checked(copy)
    with contextlib.closing(lock(folder)):
        if (epoch := current(folder)).owner == GUARD and not epoch.released:
            raise Refused(
                f"{folder}: the guard is at work (process {epoch.pid}); end it with `turbo-trader guard --stop`"
            )
        path, before = folder / FILE, folder / f"before-restore-{stamp}.sqlite"
        starts = _starts(path)
        draft = path.with_name(f"{FILE}.new")
        try:
            with contextlib.closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as db:
                copied(path, db, draft)
            _take_over(draft, starts)
            there = [suffix for suffix in _BESIDE if Path(f"{path}{suffix}").exists()]
            for suffix in there:
                Path(f"{path}{suffix}").replace(f"{before}{suffix}")
            draft.replace(path)
            _to_disk(path)
        except (OSError, sqlite3.Error) as error:
            raise explained(path, error) from None
        finally:
            draft.unlink(missing_ok=True)
        _mark(folder)
        return Restored(path, before if there else None, len(starts))


def _checked(copy: Path) -> None:
    if not copy.is_file():
        raise InputError(f"{copy}: no such file")
    try:
        with contextlib.closing(sqlite3.connect(f"file:{copy}?mode=ro", uri=True)) as db:
            if not check(copy, db):
                raise InputError(
                    f"{copy}: nothing is in it; name a copy made by `turbo-trader journal backup`"
                )
            damaged(copy, db)
    except sqlite3.Error as error:
        raise explained(copy, error) from None


def _starts(path: Path) -> list[tuple[object, ...]]:
    """What the journal that is replaced knows of starts; none where it cannot be read."""
    with contextlib.suppress(sqlite3.Error):
        if path.exists():
            with contextlib.closing(sqlite3.connect(path)) as db:
                return db.execute("SELECT boot, ts, mode, pid, ended, reason FROM boots").fetchall()
    return []


def _take_over(draft: Path, starts: list[tuple[object, ...]]) -> None:
    with contextlib.closing(sqlite3.connect(draft)) as db:
        db.executemany(
            "INSERT OR IGNORE INTO boots (boot, ts, mode, pid, ended, reason) VALUES (?, ?, ?, ?, ?, ?)",
            starts,
        )
        db.commit()


def _mark(folder: Path) -> None:
    """From now on this is what the journal must hold."""
    with contextlib.closing(sqlite3.connect(folder / FILE)) as db:
        last = db.execute("SELECT boot FROM boots ORDER BY ts DESC LIMIT 1").fetchone()
        session = db.execute("SELECT 1 FROM state WHERE key = ?", (SESSION,)).fetchone()
    write_mark(folder, Mark(last[0] if last else "", session=session is not None))
    private_file(folder / FILE)


def _to_disk(path: Path) -> None:
    for each in (path, path.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
