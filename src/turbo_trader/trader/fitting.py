"""When each symbol's Kalman noise is fitted again: as soon as the warm-up's samples are there, then ever less often.

A fit that found a velocity is believed for half an hour, about as long as the samples it was found in; the next one must find
it again.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import SECONDS
from turbo_trader.signals.filters import set_noise
from turbo_trader.trader.commands import FitNoise
from turbo_trader.trader.events import NoiseFitted
from turbo_trader.trader.trader_state import TraderState

FIRST = 300  # samples
USED = 2_000  # samples a fit looks at, at most
WAITS = (1_800 * SECOND, 4 * 3_600 * SECOND, 24 * 3_600 * SECOND)  # after the first, second, every later fit
_UNANSWERED = 60 * SECOND


def wait(fits: int, velocity: bool, waits: Sequence[int] = WAITS) -> int:
    """Time until the next fit after `fits` earlier ones, ns; `velocity`: whether this one found one."""
    return waits[0] if velocity else waits[min(fits, len(waits) - 1)]


class Fitting:
    """Asks for fits; the answers set the filters."""

    def __init__(self, state: TraderState) -> None:
        count = len(state.symbols)
        self._state = state
        self.due = np.zeros(count, np.int64)  # when the next fit of each symbol is asked for, ns
        self._fits = [0] * count

    def on_scan(self) -> None:
        """Ask for the fits that are due."""
        states, now = self._state.states, self._state.now
        samples = states["samples"]
        for s in map(int, np.flatnonzero((self.due <= now) & (samples >= FIRST))):
            self.due[s] = now + _UNANSWERED
            count = int(samples[s])
            at = np.arange(max(0, count - min(USED, SECONDS - 1)), count) & (SECONDS - 1)
            self._state.give(FitNoise(now, s, states["sample_second"][s][at], states["sample_y"][s][at]))

    def on_fitted(self, event: NoiseFitted) -> None:
        """A fit is done; none (too little movement) is asked for again later."""
        s, noise = event.symbol, event.noise
        self.due[s] = self._state.now + wait(self._fits[s], noise is not None and noise.velocity_valid)
        if noise is not None:
            self._fits[s] += 1
            set_noise(self._state.filters, s, noise)
