"""Equity over time: what trades have realised, and open ones at the mid of each scan. Deposits and withdrawals are left out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from turbo_trader.reports.run_data import Prices, TradeRecord


@dataclass(frozen=True, slots=True)
class EquityCurve:
    """`equity` USDT and `drawdown` (fraction below the highest so far, <= 0) at `ts` (ns)."""

    ts: NDArray[np.int64]
    equity: NDArray[np.float64]
    drawdown: NDArray[np.float64]

    @property
    def worst(self) -> float:
        """The deepest drawdown, <= 0."""
        return float(self.drawdown.min()) if len(self.drawdown) else 0.0


def equity_curve(start: Decimal, begin: int, trades: Sequence[TradeRecord], prices: Prices) -> EquityCurve:
    """From `start` USDT at `begin` (ns) on, at every scan and every close."""
    closes = sorted((trade.closed_ts, float(trade.net)) for trade in trades if trade.closed)
    times = np.array([ts for ts, _ in closes], np.int64)
    grid = np.unique(np.concatenate([np.array([begin] if begin else [], np.int64), prices.ts, times]))
    if not len(grid):
        return EquityCurve(grid, np.zeros(0), np.zeros(0))
    realised = np.concatenate([[0.0], np.cumsum([net for _, net in closes])])
    equity = float(start) + realised[np.searchsorted(times, grid, side="right")]
    paths = {symbol: prices.of(symbol) for symbol in prices.symbols}
    for trade in trades:
        if trade.symbol in paths:
            _mark(equity, grid, trade, paths[trade.symbol])
    peak = np.maximum.accumulate(equity)
    drawdown = np.where(peak > 0, equity / np.where(peak > 0, peak, 1.0) - 1.0, 0.0)
    return EquityCurve(grid, equity, drawdown)


def _mark(
    equity: NDArray[np.float64],
    grid: NDArray[np.int64],
    trade: TradeRecord,
    path: tuple[NDArray[np.int64], NDArray[np.float64]],
) -> None:
    """Add what a trade is worth while it is open."""
    first = int(np.searchsorted(grid, trade.opened_ts, side="left"))
    last = int(np.searchsorted(grid, trade.closed_ts, side="left")) if trade.closed else len(grid)
    ts, mids = path
    if first >= last or not len(ts):
        return
    at = np.clip(np.searchsorted(ts, grid[first:last], side="right") - 1, 0, None)
    gain = trade.direction * float(trade.qty) * (mids[at] - float(trade.entry))
    equity[first:last] += gain - float(trade.entry_fees)


def thinned(curve: EquityCurve, most: int = 2_400) -> EquityCurve:
    """At most about `most` points that keep each stretch's first, lowest, highest and deepest."""
    count = len(curve.ts)
    if count <= most:
        return curve
    edges = np.linspace(0, count, most // 4 + 1).astype(int)
    kept = {count - 1}
    for low, high in itertools.pairwise(edges):
        part, deep = curve.equity[low:high], curve.drawdown[low:high]
        kept |= {int(low), int(low + part.argmin()), int(low + part.argmax()), int(low + deep.argmin())}
    index = np.array(sorted(kept))
    return EquityCurve(curve.ts[index], curve.equity[index], curve.drawdown[index])
