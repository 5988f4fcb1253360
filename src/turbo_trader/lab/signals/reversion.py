"""The daemon's Ornstein-Uhlenbeck fit on a panel: all symbols of a window in one compiled call."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.ou import critical, least_squares, white_variance

Floats = NDArray[np.float64]

_critical, _least_squares, _white_variance = critical, least_squares, white_variance
_DF_TEN_PERCENT: Final[Floats] = np.array(
    [-2.56677, -1.5384, -2.809, 0.0]
)  # MacKinnon (2010), constant, 10 %
_SHORTEST, _LONGEST = 2.0, 60.0  # half-life, min


def reversion(log: Floats, steps: float, bar_minutes: float) -> tuple[Floats, Floats]:
    """(distance from the centre in stationary sd, expected log return after `steps` bars) of each symbol.

    `log` [bar, symbol]: logarithms of closes, the window's. 0 where a close is missing or no fit is valid.
    """
    bars, found = np.arange(len(log), dtype=np.int64), np.zeros((log.shape[1], 2))
    _fits(bars, np.ascontiguousarray(log.T), steps, bar_minutes, _DF_TEN_PERCENT, found)
    return found[:, 0], found[:, 1]


@kernel
def _fits(
    bars: NDArray[np.int64], log: Floats, steps: float, bar_minutes: float, level: Floats, found: Floats
) -> None:
    """Fill (z, expected) of each row of `log` into `found`; what is not a valid fit keeps its zeros."""
    n = log.shape[1] - 1
    for s in range(len(log)):
        y = log[s]
        if not np.isfinite(y).all():
            continue
        phi, _, _, v, mean, after, _ = _least_squares(bars, y, 0, n)
        if not v > 0.0:
            continue
        variance = _white_variance(bars, y, 0, n, phi, mean, after)
        if not variance > 0.0 or (phi - 1.0) / math.sqrt(variance) > _critical(level, n):
            continue  # a unit root is likely
        phi += (1.0 + 3.0 * phi) / n
        if not 0.0 < phi < 1.0:
            continue
        half_life = bar_minutes * math.log(0.5) / math.log(phi)
        if half_life < _SHORTEST or half_life > _LONGEST:
            continue
        gap = (after - phi * mean) / (1.0 - phi) - y[n]
        found[s, 0] = -gap / math.sqrt(v / (1.0 - phi * phi))
        found[s, 1] = gap * (1.0 - phi**steps)
