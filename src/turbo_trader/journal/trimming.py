"""Keeping a journal small while it is written: scans are packed together, old rows without money deleted, free pages returned.

Everything is done in steps of a few milliseconds at the most, one a second, each a transaction of its own that waits for no disk.
Packing, which takes longer, is done by a thread of its own on a connection of its own.

Kept for ever: intents, starts, state, outcomes, all notes but `gate`, and events that report orders, fills, positions and wallets.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from turbo_trader.journal.address import read_address
from turbo_trader.journal.connection import Database, Tables, open_file
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.layouts import layout, layouts
from turbo_trader.journal.opening import driver
from turbo_trader.journal.packing import TOGETHER, pack
from turbo_trader.journal.schema import FILE
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import DAY

#: Events and notes that no money hangs on: they go when they are `days` old.
PASSING_EVENTS: Final = (
    "ReadResult", "ClockOffset", "NoiseFitted", "InstrumentUpdate", "FeeRates", "StreamStatus", "Maintenance", "KeyExpiry",
    "Watched", "Unread",
)  # fmt: skip
PASSING_NOTES: Final = ("gate", "candidate")
_VALUES: Final = 4  # values of scans let go of in one step: about 30 pages each
_ROWS: Final = 500  # rows of events or notes looked at in one step


@dataclass(frozen=True, slots=True)
class Group:
    """Scans `first` to `last` of one layout (row numbers) as one value."""

    first: int
    last: int
    layout: int
    value: bytes


class Trimming:
    """The upkeep of one journal folder. `days`: how long scans and what no money hangs on are kept; 0: for ever."""

    def __init__(self, folder: Path, days: int) -> None:
        self._path = folder / FILE
        self._there = read_address(folder)
        self._connected: Tables | None = None
        self._ns = days * DAY
        self._packed: int | None = None  # the last row of scans that was looked at; None: not read yet

    def gather(self) -> Group | None:
        """The oldest scans that are not packed yet, packed; None while they are too few. From any thread; never raises."""
        with (
            contextlib.suppress(sqlite3.Error, JournalError, InputError, ValueError, LookupError),
            self._reader() as db,
        ):
            return self._gathered(db)
        return None

    @contextlib.contextmanager
    def _reader(self) -> Iterator[Tables]:
        """A file is opened each time, a connection to a database stays until it fails."""
        if self._there is None:
            with contextlib.closing(open_file(self._path)) as db:
                db.execute("PRAGMA query_only = ON")
                yield db
            return
        if self._connected is None:
            self._connected = driver().ServerTables(self._there, still=False)
        try:
            yield self._connected
        except JournalError:
            self._connected.close()
            self._connected = None
            raise

    def _gathered(self, db: Tables) -> Group | None:
        if self._packed is None:
            self._packed = _mark(db, "scans")
        rows = db.execute(
            "SELECT n, ts, symbols, rows FROM scans WHERE n > ? ORDER BY n LIMIT ?", (self._packed, TOGETHER)
        ).fetchall()
        if not rows:
            return None
        found = layouts(db)[rows[0][2]]
        alike = [row for row in rows if row[2] == rows[0][2]]
        if len(alike) < TOGETHER or found.together:
            if len(alike) < len(rows) or found.together:  # others follow: these stay as they are
                self._packed = alike[-1][0]
            return None
        value = pack([row[1] for row in rows], [row[3] for row in rows], found.dtype.itemsize)
        return Group(rows[0][0], rows[-1][0], rows[0][2], value)

    def step(self, db: Database, now: int, group: Group | None) -> None:
        """One small step, in a transaction of the journal's writer: put `group` in the place of its scans, or let old rows go."""
        if group is not None:
            self._put(db, group)
            return
        if self._ns and now > self._ns:
            self._let_go(db, now - self._ns)
        db.give_back()

    def _put(self, db: Database, group: Group) -> None:
        known = layouts(db)[group.layout]
        number = layout(db, known.symbols, known.dtype, TOGETHER)
        db.execute("UPDATE scans SET symbols = ?, rows = ? WHERE n = ?", (number, group.value, group.first))
        db.execute("DELETE FROM scans WHERE n > ? AND n <= ?", (group.first, group.last))
        self._packed = group.first  # the numbers after it are given again
        _set_mark(db, "scans", group.first)

    def _let_go(self, db: Database, before: int) -> None:
        db.execute(
            "DELETE FROM scans WHERE n IN (SELECT n FROM scans WHERE ts < ? ORDER BY ts LIMIT ?)",
            (before, _VALUES),
        )
        _let_go(db, "events", "kind", PASSING_EVENTS, before)
        _let_go(db, "notes", "name", PASSING_NOTES, before)


def _let_go(db: Database, table: str, column: str, names: tuple[str, ...], before: int) -> None:
    """Look at the next rows of a table, and delete those of these names; how far it has come is kept in `meta`."""
    seen = _mark(db, table)
    rows = f"SELECT n, ts FROM {table} WHERE n > ? ORDER BY n LIMIT ?"  # noqa: S608 - fixed names
    old = [n for n, ts in db.execute(rows, (seen, _ROWS)) if ts < before]
    if not old:
        return
    marks = ", ".join("?" * len(names))
    gone = f"DELETE FROM {table} WHERE n > ? AND n <= ? AND {column} IN ({marks})"  # noqa: S608 - fixed names
    db.execute(gone, (seen, old[-1], *names))
    newest = db.execute(f"SELECT max(n) FROM {table}").fetchone()[0] or 0  # noqa: S608 - fixed names
    _set_mark(db, table, min(old[-1], newest))  # after that, numbers are given again


def _mark(db: Tables, table: str) -> int:
    found = db.execute("SELECT value FROM meta WHERE key = ?", (f"trimmed {table}",)).fetchone()
    return int(found[0]) if found else 0


def _set_mark(db: Database, table: str, n: int) -> None:
    sql = "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
    db.execute(sql, (f"trimmed {table}", str(n)))
