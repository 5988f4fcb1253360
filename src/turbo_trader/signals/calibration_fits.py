"""The model's numbers against the outcomes: slope, reliability, and isotonic maps fitted on past data only.

Pure functions of arrays; one entry per forecast. `known_ts` is when the outcome of a forecast was known (decision time + horizon):
a map for a decision at `now` may use only entries with known_ts <= now.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Z95 = 1.959963984540054  # the normal distribution's 97.5 % quantile


@dataclass(frozen=True, slots=True)
class Map:
    """A monotone map, linear between its points and constant beyond them; `x` ascends, `y` does not descend."""

    x: tuple[float, ...]
    y: tuple[float, ...]
    samples: int

    def __call__(self, value: float) -> float:
        """The calibrated number."""
        return float(np.interp(value, self.x, self.y))


@dataclass(frozen=True, slots=True)
class Bin:
    """One row of a reliability table; `error`: standard error of `outcome` (binomial for outcomes of 0 and 1)."""

    low: float
    high: float
    samples: int
    predicted: float
    outcome: float
    error: float


@dataclass(frozen=True, slots=True)
class Slope:
    """Realised = slope x predicted through the origin; 1 where the model means what it says. `error` allows for overlap."""

    slope: float
    error: float
    samples: int
    groups: int  # of entries that may depend on each other; each entry one where none were given


def pool_adjacent(y: Vector, weights: Vector) -> Vector:
    """The non-descending sequence nearest to `y` in weighted least squares (pool adjacent violators; Barlow et al. 1972)."""
    values: list[float] = []
    masses: list[float] = []
    sizes: list[int] = []
    for value, weight in zip(y, weights, strict=True):
        values.append(float(value))
        masses.append(float(weight))
        sizes.append(1)
        while len(values) > 1 and values[-2] > values[-1]:
            mass = masses[-2] + masses[-1]
            values[-2:] = [(values[-2] * masses[-2] + values[-1] * masses[-1]) / mass]
            masses[-2:] = [mass]
            sizes[-2:] = [sizes[-2] + sizes[-1]]
    return np.repeat(np.array(values, np.float64), sizes)


def _clean(*columns: Any) -> tuple[Vector, ...]:
    """Columns as floats, without the entries that are not finite in all of them."""
    arrays = [np.asarray(c, np.float64) for c in columns]
    keep = np.logical_and.reduce([np.isfinite(a) for a in arrays])
    return tuple(a[keep] for a in arrays)


def _equal_counts(n: int, bins: int) -> list[tuple[int, int]]:
    edges = [n * k // bins for k in range(bins + 1)]
    return [(a, b) for a, b in pairwise(edges) if b > a]


def fit_map(
    predicted: Any,
    outcome: Any,
    known_ts: Any,
    now: int,
    *,
    knots: int = 33,
    min_samples: int = 200,
    per_knot: int = 20,
) -> Map | None:
    """An isotonic map from predicted to outcome, from the entries known at `now`; None with fewer than `min_samples` of them.

    Entries are gathered into at most `knots` groups of equal count (at least `per_knot` each) by predicted, then pooled.
    """
    known = np.asarray(known_ts, np.int64) <= now
    x, y = _clean(np.asarray(predicted)[known], np.asarray(outcome)[known])
    if len(x) < max(min_samples, per_knot, 1):
        return None
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    groups = _equal_counts(len(x), max(1, min(knots, len(x) // per_knot)))
    gx = np.array([x[a:b].mean() for a, b in groups])
    gy = np.array([y[a:b].mean() for a, b in groups])
    weights = np.array([float(b - a) for a, b in groups])
    places, index = np.unique(gx, return_inverse=True)
    mass = np.asarray(np.bincount(index, weights), np.float64)
    means = np.bincount(index, weights * gy) / mass
    fitted = pool_adjacent(means, mass)
    return Map(tuple(map(float, places)), tuple(map(float, fitted)), len(x))


def reliability(predicted: Any, outcome: Any, bins: int = 10) -> list[Bin]:
    """The reliability table: entries in `bins` groups of equal count by predicted. No entries give no rows."""
    x, y = _clean(predicted, outcome)
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    rows = []
    for a, b in _equal_counts(len(x), bins):
        n = b - a
        mean = float(y[a:b].mean())
        spread = float(y[a:b].std(ddof=1)) / math.sqrt(n) if n > 1 else math.inf
        rows.append(Bin(float(x[a]), float(x[b - 1]), n, float(x[a:b].mean()), mean, spread))
    return rows


def slope(predicted: Any, realised: Any, overlap: int = 0, groups: Any = None) -> Slope | None:
    """Slope of realised on predicted, entries in time order; None where nothing was predicted.

    The standard error is that of Newey & West (1987) with Bartlett weights over `overlap` lags: as many following entries as
    share part of an entry's horizon (0: heteroskedasticity only). With `groups` (one label an entry) the entries of a group may
    depend on each other in any way (Liang & Zeger 1986), and `overlap` counts groups. One group alone says nothing: its error is 0.
    """
    x, y, labels = _clean(predicted, realised, np.zeros(len(predicted)) if groups is None else groups)
    square = float(np.dot(x, x))
    if len(x) < 3 or not square > 0.0:
        return None
    b = float(np.dot(x, y)) / square
    scores = x * (y - b * x)
    if groups is not None:
        scores = by_group(scores, labels)
    total = float(np.dot(scores, scores))
    for lag in range(1, min(overlap, len(scores) - 1) + 1):
        total += 2.0 * (1.0 - lag / (overlap + 1.0)) * float(np.dot(scores[lag:], scores[:-lag]))
    n = len(scores)
    spread = max(total, 0.0) * n / max(n - 1, 1)  # b is fitted: one degree of freedom is gone
    return Slope(b, math.sqrt(spread) / square, len(x), n)


def by_group(values: Any, labels: Any) -> Vector:
    """The sums of `values` over equal labels, in the labels' order."""
    _, place = np.unique(np.asarray(labels), return_inverse=True)
    return np.asarray(np.bincount(place, np.asarray(values, np.float64)), np.float64)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95 % interval of a binomial probability seen as `share` of `n` trials (Wilson 1927); (0, 1) without trials."""
    if n < 1:
        return 0.0, 1.0
    z2 = Z95 * Z95 / n
    centre = (share + 0.5 * z2) / (1.0 + z2)
    half = Z95 * math.sqrt(share * (1.0 - share) / n + 0.25 * z2 / n) / (1.0 + z2)
    return max(0.0, centre - half), min(1.0, centre + half)
