"""One daemon as the page shows it, in plain values: positions, newest trades, figures, log."""

from __future__ import annotations

import json
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from turbo_trader.console.sentences import log_line
from turbo_trader.console.verbs.logs import LOG
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.readers import all_scans, notes, notes_named
from turbo_trader.market.errors import InputError
from turbo_trader.market.rows import MINUTE
from turbo_trader.reports import report_figures as tables
from turbo_trader.reports.page import Report
from turbo_trader.reports.paths import COLUMNS, path_of, trade_row
from turbo_trader.reports.reading import read_run
from turbo_trader.reports.scans import count_scans
from turbo_trader.reports.trades import NAMES, trades_of

FOREVER: Final = 2**62
RECENT: Final = 25  # closed trades that are shown
_HISTORY: Final = 60 * MINUTE  # of prices before the oldest open position
_LOG_BYTES: Final = 64_000
_LINES: Final = 60
_AGAIN_S: Final = 15.0  # figures are read again at most so often, and at most a tenth of the time


def live_view(folder: Path, now: int) -> dict[str, Any]:
    """The newest closed trades and all open ones, with the paths of the symbols that are held; `now`: the venue's time, ns."""
    closed = notes(folder, "trade", last=RECENT)
    entries = notes(folder, "entry", last=RECENT + 20)
    since = min((int(note["ts"]) for note in entries), default=now)
    trades = trades_of(notes_named(folder, NAMES, since))
    shown = [trade for trade in trades if not trade.closed] + trades_of(closed)[::-1]
    held = [trade for trade in shown if not trade.closed]
    begin = min((trade.opened_ts for trade in held), default=now) - _HISTORY
    prices = count_scans(all_scans(folder, begin), FOREVER).prices if held else None
    paths = {t.symbol: path_of(prices, t.symbol, held) for t in held} if prices is not None else {}
    return {"columns": COLUMNS, "trades": [trade_row(trade) for trade in shown], "paths": paths}


def log_lines(folder: Path) -> list[str]:
    """The last lines of the log as sentences, newest first; [] where there is none yet."""
    try:
        with (folder / LOG).open("rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - _LOG_BYTES))
            raw = file.read().decode("utf-8", "replace").splitlines()
    except OSError:
        return []
    found: deque[str] = deque(maxlen=_LINES)
    for line in raw:
        try:
            event = json.loads(line)
        except ValueError:  # the first may be cut, the last not whole yet
            continue
        if isinstance(event, dict) and event.get("level") != "debug":
            found.appendleft(log_line(event))
    return list(found)


def figures(folder: Path) -> dict[str, Any]:
    """Everything that is drawn from the whole journal."""
    report = Report(read_run(folder))
    run = report.run
    shown = {
        "By symbol": tables.symbols_table(run.scanned.symbols),
        "How trades ended": tables.reasons_table(run.closed),
        "Stages": tables.stages_table(run.events),
        "What each belief said": tables.beliefs_table(report.calibration),
        "Beside the target figures": tables.targets_table(report.measured["beside_targets"]),
    }
    return {
        "charts": report.charts(),
        "cards": [asdict(card) for card in tables.cards(run, report.measured, report.curve.worst)],
        "tables": {name: asdict(table) for name, table in shown.items() if table.rows},
        "notices": tables.notices(run),
    }


class Cached:
    """Figures of journals: what was read last is given at once, and read again beside it. A page never waits twice."""

    def __init__(self, make: Callable[[Path], dict[str, Any]] = figures) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._found: dict[Path, dict[str, Any]] = {}
        self._due: dict[Path, float] = {}

    def of(self, folder: Path) -> Mapping[str, Any]:
        """The figures of a journal, at most a little old; {"error": ...} where it cannot be read."""
        with self._lock:
            found, due = self._found.get(folder), self._due.get(folder, 0.0)
            wanted = time.monotonic() >= due
            if wanted:
                self._due[folder] = FOREVER  # one reads at a time
        if found is not None and wanted:
            threading.Thread(target=self._read, args=(folder,), daemon=True).start()
        elif found is None:
            return self._read(folder)
        return found or {}

    def _read(self, folder: Path) -> dict[str, Any]:
        began = time.monotonic()
        try:
            found = self._make(folder)
        except (InputError, JournalError) as error:
            found = {"error": str(error)}
        took = time.monotonic() - began
        with self._lock:
            self._found[folder] = found
            self._due[folder] = time.monotonic() + max(_AGAIN_S, 9 * took)
        return found
