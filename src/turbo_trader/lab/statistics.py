"""Statistics of a record of returns: its mean with clustered errors, and its Sharpe ratio beside what luck gives.

Probabilistic Sharpe ratio and minimum track record length: Bailey & Lopez de Prado, "The Sharpe ratio efficient frontier" (2012).
Deflated Sharpe ratio: the same, "The deflated Sharpe ratio" (2014). Probability of backtest overfitting by combinatorially
symmetric cross-validation: Bailey, Borwein, Lopez de Prado & Zhu (2015). Stationary bootstrap: Politis & Romano (1994).
Sharpe ratios are per observation, not annualised; kurtosis is 3 for a normal.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, ndtri, stdtrit

Floats = NDArray[np.float64]
EULER: Final = 0.5772156649015329


@dataclass(frozen=True, slots=True)
class Shape:
    """Sharpe ratio of a record and what its error depends on."""

    sharpe: float
    count: int
    skew: float
    kurtosis: float

    @classmethod
    def of(cls, returns: ArrayLike) -> Shape:
        """Moments of a record; a Sharpe ratio of 0 where it has no spread."""
        x = np.asarray(returns, float)
        sd = float(x.std(ddof=1)) if len(x) > 1 else 0.0
        if not sd > 1e-12 * float(np.abs(x).max(initial=0.0)):
            return cls(0.0, len(x), 0.0, 3.0)
        z = (x - x.mean()) / x.std()
        return cls(float(x.mean()) / sd, len(x), float(np.mean(z**3)), float(np.mean(z**4)))

    def variance(self, at: float) -> float:
        """Of the estimated Sharpe ratio, times count - 1, where the true one is `at`."""
        return max(1e-12, 1.0 - self.skew * at + (self.kurtosis - 1.0) / 4.0 * at * at)


def probabilistic_sharpe(shape: Shape, benchmark: float = 0.0) -> float:
    """P(true Sharpe ratio > `benchmark`)."""
    if shape.count < 2:
        return 0.5
    z = (shape.sharpe - benchmark) * math.sqrt(shape.count - 1) / math.sqrt(shape.variance(shape.sharpe))
    return float(ndtr(z))


def expected_best(variance: float, trials: int) -> float:
    """The best Sharpe ratio that `trials` independent records without any edge are expected to show."""
    if trials < 2:
        return 0.0
    first = float(ndtri(1.0 - 1.0 / trials))
    second = float(ndtri(1.0 - 1.0 / (trials * math.e)))
    return math.sqrt(variance) * ((1.0 - EULER) * first + EULER * second)


def deflated_sharpe(shape: Shape, trials: int, variance: float) -> float:
    """P(true Sharpe ratio > what the best of `trials` would show by luck). `variance`: of the trials' Sharpe ratios."""
    return probabilistic_sharpe(shape, expected_best(variance, trials))


def minimum_track_record(shape: Shape, benchmark: float = 0.0, confidence: float = 0.95) -> float:
    """Observations after which this Sharpe ratio would be above `benchmark` at `confidence`; infinite where it is not above it."""
    if shape.sharpe <= benchmark:
        return math.inf
    z = float(ndtri(confidence)) / (shape.sharpe - benchmark)
    return 1.0 + shape.variance(shape.sharpe) * z * z


