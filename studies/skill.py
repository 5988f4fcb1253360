"""How much a score says about what follows: information coefficient, hit rate, mean, slope, each with an honest standard error.

Arrays are [symbol, scan] with NaN where there is nothing; scans are equally spaced. Symbols move together and horizons of
neighbouring scans overlap, so contributions of one time are added over the symbols first, and the variance of their sum over
time is that of Newey & West (1987). Bartlett's weights cut off at the overlap itself would take a third off the variance of
fully overlapping returns; lags up to three times the overlap leave a ninth. Taking the mean off makes the estimate fall short by
1 - b + b^2/3, b the share of lags in the sample (its mean under the fixed-b asymptotics of Kiefer & Vogelsang 2005): put back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

_LAGS_PER_OVERLAP: Final = 3
_LEAST_STRETCHES: Final = 8

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its standard error and how many entries it is from; NaN where there were too few."""

    value: float
    error: float
    samples: int

    def z(self, expected: float = 0.0) -> float:
        """Distance from `expected` in standard errors; 0 where there is none."""
        return (self.value - expected) / self.error if self.error > 0.0 else 0.0


_NONE: Final = Estimate(math.nan, math.nan, 0)


def newey_west(contributions: Array, overlap: int) -> float:
    """Standard error of the sum of `contributions` (0 where a time has none) correlated up to `overlap` scans apart.

    NaN where they are too few to tell: in less than eight stretches as long as the overlap.
    """
    times = np.flatnonzero(contributions)
    if len(np.unique(times // max(overlap, 1))) < _LEAST_STRETCHES:
        return math.nan
    contributions = contributions[times[0] : times[-1] + 1]
    count = len(contributions)
    total = float(np.dot(contributions, contributions))
    lags = min(_LAGS_PER_OVERLAP * overlap, count - 1)
    for lag in range(1, lags + 1):
        together = float(np.dot(contributions[lag:], contributions[:-lag]))
        total += 2.0 * (1.0 - lag / (lags + 1.0)) * together
    b = lags / count
    return math.sqrt(max(total, 0.0) / (1.0 - b + b * b / 3.0))


def coefficient(score: Array, forward: Array, overlap: int) -> Estimate:
    """Information coefficient of `score` with the return `forward`, all symbols and scans pooled: their correlation about 0.

    About 0 and not about the means, since a score of 0 says nothing and is meant to; and since taking the means off manufactures
    a coefficient: a score against past moves is low on average where the average return is high.
    """
    there = np.isfinite(score) & np.isfinite(forward)
    n = int(np.count_nonzero(there))
    x, y = np.where(there, score, 0.0), np.where(there, forward, 0.0)
    xx, yy = float(np.sum(x * x)), float(np.sum(y * y))
    if n < 3 or not (xx > 0.0 and yy > 0.0):
        return _NONE
    x, y = x / math.sqrt(xx), y / math.sqrt(yy)
    value = float(np.sum(x * y))
    influence = x * y - 0.5 * value * (x * x + y * y)
    return Estimate(value, newey_west(influence.sum(0), overlap), n)


def mean(values: Array, overlap: int) -> Estimate:
    """Mean of what is there."""
    there = np.isfinite(values)
    n = int(np.count_nonzero(there))
    if n < 3:
        return _NONE
    value = float(values[there].mean())
    influence = np.where(there, values - value, 0.0).sum(0) / n
    return Estimate(value, newey_west(influence, overlap), n)


def hit_rate(score: Array, forward: Array, overlap: int) -> Estimate:
    """Share of the scans with a score and a move where the two have one sign."""
    there = np.isfinite(score) & np.isfinite(forward) & (score != 0.0) & (forward != 0.0)
    return mean(np.where(there, np.sign(score) == np.sign(forward), np.nan), overlap)


def slope(predicted: Array, realised: Array, overlap: int) -> Estimate:
    """Realised = slope x predicted through the origin; 1 where a forecast means what it says."""
    there = np.isfinite(predicted) & np.isfinite(realised)
    n = int(np.count_nonzero(there))
    x, y = np.where(there, predicted, 0.0), np.where(there, realised, 0.0)
    xx = float(np.sum(x * x))
    if n < 3 or not xx > 0.0:
        return _NONE
    value = float(np.sum(x * y)) / xx
    influence = x * (y - value * x) / xx
    return Estimate(value, newey_west(influence.sum(0), overlap), n)
