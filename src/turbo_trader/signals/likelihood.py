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


@kernel
def innovations(seconds: Seconds, y: Vector, ratio: float, bounce: float, out: Vector) -> tuple[float, float]:
    """One run of the filter with walk variance 1, jerk variance `ratio` and measurement variance `bounce`.

    Returns (sum of ln S, sum of e^2 / S) over the samples from the fourth on: the first three fix the unknown start. `out`
    takes e / sqrt(S) of each sample (length 0: not wanted). The steps are `kalman.predict` and `kalman.update`, in registers.
    """
    x0, x1, x2 = y[0], 0.0, 0.0
    a, b, c, e, f = bounce, 0.0, 0.0, 0.0, DIFFUSE * (1.0 + bounce + ratio)
    d = f
    logs = squares = 0.0
    product = 1.0
    for i in range(1, y.shape[0]):
        dt = float(seconds[i] - seconds[i - 1])
        d2 = dt * dt
        d3 = d2 * dt
        x0 += x1 * dt + 0.5 * x2 * d2
        x1 += x2 * dt
        a = a + 2.0 * dt * b + d2 * (d + c) + d3 * e + 0.25 * d2 * d2 * f + ratio * d2 * d3 / 20.0 + dt
        b = b + dt * (d + c) + 1.5 * d2 * e + 0.5 * d3 * f + ratio * d2 * d2 / 8.0
        c = c + dt * e + 0.5 * d2 * f + ratio * d3 / 6.0
        d = d + 2.0 * dt * e + d2 * f + ratio * d3 / 3.0
        e = e + dt * f + ratio * d2 / 2.0
        f = f + ratio * dt
        total = a + bounce
        error = y[i] - x0
        if i >= START:
            product *= total  # one logarithm for many samples
            if product > 1e200 or product < 1e-200:
                logs += math.log(product)
                product = 1.0
            squares += error * error / total
        if out.shape[0] > 0:
            out[i] = error / math.sqrt(total)
        k0, k1, k2 = a / total, b / total, c / total
        x0 += k0 * error
        x1 += k1 * error
        x2 += k2 * error
        u = 1.0 - k0
        d = d - 2.0 * k1 * b + k1 * k1 * a + bounce * k1 * k1
        e = e - k1 * c - k2 * b + k1 * k2 * a + bounce * k1 * k2
        f = f - 2.0 * k2 * c + k2 * k2 * a + bounce * k2 * k2
        b = u * (b - k1 * a) + bounce * k0 * k1
        c = u * (c - k2 * a) + bounce * k0 * k2
        a = u * u * a + bounce * k0 * k0
    return logs + math.log(product), squares


@kernel
def deviance(seconds: Seconds, y: Vector, ratio: float, bounce: float) -> float:
    """-2 log likelihood with the walk variance concentrated out; `ratio`, `bounce`: jerk and measurement variance over it."""
    n = y.shape[0] - START
    logs, squares = innovations(seconds, y, ratio, bounce, np.empty(0))
    if not (squares > 0.0 and math.isfinite(squares) and math.isfinite(logs)):
        return IMPOSSIBLE
    return float(n * (math.log(2.0 * math.pi * squares / n) + 1.0) + logs)


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
def _at(seconds: Seconds, y: Vector, log_ratio: float, log_bounce: float) -> float:
    if not (LOW_RATIO <= log_ratio <= HIGH_RATIO and LOW_BOUNCE <= log_bounce <= HIGH_BOUNCE):
        return IMPOSSIBLE
    return deviance(seconds, y, math.exp(log_ratio), math.exp(log_bounce))


@kernel
def _hill(seconds: Seconds, y: Vector, bounce: float) -> tuple[float, float, float]:
    """(deviance, ln ratio, ln bounce) of the best point of a grid."""
    bounces = np.array((bounce, min(bounce + 2.0, HIGH_BOUNCE - 0.5), LOW_BOUNCE / 4.0))
    bounces.sort()
    value, ratio, at = np.inf, 0.0, 0.0
    for r in _GRID:
        for b in bounces:
            found = _at(seconds, y, r, b)
            if found < value:
                value, ratio, at = found, r, b
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
def _try(seconds: Seconds, y: Vector, corners: Vector, near: float, far: float) -> tuple[float, float, float]:
    """(deviance, ln ratio, ln bounce) at `near` x the middle of the best two corners + `far` x the worst."""
    r = near * ((corners[0, 0] + corners[1, 0]) / 2.0) + far * corners[2, 0]
    b = near * ((corners[0, 1] + corners[1, 1]) / 2.0) + far * corners[2, 1]
    return _at(seconds, y, r, b), r, b


@kernel
def _move(seconds: Seconds, y: Vector, corners: Vector, values: Vector) -> bool:
    """Replace the worst corner by a better point; False where none was found."""
    found = reflected = _try(seconds, y, corners, 2.0, -1.0)
    if reflected[0] < values[0]:
        expanded = _try(seconds, y, corners, 3.0, -2.0)
        found = expanded if expanded[0] < reflected[0] else reflected
    elif reflected[0] >= values[1]:
        if reflected[0] < values[2]:
            found = _try(seconds, y, corners, 1.5, -0.5)
            if found[0] > reflected[0]:
                return False
        else:
            found = _try(seconds, y, corners, 0.5, 0.5)
            if found[0] >= values[2]:
                return False
    values[2], corners[2, 0], corners[2, 1] = found
    return True


@kernel
def with_jerk(seconds: Seconds, y: Vector, bounce: float) -> tuple[float, float, float]:
    """(ln ratio, ln bounce, deviance) of the best fit with jerk: a grid finds the hill, the simplex climbs it."""
    value, r, b = _hill(seconds, y, bounce)
    corners = np.array(((r, b), (r + 1.5, b), (r, b + 1.0 if b < 0.0 else b - 1.0)))
    values = np.empty(3)
    for k in range(3):
        values[k] = _at(seconds, y, corners[k, 0], corners[k, 1])
    _sort(corners, values)
    for _ in range(1, _ROUNDS):
        apart = differ = 0.0
        for k in range(1, 3):
            differ = max(differ, abs(values[0] - values[k]))
            for j in range(2):
                apart = max(apart, abs(corners[k, j] - corners[0, j]))
        if apart <= _CORNERS_APART and differ <= _CORNERS_DIFFER:
            break
        if not _move(seconds, y, corners, values):
            for k in range(1, 3):
                for j in range(2):
                    corners[k, j] = corners[0, j] + 0.5 * (corners[k, j] - corners[0, j])
                values[k] = _at(seconds, y, corners[k, 0], corners[k, 1])
        _sort(corners, values)
    return (corners[0, 0], corners[0, 1], values[0]) if values[0] < value else (r, b, value)
