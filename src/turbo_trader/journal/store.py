"""The journal's writer: what must be on disk before a request leaves, and what may follow a little later.

One SQLite file in WAL mode, or a schema of PostgreSQL (`writing`). `commit` makes intents, their outcomes, state and notes durable
(synchronous=FULL: an fsync; there: synchronous_commit); the shell calls it once after each step of the Trader that has intents or
state, before any of its commands leaves. Events, scans and outcomes of forecasts, which nothing on the wire waits for, are written
by `flush` (no fsync) about once a second, and so is a stop change as soon as it has left. `sync`, from a thread of its own, brings
all of it to the disk.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
import sqlite3
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from turbo_trader.journal.address import Address, place
from turbo_trader.journal.connection import Database, Statement
from turbo_trader.journal.encoding import encode
from turbo_trader.journal.intents import answered, intended, started
from turbo_trader.journal.journal_errors import InDoubt, JournalError, explained, readable_values
from turbo_trader.journal.layouts import layout, read_outcomes
from turbo_trader.journal.marker import SESSION, Mark, write_mark
from turbo_trader.journal.packing import shortened
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.journal.repeats import Repeats
from turbo_trader.journal.schema import ADOPTED, FILE, MONEY
from turbo_trader.journal.writing import writable
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import Rows
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.commands import Note, Persist, Resolved, Scanned, WriteCommand
from turbo_trader.trader.events import CommandResult, Event

_EVENT = "INSERT INTO events (ts, kind, event) VALUES (?, ?, ?)"
_STATE = (
    "INSERT INTO state (key, ts, value) VALUES (?, ?, ?)"
    " ON CONFLICT (key) DO UPDATE SET ts = excluded.ts, value = excluded.value"
)
_PROBE = (
    "INSERT INTO meta (key, value) VALUES ('probe', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
_NOTE = "INSERT INTO notes (ts, name, level, fields) VALUES (?, ?, ?, ?)"
_MOST_MONEY = 2_000  # notes kept while nothing can be written
_MOST_WAITING = 10_000  # statements


class Journal:
    """The one writer of a journal folder. Not thread-safe: used from the event loop's thread alone."""

    def __init__(
        self,
        folder: Path,
        symbols: Sequence[str],
        mode: str = "paper",
        now: Callable[[], int] = time.time_ns,
        *,
        take_over: bool = False,
        there: Address | None = None,
    ) -> None:
        """Open or create: in a file of the folder, or in the database `there`. `take_over`: a person accepts that what an emptied
        one knew is lost, and that one of another folder is this one's from now on.

        InputError when the folder cannot be used or another instance has it, UnsoundJournal when it is damaged or emptied,
        JournalError when it is locked or the disk is full.
        """
        self.folder = folder
        self.boot = secrets.token_hex(4)  # distinguishes the ids of this start from all others
        self.failed = ""  # why writing does not work now; "" when it does
        self._due: list[Statement] = []  # for the next commit
        self._later: list[Statement] = []  # for the next flush
        self._repeats = Repeats()
        self._lock = lock(folder)
        try:
            self._db, self.copy = writable(folder, there, take_over=take_over)
            self._place = place(folder)
            self.name_rows(symbols)
            self._db.execute(*started(self.boot, now(), mode, os.getpid()))
            kept = self._db.execute("SELECT 1 FROM state WHERE key = ?", (SESSION,)).fetchone()
            self._keeps_session = kept is not None
            self._mark = Mark(self.boot, session=self._keeps_session)
            write_mark(folder, self._mark)
        except (sqlite3.Error, OSError) as error:
            self._lock.close()
            raise explained(folder / FILE, error) from None
        except BaseException:
            self._lock.close()
            raise

    # -- before the wire

    def intent(self, ts: int, command: WriteCommand) -> None:
        """A command that is about to be sent; durable after `commit`."""
        self._add(self._due, intended(self.boot, ts, command))

    def persist(self, item: Persist) -> None:
        """State that replaces what was under its key; durable after `commit`."""
        self._keeps_session = self._keeps_session or item.key == SESSION
        self._add(self._due, (_STATE, (item.key, item.ts, encode(item.value))))

    def commit(self) -> None:
        """What must be known before a request leaves is on disk when this returns, and what was reported with it.

        It outlives a power cut. JournalError (and `failed`) when it is not written.
        """
        due, self._due = self._due, []
        self._write(due, synced=True)

    # -- a little later

    def outcome(self, result: CommandResult) -> None:
        """The outcome of an intent."""
        self._add(self._due, answered(result))

    def event(self, event: Event) -> None:
        """An event the Trader was given (market rows and bars excepted), for people; fills that reads repeat are left out."""
        event = self._repeats.without(event)
        self._add(self._later, (_EVENT, (event.ts, type(event).__name__, encode(event))))

    def note(self, note: Note) -> None:
        """A line of the log."""
        self._add(self._due, (_NOTE, (note.ts, note.name, note.level, encode(note.fields))))

    def name_rows(self, symbols: Sequence[str]) -> None:
        """Rows are of these symbols from now on, in this order: a symbol that the venue does not give is in no scan.

        Raises as a start does where that cannot be written.
        """
        self._symbols = tuple(symbols)
        try:
            self.layout = layout(self._db, symbols, SCAN)
            self.outcome_layout = layout(self._db, symbols, OUTCOME)
        except (sqlite3.Error, OSError) as error:
            raise explained(self.folder / FILE, error) from None

    def scanned(self, scanned: Scanned) -> None:
        """The rows of one scan, as they are in memory."""
        sql = "INSERT INTO scans (boot, ts, symbols, rows) VALUES (?, ?, ?, ?)"
        rows = np.ascontiguousarray(scanned.rows).tobytes()
        self._add(self._later, (sql, (self.boot, scanned.ts, self.layout, rows)))

    def resolved(self, resolved: Resolved) -> None:
        """Outcomes of forecasts."""
        sql = "INSERT INTO outcomes (ts, symbols, rows) VALUES (?, ?, ?)"
        rows = np.ascontiguousarray(resolved.rows).tobytes()
        self._add(self._later, (sql, (resolved.ts, self.outcome_layout, rows)))

    def flush(self) -> None:
        """Write all that has gathered, without waiting for the disk; JournalError (and `failed`) when it is not written."""
        everything = self._due + [_shortened(each) for each in self._later]
        self._due, self._later = [], []
        self._write(everything, synced=False)

    def sync(self) -> None:
        """Bring what was written to the disk. From any thread: it keeps nobody waiting; never raises."""
        self._db.sync()

    def checkpoint(self) -> None:
        """Keep the log of writes short. From any thread; never raises. Seldom: the commit after it may wait for the disk."""
        self._db.checkpoint()

    def revive(self) -> None:
        """Try to reach a database that was lost, before `probe`. From any thread; never raises."""
        self._db.revive()

    def tend(self, step: Callable[[Database], None]) -> None:
        """A small step of upkeep, as a transaction that waits for no disk. One that fails changes nothing; never raises."""
        with contextlib.suppress(sqlite3.Error, JournalError, ValueError), self._db.transaction(synced=False):
            step(self._db)

    def probe(self) -> bool:
        """Try to write something: whether the journal works (again) after a failure."""
        self._add(self._due, (_PROBE, (self.boot,)))
        try:
            self.flush()
        except JournalError:
            return False
        return True

    # -- at start and end

    def restored(self) -> dict[str, dict[str, Any]] | None:
        """State of earlier runs by key; Decimals come back as strings. None on a new journal."""
        with readable_values(self._place):
            rows = self._db.execute("SELECT key, value FROM state").fetchall()
            return {key: dict(json.loads(value)) for key, value in rows} if rows else None

    def outcomes(self) -> Rows:
        """Outcomes (OUTCOME) of earlier runs, oldest first, `symbol` an index into this journal's symbols."""
        return read_outcomes(self._db, self._symbols)[1]

    def boots(self) -> list[str]:
        """Nonces of every start this journal knows, this one's too: orders that carry one are ours."""
        return [boot for (boot,) in self._db.execute("SELECT boot FROM boots ORDER BY ts")]

    def adopt(self, boots: Iterable[str], ts: int) -> None:
        """From now on orders with these nonces are ours; on disk when it returns."""
        for boot in boots:
            self._add(self._due, started(boot, ts, ADOPTED, 0))
        self.commit()

    def unresolved(self, since: int) -> list[dict[str, Any]]:
        """Intents of earlier runs and of the guard since then (ns) whose outcome was not recorded or is unknown, oldest first."""
        rows = self._db.execute(
            "SELECT id, ts, kind, symbol, command FROM intents"
            " WHERE (outcome IS NULL OR outcome = 'unknown') AND boot != ? AND ts >= ? ORDER BY ts",
            (self.boot, since),
        ).fetchall()
        with readable_values(self._place):
            return [
                {"id": i, "ts": ts, "kind": kind, "symbol": s, "command": dict(json.loads(c))}
                for i, ts, kind, s, c in rows
            ]

    def close(self, ts: int, reason: str) -> None:
        """Write the rest and let go of the folder; never raises."""
        self._add(
            self._due, ("UPDATE boots SET ended = ?, reason = ? WHERE boot = ?", (ts, reason, self.boot))
        )
        with contextlib.suppress(JournalError):
            self.flush()
        try:
            self._db.close()
        except sqlite3.Error as error:
            self.failed = f"journal: {error}"
        self._lock.close()

    def _add(self, queue: list[Statement], statement: Statement) -> None:
        if not self.failed or len(queue) <= _MOST_WAITING:  # a journal that fails must not eat the memory
            queue.append(statement)
        elif queue is self._due:
            queue[:] = [*_wanted(queue), statement]

    def _write(self, statements: list[Statement], synced: bool) -> None:
        if not statements:
            return
        try:
            self._db.write(statements, synced=synced)
        except InDoubt as error:
            self.failed = str(error)  # the database has the statements, or keeps them until it is back
            raise
        except (sqlite3.Error, JournalError) as error:
            self.failed = f"journal: {error}" if isinstance(error, sqlite3.Error) else str(error)
            self._due = _wanted(statements)  # the rest is lost, which `failed` tells
            raise JournalError(self.failed) from None
        self.failed = ""
        if self._keeps_session and not self._mark.session:
            self._mark = Mark(self.boot, session=True)
            write_mark(self.folder, self._mark)


