"""Brings a journal of an earlier version to this one when a daemon opens it, and keeps a copy of the old one beside it.

To change the tables: raise `schema.VERSION`, add the step from the version before to `STEPS`, and a journal of that version to
`tests/journal/earlier.py`. A step runs inside one transaction: after a death at any instruction the journal is of one version.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.connection import Database, SqliteFile, Tables, open_file
from turbo_trader.journal.journal_errors import unsound
from turbo_trader.journal.private_files import private_file
from turbo_trader.journal.schema import NEEDED, TABLES, VERSION

Step = Callable[[Database], None]

#: What decides about money after a start. No step may lose a row of it.
_KEPT: Final = {
    "state": "SELECT key, ts, value FROM state ORDER BY key",
    "boots": "SELECT * FROM boots ORDER BY boot",
    "intents": "SELECT id, boot, ts, kind, symbol, command, outcome, code, message, outcome_ts FROM intents ORDER BY id",
    "notes": "SELECT count(*), min(ts), max(ts) FROM notes",
}


def migrate(path: Path, db: SqliteFile) -> Path | None:
    """Bring the file at `path`, open in `db`, to this version. Returns the copy of the old one; None where it is of this version.

    UnsoundJournal where it is damaged, sqlite3.Error and OSError where it cannot be read or written: it then is as it was.
    """
    version = db.version()
    if version == VERSION:
        return None
    damaged(path, db)
    kept = copied(path, db, path.with_name(f"{path.name}.v{version}"))
    bring_up(path, db)
    with contextlib.suppress(sqlite3.Error):  # no room for a second copy: it is small enough without
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("VACUUM")
    return kept


def bring_up(where: object, db: Database) -> None:
    """Take every step to this version, all in one transaction. UnsoundJournal where a row that decides about money would change."""
    with db.transaction(synced=True):
        before = _kept(db)
        for number in range(db.version() + 1, VERSION + 1):
            STEPS[number](db)
        _unchanged(where, before, _kept(db))
        db.set_version(VERSION)


def copied(path: Path, db: SqliteFile, to: Path) -> Path:
    """A whole private copy of the journal open in `db`, also while it is written. sqlite3.Error and OSError as they come."""
    draft = to.with_name(f"{to.name}.new")
    try:
        draft.unlink(missing_ok=True)
        private_file(draft)
        with contextlib.closing(open_file(draft)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal and -shm
            damaged(path, copy)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    return to


def unloaded(where: object, db: Tables, to: Path) -> Path:
    """The same of a journal in a database: a file of SQLite's with all its rows. sqlite3.Error and OSError as they come."""
    draft = to.with_name(f"{to.name}.new")
    try:
        draft.unlink(missing_ok=True)
        private_file(draft)
        with contextlib.closing(open_file(draft)) as copy:
            copy.executescript(TABLES)
            with copy.transaction(synced=True):
                loaded(db, copy)
                copy.set_version(db.version())
            damaged(where, copy)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    return to


def loaded(source: Tables, to: Database) -> None:
    """Put every row of one journal into the empty tables of another."""
    with contextlib.closing(open_file(":memory:")) as whole:
        whole.executescript(TABLES)
        columns = {table: whole.columns(table) for table in sorted(whole.tables() & source.tables())}
    for table, names in columns.items():
        listed = ", ".join(names)
        insert = f"INSERT INTO {table} ({listed}) VALUES ({', '.join('?' * len(names))})"  # noqa: S608 - names of ours
        for row in source.execute(f"SELECT {listed} FROM {table}"):  # noqa: S608
            to.execute(insert, tuple(row))


def damaged(where: object, db: Tables) -> None:
    """UnsoundJournal where what `db` reads is not whole, or a table lacks a column."""
    found = [*db.faults(), *(f"{table} lacks {column}" for table, column in _lacking(db))]
    if found:
        raise unsound(where, f"damaged ({'; '.join(found)})")


def _lacking(db: Tables) -> list[tuple[str, str]]:
    with contextlib.closing(open_file(":memory:")) as whole:
        whole.executescript(TABLES)
        wanted = {table: whole.columns(table) for table in sorted(NEEDED)}
    return [
        (table, column)
        for table, names in wanted.items()
        for column in names
        if column not in db.columns(table)
    ]


def _kept(db: Tables) -> dict[str, list[Any]]:
    return {table: list(db.execute(sql)) for table, sql in _KEPT.items()}


def _unchanged(where: object, before: dict[str, list[Any]], after: dict[str, list[Any]]) -> None:
    if changed := [table for table, rows in after.items() if rows != before[table]]:
        raise unsound(where, f"cannot be brought to version {VERSION}: {', '.join(changed)} would change")


def _to_2(db: Database) -> None:
    """Scans packed together and deflated events may be there from now on. Three kinds of version 1 become alike.

    The first had no outcomes; the first two kept intents by row number, with an index. They are files of SQLite, all of them.
    """
    (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'intents'").fetchone()
    if "WITHOUT ROWID" not in made:
        db.execute("ALTER TABLE intents RENAME TO intents_1")
        _make_tables(db)
        db.execute("INSERT INTO intents SELECT * FROM intents_1")
        db.execute("DROP TABLE intents_1")
    _make_tables(db)


def _make_tables(db: Database) -> None:
    for statement in TABLES.split(";"):  # not `executescript`: it would end the transaction
        if statement.strip():
            db.execute(statement)


def _to_3(_: Database) -> None:
    """The Trader takes up rows of `state` of any version and writes them in its own layout with its first step."""


#: What brings a journal to a version from the one before.
STEPS: Final[dict[int, Step]] = {2: _to_2, 3: _to_3}
