"""Portfolio weights: equal for the smallest accounts, else minimum variance over shrunk covariances.

Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance matrices", J. Multivariate
Analysis 88 (2004).
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

Floats = NDArray[np.float64]
_MIN_ROWS: Final = 2
_TOLERANCE: Final = 1e-12
_RIDGE: Final = 1e-10  # of the mean variance: a singular covariance has one answer too


def weights(policy: Policy, equity: Decimal, returns: Floats) -> Floats:
    """Weights of N symbols, >= 0, sum 1, each at most max(cap, 1/N). `returns`: (T, N) one-minute returns,
    NaN = missing.

    Equal below `portfolio_from` or with fewer than two complete rows. Symbols without variance (constant
    prices, missing history) tell nothing about their risk: they get the equal weight 1/N, the others share
    the rest by minimum variance.
    """
    n = returns.shape[1]
    equal = np.full(n, 1.0 / n) if n else np.zeros(0)
    if n <= 1 or equity < policy.portfolio_from:
        return equal
    known = usable_columns(returns)
    rows = returns[:, known]
    rows = rows[np.all(np.isfinite(rows), axis=1)]
    if known.sum() < 2 or rows.shape[0] < _MIN_ROWS:
        return equal
    share = known.sum() / n
    cap = max(float(policy.weight_cap), 1.0 / n)
    covariance, _ = ledoit_wolf(rows)
    out = equal.copy()
    out[known] = share * minimum_variance(covariance, max(cap / share, 1.0 / known.sum()))
    return out


def usable_columns(returns: Floats) -> NDArray[np.bool_]:
    """Columns with at least half their rows present and some variance."""
    present = np.isfinite(returns)
    enough = present.sum(axis=0) * 2 >= max(1, returns.shape[0])
    zeroed = np.where(present, returns, 0.0)
    count = np.maximum(1, present.sum(axis=0))
    mean = zeroed.sum(axis=0) / count
    variance = (np.where(present, returns - mean, 0.0) ** 2).sum(axis=0) / count
    usable: NDArray[np.bool_] = enough & (variance > _TOLERANCE * 1e-6)
    return usable


def ledoit_wolf(returns: Floats) -> tuple[Floats, float]:
    """(shrunk covariance, shrinkage in [0, 1]) of (T, N) returns, towards the mean variance times the
    identity."""
    t, n = returns.shape
    x = returns - returns.mean(axis=0)
    sample = x.T @ x / t
    mu = np.trace(sample) / n
    squares = x**2
    beta = (np.sum(squares.T @ squares) / t - np.sum(sample**2)) / (n * t)
    delta = (np.sum(sample**2) - n * mu**2) / n
    shrinkage = 0.0 if delta <= 0 or beta <= 0 else float(min(beta, delta) / delta)
    shrunk = (1.0 - shrinkage) * sample + shrinkage * mu * np.eye(n)
    return shrunk, shrinkage


def minimum_variance(covariance: Floats, cap: float) -> Floats:
    """argmin w'Cw with sum 1 and 0 <= w <= cap (cap >= 1/n), by an active-set method: exact up to rounding.

    Each pass solves the equality-constrained problem on the free weights, stops at the first bound on the
    way, and frees the bound with the most wrong multiplier once the free problem is solved. C positive
    definite, so it ends at the one minimum.
    """
    n = covariance.shape[0]
    w = np.full(n, 1.0 / n)
    if cap * n <= 1.0 + _TOLERANCE or not np.trace(covariance) > 0.0:
        return w
    scale = covariance * (n / np.trace(covariance)) + _RIDGE * np.eye(n)
    bound = np.zeros(n, dtype=np.int8)  # -1 at 0, +1 at the cap, 0 free
    for _ in range(50 * n):
        goal = _equality_solution(scale, w, bound)
        step, hit = _first_bound(w, goal, bound, cap)
        w = w + step * (goal - w)
        if hit >= 0:
            bound[hit] = 1 if goal[hit] > w[hit] else -1
            w[hit] = cap if bound[hit] > 0 else 0.0
            continue
        worst = _wrong_multiplier(scale, w, bound)
        if worst < 0:
            break
        bound[worst] = 0
    w = np.clip(w, 0.0, cap)
    result: Floats = w / w.sum()
    return result


def _equality_solution(c: Floats, w: Floats, bound: NDArray[np.int8]) -> Floats:
    """Minimum over the free weights with the sum kept, the bound ones fixed."""
    free = np.flatnonzero(bound == 0)
    fixed = np.flatnonzero(bound != 0)
    goal = w.copy()
    if free.size == 0:
        return goal
    inverse = np.linalg.solve(
        c[np.ix_(free, free)], np.column_stack([np.ones(free.size), c[np.ix_(free, fixed)] @ w[fixed]])
    )
    rest = 1.0 - w[fixed].sum()
    multiplier = (rest + inverse[:, 1].sum()) / inverse[:, 0].sum()
    goal[free] = multiplier * inverse[:, 0] - inverse[:, 1]
    return goal


def _first_bound(w: Floats, goal: Floats, bound: NDArray[np.int8], cap: float) -> tuple[float, int]:
    """(how far towards the goal one may go, the weight that stops it or -1)."""
    step, hit = 1.0, -1
    for i in np.flatnonzero(bound == 0):
        move = goal[i] - w[i]
        limit = cap if move > 0 else 0.0
        if abs(move) > _TOLERANCE and (goal[i] - limit) * move > 0:
            share = (limit - w[i]) / move
            if share < step:
                step, hit = max(0.0, float(share)), int(i)
    return step, hit


def _wrong_multiplier(c: Floats, w: Floats, bound: NDArray[np.int8]) -> int:
    """The bound weight whose release would lower the variance most; -1 at the minimum."""
    gradient = c @ w
    free = np.flatnonzero(bound == 0)
    level = gradient[free].mean() if free.size else float(np.median(gradient))
    gain = np.where(bound < 0, level - gradient, np.where(bound > 0, gradient - level, 0.0))
    worst = int(np.argmax(gain))
    return worst if gain[worst] > 1e-10 * max(1.0, abs(level)) else -1
