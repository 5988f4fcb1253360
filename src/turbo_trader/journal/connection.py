"""What the journal's store needs of a database, and SQLite's file as one. The other is a PostgreSQL schema (`server`).

Both are given the same statements: standard SQL with `?` for values and `ON CONFLICT` for what may be there already.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final, Protocol, TypeAlias

Statement: TypeAlias = tuple[str, tuple[Any, ...]]

_WAL_PAGES: Final = 10_000  # 40 MB: beyond, a commit does what `checkpoint` has not done
_WAL_BYTES: Final = 4_000_000  # the write-ahead log is cut to this after a checkpoint
_PAGES: Final = 50  # given back in one step
_SPARE: Final = 250  # free pages that stay: they are written again soon


class Rows(Protocol):
    """What a query found."""

    def fetchone(self) -> Any: ...
    def fetchall(self) -> Sequence[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Tables(Protocol):
    """The tables of a journal, to read."""

    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Rows:
        """Run one statement."""

    def version(self) -> int:
        """Of the tables; 0 where there is none."""

    def tables(self) -> set[str]:
        """Their names."""

    def columns(self, table: str) -> list[str]:
        """The columns of one."""

    def faults(self) -> list[str]:
        """What is wrong with how it is kept; [] where nothing is."""

    def close(self) -> None: ...


class Database(Tables, Protocol):
    """The tables of a journal, to write. Used from one thread, `sync`, `checkpoint` and `revive` from any."""

    def write(self, statements: Sequence[Statement], *, synced: bool) -> None:
        """All of them or none; on disk when it returns where `synced`."""

    def transaction(self, *, synced: bool) -> AbstractContextManager[None]:
        """What the body executes, all of it or none."""

    def set_version(self, version: int) -> None:
        """Say of which version the tables are."""

    def give_back(self) -> None:
        """Give a little of the room that deleted rows have left back to the disk."""

    def sync(self) -> None:
        """Bring what was written to the disk; never raises."""

    def checkpoint(self) -> None:
        """Keep the log of writes short; never raises."""

    def revive(self) -> None:
        """Try to reach a database that was lost; never raises."""


class SqliteFile(sqlite3.Connection):
    """A journal in one SQLite file."""

    def __init__(self, database: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(database, *args, **kwargs)
        self._file = str(database)
        self._synced = True  # the last transaction's; every connection begins with it

    def make_ready(self, tables: str, version: int, *, new: bool) -> None:
        """Write-ahead log, the tables that are not there yet, and their version."""
        if new:
            self.execute("PRAGMA auto_vacuum=INCREMENTAL")  # before anything else is written
        self.execute("PRAGMA journal_mode=WAL")
        self.execute("PRAGMA synchronous=FULL")
        self.execute(f"PRAGMA wal_autocheckpoint={_WAL_PAGES}")
        self.execute(f"PRAGMA journal_size_limit={_WAL_BYTES}")
        self.executescript(f"BEGIN; {tables} PRAGMA user_version = {version}; COMMIT;")

    def write(self, statements: Sequence[Statement], *, synced: bool) -> None:
        """As `Database.write`; an fsync where `synced`."""
        try:
            self._begin(synced=synced)
            for sql, values in statements:
                self.execute(sql, values)
            self.execute("COMMIT")
        except sqlite3.Error:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise

    @contextlib.contextmanager
    def transaction(self, *, synced: bool) -> Iterator[None]:
        """As `Database.transaction`."""
        try:
            self._begin(synced=synced)
            yield
            self.execute("COMMIT")
        except BaseException:
            if self.in_transaction:
                self.execute("ROLLBACK")
            raise

    def _begin(self, *, synced: bool) -> None:
        if synced != self._synced:
            self.execute(f"PRAGMA synchronous={'FULL' if synced else 'NORMAL'}")
            self._synced = synced
        self.execute("BEGIN IMMEDIATE")

    def version(self) -> int:
        """As `Tables.version`."""
        return int(self.execute("PRAGMA user_version").fetchone()[0])

    def set_version(self, version: int) -> None:
        """As `Database.set_version`."""
        self.execute(f"PRAGMA user_version = {version}")

    def tables(self) -> set[str]:
        """As `Tables.tables`."""
        return {
            name for (name,) in self.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        }

    def columns(self, table: str) -> list[str]:
        """As `Tables.columns`."""
        return [name for _, name, *_ in self.execute(f"PRAGMA table_info({table})")]

    def faults(self) -> list[str]:
        """As `Tables.faults`."""
        return [str(row[0]) for row in self.execute("PRAGMA integrity_check(3)") if row[0] != "ok"]

    def give_back(self) -> None:
        """As `Database.give_back`: some free pages."""
        free = int(self.execute("PRAGMA freelist_count").fetchone()[0])
        for _ in range(min(_PAGES, free - _SPARE)):
            self.execute(
                "PRAGMA incremental_vacuum(1)"
            )  # Python's sqlite3 steps it once, whatever the number

    def sync(self) -> None:
        """As `Database.sync`."""
        with contextlib.suppress(OSError, sqlite3.Error), Path(f"{self._file}-wal").open("rb") as log:
            os.fsync(log.fileno())

    def checkpoint(self) -> None:
        """As `Database.checkpoint`: bring the write-ahead log into the main file.

        Seldom: the first commit after it restarts the log and waits for the disk, whoever it is for.
        """
        with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(self._file)) as db:
            db.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def revive(self) -> None:
        """Nothing to do: a file that fails is tried by writing to it."""


def open_file(path: Path | str, *, timeout: float = 5.0, uri: bool = False) -> SqliteFile:
    """A file of SQLite's, each statement its own transaction unless one is begun; `timeout` s for a locked one."""
    return sqlite3.connect(path, isolation_level=None, timeout=timeout, uri=uri, factory=SqliteFile)
