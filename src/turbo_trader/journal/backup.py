"""Copies of a journal while a daemon writes it, and a journal from a copy."""

from __future__ import annotations

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeAlias

from turbo_trader.journal.address import POINTER, Address, place, read_address, write_address
from turbo_trader.journal.connection import SqliteFile, Statement, open_file
from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.journal_errors import JournalError, UnsoundJournal, explained
from turbo_trader.journal.lease import GUARD
from turbo_trader.journal.marker import MARKER, SESSION, Mark, write_mark
from turbo_trader.journal.migrations import bring_up, copied, damaged, unloaded
from turbo_trader.journal.opening import check, driver, reading
from turbo_trader.journal.private_files import private_file, private_folder
from turbo_trader.journal.schema import FILE, TABLES, VERSION
from turbo_trader.journal.store import lock
from turbo_trader.market.errors import InputError, Refused

Start: TypeAlias = tuple[Any, ...]  # a row of `boots`

_BESIDE: Final = ("", "-wal", "-shm")


@dataclass(frozen=True, slots=True)
class Restored:
    """A journal that was put in place of another. `before`: where that one is now, None: there was none."""

    path: Path | Address
    before: Path | str | None
    starts: int  # starts of the one before that are ours in this one too


def backup(folder: Path, to: Path) -> Path:
    """A whole, verified, private copy of one moment, in one file; the daemon keeps writing meanwhile.

    InputError where there is no journal, or `to` is there already; JournalError, UnsoundJournal where it cannot be read or written.
    """
    if to.exists():
        raise InputError(f"{to}: is there already; name another file")
    with reading(folder) as db:
        if db is None:
            raise InputError(f"{folder}: no journal here; name one with --journal-dir")
        try:
            private_folder(to.parent)
            if isinstance(db, SqliteFile):
                copied(folder / FILE, db, to)
            else:
                unloaded(place(folder), db, to)
            _to_disk(to)
        except OSError as error:
            raise InputError(f"{to}: {error.strerror}; name another place") from None
        except sqlite3.Error as error:
            raise explained(to, error) from None
    return to


def restore(folder: Path, copy: Path, stamp: str, there: Address | None = None) -> Restored:
    """Put `copy` in the place of the journal in `folder`, or, where `there` is given, of the one in that database.

    The one there stays beside it under a name with `stamp`; one that the folder has kept in the other way stays too. Starts that
    the replaced journal knew stay ours, where it can be read. Refused while a daemon or a guard is at work; InputError
    where `copy` is none.
    """
    _checked(copy)
    with contextlib.closing(lock(folder)):
        if (epoch := EpochFiles(folder).current()).owner == GUARD and not epoch.released:
            raise Refused(
                f"{folder}: the guard is at work (process {epoch.pid}); end it with `turbo-trader guard --stop`"
            )
        path, before = folder / FILE, folder / f"before-restore-{stamp}.sqlite"
        starts = _starts(folder)
        if there is not None:
            return _into_server(folder, there, copy, stamp, starts)
        draft = path.with_name(f"{FILE}.new")
        try:
            with _opened(copy) as db:
                copied(path, db, draft)
            _take_over(draft, starts)
            moved = _aside(path, before)
            (folder / POINTER).unlink(missing_ok=True)  # the database keeps what it has
            draft.replace(path)
            _to_disk(path)
        except (OSError, sqlite3.Error) as error:
            raise explained(path, error) from None
        finally:
            draft.unlink(missing_ok=True)
        _mark(folder)
        return Restored(path, before if moved else None, len(starts))


@contextlib.contextmanager
def _opened(copy: Path) -> Iterator[SqliteFile]:
    """For reading alone; its name may hold what means something in an address (`#`, `?`, `%`)."""
    with contextlib.closing(open_file(f"{copy.absolute().as_uri()}?mode=ro", uri=True)) as db:
        yield db


