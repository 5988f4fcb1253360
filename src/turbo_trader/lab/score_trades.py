"""The trades that scores would have made: one position per symbol, in at the next bar's open, out after the horizon.

Stops and targets are left out on purpose: a study asks whether the signal knows the direction, not what exits make of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.panel import Floats, Panel
from turbo_trader.lab.scoring import ScoreTable

DAY_NS: Final = 86_400 * 10**9


@dataclass(frozen=True, slots=True)
class Moments:
    """When, where and which way: one row per trade, ordered by time. `at`: the bar whose end decides; `bars`: the hold."""

    at: NDArray[np.int64]
    symbol: NDArray[np.int64]
    direction: NDArray[np.int64]
    bars: NDArray[np.int64]
    expected: Floats

    def __len__(self) -> int:
        return len(self.at)

    def chosen(self, there: NDArray[np.bool_]) -> Moments:
        """Those of a mask."""
        return Moments(
            self.at[there], self.symbol[there], self.direction[there], self.bars[there], self.expected[there]
        )

    def columns(self) -> tuple[list[int], list[int], list[int]]:
        """When, where and which way."""
        return self.at.tolist(), self.symbol.tolist(), self.direction.tolist()

    @property
    def fingerprint(self) -> str:
        """16 hexadecimal digits; the same where all trades are."""
        rows = np.column_stack([self.at, self.symbol, self.direction, self.bars])
        return hashlib.sha256(rows.tobytes()).hexdigest()[:16]

    def towards(self, direction: int) -> Moments:
        """The same moments, all of one direction."""
        return replace(self, direction=np.full(len(self), direction))


def entries(table: ScoreTable, rows: int) -> Moments:
    """The scores that become trades: those made while their symbol has no position, and over before the data ends."""
    kept: list[tuple[int, int]] = []
    for s in range(table.direction.shape[1]):
        asked = np.flatnonzero(table.direction[:, s])
        holds = table.bars[asked, s].tolist()
        times = asked.tolist()
        free = -1  # the bar at whose end the symbol may be entered again
        for t, hold in zip(times, holds, strict=True):
            if t >= free and t + 1 + hold < rows:
                kept.append((t, s))
                free = t + hold
    where = np.array(sorted(kept), dtype=np.int64).reshape(-1, 2)
    at, symbol = where[:, 0], where[:, 1]
    return Moments(
        at,
        symbol,
        table.direction[at, symbol].astype(np.int64),
        table.bars[at, symbol].astype(np.int64),
        table.expected[at, symbol],
    )


@dataclass(frozen=True, slots=True)
class Tape:
    """What prices paid: opens by bar, and the sum of funding rates settled before each bar.

    A bar in which nothing was traded has no open: its price is an old one, at which nobody could enter. `leave`: at which a
    position goes out: the bar's open; where it has none the next one; where the symbol is gone, its last close. A trade in what is
    gone later is a trade, or only survivors would count.
    """

    open: Floats
    high: Floats
    low: Floats
    leave: Floats
    paid: Floats  # [bar, symbol], cumulative
    ts: NDArray[np.int64]

    @classmethod
    def of(cls, panel: Panel, settled: Floats | None = None) -> Tape:
        """`settled` [bar, symbol]: funding rates settled within each bar, 0 where none."""
        paid = np.zeros_like(panel.open) if settled is None else np.cumsum(settled, axis=0) - settled
        opened = np.where(_traded(panel), panel.open, np.nan)
        return cls(opened, panel.high, panel.low, _leave(opened, panel.close), paid, panel.ts)

    def gross(self, moments: Moments, late: int = 0) -> Floats:
        """Return of each trade before fees, after funding, a fraction; NaN where there was no price to enter at.

        `late`: bars of delay.
        """
        way_in = np.minimum(moments.at + 1 + late, len(self.open) - 1)
        way_out = np.minimum(way_in + moments.bars, len(self.open) - 1)
        s = moments.symbol
        funding = self.paid[way_out, s] - self.paid[way_in, s]
        result: Floats = moments.direction * (self.leave[way_out, s] / self.open[way_in, s] - 1.0 - funding)
        return result


@dataclass(frozen=True, slots=True)
class Market:
    """What is studied: the panel a signal sees, and funding settled within each bar (a fraction, 0 where none)."""

    panel: Panel
    settled: Floats | None = None
    source: str = ""
    left_out: dict[str, int] = field(default_factory=dict)

    def tape(self) -> Tape:
        """Its prices and funding."""
        return Tape.of(self.panel, self.settled)


def _traded(panel: Panel) -> NDArray[np.bool_]:
    """Bars with trades; all of a symbol whose volume is not recorded."""
    some: NDArray[np.bool_] = panel.volume > 0.0
    return some | ~some.any(axis=0)


def _leave(opened: Floats, close: Floats) -> Floats:
    """Opens, each hole filled with the next open, and with the last close where none comes any more."""
    count = len(opened)
    rows = np.arange(count)[:, None]
    ahead = np.minimum.accumulate(np.where(np.isfinite(opened), rows, count)[::-1], axis=0)[::-1]
    last = np.maximum.accumulate(np.where(np.isfinite(close), rows, 0), axis=0)
    later = np.take_along_axis(opened, np.minimum(ahead, count - 1), axis=0)
    found: Floats = np.where(ahead < count, later, np.take_along_axis(close, last, axis=0))
    return found


@dataclass(frozen=True, slots=True)
class Costs:
    """Fees and spread as fractions of notional. A taker pays half the spread on each side, a maker none."""

    taker: float = 0.00055
    maker: float = 0.00020
    spread: float = 0.0001

    @property
    def taker_taker(self) -> float:
        """The round trip of two market orders."""
        return 2.0 * self.taker + self.spread


@dataclass(frozen=True, slots=True)
class MakerFills:
    """Trades entered by a resting order at the next bar's open; filled where that bar trades through it, else never made."""

    filled: NDArray[np.bool_]
    maker_taker: Floats  # net return of those filled
    maker_maker: Floats


def maker_fills(tape: Tape, moments: Moments, costs: Costs, tick: float = 1e-5) -> MakerFills:
    """What resting orders would have made of the same moments.

    An order counts as filled only where the price goes through it by `tick` (a fraction of the price) within one bar: it is filled
    when the market comes against it, which is the adverse selection. The way out rests at the open of its bar as well, and takes
    the next open where that bar does not trade through.
    """
    s, d = moments.symbol, moments.direction
    way_in = moments.at + 1
    way_out = np.minimum(way_in + moments.bars, len(tape.open) - 2)
    bid = tape.open[way_in, s]
    filled = np.where(d > 0, tape.low[way_in, s] < bid * (1 - tick), tape.high[way_in, s] > bid * (1 + tick))
    funding = d * (tape.paid[way_out, s] - tape.paid[way_in, s])
    leave, after = tape.leave[way_out, s], tape.leave[way_out + 1, s]
    out = np.where(
        d > 0, tape.high[way_out, s] > leave * (1 + tick), tape.low[way_out, s] < leave * (1 - tick)
    )
    half = costs.spread / 2
    taken = d * (leave / bid - 1.0) - funding - costs.maker - costs.taker - half
    rested = np.where(
        out,
        d * (leave / bid - 1.0) - funding - 2 * costs.maker,
        d * (after / bid - 1.0) - funding - costs.maker - costs.taker - half,
    )
    return MakerFills(filled, taken[filled], rested[filled])
