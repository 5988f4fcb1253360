"""Panic rebound: after a fall far beyond the symbol's usual moves on doubled volume, the price comes back for hours."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from turbo_trader.lab.panel import Panel, Scores, bars_in

HOUR_NS = 3_600 * 10**9


@dataclass(frozen=True)
class PanicRebound:
    """Buys where the move of the last `hours` is beyond -`sigmas` and volume is `times` its usual; holds `hold_hours`.

    Sigma is the root mean square of the moves of `days` before, over the same number of hours; the window itself is left out.
    """

    hours: float = 2.0
    sigmas: float = 6.0
    times: float = 2.0
    hold_hours: float = 12.0
    days: float = 7.0
    expected: float = 0.01

    interval: ClassVar[timedelta] = timedelta(minutes=30)

    def __post_init__(self) -> None:
        if min(self.hours, self.hold_hours, self.days) <= 0:
            raise ValueError("hours, hold_hours and days must be above 0")

    @property
    def lookback(self) -> timedelta:
        """The days behind sigma and the window."""
        return timedelta(days=self.days, hours=self.hours)

    def score(self, panel: Panel) -> Scores:
        """Long where it fell that far, nothing elsewhere."""
        k = bars_in(timedelta(hours=self.hours), panel.interval_ns)
        close = np.log(panel.close)
        move = close[-1] - close[-1 - k]
        usual = np.diff(close[:-k], axis=0)
        sigma = np.sqrt(np.mean(usual * usual, axis=0) * k)
        volume = panel.volume[-k:].mean(axis=0)
        loud = volume > self.times * panel.volume[:-k].mean(axis=0)
        direction = np.where((move < -self.sigmas * sigma) & loud, 1.0, 0.0)
        return Scores(direction, self.expected, self.hold_hours * HOUR_NS)
