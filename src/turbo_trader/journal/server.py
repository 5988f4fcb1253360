"""A journal in a schema of a PostgreSQL database: connecting, reading, and errors in one line without secrets.

Needs the extra `fleet`. Nothing here waits for ever: a server that does not answer is lost after `patience` seconds.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from typing import Any, Final

import psycopg
from psycopg import sql as names
from sqlalchemy import Connection, Engine, NullPool, create_engine, event, make_url
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from turbo_trader.journal.address import PREFIX, Address
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.schema import ADOPTED, GUARD
from turbo_trader.market.errors import InputError

READ_S: Final = 30.0  # a reader waits so long for one statement
_CONNECT_S: Final = 2
#: Both ends find out within some seconds that the other is gone; a lock of a machine that was lost goes with it.
_ALIVE: Final = "SET tcp_keepalives_idle = 5; SET tcp_keepalives_interval = 2; SET tcp_keepalives_count = 3"
_CONNECTING: Final = {
    "connect_timeout": _CONNECT_S, "keepalives_idle": 5, "keepalives_interval": 2, "keepalives_count": 3,
    "tcp_user_timeout": 5_000,
}  # fmt: skip
#: Who has which journal of the database open for writing: its `lock_key` and the name of the process.
_HELD: Final = (
    "SELECT l.classid::bigint << 32 | l.objid::bigint, coalesce(nullif(a.application_name, ''), 'unknown')"
    " FROM pg_locks l JOIN pg_stat_activity a USING (pid) WHERE l.locktype = 'advisory' AND l.granted"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
_WRONG: Final = ("password", "does not exist", "pg_hba", "resolve host", "invalid")  # what no waiting mends
_NAME: Final = 63  # bytes of an application's name
_MEND: Final = "mend JOURNAL_URL, or PGPASSWORD where the password is"

logging.getLogger("psycopg").addHandler(logging.NullHandler())  # what it warns of is in a line of ours


class Bounded(psycopg.Connection[Any]):
    """A connection whose statements end after `patience` s: what waits longer loses the connection."""

    patience = READ_S
    _deadline: float | None = None

    @contextlib.contextmanager
    def within_patience(self) -> Iterator[None]:
        """All that the body does, instead of each statement."""
        self._deadline = time.monotonic() + self.patience
        try:
            yield
        finally:
            self._deadline = None

    def wait(self, *args: Any, **kwargs: Any) -> Any:
        """As psycopg's, bounded."""
        left = self.patience if self._deadline is None else max(0.0, self._deadline - time.monotonic())
        try:
            return super().wait(*args, **{**kwargs, "timeout": left})
        except psycopg.errors._WaitTimeout:  # noqa: SLF001 - public by its documentation alone
            self.close()
            raise psycopg.OperationalError(f"no answer within {self.patience:g} s") from None


class ServerTables:
    """The tables of a journal in a database, to read: one moment of them, as long as it is open."""

    def __init__(self, there: Address, *, patience: float = READ_S, still: bool = True) -> None:
        """InputError, JournalError where it cannot be reached. `still`: everything is read as it was at the first statement."""
        self.there = there
        with one_line(there):
            self._connection, self._driver = _connected(there, patience)
            self._driver.execute(names.SQL("SET search_path TO {}").format(names.Identifier(there.schema)))
            if still:
                self._driver.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                self._connection = self._connection.execution_options(stream_results=True)

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> Any:
        """As `Tables.execute`. JournalError where the database is lost."""
        with one_line(self.there):
            return self._connection.exec_driver_sql(numbered(sql), plain(values))

    def version(self) -> int:
        """As `Tables.version`."""
        if "meta" not in self.tables():
            return 0
        found = self.execute("SELECT value FROM meta WHERE key = 'version'").fetchone()
        return int(found[0]) if found else 0

    def tables(self) -> set[str]:
        """As `Tables.tables`."""
        sql = "SELECT tablename FROM pg_catalog.pg_tables WHERE schemaname = ?"
        return {name for (name,) in self.execute(sql, (self.there.schema,)).fetchall()}

    def columns(self, table: str) -> list[str]:
        """As `Tables.columns`."""
        sql = (
            "SELECT column_name FROM information_schema.columns WHERE table_schema = ? AND table_name = ?"
            " ORDER BY ordinal_position"
        )
        return [name for (name,) in self.execute(sql, (self.there.schema, table)).fetchall()]

    def faults(self) -> list[str]:
        """As `Tables.faults`: every row can be read."""
        for table in sorted(self.tables()):
            self.execute(f"SELECT count(t.*) FROM {table} t").fetchone()  # noqa: S608 - names of ours
        return []

    def home(self) -> str:
        """Which folder's journal it is; "" for none yet."""
        found = self.execute("SELECT value FROM meta WHERE key = 'home'").fetchone()
        return str(found[0]) if found else ""

    def close(self) -> None:
        """Let go of the server; never raises."""
        with contextlib.suppress(SQLAlchemyError, psycopg.Error):
            self._connection.invalidate()
            self._connection.close()


