"""Funding: against the crowd after a settlement at an unusual rate, or over the next one, which is then received."""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from turbo_trader.lab.panel import Panel, Scores

HOUR_NS = 3_600 * 10**9


@dataclass(frozen=True)
class Signal:
    rate: float = 0.0005  # of the last settlement, a fraction
    hold_hours: float = 4.0
    before_hours: float = 0.0  # entered that long before a settlement instead
    lookback = timedelta(hours=1)

    def score(self, panel: Panel) -> Scores:
        """At 00:00, 08:00 and 16:00 UTC, or before: short where longs pay much, long where shorts do."""
        if (panel.now_ns + int(self.before_hours * HOUR_NS)) % (8 * HOUR_NS):
            return Scores(np.zeros(len(panel.symbols)), 0.0, HOUR_NS)
        known = panel.funding[-1]
        direction = np.where(known > self.rate, -1.0, np.where(known < -self.rate, 1.0, 0.0))
        return Scores(direction, 0.001, self.hold_hours * HOUR_NS)
