"""Scans counted in one pass: the funnel over all, by symbol and by hour, the scores of signals, the mid prices."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import Rows
from turbo_trader.reports.run_data import Prices, Scanned
from turbo_trader.rules.scan_funnel import HOUR, Funnel, Funnels
from turbo_trader.rules.strengths import Strengths

_AT_ONCE: Final = 512  # rows
Batch = tuple[int, Sequence[str], Rows]  # time (ns), symbols, their rows


class ScanCounts:
    """Takes scans in the order of time; only a few rows are held at once."""

    def __init__(self) -> None:
        self.funnels, self.strengths = Funnels(), Strengths()
        self._held: list[Rows] = []  # not counted yet: many at once cost as much as one
        self._count_held = 0
        self._of: tuple[str, ...] = ()  # of which symbols
        self._paths: dict[tuple[str, ...], tuple[list[NDArray[np.int64]], list[NDArray[np.float64]]]] = {}

    def add(self, symbols: Sequence[str], rows: Rows) -> None:
        """A scan of all symbols, or several one after the other."""
        names = tuple(symbols)
        alone = len(rows) >= _AT_ONCE  # counted where they lie
        if self._held and (alone or names != self._of or rows.dtype is not self._held[0].dtype):
            self._count()
        self._of = names
        self._held.append(rows)
        self._count_held += len(rows)
        if self._count_held >= _AT_ONCE:
            self._count()

    def end(self) -> Scanned:
        """What all of them came to."""
        if self._held:
            self._count()
        found, strengths = self.funnels, self.strengths.to_dict()
        return Scanned(found.total, found.symbols, found.hours, strengths, self._prices())

    def _count(self) -> None:
        rows, names = joined(self._held), self._of
        self._held, self._count_held = [], 0
        for part in np.split(rows, np.flatnonzero(np.diff(rows["ts"] // HOUR)) + 1):
            self.funnels.add(names, part)
        self.strengths.join(Strengths.of(rows))
        times, mids = self._paths.setdefault(names, ([], []))
        times.append(rows["ts"][:: len(names)].copy())
        mids.append(rows["mid"].reshape(-1, len(names)).copy())

    def _prices(self) -> Prices:
        symbols = tuple(dict.fromkeys(name for names in self._paths for name in names))
        count = sum(len(part) for times, _ in self._paths.values() for part in times)
        ts, mids = np.zeros(count, np.int64), np.full((count, len(symbols)), np.nan)
        at = 0
        for names, (times, parts) in self._paths.items():
            found = np.concatenate(times)
            rows = slice(at, at + len(found))
            ts[rows] = found
            mids[rows, [symbols.index(name) for name in names]] = np.concatenate(parts)
            at += len(found)
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
