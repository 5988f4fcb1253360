"""Scans counted in one pass: the funnel over all, by symbol and by hour, the scores of signals, the mid prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import Rows
from turbo_trader.reports.run_data import Prices, Scanned
from turbo_trader.rules.scan_funnel import HOUR, Funnel, Funnels
from turbo_trader.rules.strengths import Strengths

Batch = tuple[int, Sequence[str], Rows]  # time (ns), symbols, their rows


class ScanCounts:
    """Takes scans in the order of time; at most an hour of rows is held at once."""

    def __init__(self) -> None:
        self.funnels, self.strengths = Funnels(), Strengths()
        self._held: list[Rows] = []
        self._of: tuple[int, tuple[str, ...]] = (0, ())  # of which hour, of which symbols
        self._dtype: np.dtype[np.void] | None = None
        self._paths: dict[tuple[str, ...], tuple[list[int], list[NDArray[np.float64]]]] = {}

    def add(self, symbols: Sequence[str], rows: Rows) -> None:
        """A scan of all symbols, or several one after the other."""
        names = tuple(symbols)
        hours = rows["ts"] // HOUR
        for part in np.split(rows, np.flatnonzero(np.diff(hours)) + 1):
            self._hold((int(part["ts"][0]) // HOUR, names), part)
        times, mids = self._paths.setdefault(names, ([], []))
        times += rows["ts"][:: len(names)].tolist()
        mids.append(rows["mid"].reshape(-1, len(names)).copy())

    def _hold(self, of: tuple[int, tuple[str, ...]], rows: Rows) -> None:
        if self._held and (of != self._of or rows.dtype != self._dtype):
            self._count()
        self._of, self._dtype = of, rows.dtype
        self._held.append(rows)

    def end(self) -> Scanned:
        """What all of them came to."""
        if self._held:
            self._count()
        found, strengths = self.funnels, self.strengths.to_dict()
        return Scanned(found.total, found.symbols, found.hours, strengths, self._prices())

    def _count(self) -> None:
        rows = joined(self._held)
        self.funnels.add(self._of[1], rows)
        self.strengths.join(Strengths.of(rows))
        self._held = []

    def _prices(self) -> Prices:
        symbols = tuple(dict.fromkeys(name for names in self._paths for name in names))
        count = sum(len(times) for times, _ in self._paths.values())
        ts, mids = np.zeros(count, np.int64), np.full((count, len(symbols)), np.nan)
        at = 0
        for names, (times, parts) in self._paths.items():
            rows = slice(at, at + len(times))
            ts[rows] = times
            mids[rows, [symbols.index(name) for name in names]] = np.concatenate(parts)
            at += len(times)
        order = np.argsort(ts, kind="stable")
        return Prices(ts[order], symbols, mids[order])


def count_scans(scans: Iterable[Batch], until: int) -> Scanned:
    """Scans up to `until` (ns, without)."""
    counts = ScanCounts()
    for ts, symbols, rows in scans:
        if ts >= until:
            break
        counts.add(symbols, rows)
    return counts.end()


def total_of(hours: Iterable[Funnel]) -> Funnel:
    """One funnel of several."""
    total = Funnel()
    for each in hours:
        total.join(each)
    return total
