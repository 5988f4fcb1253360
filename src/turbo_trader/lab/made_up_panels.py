"""Made-up panels with a known truth: driftless, with an edge that a signal can see, or rising. Seeded; whole arrays at once.

One factor and volatility that comes in clusters move all symbols. Now and then a symbol's volume jumps; where there is an edge,
the half hour after a jump drifts the way the bar of the jump went. `Echo` is the signal that trades this.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from turbo_trader.lab.panel import Floats, Panel, Scores

MINUTE_NS: Final = 60 * 10**9
START_NS: Final = 1_767_225_600 * 10**9  # 2026-01-01
NAMES: Final = (
    *("BTC", "ETH", "SOL", "XRP", "BNB", "AVAX", "ADA", "LINK", "DOGE", "LTC", "ARB", "OP", "INJ", "POL", "RENDER"),
)  # fmt: skip
_VOLATILITY: Final = 0.0015  # of five minutes, a fraction: 37 bp in half an hour, as a trade of the rules has
_JUMP: Final = 6.0  # times the usual volume


@dataclass(frozen=True, slots=True)
class MadeUpPanel:
    """How a market is made. `edge`: gross mean return of `Echo`'s trades, a fraction. `drift`: a day's, of all symbols."""

    days: int = 30
    symbols: int = 9
    minutes: int = 5
    hold: int = 6  # bars over which the edge comes
    jumps_per_hour: float = 3.6  # over all symbols; some come while a position is open
    edge: float = 0.0
    drift: float = 0.0

    def panel(self, seed: int) -> Panel:
        """The market of this seed."""
        rng = np.random.default_rng(seed)
        bars, n = self.days * 1_440 // self.minutes, self.symbols
        sigma = _VOLATILITY * np.sqrt(self.minutes / 5)
        noise = rng.standard_normal((bars, n)) * np.sqrt(0.5) + rng.standard_normal((bars, 1)) * np.sqrt(0.5)
        returns = sigma * _clustered(rng, bars) * noise
        jumps = rng.random((bars, n)) < self.jumps_per_hour * self.minutes / 60 / n
        returns += self._drift_after(jumps, np.sign(returns)) + self.drift * self.minutes / 1_440
        return self._panel(rng, returns, jumps, sigma)

    def _drift_after(self, jumps: np.ndarray, way: Floats) -> Floats:
        """The edge spread over the bars a trade holds; a jump while one is held adds nothing."""
        found = np.zeros_like(way)
        free = np.zeros(jumps.shape[1], int)
        for t, s in np.argwhere(jumps):
            if t < free[s] or t + 1 + self.hold >= len(way):
                continue
            found[t + 1 : t + 1 + self.hold, s] += way[t, s] * self.edge / self.hold
            free[s] = t + self.hold
        return found

    def _panel(self, rng: np.random.Generator, returns: Floats, jumps: np.ndarray, sigma: float) -> Panel:
        close = 100.0 * np.exp(np.cumsum(returns, axis=0))
        opened = np.vstack([np.full((1, self.symbols), 100.0), close[:-1]])
        beyond = np.abs(rng.standard_normal((2, *close.shape))) * sigma * 0.5
        high, low = np.maximum(opened, close) * (1 + beyond[0]), np.minimum(opened, close) * (1 - beyond[1])
        volume = rng.lognormal(3.0, 0.3, close.shape) * np.where(jumps, _JUMP, 1.0)
        ts = START_NS + np.arange(len(close), dtype=np.int64) * self.minutes * MINUTE_NS
        names = tuple(f"{name}USDT" for name in NAMES[: self.symbols])
        return Panel(
            symbols=names,
            interval_ns=self.minutes * MINUTE_NS,
            ts=ts,
            open=opened,
            high=high,
            low=low,
            close=close,
            volume=volume,
            funding=np.full_like(close, np.nan),
        )


def _clustered(rng: np.random.Generator, bars: int) -> Floats:
    """Volatility [bar, 1] that wanders over hours around 1."""
    slow = np.zeros(bars)
    steps = rng.standard_normal(bars) * 0.08
    level = 0.0
    for t, step in enumerate(steps.tolist()):
        level = 0.97 * level + step
        slow[t] = level
    found: Floats = np.exp(slow - slow.var() / 2)[:, None]
    return found


@dataclass(frozen=True)
class Echo:
    """Follows the bar of a volume jump for half an hour: right on markets with an edge, noise on the others."""

    times: float = 3.0
    hold: int = 6
    lookback: int = 12

    def score(self, panel: Panel) -> Scores:
        """Trades where the newest bar's volume is `times` the mean before it."""
        usual = panel.volume[:-1].mean(axis=0)
        way = np.sign(panel.close[-1] - panel.open[-1])
        direction = np.where(panel.volume[-1] > self.times * usual, way, 0.0)
        return Scores(direction, 0.0019, self.hold * panel.interval_ns)
