"""A backtest kept as a journal, so that it opens like a run: its notes, outcomes and books.

Of scans only what they come to is kept (a month of them is a gigabyte): the counts, the scores, the prices.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
from numpy.lib.format import write_array
from numpy.typing import NDArray

from turbo_trader.journal.private_files import private_opener
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError
from turbo_trader.reports.run_data import Prices, Scanned
from turbo_trader.reports.scans import ScanCounts, total_of
from turbo_trader.rules.scan_funnel import HOUR, Funnel
from turbo_trader.trader.commands import Command, Note, Persist, Resolved
from turbo_trader.trader.commands import Scanned as ScanCommand
from turbo_trader.trader.events import Event

BACKTEST: Final = "backtest"  # the mode of such a journal
RESULT: Final = "backtest"  # keys of its state
COUNTS: Final = "scan-counts"
PRICES: Final = "prices.npz"  # a file beside it
_LEFT_OUT: Final = "gate"  # it explains scans, which are not kept


class Recorder:
    """A sink of a simulation that keeps what a report needs."""

    def __init__(self, symbols: Sequence[str]) -> None:
        self._symbols = tuple(symbols)
        self._notes: list[Note] = []
        self._outcomes: list[Resolved] = []
        self._state: dict[str, Persist] = {}
        self._scans = ScanCounts()
        self._first = self._last = 0

    def event(self, event: Event) -> None:
        """Events are not kept."""

    def command(self, command: Command) -> None:
        """Keep a command that says something for people, and the newest state under each key."""
        match command:
            case Note() if command.level != "debug" and command.name != _LEFT_OUT:
                self._notes.append(command)
                self._saw(command.ts)
            case Resolved():
                self._outcomes.append(command)
            case Persist():
                self._state[command.key] = command
            case ScanCommand():
                self._scans.add(self._symbols, command.rows)
                self._saw(int(command.rows["ts"][0]))
                self._saw(command.ts)
            case _:
                pass

    def _saw(self, ts: int) -> None:
        self._first, self._last = self._first or ts, max(self._last, ts)

    def keep(self, folder: Path, result: Mapping[str, Any]) -> None:
        """Write everything into a new folder.

        JournalError and InputError where the folder cannot be written.
        """
        scanned = self._scans.end()
        journal = Journal(folder, self._symbols, BACKTEST, now=lambda: self._first)
        try:
            for note in self._notes:
                journal.note(note)
            for outcome in self._outcomes:
                journal.resolved(outcome)
            for item in self._state.values():
                journal.persist(item)
            journal.persist(Persist(self._last, RESULT, result))
            journal.persist(Persist(self._last, COUNTS, _counts(scanned)))
            journal.flush()
            _write_prices(folder / PRICES, scanned.prices)
        finally:
            journal.close(self._last, "end of the tape")


def kept_scans(
    folder: Path, state: Mapping[str, Mapping[str, Any]], since: int, until: int
) -> Scanned | None:
    """The counts of a kept backtest's scans from `since` to `until` (ns, by whole hours); None where the journal is a run's.

    By symbol and of the scores only the whole is kept.
    """
    found = state.get(COUNTS)
    if found is None:
        return None
    hours = {int(ts): Funnel(**each) for ts, each in found["hours"].items()}
    hours = {ts: each for ts, each in hours.items() if ts + HOUR > since and ts < until}
    symbols = {name: Funnel(**each) for name, each in found["symbols"].items()}
    prices = _read_prices(folder / PRICES)
    inside = (prices.ts >= since) & (prices.ts < until)
    prices = Prices(prices.ts[inside], prices.symbols, prices.mids[inside])
    return Scanned(total_of(hours.values()), symbols, hours, found["strengths"], prices)


def _counts(scanned: Scanned) -> dict[str, Any]:
    return {
        "symbols": {name: asdict(each) for name, each in scanned.symbols.items()},
        "hours": {str(ts): asdict(each) for ts, each in scanned.hours.items()},
        "strengths": scanned.strengths,
    }


def _write_prices(path: Path, prices: Prices) -> None:
    """As `numpy.savez_compressed` does, a symbol's prices side by side: smaller than that, in a sixth of the time."""
    names = np.frombuffer(json.dumps(prices.symbols).encode(), np.uint8)
    arrays: dict[str, NDArray[Any]] = {
        "ts": prices.ts,
        "symbols": names,
        "mids": np.asfortranarray(prices.mids),
    }
    try:
        with (
            open(path, "wb", opener=private_opener) as file,
            ZipFile(file, "w", ZIP_DEFLATED, compresslevel=1) as made,
        ):
            for name, array in arrays.items():
                with made.open(f"{name}.npy", "w") as part:
                    write_array(part, array, allow_pickle=False)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}: choose another folder with JOURNAL_DIR") from None


def _read_prices(path: Path) -> Prices:
    """Those of a kept backtest; none where the file is gone or cannot be read: the report is drawn without them."""
    try:
        with np.load(path, allow_pickle=False) as found:
            return Prices(found["ts"], tuple(json.loads(found["symbols"].tobytes())), found["mids"])
    except (OSError, ValueError, KeyError):
        return Prices(np.zeros(0, np.int64), (), np.zeros((0, 0)))
