"""Starts and intents in the journal: by its one writer, and by the guard beside a writer that is gone or hangs.

The guard holds nothing: one short transaction before each request, one after it, each with a connection of its own.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from turbo_trader.journal.connection import Statement
from turbo_trader.journal.encoding import encode
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.marker import MARKER
from turbo_trader.journal.opening import beside
from turbo_trader.journal.readers import boots, state_by_row
from turbo_trader.journal.schema import GUARD, VERSION
from turbo_trader.market.errors import InputError
from turbo_trader.trader.commands import WriteCommand
from turbo_trader.trader.events import CommandResult

_BUSY_S: Final = 1.0  # how long the guard waits for a writer in the middle of a transaction


def started(boot: str, ts: int, mode: str, pid: int) -> Statement:
    """A start: from now on orders with its nonce are ours."""
    sql = "INSERT INTO boots (boot, ts, mode, pid) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING"
    return sql, (boot, ts, mode, pid)


def intended(boot: str, ts: int, command: WriteCommand) -> Statement:
    """A command that is about to be sent."""
    return (
        "INSERT INTO intents (id, boot, ts, kind, symbol, command) VALUES (?, ?, ?, ?, ?, ?)",
        (command.id, boot, ts, type(command).__name__, command.symbol, encode(command)),
    )


def answered(result: CommandResult) -> Statement:
    """The outcome of an intent."""
    return (
        "UPDATE intents SET outcome = ?, code = ?, message = ?, outcome_ts = ? WHERE id = ?",
        (str(result.outcome), result.code, result.message, result.ts, result.id),
    )


class Beside:
    """The guard's hand in a journal that is not its own. What writes tells whether it was written, and never raises."""

    def __init__(self, folder: Path, boot: str, now: Callable[[], int]) -> None:
        self._folder = folder
        self._boot = boot
        self._now = now

    def __str__(self) -> str:
        return str(self._folder)

    def state(self) -> tuple[dict[str, dict[str, Any]], list[str]]:
        """What is kept across restarts, by key, and the keys of rows that cannot be read."""
        return state_by_row(self._folder)

    def boots(self) -> list[str]:
        """Nonces of every start the journal knows."""
        return boots(self._folder)

    def expected(self) -> bool:
        """Has there been a journal?"""
        return (self._folder / MARKER).exists()

    def intent(self, command: WriteCommand) -> bool:
        """On disk when it returns True: the daemon adopts it at its next start."""
        ts = self._now()
        return self._write(started(self._boot, ts, GUARD, os.getpid()), intended(self._boot, ts, command))

    def outcome(self, result: CommandResult) -> bool:
        """Its outcome."""
        return self._write(answered(result))

    def _write(self, *statements: Statement) -> bool:
        try:
            with beside(self._folder, _BUSY_S) as db:
                if db is None or db.version() != VERSION:
                    return False
                with db.transaction(synced=True):
                    for statement in statements:
                        db.execute(*statement)
        except (sqlite3.Error, OSError, JournalError, InputError):
            return False
        return True
