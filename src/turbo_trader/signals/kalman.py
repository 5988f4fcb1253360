"""Level, velocity and acceleration of ln(mid): a Kalman filter over the one-second samples.

Model (Bar-Shalom, Li & Kirubarajan, "Estimation with Applications to Tracking and Navigation", 2001, section 6.2.3, white-noise
jerk, with a random-walk term added to the level):

    x(t+dt) = F(dt) x(t) + w,   w ~ N(0, Q(dt)),   y = level + e,   e ~ N(0, R)

The step is the real time between samples; a second without data is no observation. Updates are in Joseph's form.

The jerk intensity is a fitted one, and wrong by its standard error: the filter runs at three intensities at once; what it says is
the mean over them, its variance that within and between them (Hamilton, "A standard error for the estimated state vector of a
state-space model", Journal of Econometrics 33, 1986; there by simulation, here by quadrature). The scale that all variances share
is learned again from the latest innovations (West & Harrison, "Bayesian Forecasting and Dynamic Models", 1997, section 10.8):
gains do not depend on it, standard errors do.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import inlined, kernel
from turbo_trader.market.state import SECONDS

_MASK = SECONDS - 1
#: Gauss-Hermite quadrature over ln(jerk variance): places in its standard errors, and weights (Abramowitz & Stegun 25.4.46).
NODES = 3
PLACES = (-math.sqrt(3.0), 0.0, math.sqrt(3.0))
_WEIGHTS = (1.0 / 6.0, 2.0 / 3.0, 1.0 / 6.0)
_FITTED = 1  # the node at the intensity of highest likelihood
START = 4  # samples whose innovations say nothing of the noise: they find velocity and acceleration
_FORGET = 1.0 - 0.5 ** (1.0 / 300.0)  # the scale's half-life is 300 samples, as long as the warm-up
DIFFUSE = 100.0  # variance of the unknown first velocity and acceleration, in units of the noise per second

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
    unknown = DIFFUSE * (walk2 + measurement2 + jerk2)
    x[0], x[1], x[2] = y, 0.0, 0.0
    P[:, :] = 0.0
    P[0, 0], P[1, 1], P[2, 2] = measurement2, unknown, unknown


@kernel
def catch_up(states: Any, filters: Any, s: int) -> None:
    """Bring the Kalman state of `s` up to the newest sample of the one-second ring.

    A filter further behind than the ring reaches, or with new noise, restarts at the oldest sample kept. Where there is no
    velocity nothing is filtered.
    """
    state, f = states[s], filters[s]
    if f.noise_set == 0 or f.velocity_valid == 0 or state.samples == 0:
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
            for k in range(NODES):
                begin(f.x[k], f.P[k], y, f.jerk2[k], f.walk2, f.measurement2)
            f.started = 1
            f.scale, f.steps = 1.0, 0
        else:
            if second <= f.second:
                continue
            for k in range(NODES):
                predict(f.x[k], f.P[k], float(second - f.second), f.jerk2[k], f.walk2)
                total, error = f.P[k, 0, 0] + f.measurement2, y - f.x[k, 0]
                if k == _FITTED and f.steps >= START and total > 0.0:
                    f.scale += _FORGET * (error * error / total - f.scale)
                update(f.x[k], f.P[k], y, f.measurement2)
        f.second, f.y, f.steps = second, y, f.steps + 1
    f.taken = state.samples


@kernel
def damped(horizon_s: float, damping_s: float) -> float:
    """Return over the horizon of a unit acceleration that dies away as exp(-t / damping): tau (h - tau (1 - exp(-h/tau)))."""
    if damping_s <= 0.0:
        return 0.0
    return damping_s * (horizon_s + damping_s * math.expm1(-horizon_s / damping_s))


@kernel
def moments(filters: Any, s: int, level: float, velocity: float, acceleration: float) -> tuple[float, float]:
    """(mean, standard error) of level x (level - y) + velocity x velocity + acceleration x acceleration, y the last sample.

    Over the nodes, given that there is a velocity: state and parameter uncertainty, not what the noise to come will do.
    """
    f = filters[s]
    fitted = level * (f.x[_FITTED, 0] - f.y) + velocity * f.x[_FITTED, 1] + acceleration * f.x[_FITTED, 2]
    shift = variance = 0.0
    for k in range(NODES):
        x, P = f.x[k], f.P[k]
        away = level * (x[0] - f.y) + velocity * x[1] + acceleration * x[2] - fitted
        within = (
            level * level * P[0, 0] + velocity * velocity * P[1, 1] + acceleration * acceleration * P[2, 2]
        )
        within += 2.0 * (level * velocity * P[0, 1] + level * acceleration * P[0, 2])
        within += 2.0 * velocity * acceleration * P[1, 2]
        shift += _WEIGHTS[k] * away
        variance += _WEIGHTS[k] * (f.scale * within + away * away)
    return fitted + shift, math.sqrt(max(variance - shift * shift, 0.0))
