"""Opening a journal: is it there, is it whole, may we read it? Each error is one line."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Final

from turbo_trader.journal.address import MISSING, Address, place, read_address
from turbo_trader.journal.connection import Database, Tables, open_file
from turbo_trader.journal.journal_errors import explained, readable_values, unsound
from turbo_trader.journal.marker import lost, read_mark
from turbo_trader.journal.schema import FILE, NEEDED, VERSION
from turbo_trader.market.errors import InputError

BUSY_S: Final = 2.0


def is_there(folder: Path) -> bool:
    """Is there a file with anything in it? An error of the file system as in `explained`."""
    path = folder / FILE
    try:
        return path.is_dir() or bool(path.stat().st_size)
    except FileNotFoundError:
        return False
    except OSError as error:
        raise explained(path, error) from None


@contextmanager
def reading(folder: Path, *, still: bool = False) -> Iterator[Tables | None]:
    """The journal for reading, None where there has been none yet. `still`: one moment of a journal that is being written.

    JournalError, UnsoundJournal or InputError where it cannot be read or believed, also by what the body reads from it.
    """
    there = read_address(folder)
    with _of_file(folder, still=still) if there is None else _of_server(there) as db:
        if db is None:
            refuse_lost(folder, None)
            yield None
            return
        with readable_values(there or folder / FILE):
            holds = check(there or folder / FILE, db)
            refuse_lost(folder, db if holds else None)
            yield db if holds else None


@contextmanager
def _of_file(folder: Path, *, still: bool) -> Iterator[Tables | None]:
    if not is_there(folder):
        yield None
        return
    try:
        with contextlib.closing(open_file(folder / FILE, timeout=BUSY_S)) as db:
            db.execute("PRAGMA query_only=ON")
            if still:
                db.execute("BEGIN")
            yield db
    except sqlite3.Error as error:
        raise explained(folder / FILE, error) from None


@contextmanager
def _of_server(there: Address) -> Iterator[Tables]:
    server = driver()
    with contextlib.closing(server.ServerTables(there)) as db, server.one_line(there):
        yield db


@contextmanager
def beside(folder: Path, patience: float) -> Iterator[Database | None]:
    """A hand of one's own in the journal that another process writes; None where there is none. Errors as they come."""
    there = read_address(folder)
    if there is not None:
        from turbo_trader.journal.server_writer import ServerHand

        with contextlib.closing(ServerHand(there, patience=patience)) as hand:
            yield hand
    elif (folder / FILE).exists():
        with contextlib.closing(open_file(folder / FILE, timeout=patience)) as db:
            db.execute("PRAGMA synchronous=FULL")
            yield db
    else:
        yield None


def discard(folder: Path) -> None:
    """Take away what a start that was refused wrote outside its folder: a schema of a database. Never raises."""
    with contextlib.suppress(InputError):
        if (there := read_address(folder)) is not None:
            driver()
            from turbo_trader.journal import server_writer

            server_writer.discard(there)


def driver() -> ModuleType:
    """`server`, which needs the extra `fleet`; InputError without it."""
    try:
        from turbo_trader.journal import server
    except ImportError:
        raise InputError(MISSING) from None
    return server


@contextmanager
def believable(folder: Path) -> Iterator[None]:
    """UnsoundJournal for what the body cannot make sense of among the values it has read from the journal."""
    with readable_values(place(folder)):
        yield


def check(where: object, db: Tables) -> bool:
    """Is it a whole journal of this or an earlier version (True) or a database with nothing in it (False)?

    UnsoundJournal or, of a newer version, InputError otherwise.
    """
    version, tables = db.version(), db.tables()
    if version == 0 and not tables:
        return False
    if version > VERSION:
        raise InputError(
            f"journal {where}: version {version} of a newer turbo-trader, this one reads {VERSION}; "
            "use the newer one, or move it away to start a new one"
        )
    if version < 1:
        raise unsound(where, f"damaged (version {version}, written is {VERSION})")
    if missing := sorted(NEEDED - tables):
        raise unsound(where, f"damaged (missing: {', '.join(missing)})")
    return True


def refuse_lost(folder: Path, db: Tables | None) -> None:
    """UnsoundJournal where the marker beside it knows of more than the journal holds."""
    if what := lost(read_mark(folder), db):
        raise unsound(place(folder), what)
