"""The list of runs and backtests."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from turbo_trader.journal.address import is_journal
from turbo_trader.journal.health import owner
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.readers import count_notes, overview
from turbo_trader.market.errors import InputError
from turbo_trader.reports.kept_backtest import BACKTEST
from turbo_trader.reports.run_data import RunState


@dataclass(frozen=True, kw_only=True, slots=True)
class Entry:
    """One line of the list. `begun`: of the last start, ns in the time of its market; `error`: why it cannot be read."""

    name: str
    folder: Path
    mode: str = ""
    state: RunState = RunState.EMPTY
    begun: int = 0
    ended: int = 0
    trades: int = 0
    error: str = ""


def catalogue(*folders: Path) -> list[Entry]:
    """Every journal in these folders, in the order they were begun in; an unreadable one is named, and costs no other.

    InputError for a folder that cannot be listed.
    """
    found = [_entry(path) for folder in folders for path in _inside(folder) if _is_run(path)]
    return sorted(found, key=lambda each: (each.mode == BACKTEST, each.begun, each.name))


def _inside(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        raise InputError(
            f"{folder}: {error.strerror}: name another with --journal-dir or JOURNAL_DIR"
        ) from None


def _is_run(path: Path) -> bool:
    try:
        return is_journal(path)
    except PermissionError:
        return True  # another user's, whose folder is closed: it is named


def _entry(folder: Path) -> Entry:
    try:
        last = overview(folder).get("last_boot") or {}
        trades = count_notes(folder, "trade")
        running = last.get("mode") != BACKTEST and bool(owner(folder))
    except (InputError, JournalError, OSError) as error:
        return Entry(name=folder.name, folder=folder, error=str(error))
    state = RunState.EMPTY
    if last:
        ended = RunState.ENDED if last.get("ended") else RunState.CRASHED
        state = RunState.RUNNING if running and not last.get("ended") else ended
    return Entry(
        name=folder.name, folder=folder, mode=str(last.get("mode", "")), state=state, begun=int(last.get("ts") or 0),
        ended=int(last.get("ended") or 0), trades=trades,
    )  # fmt: skip
