"""The five signals of the rules on bars: the user's A- and B-trades without gates, exits and sizes.

OU_DRIFT and its Dickey-Fuller test are the compiled ones of the daemon, and the thresholds those of the policy. Bars know neither
who was the taker nor the book: OFI is read from where each close lies in its bar, weighted by volume, and ACCEL from the second
difference of moves over `window` bars in units of its own spread. Both are weaker than the daemon's; docs/signals.md has those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.panel import Floats, Panel, Scores
from turbo_trader.market.state import MINUTES
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.ou import critical, least_squares, white_variance

DAY_NS = 86_400 * 10**9


@dataclass(frozen=True)
class FiveSignals:
    """The way of the Ornstein-Uhlenbeck reversion where OFI confirms it: tier B; with VWAP, ACCEL or FUNDING tier A."""

    tiers: str = "AB"
    horizon_minutes: float = 15.0
    window: int = 240  # closes behind the fit
    flow_bars: int = 5
    every: int = 1

    lookback: ClassVar[timedelta] = timedelta(days=1)  # behind VWAP; the fit takes `window` closes of it

    def __post_init__(self) -> None:
        if self.tiers not in ("A", "B", "AB"):
            raise ValueError("tiers must be A, B or AB")
        if not 30 <= self.window < MINUTES or self.every < 1:
            raise ValueError(f"window must be 30 or more, below {MINUTES}; every must be 1 or more")

    def score(self, panel: Panel) -> Scores:
        """Trades of the tiers asked for."""
        log, bar_minutes = np.log(panel.close[-self.window - 1 :]), panel.interval_ns / 60e9
        if len(log) <= self.window:
            raise ValueError(f"window {self.window} needs more than a day of such bars")
        z, reversion = self._ou(log, bar_minutes)
        way = -np.sign(z)
        flow = self._flow(panel)
        both = (np.abs(z) > _RULES.ou_z) & (way * flow > _RULES.ofi)
        third = (way * self._gap(panel) <= -_RULES.vwap) | (way * self._acceleration(log) > _RULES.accel)
        third |= way * panel.funding[-1] < -_RULES.funding
        kind = third if self.tiers == "A" else ~third if self.tiers == "B" else np.ones_like(third)
        direction = np.where(both & kind, way, 0.0)
        expected = np.where(direction != 0.0, np.abs(reversion), 0.0)
        return Scores(direction, expected, self.horizon_minutes * 60e9)

    def _ou(self, log: Floats, bar_minutes: float) -> tuple[Floats, Floats]:
        """(distance from the centre in stationary sd, expected return) of each symbol; 0 where no fit is valid."""
        n = log.shape[1]
        z, expected = np.zeros(n), np.zeros(n)
        steps = self.horizon_minutes / bar_minutes
        for s in range(n):
            y = np.ascontiguousarray(log[:, s])
            if np.isfinite(y).all():
                z[s], expected[s] = _fit(y, self.window, steps, bar_minutes)
        return z, expected

    def _flow(self, panel: Panel) -> Floats:
        """Volume of the last bars by where each closed in its range, in [-1, 1]."""
        part = slice(-self.flow_bars, None)
        high, low, close, volume = (x[part] for x in (panel.high, panel.low, panel.close, panel.volume))
        span = high - low
        where = np.divide(2 * close - high - low, span, out=np.zeros_like(span), where=span > 0)
        total = volume.sum(axis=0)
        found: Floats = np.divide(
            (where * volume).sum(axis=0), total, out=np.zeros_like(total), where=total > 0
        )
        return found

    def _gap(self, panel: Panel) -> Floats:
        """ln(price / VWAP since 00:00 UTC); 0 in the day's first half hour."""
        since = int(np.searchsorted(panel.ts, panel.now_ns // DAY_NS * DAY_NS))
        if len(panel) - since < 30 * 60e9 / panel.interval_ns:
            return np.zeros(len(panel.symbols))
        typical = (panel.high[since:] + panel.low[since:] + panel.close[since:]) / 3
        volume = panel.volume[since:]
        total = volume.sum(axis=0)
        vwap = np.divide(
            (typical * volume).sum(axis=0), total, out=np.full_like(total, np.nan), where=total > 0
        )
        gap: Floats = np.nan_to_num(np.log(panel.close[-1] / vwap))
        return gap

    def _acceleration(self, log: Floats) -> Floats:
        """The last change of ten-bar moves in units of such changes."""
        change = log[20:] - 2 * log[10:-10] + log[:-20]
        spread = np.sqrt(np.mean(change * change, axis=0))
        found: Floats = np.divide(change[-1], spread, out=np.zeros_like(spread), where=spread > 0)
        return np.nan_to_num(found)


@dataclass(frozen=True)
class _Numbers:
    """The policy's thresholds as floats."""

    ou_z: float
    ofi: float
    vwap: float
    accel: float
    funding: float


_DF_TEN_PERCENT: NDArray[np.float64] = np.array(
    [-2.56677, -1.5384, -2.809, 0.0]
)  # MacKinnon (2010), constant, 10 %
_MINUTES: NDArray[np.int64] = np.arange(MINUTES, dtype=np.int64)


def _numbers(policy: Policy) -> _Numbers:
    names = ("ou_threshold", "ofi_threshold", "vwap_min_gap", "accel_threshold", "funding_threshold")
    return _Numbers(*(float(getattr(policy, name)) for name in names))


def _fit(y: Floats, window: int, steps: float, bar_minutes: float) -> tuple[float, float]:
    """(z, expected return after `steps`) of a window; zeros where a unit root is likely or the half-life out of range."""
    ring = np.zeros(MINUTES)
    ring[: window + 1] = y
    phi, _, _, v, mean, after, _ = least_squares(_MINUTES, ring, 0, window)
    if not v > 0.0:
        return 0.0, 0.0
    variance = white_variance(_MINUTES, ring, 0, window, phi, mean, after)
    if not variance > 0.0 or (phi - 1.0) / math.sqrt(variance) > critical(_DF_TEN_PERCENT, window):
        return 0.0, 0.0
    phi += (1.0 + 3.0 * phi) / window
    if not 0.0 < phi < 1.0 or not 2.0 <= bar_minutes * math.log(0.5) / math.log(phi) <= 60.0:
        return 0.0, 0.0
    centre = (after - phi * mean) / (1.0 - phi)
    sd = math.sqrt(v / (1.0 - phi * phi))
    gap = centre - y[-1]
    return -gap / sd, gap * (1.0 - phi**steps)


_RULES: Final = _numbers(Policy())