def overfitting_probability(returns: ArrayLike, blocks: int = 16) -> float:
    """PBO by CSCV of `returns` [time, configuration]: how often the best half the time is below the median in the other half.

    ValueError for fewer than two configurations or an odd or too large number of blocks.
    """
    table = np.asarray(returns, float)
    if table.ndim != 2 or table.shape[1] < 2:
        raise ValueError("two configurations at least")
    if blocks % 2 or not 2 <= blocks <= len(table):
        raise ValueError("an even number of blocks, at most one a row")
    parts = np.array_split(np.arange(len(table)), blocks)
    sums = np.array([table[part].sum(axis=0) for part in parts])
    squares = np.array([(table[part] ** 2).sum(axis=0) for part in parts])
    sizes = np.array([len(part) for part in parts], float)
    below = 0.0
    splits = list(combinations(range(blocks), blocks // 2))
    for chosen in splits:
        inside = np.zeros(blocks, bool)
        inside[list(chosen)] = True
        best = int(np.argmax(_sharpes(sums[inside], squares[inside], sizes[inside])))
        outside = _sharpes(sums[~inside], squares[~inside], sizes[~inside])
        rank = np.sum(outside < outside[best]) + 0.5 * np.sum(outside == outside[best]) + 0.5
        below += rank / (len(outside) + 1) <= 0.5
    return below / len(splits)


def _sharpes(sums: Floats, squares: Floats, sizes: Floats) -> Floats:
    n = sizes.sum()
    mean = sums.sum(axis=0) / n
    spread = np.maximum(squares.sum(axis=0) / n - mean * mean, 0.0)
    found: Floats = np.divide(mean, np.sqrt(spread), out=np.zeros_like(mean), where=spread > 0)
    return found


def stationary_bootstrap(count: int, block: float, draws: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Indices `[draw, observation]` of resamples in blocks of geometric length with mean `block`, wrapped at the end."""
    if count < 1 or block < 1.0:
        raise ValueError("one observation and a block of one at least")
    begins = rng.random((draws, count)) < 1.0 / block
    begins[:, 0] = True
    starts = rng.integers(0, count, (draws, count))
    place = np.maximum.accumulate(np.where(begins, np.arange(count), 0), axis=1)
    found: NDArray[np.int64] = (np.take_along_axis(starts, place, 1) + np.arange(count) - place) % count
    return found


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean over trades and its error, clustered. `values`: each cluster's sum over the mean number of trades in one."""

    mean: float
    error: float
    trades: int
    values: Floats

    @property
    def clusters(self) -> int:
        """Independent parts of the record."""
        return len(self.values)

    @property
    def t(self) -> float:
        """The mean in standard errors; 0 where it has none."""
        return self.mean / self.error if self.error > 0.0 else 0.0

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """With Student's quantiles; all numbers where there are fewer than two clusters."""
        if self.clusters < 2:
            return -math.inf, math.inf
        reach = float(stdtrit(self.clusters - 1, (1.0 + level) / 2.0)) * self.error
        return self.mean - reach, self.mean + reach


def clustered_mean(values: ArrayLike, clusters: ArrayLike) -> Mean:
    """The mean of `values` whose errors may be of any kind within a cluster (Liang & Zeger 1986, small-sample factor G/(G-1))."""
    x = np.asarray(values, float)
    if not len(x):
        return Mean(0.0, math.inf, 0, np.zeros(0))
    _, inverse = np.unique(np.asarray(clusters), return_inverse=True)
    count = np.bincount(inverse)
    mean, groups = float(x.mean()), len(count)
    sums = np.bincount(inverse, x)
    if groups < 2:
        return Mean(mean, math.inf, len(x), sums / len(x))
    residual = np.bincount(inverse, x - mean)
    error = math.sqrt(groups / (groups - 1) * float(residual @ residual)) / len(x)
    return Mean(mean, error, len(x), sums * groups / len(x))


def needed(mean: float, sd: float, critical: float, power: float = 0.8) -> float:
    """Observations after which a true `mean` shows `critical` standard errors with `power`; infinite for a mean of 0."""
    if mean == 0.0 or not math.isfinite(sd):
        return math.inf
    return ((critical + float(ndtri(power))) * sd / abs(mean)) ** 2


def sharpe_variance(sharpes: Sequence[float], clusters: int) -> float:
    """Of the trials' Sharpe ratios about 0, on the side of luck: as observed, at least what noise alone gives at this length.

    Trials that lose their cost for sure are spread far below 0; the best of a search comes from the other side.
    """
    noise = 1.0 / max(1, clusters - 1)
    above = np.maximum(np.asarray(sharpes, float), 0.0)
    return max(2.0 * float(np.mean(above * above)), noise) if len(sharpes) > 1 else noise
