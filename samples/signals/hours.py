"""Hours: a symbol is traded at the hours of the day that went one way over the last sixty days."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from turbo_trader.lab.panel import Panel, Scores

HOUR_NS = 3_600 * 10**9


@dataclass(frozen=True)
class Signal:
    days: int = 60
    least_t: float = 2.5  # of the hour's mean return over those days
    lookback = timedelta(days=61)
    every = timedelta(hours=1)

    def score(self, panel: Panel) -> Scores:
        """The coming hour, by what the same hour did on each of the days before."""
        if panel.now_ns % HOUR_NS:
            return Scores(np.zeros(len(panel.symbols)), 0.0, HOUR_NS)
        bars = HOUR_NS // panel.interval_ns
        close = np.log(panel.close[::-1][:: int(bars)][::-1])  # ends of hours, the newest last
        back = np.arange(1, self.days + 1) * 24  # the coming hour, k days ago
        moves = close[-back] - close[-back - 1]
        t = moves.mean(axis=0) / moves.std(axis=0) * np.sqrt(self.days)
        direction = np.where(np.abs(t) > self.least_t, np.sign(t), 0.0)
        return Scores(direction, np.where(direction != 0.0, np.abs(moves.mean(axis=0)), 0.0), HOUR_NS)