@contextlib.contextmanager
def one_line(there: Address) -> Iterator[None]:
    """What the server or the way to it says, as InputError where the address is wrong, else as JournalError; one line each."""
    try:
        yield
    except (SQLAlchemyError, psycopg.Error) as error:
        raise explained(there, error) from None


def explained(there: Address, error: Exception) -> Exception:
    """What an error of SQLAlchemy or psycopg says."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    text = said(cause)
    state = getattr(cause, "sqlstate", None) or ""
    refused = not state and any(each in text for each in _WRONG)
    if state[:2] == "28" or state == "3D000" or refused:
        return InputError(f"journal {there}: {text}; {_MEND}")
    if state == "42501":
        return InputError(
            f"journal {there}: {text}; GRANT CREATE ON DATABASE lets its user make the journal's schema"
        )
    return JournalError(f"journal {there}: {text}; is the server up, and can this machine reach it?")


def said(error: BaseException) -> str:
    """The first line of what a server or libpq says: it holds no statement, no value and no password."""
    primary = getattr(getattr(error, "diag", None), "message_primary", None)
    text = str(primary or error).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()] or [type(error).__name__]
    return lines[0].replace(";", ",")[:200]


def holder(there: Address) -> str:
    """Which process has the journal open for writing; "" for none, or where nobody can be asked."""
    try:
        with contextlib.closing(ServerTables(there)) as db:
            held = dict(db.execute(_HELD).fetchall())
    except (InputError, JournalError):
        return ""
    return str(held.get(lock_key(there.schema), ""))


@dataclass(kw_only=True, frozen=True, slots=True)
class Member:
    """A journal of a database, as its last start left it. `holder`: the process that writes it, "" for none."""

    there: Address
    mode: str
    ended: bool
    holder: str


def members(there: Address) -> list[Member]:
    """Every journal of the database that a daemon has written; InputError, JournalError where it cannot be reached."""
    schemas = (
        "SELECT schemaname FROM pg_catalog.pg_tables WHERE tablename = 'boots' AND schemaname LIKE ?"
        " AND schemaname NOT LIKE '%.%' ORDER BY 1"
    )
    found = []
    with contextlib.closing(ServerTables(there)) as db:
        held = dict(db.execute(_HELD).fetchall())
        for (schema,) in db.execute(schemas, (f"{PREFIX}%",)).fetchall():
            boots = f"""SELECT mode, ended FROM "{schema}".boots WHERE mode NOT IN ('{GUARD}', '{ADOPTED}')"""  # noqa: S608
            home = f"""SELECT value FROM "{schema}".meta WHERE key = 'home'"""  # noqa: S608 - a schema's name
            last = db.execute(f"{boots} ORDER BY ts DESC LIMIT 1").fetchone()
            whose = db.execute(home).fetchone()
            if last and whose:
                place = Address(there.url, schema, whose[0])
                holder = str(held.get(lock_key(schema), ""))
                found.append(Member(there=place, mode=last[0], ended=last[1] is not None, holder=holder))
    return found


def lock_key(schema: str) -> int:
    """The number that stands for a journal among the advisory locks of a database."""
    return int.from_bytes(sha256(schema.encode()).digest()[:8], "big") >> 1


def plain(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values as the server takes them: its texts hold no NUL."""
    return tuple(value.replace("\x00", "") if isinstance(value, str) else value for value in values)


@cache
def numbered(sql: str) -> str:
    """The same statement with the driver's mark for a value."""
    return sql.replace("%", "%%").replace("?", "%s")


def _connected(there: Address, patience: float) -> tuple[Connection, Bounded]:
    connection = _engine(there.url).connect()
    driver = connection.connection.driver_connection
    assert isinstance(driver, Bounded)
    driver.patience = patience
    driver.execute(_ALIVE)
    return connection, driver


@cache
def _engine(url: str) -> Engine:
    """Every statement is its own transaction unless one is begun, as with SQLite."""
    who = f"turbo-trader {socket.gethostname()} {os.getpid()}"[:_NAME]
    engine = create_engine(
        make_url(url).set(drivername="postgresql+psycopg"),
        connect_args={**_CONNECTING, "application_name": who},
        isolation_level="AUTOCOMMIT",
        poolclass=NullPool,
        use_native_hstore=False,
        hide_parameters=True,
    )

    @event.listens_for(engine, "do_connect")
    def connect(_dialect: Any, _record: Any, args: Any, kwargs: Any) -> Bounded:
        return Bounded.connect(*args, **kwargs)

    return engine
