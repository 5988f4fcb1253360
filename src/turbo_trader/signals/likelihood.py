"""The likelihood of noise parameters of the Kalman model (`signals.kalman`), and its maximum: kernels on plain numbers.

The searches are Brent's bounded minimum and the simplex of Nelder & Mead (Press et al., "Numerical Recipes", 3rd ed. 2007, sections
10.3 and 10.5), step for step as in scipy.optimize, so that they end where those do.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.kalman import DIFFUSE, START
from turbo_trader.signals.likelihood_lanes import ADDED, LANES, SHORT, add, innovations_of_four

Seconds: TypeAlias = NDArray[np.int64]
Vector: TypeAlias = NDArray[np.float64]

IMPOSSIBLE: Final = 1e300  # deviance where there is no likelihood
LOW_BOUNCE, HIGH_BOUNCE = -12.0, 6.0  # ln(measurement variance / walk variance per second)
LOW_RATIO, HIGH_RATIO = -30.0, 4.0  # ln(jerk variance / walk variance)
STEP: Final = 3.0  # of the grid of ratios
_GRID: Final = tuple(np.arange(-24.0, 1.0, STEP).tolist())
_GOLDEN: Final = 0.5 * (3.0 - math.sqrt(5.0))
_ROUNDING: Final = math.sqrt(2.2e-16)
_BOUNCE_ERROR: Final = 0.01
_CORNERS_APART: Final = 0.02
_CORNERS_DIFFER: Final = 1e-3
_ROUNDS: Final = 120
_REFLECTED, _EXPANDED, _OUTSIDE, _INSIDE = range(4)  # the points that the worst corner may come to


@kernel
def _added(ratio: float) -> Vector:
    """What each of the short steps adds to the covariances."""
    noise = np.empty((SHORT + 1, ADDED))
    for k in range(1, SHORT + 1):
        add(noise[k], ratio, float(k))
    return noise


@kernel
def innovations(seconds: Seconds, y: Vector, ratio: float, bounce: float, out: Vector) -> tuple[float, float]:
    """One run of the filter with walk variance 1, jerk variance `ratio` and measurement variance `bounce`.

    Returns (sum of ln S, sum of e^2 / S) over the samples from the fourth on: the first three fix the unknown start. `out`
    takes e / sqrt(S) of each sample (length 0: not wanted). The steps are `kalman.predict` and `kalman.update`, in registers: as
    the gain is the best one P - K S K' is what Joseph's form gives (Anderson & Moore, "Optimal Filtering", 1979, section 6.5), at a
    third of its work.
    """
    x0, x1, x2 = y[0], 0.0, 0.0
    a, b, c, e, f = bounce, 0.0, 0.0, 0.0, DIFFUSE * (1.0 + bounce + ratio)
    d = f
    logs, squares, product = 0.0, 0.0, 1.0
    noise = _added(ratio)
    for i in range(1, y.shape[0]):
        dt = float(seconds[i] - seconds[i - 1])
        k = int(dt) if dt <= SHORT else 0
        if k == 0:
            add(noise[0], ratio, dt)
        q5, q4, q3, q2, q1 = noise[k, 0], noise[k, 1], noise[k, 2], noise[k, 3], noise[k, 4]
        d2 = dt * dt
        d3 = d2 * dt
        x0 += x1 * dt + 0.5 * d2 * x2
        x1 += x2 * dt
        both = c + d
        a = (a + 2.0 * dt * b) + d2 * both + (d3 * e + 0.25 * d2 * d2 * f + q5)
        b = (b + dt * both) + (1.5 * d2 * e + 0.5 * d3 * f + q4)
        c = (c + dt * e) + (0.5 * d2 * f + q3)
        d = (d + 2.0 * dt * e) + (d2 * f + 2.0 * q3)
        e = e + (dt * f + q2)
        f = f + q1
        total = a + bounce
        share = 1.0 / total
        error = y[i] - x0
        if i >= START:
            product *= total  # one logarithm for many samples
            if product > 1e200 or product < 1e-200:
                logs += math.log(product)
                product = 1.0
            squares += error * error * share
        if out.shape[0] > 0:
            out[i] = error / math.sqrt(total)
        shift = error * share
        x0 += a * shift
        x1 += b * shift
        x2 += c * shift
        d -= b * b * share
        e -= b * c * share
        f -= c * c * share
        a, b, c = bounce * a * share, bounce * b * share, bounce * c * share
    return logs + math.log(product), squares


@kernel
def deviance(seconds: Seconds, y: Vector, ratio: float, bounce: float) -> float:
    """-2 log likelihood with the walk variance concentrated out; `ratio`, `bounce`: jerk and measurement variance over it."""
    logs, squares = innovations(seconds, y, ratio, bounce, np.empty(0))
    return _deviance(y.shape[0] - START, logs, squares)


@kernel
def _deviance(n: int, logs: float, squares: float) -> float:
    if not (squares > 0.0 and math.isfinite(squares) and math.isfinite(logs)):
        return IMPOSSIBLE
    return float(n * (math.log(2.0 * math.pi * squares / n) + 1.0) + logs)


@kernel
def _deviances(seconds: Seconds, y: Vector, points: Vector, values: Vector) -> None:
    """The deviances at four points (ln ratio, ln bounce); those beyond the bounds are IMPOSSIBLE."""
    bounded, logs, squares = np.empty(points.shape), np.empty(LANES), np.empty(LANES)
    for j in range(LANES):
        bounded[j, 0] = min(max(points[j, 0], LOW_RATIO), HIGH_RATIO)
        bounded[j, 1] = min(max(points[j, 1], LOW_BOUNCE), HIGH_BOUNCE)
    innovations_of_four(seconds, y, np.exp(bounded[:, 0]), np.exp(bounded[:, 1]), logs, squares)
    for j in range(LANES):
        inside = bounded[j, 0] == points[j, 0] and bounded[j, 1] == points[j, 1]
        values[j] = _deviance(y.shape[0] - START, logs[j], squares[j]) if inside else IMPOSSIBLE


@kernel
def without_jerk(seconds: Seconds, y: Vector) -> tuple[float, float]:
    """(ln bounce, deviance) of the best fit without jerk."""
    a, b = LOW_BOUNCE, HIGH_BOUNCE
    best = second = third = a + _GOLDEN * (b - a)
    f_best = f_second = f_third = deviance(seconds, y, 0.0, math.exp(best))
    step = before = 0.0
    middle = 0.5 * (a + b)
    least = _ROUNDING * abs(best) + _BOUNCE_ERROR / 3.0
    while abs(best - middle) > 2.0 * least - 0.5 * (b - a):
        golden = True
        if abs(before) > least:
            r = (best - second) * (f_best - f_third)
            q = (best - third) * (f_best - f_second)
            p = (best - third) * q - (best - second) * r
            q = 2.0 * (q - r)
            if q > 0.0:
                p = -p
            q = abs(q)
            r, before = before, step
            if abs(p) < abs(0.5 * q * r) and q * (a - best) < p < q * (b - best):
                golden = False
                step = p / q
                x = best + step
                if x - a < 2.0 * least or b - x < 2.0 * least:
                    step = least if middle >= best else -least
        if golden:
            before = a - best if best >= middle else b - best
            step = _GOLDEN * before
        x = best + (max(abs(step), least) if step >= 0.0 else -max(abs(step), least))
        f_x = deviance(seconds, y, 0.0, math.exp(x))
        if f_x <= f_best:
            a, b = (best, b) if x >= best else (a, best)
            third, f_third, second, f_second, best, f_best = second, f_second, best, f_best, x, f_x
        else:
            a, b = (x, b) if x < best else (a, x)
            if f_x <= f_second or second == best:
                third, f_third, second, f_second = second, f_second, x, f_x
            elif f_x <= f_third or third in (best, second):
                third, f_third = x, f_x
        middle = 0.5 * (a + b)
        least = _ROUNDING * abs(best) + _BOUNCE_ERROR / 3.0
    return best, f_best


@kernel
def _hill(seconds: Seconds, y: Vector, bounce: float) -> tuple[float, float, float]:
    """(deviance, ln ratio, ln bounce) of the best point of a grid."""
    bounces = np.array((bounce, min(bounce + 2.0, HIGH_BOUNCE - 0.5), LOW_BOUNCE / 4.0))
    bounces.sort()
    value, ratio, at = np.inf, 0.0, 0.0
    points, values = np.empty((LANES, 2)), np.empty(LANES)
    count = len(_GRID) * len(bounces)
    for first in range(0, count, LANES):
        for j in range(LANES):
            k = min(first + j, count - 1)
            points[j, 0], points[j, 1] = _GRID[k // len(bounces)], bounces[k % len(bounces)]
        _deviances(seconds, y, points, values)
        for j in range(LANES):
            if values[j] < value:
                value, ratio, at = values[j], points[j, 0], points[j, 1]
    return value, ratio, at


@kernel
def _sort(corners: Vector, values: Vector) -> None:
    """The three corners by their values, ascending; equal ones stay in order."""
    for i in range(1, 3):
        for j in range(i, 0, -1):
            if values[j] < values[j - 1]:
                values[j], values[j - 1] = values[j - 1], values[j]
                for k in range(2):
                    corners[j, k], corners[j - 1, k] = corners[j - 1, k], corners[j, k]


@kernel
def _move(seconds: Seconds, y: Vector, corners: Vector, values: Vector) -> bool:
    """Replace the worst corner by a better point; False where none was found.

    The four points it may come to lie on the line through the worst corner and the middle of the others: all are looked at at once.
    """
    points, found = np.empty((LANES, 2)), np.empty(LANES)
    for k in range(2):
        middle, worst = (corners[0, k] + corners[1, k]) / 2.0, corners[2, k]
        points[_REFLECTED, k], points[_EXPANDED, k] = 2.0 * middle - worst, 3.0 * middle - 2.0 * worst
        points[_OUTSIDE, k], points[_INSIDE, k] = 1.5 * middle - 0.5 * worst, 0.5 * middle + 0.5 * worst
    _deviances(seconds, y, points, found)
    reflected, taken = found[_REFLECTED], _REFLECTED
    if reflected < values[0]:
        taken = _EXPANDED if found[_EXPANDED] < reflected else _REFLECTED
    elif reflected >= values[1]:
        taken = _OUTSIDE if reflected < values[2] else _INSIDE
        if found[taken] > reflected if taken == _OUTSIDE else found[taken] >= values[2]:
            return False
    values[2], corners[2, 0], corners[2, 1] = found[taken], points[taken, 0], points[taken, 1]
    return True


@kernel
def _look(seconds: Seconds, y: Vector, corners: Vector, values: Vector) -> None:
    """The deviances at the three corners."""
    points, found = np.empty((LANES, 2)), np.empty(LANES)
    for j in range(LANES):
        points[j, 0], points[j, 1] = corners[j % 3, 0], corners[j % 3, 1]
    _deviances(seconds, y, points, found)
    values[:] = found[:3]


@kernel
def with_jerk(seconds: Seconds, y: Vector, bounce: float, idle: float) -> tuple[float, float, float]:
    """(ln ratio, ln bounce, deviance) of the best fit with jerk: a grid finds the hill, the simplex climbs it.

    Above the deviance `idle` a likelihood is of no use to the caller: there the search ends as soon as its corners are level,
    wherever on a plain they are.
    """
    value, r, b = _hill(seconds, y, bounce)
    corners = np.array(((r, b), (r + 1.5, b), (r, b + 1.0 if b < 0.0 else b - 1.0)))
    values = np.empty(3)
    _look(seconds, y, corners, values)
    _sort(corners, values)
    for _ in range(1, _ROUNDS):
        apart = differ = 0.0
        for k in range(1, 3):
            differ = max(differ, abs(values[0] - values[k]))
            for j in range(2):
                apart = max(apart, abs(corners[k, j] - corners[0, j]))
        if differ <= _CORNERS_DIFFER and (apart <= _CORNERS_APART or values[0] > idle):
            break
        if not _move(seconds, y, corners, values):
            for k in range(1, 3):
                for j in range(2):
                    corners[k, j] = corners[0, j] + 0.5 * (corners[k, j] - corners[0, j])
            _look(seconds, y, corners, values)
        _sort(corners, values)
    return (corners[0, 0], corners[0, 1], values[0]) if values[0] < value else (r, b, value)