def _checked(copy: Path) -> None:
    if not copy.is_file():
        what = "a folder" if copy.is_dir() else "no such file"
        raise InputError(f"{copy}: {what}; name a copy made by `turbo-trader journal backup`")
    try:
        with _opened(copy) as db:
            if not check(copy, db):
                raise InputError(
                    f"{copy}: nothing is in it; name a copy made by `turbo-trader journal backup`"
                )
            damaged(copy, db)
    except UnsoundJournal:
        raise _unsound_copy(copy) from None
    except sqlite3.Error as error:
        found = explained(copy, error)
        raise (_unsound_copy(copy) if isinstance(found, UnsoundJournal) else found) from None


def _unsound_copy(copy: Path) -> UnsoundJournal:
    return UnsoundJournal(
        f"{copy}: no whole copy of a journal; the journal is as it was; name another copy, made by `turbo-trader journal backup`"
    )


def _into_server(folder: Path, there: Address, copy: Path, stamp: str, starts: list[Start]) -> Restored:
    """The earlier schema stays under another name; so does an earlier file."""
    server = driver()
    from turbo_trader.journal.server_writer import ServerWriter

    path, draft = folder / FILE, folder / f"{FILE}.new"
    kept = read_address(folder)
    ours = replace(there, home=kept.home if kept is not None and kept.home else secrets.token_hex(8))
    try:
        with _opened(copy) as db:
            copied(path, db, draft)
        with contextlib.closing(open_file(draft)) as db, contextlib.closing(ServerWriter(ours)) as writer:
            if db.version() != VERSION:
                bring_up(copy, db)
            before = writer.replace_with(db, TABLES, VERSION, f"{ours.schema}.before-{stamp}")
            with server.one_line(ours):
                writer.write([_as_start(start) for start in starts], synced=True)
        write_address(folder, ours)
        _aside(path, folder / f"before-restore-{stamp}.sqlite")
    except (OSError, sqlite3.Error) as error:
        raise explained(path, error) from None
    finally:
        draft.unlink(missing_ok=True)
    _mark(folder)
    return Restored(ours, before, len(starts))


def _aside(path: Path, before: Path) -> bool:
    """Move a file of SQLite's with what lies beside it; False where there is none."""
    there = [suffix for suffix in _BESIDE if Path(f"{path}{suffix}").exists()]
    for suffix in there:
        Path(f"{path}{suffix}").replace(f"{before}{suffix}")
    return bool(there)


def _starts(folder: Path) -> list[Start]:
    """What the journal that is replaced knows of starts; none where it cannot be read."""
    with contextlib.suppress(sqlite3.Error, JournalError, InputError), contextlib.ExitStack() as stack:
        if read_address(folder) is not None:
            db = stack.enter_context(reading(folder))
        elif (folder / FILE).exists():
            db = stack.enter_context(contextlib.closing(open_file(folder / FILE)))
        else:
            db = None
        if db is not None:
            return [tuple(row) for row in db.execute("SELECT boot, ts, mode, pid, ended, reason FROM boots")]
    return []


def _as_start(start: Start) -> Statement:
    sql = "INSERT INTO boots (boot, ts, mode, pid, ended, reason) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return sql, start


def _take_over(draft: Path, starts: list[Start]) -> None:
    with contextlib.closing(open_file(draft)) as db:
        db.write([_as_start(start) for start in starts], synced=True)


def _mark(folder: Path) -> None:
    """From now on this is what the journal must hold."""
    (folder / MARKER).unlink(missing_ok=True)  # of the one before
    with reading(folder) as db:
        last = db.execute("SELECT boot FROM boots ORDER BY ts DESC LIMIT 1").fetchone() if db else None
        session = db.execute("SELECT 1 FROM state WHERE key = ?", (SESSION,)).fetchone() if db else None
    write_mark(folder, Mark(last[0] if last else "", session=session is not None))
    if (folder / FILE).exists():
        private_file(folder / FILE)


def _to_disk(path: Path) -> None:
    for each in (path, path.parent):
        handle = os.open(each, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
