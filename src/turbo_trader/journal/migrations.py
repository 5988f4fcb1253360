"""A journal of an earlier version becomes one of this version when a daemon opens it; what it was before is kept beside it.

To change the tables: raise `schema.VERSION`, add the step from the version before to `STEPS`, and a journal of that version to
`tests/journal/earlier.py`. A step runs inside one transaction: after a death at any instruction the journal is of one version.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.errors import unsound
from turbo_trader.journal.private import private_file
from turbo_trader.journal.schema import NEEDED, TABLES, VERSION

Step = Callable[[sqlite3.Connection], None]

#: What decides about money after a start. No step may lose a row of it.
_KEPT: Final = {
    "state": "SELECT key, ts, value FROM state ORDER BY key",
    "boots": "SELECT * FROM boots ORDER BY boot",
    "intents": "SELECT id, boot, ts, kind, symbol, command, outcome, code, message, outcome_ts FROM intents ORDER BY id",
    "notes": "SELECT count(*), total(ts) FROM notes",
}


def migrate(path: Path, db: sqlite3.Connection) -> Path | None:
    """Bring the journal at `path`, open in `db`, to this version. Returns the copy of before; None where it is of this version.

    UnsoundJournal where it is damaged, sqlite3.Error and OSError where it cannot be read or written: it then is as it was.
    """
    version = int(db.execute("PRAGMA user_version").fetchone()[0])
    if version == VERSION:
        return None
    damaged(path, db)
    kept = copied(path, db, path.with_name(f"{path.name}.v{version}"))
    db.execute("BEGIN IMMEDIATE")
    try:
        before = _kept(db)
        for number in range(version + 1, VERSION + 1):
            STEPS[number](db)
        _unchanged(path, before, _kept(db))
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except BaseException:
        db.execute("ROLLBACK")
        raise
    with contextlib.suppress(sqlite3.Error):  # no room for a second copy: it is small enough without
        db.execute("PRAGMA auto_vacuum = INCREMENTAL")
        db.execute("VACUUM")
    return kept


def copied(path: Path, db: sqlite3.Connection, to: Path) -> Path:
    """A whole private copy of the journal open in `db`, also while it is written. sqlite3.Error and OSError as they come."""
    draft = to.with_name(f"{to.name}.new")
    try:
        draft.unlink(missing_ok=True)
        private_file(draft)
        with contextlib.closing(sqlite3.connect(draft)) as copy:
            db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without -wal and -shm
            damaged(path, copy)
        draft.replace(to)
    finally:
        draft.unlink(missing_ok=True)
    return to


def damaged(path: Path, db: sqlite3.Connection) -> None:
    """UnsoundJournal where the file of `db` is not whole, or a table lacks a column."""
    found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]
    found += [f"{table} lacks {column}" for table, column in _lacking(db)]
    if found:
        raise unsound(path, f"damaged ({'; '.join(found)[:300]})")


def _lacking(db: sqlite3.Connection) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(":memory:")) as whole:
        whole.executescript(TABLES)
        wanted = {table: _columns(whole, table) for table in sorted(NEEDED)}
    return [
        (table, column)
        for table, names in wanted.items()
        for column in names
        if column not in _columns(db, table)
    ]


def _columns(db: sqlite3.Connection, table: str) -> list[str]:
    return [name for _, name, *_ in db.execute(f"PRAGMA table_info({table})")]


def _kept(db: sqlite3.Connection) -> dict[str, list[Any]]:
    return {table: db.execute(sql).fetchall() for table, sql in _KEPT.items()}


def _unchanged(path: Path, before: dict[str, list[Any]], after: dict[str, list[Any]]) -> None:
    if changed := [table for table, rows in after.items() if rows != before[table]]:
        raise unsound(path, f"cannot be brought to version {VERSION}: {', '.join(changed)} would change")


def _to_2(db: sqlite3.Connection) -> None:
    """Scans packed together and deflated events may be there from now on. Three kinds of version 1 become alike.

    The first had no outcomes; the first two kept intents by row number, with an index.
    """
    (made,) = db.execute("SELECT sql FROM sqlite_master WHERE name = 'intents'").fetchone()
    if "WITHOUT ROWID" not in made:
        db.execute("DROP INDEX IF EXISTS intents_open")
        db.execute("ALTER TABLE intents RENAME TO intents_1")
        _make_tables(db)
        db.execute("INSERT INTO intents SELECT * FROM intents_1")
        db.execute("DROP TABLE intents_1")
    _make_tables(db)


def _make_tables(db: sqlite3.Connection) -> None:
    for statement in TABLES.split(";"):  # not `executescript`: it would end the transaction
        if statement.strip():
            db.execute(statement)


def _to_3(_: sqlite3.Connection) -> None:
    """The Trader takes up rows of `state` of any version and writes them in its own layout with its first step."""


#: What brings a journal to a version from the one before.
STEPS: Final[dict[int, Step]] = {2: _to_2, 3: _to_3}
