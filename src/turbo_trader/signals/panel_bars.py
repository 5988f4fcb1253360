"""Bars as they close, gathered into panels: what the daemon shows a panel signal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from turbo_trader.market.rows import Rows
from turbo_trader.signals.panel_signal import COLUMNS, Floats, Panel, Times

_OF_BAR: Final = COLUMNS[:-1]  # all but funding
_SPARE: Final = 64  # bars of room, so that not every bar moves the others


class PanelBars:
    """The last bars of each symbol, and its settled funding rates. Bars may come twice: the last ones count."""

    def __init__(self, symbols: Sequence[str], interval_ns: int, bars: int) -> None:
        """`bars`: how many a panel has."""
        self.symbols = tuple(symbols)
        self.interval_ns = interval_ns
        self.bars = bars
        self._room = np.full((len(_OF_BAR), 2 * bars + _SPARE, len(self.symbols)), np.nan)
        self._first = 0  # opening time of the first row of the room; 0: nothing is known yet
        self._earliest = 0  # opening time of the first bar there ever was
        self._newest = [0] * len(self.symbols)
        self._rates: list[tuple[Times, Floats]] = [(np.zeros(0, np.int64), np.zeros(0)) for _ in self.symbols]

    def put(self, s: int, rows: Rows) -> None:
        """Closed bars (BAR) of one symbol, ascending; in place of those known of the same times."""
        rows = rows[rows["ts"] % self.interval_ns == 0]
        if not len(rows):
            return
        ts = rows["ts"]
        self._newest[s] = max(self._newest[s], int(ts[-1]))
        self._earliest = min(self._earliest or int(ts[0]), int(ts[0]))
        self._make_room(int(ts[-1]))
        place = (ts - self._first) // self.interval_ns
        inside = place >= 0
        for k, name in enumerate(_OF_BAR):
            self._room[k, place[inside], s] = rows[name][inside]

    def fund(self, s: int, times: Times, rates: Floats) -> None:
        """Settled rates of one symbol: settlement times (ns, ascending), fractions per interval."""
        before, known = self._rates[s]
        old = ~np.isin(before, times)
        merged = np.concatenate([before[old], times]), np.concatenate([known[old], rates])
        order = np.argsort(merged[0], kind="stable")
        self._rates[s] = merged[0][order], merged[1][order]

    def newest(self, s: int) -> int:
        """Opening time of the newest bar known, ns; 0 where there is none."""
        return self._newest[s]

    def panel(self, end: int) -> Panel | None:
        """The panel that ends at `end` (ns, on the interval's grid); None where its first bar is older than all that is known."""
        first = end - self.bars * self.interval_ns
        if not self._earliest or self._earliest > first:
            return None
        self._make_room(end - self.interval_ns)
        place = (first - self._first) // self.interval_ns
        shown = self._room[:, place : place + self.bars]
        shown.flags.writeable = False
        ts = first + self.interval_ns * np.arange(self.bars, dtype=np.int64)
        ts.flags.writeable = False
        opened, high, low, close, volume = shown
        return Panel(
            symbols=self.symbols,
            interval_ns=self.interval_ns,
            ts=ts,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            funding=self._funding(ts),
        )

    def _funding(self, ts: Times) -> Floats:
        """The last rate settled up to each bar's end."""
        found = np.full((self.bars, len(self.symbols)), np.nan)
        for s, (times, rates) in enumerate(self._rates):
            if len(times):
                before = np.searchsorted(times, ts + self.interval_ns, side="right")
                found[before > 0, s] = rates[before[before > 0] - 1]
        found.flags.writeable = False
        return found

    def _make_room(self, newest: int) -> None:
        """Let the room reach to the bar that opens at `newest`; what is older than a panel and half goes."""
        rows = self._room.shape[1]
        if not self._first:
            self._first = newest - (rows - _SPARE) * self.interval_ns
        beyond = (newest - self._first) // self.interval_ns - rows + 1
        if beyond <= 0:
            return
        gone = min(rows, beyond + self.bars // 2)
        self._room = np.concatenate(
            [self._room[:, gone:], np.full((len(_OF_BAR), gone, len(self.symbols)), np.nan)], axis=1
        )
        if beyond > rows:
            self._room[:] = np.nan
        self._first += (gone if beyond <= rows else beyond) * self.interval_ns
