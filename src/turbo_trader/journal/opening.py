"""Opening a journal: is it there, is it whole, is it ours to read? What is wrong is said in one line."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from turbo_trader.journal.errors import explained, readable_values, unsound
from turbo_trader.journal.marker import lost, read_mark
from turbo_trader.journal.schema import FILE, NEEDED, VERSION
from turbo_trader.market.errors import InputError

BUSY_S = 2.0


def is_there(folder: Path) -> bool:
    """Is there a journal with anything in it? An error of the file system as in `explained`."""
    path = folder / FILE
    try:
        return path.is_dir() or path.stat().st_size > 0
    except FileNotFoundError:
        return False
    except OSError as error:
        raise explained(path, error) from None


@contextmanager
def reading(folder: Path) -> Iterator[sqlite3.Connection | None]:
    """The journal for reading, None where there has been none yet.

    JournalError, UnsoundJournal or InputError where it cannot be read or believed, also by what the body reads from it.
    """
    path = folder / FILE
    if not is_there(folder):
        refuse_lost(folder, None)
        yield None
        return
    db: sqlite3.Connection | None = None
    try:
        db = sqlite3.connect(path, isolation_level=None, timeout=BUSY_S)
        db.execute("PRAGMA query_only=ON")
        with readable_values(path):
            there = check(path, db)
            refuse_lost(folder, db if there else None)
            yield db if there else None
    except sqlite3.Error as error:
        raise explained(path, error) from None
    finally:
        if db is not None:
            db.close()


@contextmanager
def believable(folder: Path) -> Iterator[None]:
    """UnsoundJournal for what the body cannot make sense of among the values it has read from the journal."""
    with readable_values(folder / FILE):
        yield


def check(path: Path, db: sqlite3.Connection) -> bool:
    """Is it a whole journal of this or an earlier version (True) or a database with nothing in it (False)?

    UnsoundJournal or, of a newer version, InputError otherwise.
    """
    version = db.execute("PRAGMA user_version").fetchone()[0]
    tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if version == 0 and not tables:
        return False
    if version > VERSION:
        raise InputError(
            f"journal {path}: version {version} of a newer turbo-trader, this one reads {VERSION}; "
            "use the newer one, or move it away to start a new one"
        )
    if version < 1:
        raise unsound(path, f"damaged (version {version}, written is {VERSION})")
    if missing := sorted(NEEDED - tables):
        raise unsound(path, f"damaged (missing: {', '.join(missing)})")
    return True


def refuse_lost(folder: Path, db: sqlite3.Connection | None) -> None:
    """UnsoundJournal where the marker beside it knows of more than the journal holds."""
    if what := lost(read_mark(folder), db):
        raise unsound(folder / FILE, what)
