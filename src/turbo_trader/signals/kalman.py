"""Level, velocity and acceleration of ln(mid): a Kalman filter over the one-second samples.

Model (Bar-Shalom, Li & Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001, section 6.2.3, white-noise
jerk, with a random-walk term added to the level):

    x(t+dt) = F(dt) x(t) + w,   w ~ N(0, Q(dt)),   y = level + e,   e ~ N(0, R)

The step is the real time between samples; a second without data is no observation. Updates are in Joseph's form.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import inlined, kernel
from turbo_trader.market.state import SECONDS

_MASK = SECONDS - 1
_DIFFUSE = 100.0  # variance of the unknown first velocity and acceleration, in units of the noise per second

Vector = NDArray[np.float64]


@inlined
def predict(x: Vector, P: Vector, dt: float, jerk2: float, walk2: float) -> None:
    """x <- F x, P <- F P F' + Q over `dt` seconds, in place."""
    d2 = dt * dt
    d3 = d2 * dt
    x[0] += x[1] * dt + 0.5 * x[2] * d2
    x[1] += x[2] * dt
    a, b, c = P[0, 0], P[0, 1], P[0, 2]
    d, e, f = P[1, 1], P[1, 2], P[2, 2]
    P[0, 0] = (
        a + 2.0 * dt * b + d2 * (d + c) + d3 * e + 0.25 * d2 * d2 * f + jerk2 * d2 * d3 / 20.0 + walk2 * dt
    )
    P[0, 1] = b + dt * (d + c) + 1.5 * d2 * e + 0.5 * d3 * f + jerk2 * d2 * d2 / 8.0
    P[0, 2] = c + dt * e + 0.5 * d2 * f + jerk2 * d3 / 6.0
    P[1, 1] = d + 2.0 * dt * e + d2 * f + jerk2 * d3 / 3.0
    P[1, 2] = e + dt * f + jerk2 * d2 / 2.0
    P[2, 2] = f + jerk2 * dt
    P[1, 0], P[2, 0], P[2, 1] = P[0, 1], P[0, 2], P[1, 2]


@inlined
def update(x: Vector, P: Vector, y: float, measurement2: float) -> None:
    """Take the observation `y` of the level: x, P in place, Joseph's form (I - K H) P (I - K H)' + K R K'."""
    total = P[0, 0] + measurement2
    if total > 0.0:
        k0, k1, k2 = P[0, 0] / total, P[0, 1] / total, P[0, 2] / total
        error = y - x[0]
        x[0] += k0 * error
        x[1] += k1 * error
        x[2] += k2 * error
        a, b, c = P[0, 0], P[0, 1], P[0, 2]
        u = 1.0 - k0
        P[0, 0] = u * u * a + measurement2 * k0 * k0
        P[0, 1] = u * (b - k1 * a) + measurement2 * k0 * k1
        P[0, 2] = u * (c - k2 * a) + measurement2 * k0 * k2
        P[1, 1] = P[1, 1] - 2.0 * k1 * b + k1 * k1 * a + measurement2 * k1 * k1
        P[1, 2] = P[1, 2] - k1 * c - k2 * b + k1 * k2 * a + measurement2 * k1 * k2
        P[2, 2] = P[2, 2] - 2.0 * k2 * c + k2 * k2 * a + measurement2 * k2 * k2
        P[1, 0], P[2, 0], P[2, 1] = P[0, 1], P[0, 2], P[1, 2]


@inlined
def begin(x: Vector, P: Vector, y: float, jerk2: float, walk2: float, measurement2: float) -> None:
    """The state after the first sample: level = y +- R, velocity and acceleration unknown."""
    unknown = _DIFFUSE * (walk2 + measurement2 + jerk2)
    x[0], x[1], x[2] = y, 0.0, 0.0
    P[:, :] = 0.0
    P[0, 0], P[1, 1], P[2, 2] = measurement2, unknown, unknown


@kernel
def catch_up(states: Any, filters: Any, s: int) -> None:
    """Bring the Kalman state of `s` up to the newest sample of the one-second ring.

    A filter further behind than the ring reaches, or with new noise, begins anew at the oldest sample kept.
    """
    state, f = states[s], filters[s]
    if f.noise_set == 0 or state.samples == 0:
        return
    oldest = max(0, state.samples - (SECONDS - 1))
    if f.started == 0 or f.taken < oldest or f.taken > state.samples:
        f.started = 0
        f.taken = oldest
    for i in range(f.taken, state.samples):
        y, second = state.sample_y[i & _MASK], state.sample_second[i & _MASK]
        if not math.isfinite(y):
            continue
        if f.started == 0:
            begin(f.x, f.P, y, f.jerk2, f.walk2, f.measurement2)
            f.started = 1
        else:
            if second <= f.second:
                continue
            predict(f.x, f.P, float(second - f.second), f.jerk2, f.walk2)
            update(f.x, f.P, y, f.measurement2)
        f.second, f.y = second, y
    f.taken = state.samples


@kernel
def damped(horizon_s: float, damping_s: float) -> float:
    """Return over the horizon of a unit acceleration that dies away as exp(-t / damping): tau (h - tau (1 - exp(-h/tau)))."""
    if damping_s <= 0.0:
        return 0.0
    return damping_s * (horizon_s + damping_s * math.expm1(-horizon_s / damping_s))


@kernel
def forecast(x: Vector, P: Vector, y: float, horizon_s: float, damping_s: float) -> tuple[float, float]:
    """(r(h), standard error of its mean): level - y + velocity h + damped acceleration, and its state uncertainty."""
    g = damped(horizon_s, damping_s)
    mean = x[0] - y + x[1] * horizon_s + x[2] * g
    spread = (
        P[0, 0]
        + horizon_s * horizon_s * P[1, 1]
        + g * g * P[2, 2]
        + 2.0 * (horizon_s * P[0, 1] + g * P[0, 2] + horizon_s * g * P[1, 2])
    )
    return mean, math.sqrt(max(spread, 0.0))


@kernel
def innovations(
    seconds: NDArray[np.int64], y: Vector, ratio: float, bounce: float, out: Vector
) -> tuple[float, float]:
    """One run of the filter with walk variance 1, jerk variance `ratio` and measurement variance `bounce`.

    Returns (sum of ln S, sum of e^2 / S) over the samples from the fourth on: the first three fix the unknown start. `out`
    takes e / sqrt(S) of each sample (length 0: not wanted).
    """
    x, P = np.zeros(3), np.zeros((3, 3))
    begin(x, P, y[0], ratio, 1.0, bounce)
    logs = squares = 0.0
    product = 1.0
    for i in range(1, y.shape[0]):
        predict(x, P, float(seconds[i] - seconds[i - 1]), ratio, 1.0)
        total = P[0, 0] + bounce
        error = y[i] - x[0]
        if i >= 4:
            product *= total  # one logarithm for many samples
            if product > 1e200 or product < 1e-200:
                logs += math.log(product)
                product = 1.0
            squares += error * error / total
        if out.shape[0] > 0:
            out[i] = error / math.sqrt(total)
        update(x, P, y[i], bounce)
    return logs + math.log(product), squares