def _shortened(statement: Statement) -> Statement:
    """With its JSON deflated where it is that of an event: nobody waits for it."""
    sql, values = statement
    return (sql, (*values[:-1], shortened(values[-1]))) if sql == _EVENT else statement


def _wanted(statements: list[Statement]) -> list[Statement]:
    """What must not be lost while nothing can be written: the newest state, and the notes that move money."""
    state = [each for each in statements if each[0] == _STATE][-200:]
    return [each for each in statements if each[0] == _NOTE and each[1][1] in MONEY][-_MOST_MONEY:] + state


def lock(folder: Path) -> IO[str]:
    """The right to write the journal of a folder, until it is closed; InputError where another process has it."""
    try:
        private_folder(folder)
        handle = open(folder / "lock", "a+", opener=private_opener)  # noqa: SIM115 - held as long as the journal
    except OSError as error:
        raise InputError(
            f"journal folder {folder}: {error.strerror}; choose another with --journal-dir or mend its permissions"
        ) from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        handle.seek(0)
        owner = handle.read().strip()
        handle.close()
        raise InputError(
            f"journal folder {folder}: in use by another instance (process {owner or '?'}); stop it or choose another folder"
        ) from None
    with contextlib.suppress(OSError):  # for people; a full disk is reported by the journal itself
        os.ftruncate(handle.fileno(), 0)
        os.pwrite(handle.fileno(), str(os.getpid()).encode(), 0)
    return handle
