"""Residual reversion: what a symbol did beyond the mean of the others comes partly back."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import numpy as np

from turbo_trader.lab.panel import Floats, Panel, Scores, bars_in

HOUR_NS = 3_600 * 10**9


@dataclass(frozen=True)
class Residual:
    """Trades against the residual of the last `hours` where it is beyond `sds` of its own recent spread, for `hold_hours`.

    The residual is against the leave-one-out mean: against a mean that contains the symbol itself, a share of every move would
    seem to revert. `expected`: the share of the residual that is taken to come back.
    """

    hours: float = 2.0
    hold_hours: float = 2.0
    sds: float = 2.0
    windows: int = 24  # windows of `hours` behind the spread
    expected: float = 0.05
    every_minutes: float = 30.0

    interval: ClassVar[timedelta] = timedelta(minutes=30)

    def __post_init__(self) -> None:
        if min(self.hours, self.hold_hours, self.windows, self.every_minutes) <= 0:
            raise ValueError("hours, hold_hours, windows and every_minutes must be above 0")

    @property
    def lookback(self) -> timedelta:
        """The windows."""
        return timedelta(hours=self.hours * self.windows)

    @property
    def every(self) -> timedelta:
        """From one question to the next."""
        return timedelta(minutes=self.every_minutes)

    def score(self, panel: Panel) -> Scores:
        """Against residuals that are large for their symbol."""
        bars = bars_in(timedelta(hours=self.hours), panel.interval_ns)
        moves = np.diff(np.log(panel.close[::-bars][::-1]), axis=0)
        residual = moves - _mean_of_others(moves)
        spread = np.sqrt(np.mean(residual[:-1] ** 2, axis=0))
        newest = residual[-1]
        direction = np.where(np.abs(newest) > self.sds * spread, -np.sign(newest), 0.0)
        expected = np.where(direction != 0.0, self.expected * np.abs(newest), 0.0)
        return Scores(direction, expected, self.hold_hours * HOUR_NS)


def _mean_of_others(moves: Floats) -> Floats:
    """The mean of the other symbols that have a move; NaN where there is none."""
    there = np.isfinite(moves)
    known = np.where(there, moves, 0.0)
    others = there.sum(axis=1, keepdims=True) - there
    total = known.sum(axis=1, keepdims=True) - known
    found: Floats = np.where((others > 0) & there, total / np.maximum(others, 1), np.nan)
    return found
