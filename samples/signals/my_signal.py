"""A panel signal in twenty lines: sells what rose most over six hours and buys what fell most. Try it:

turbo-trader study edge samples/signals/my_signal.py samples/bars
"""

from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from turbo_trader.lab.panel import Panel, Scores


@dataclass(frozen=True)
class Signal:
    hours: float = 6.0  # parameters are fields: --param hours=3
    hold_hours: float = 2.0
    lookback = timedelta(hours=6)  # how much of the past score is shown
    every = timedelta(hours=1)  # how often it is asked

    def score(self, panel: Panel) -> Scores:
        """`panel` ends now; its arrays are [bar, symbol], NaN where a symbol has no bar."""
        move = np.log(panel.close[-1] / panel.close[0])
        direction = np.where(move == np.nanmax(move), -1, np.where(move == np.nanmin(move), 1, 0))
        return Scores(direction, expected=0.001, horizon_ns=self.hold_hours * 3600e9)
