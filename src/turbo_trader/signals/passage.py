"""Finite-horizon first passage of a drifting Brownian motion between two barriers.

Two forms of the same solution (Cox & Miller, "The Theory of Stochastic Processes", 1965, section 5.7; Borodin & Salminen,
"Handbook of Brownian Motion", 2002, 3.0): images, which converge at once for short times, and eigenfunctions for long ones;
both agree to 1e-12 where they meet. The drift ends before the horizon: the density of the survivors at that time is carried on
by Gauss-Legendre quadrature (24 points: within 1e-5 of 96 over the distances, times and drifts the rules know). Prices looked at in
steps: barriers farther out by 0.5826 sigma sqrt(step) (Broadie, Glasserman & Kou, "A continuity correction for discrete barrier
options", Mathematical Finance 7, 1997).
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.drift_belief import two_points

CONTINUITY: Final = 0.5825971579390107  # -zeta(1/2) / sqrt(2 pi)
INSTANT: Final = 1e-3  # seconds below which a time is none
_TAIL = (
    -10.0
)  # where the normal distribution is replaced by its asymptotic series, so that exponentials cannot overflow
_SWITCH = 0.15  # sigma^2 t / width^2 below which images are summed
_IMAGES = 2
_SIGMAS = 7.0  # half-width of the survivors' density that is integrated
_NODES, _WEIGHTS = (np.ascontiguousarray(a) for a in np.polynomial.legendre.leggauss(24))
_THREE_POINTS = ((1.0 / 6.0, -math.sqrt(3.0)), (2.0 / 3.0, 0.0), (1.0 / 6.0, math.sqrt(3.0)))
_ROOT2 = math.sqrt(2.0)
_PI = math.pi


@kernel
def normal(z: float) -> float:
    """The standard normal distribution function."""
    return 0.5 * math.erfc(-z / _ROOT2)


@kernel
def tilted(exponent: float, z: float) -> float:
    """exp(exponent) Phi(z), also where the one overflows and the other vanishes (Abramowitz & Stegun 26.2.12)."""
    if z > _TAIL:
        return math.exp(exponent) * normal(z)
    r = 1.0 / (z * z)
    series = 1.0 - r * (1.0 - r * (3.0 - r * (15.0 - r * 105.0)))
    return math.exp(exponent - 0.5 * z * z) * series / (-z * math.sqrt(2.0 * _PI))


@kernel
def reach_up(up: float, width: float, drift: float, sigma2: float, t: float) -> float:
    """P(the upper barrier, `up` above the start, is hit by `t` and before the lower one, `width` below the upper)."""
    scaled = sigma2 * t / (width * width)
    k = drift / sigma2
    if scaled < _SWITCH:
        root = math.sqrt(sigma2 * t)
        total = 0.0
        for i in range(-_IMAGES, _IMAGES + 1):
            a = up + 2.0 * i * width
            far = abs(a)
            term = tilted(k * (up - far), (drift * t - far) / root)
            term += tilted(k * (up + far), (-drift * t - far) / root)
            total += term if a > 0.0 else -term
        return min(1.0, max(0.0, total))
    m = k * width
    x = (width - up) / width  # start above the lower barrier, in widths
    if abs(m) < 1e-9:
        ever = x
    elif m > 0.0:
        ever = math.expm1(-2.0 * m * x) / math.expm1(-2.0 * m)
    else:
        ever = math.exp(2.0 * m * (1.0 - x)) * math.expm1(2.0 * m * x) / math.expm1(2.0 * m)
    theta = _PI * x
    step, sine, before = 2.0 * math.cos(theta), math.sin(theta), 0.0
    rest = 0.0
    sign = 1.0
    for n in range(1, _terms(scaled)):
        rate = m * m + n * n * _PI * _PI
        rest += sign * n * sine * math.exp(k * up - 0.5 * rate * scaled) / rate
        sine, before = step * sine - before, sine
        sign = -sign
    return min(1.0, max(0.0, ever - 2.0 * _PI * rest))


@kernel
def _terms(scaled: float) -> int:
    """How many eigenfunctions count at sigma^2 t / width^2, plus one."""
    return 2 + int(math.sqrt(80.0 / scaled) / _PI)


@kernel
def decays(scaled: float) -> NDArray[np.float64]:
    """exp(-n^2 pi^2 scaled / 2) for n = 1, 2, ... as far as they count; empty where images are to be summed."""
    if scaled < _SWITCH:
        return np.empty(0)
    out = np.empty(_terms(scaled) - 1)
    for i in range(out.shape[0]):
        out[i] = math.exp(-0.5 * (i + 1) * (i + 1) * _PI * _PI * scaled)
    return out


@kernel
def survivors(
    y: float, x: float, width: float, drift: float, sigma2: float, t: float, decay: NDArray[np.float64]
) -> float:
    """Density at `y` after `t`, not having touched 0 or `width`, of a motion from `x`; `decay` of sigma^2 t / width^2."""
    shift = drift * (y - x) / sigma2 - 0.5 * drift * drift * t / sigma2
    total = 0.0
    if decay.shape[0] == 0:
        for i in range(-_IMAGES, _IMAGES + 1):
            a, b = y - x + 2.0 * i * width, y + x + 2.0 * i * width
            total += math.exp(shift - 0.5 * a * a / (sigma2 * t)) - math.exp(
                shift - 0.5 * b * b / (sigma2 * t)
            )
        return max(0.0, total / math.sqrt(2.0 * _PI * sigma2 * t))
    here, there = _PI * y / width, _PI * x / width
    two_here, sine_here, before_here = 2.0 * math.cos(here), math.sin(here), 0.0
    two_there, sine_there, before_there = 2.0 * math.cos(there), math.sin(there), 0.0
    for i in range(decay.shape[0]):
        total += sine_here * sine_there * decay[i]
        sine_here, before_here = two_here * sine_here - before_here, sine_here
        sine_there, before_there = two_there * sine_there - before_there, sine_there
    return max(0.0, 2.0 / width * total) * math.exp(shift)


@kernel
def reach_either(
    y: float, width: float, sigma2: float, t: float, decay: NDArray[np.float64]
) -> tuple[float, float]:
    """(P(hit `width` first by `t`), P(hit 0 first by `t`)) without drift from `y`; `decay` of sigma^2 t / width^2."""
    if decay.shape[0] == 0:
        root = math.sqrt(sigma2 * t)
        up = down = 0.0
        for i in range(_IMAGES):
            ahead = 2.0 * i * width
            up += normal((y - width - ahead) / root) - normal((-y - width - ahead) / root)
            down += normal((-y - ahead) / root) - normal((y - 2.0 * width - ahead) / root)
        return 2.0 * up, 2.0 * down
    theta = _PI * y / width
    step, sine, before = 2.0 * math.cos(theta), math.sin(theta), 0.0
    up, down, sign = y / width, 1.0 - y / width, -1.0
    for i in range(decay.shape[0]):
        part = 2.0 / (_PI * (i + 1)) * sine * decay[i]
        up += sign * part
        down -= part
        sine, before = step * sine - before, sine
        sign = -sign
    return max(0.0, up), max(0.0, down)


@kernel
def after_drift(
    x: float, width: float, drift: float, sigma2: float, drift_s: float, rest_s: float
) -> tuple[float, float, float]:
    """What becomes of the survivors at `drift_s` in the driftless rest: (share to the top, share to the bottom, mean place)."""
    middle, reach = x + drift * drift_s, _SIGMAS * math.sqrt(sigma2 * drift_s)
    low, high = max(0.0, middle - reach), min(width, middle + reach)
    if not low < high:  # everything has been carried across a barrier
        return 0.0, 0.0, 0.0
    square = width * width
    decay, later = decays(sigma2 * drift_s / square), decays(sigma2 * rest_s / square)
    mass = top = bottom = moment = 0.0
    for i in range(_NODES.shape[0]):
        y = low + 0.5 * (high - low) * (1.0 + _NODES[i])
        density = _WEIGHTS[i] * survivors(y, x, width, drift, sigma2, drift_s, decay)
        mass += density
        moment += density * y
        if rest_s > 0.0 and density > 0.0:
            up, down = reach_either(y, width, sigma2, rest_s, later)
            top += density * up
            bottom += density * down
    if not mass > 0.0:
        return 0.0, 0.0, 0.0
    return top / mass, bottom / mass, moment / mass


@kernel
def two_barrier(
    up: float, down: float, drift: float, sigma: float, drift_s: float, hold_s: float, step_s: float
) -> tuple[float, float, float, float]:
    """(p_up, p_down, p_timeout, E[return; timeout]) of a log price from 0 with barriers at `up` > 0 and `down` < 0.

    `drift` per second until `drift_s`, then none; `sigma` per sqrt(second); horizon `hold_s`; the price is looked at every
    `step_s` seconds (0: continuously). The three probabilities sum to 1 within 1e-9; the last figure is an expectation over the
    timeouts only (not conditional), in log return. A start at or beyond a barrier has hit it. Non-finite input: all zero but
    p_timeout = 1.
    """
    if not math.isfinite(up + down + drift + sigma + drift_s + hold_s + step_s):
        return 0.0, 0.0, 1.0, 0.0
    if up <= 0.0:
        return 1.0, 0.0, 0.0, 0.0
    if down >= 0.0:
        return 0.0, 1.0, 0.0, 0.0
    if hold_s < INSTANT:
        return 0.0, 0.0, 1.0, 0.0
    if drift_s < INSTANT:
        drift = 0.0
    shift = CONTINUITY * max(sigma, 0.0) * math.sqrt(max(step_s, 0.0))
    top, bottom = up + shift, down - shift
    width = top - bottom
    sigma2 = max(sigma * sigma, 1e-8 * width * width / hold_s)
    first_s = min(hold_s, drift_s) if drift != 0.0 else hold_s
    p_up = reach_up(top, width, drift, sigma2, first_s)
    p_down = reach_up(-bottom, width, -drift, sigma2, first_s)
    alive = max(0.0, 1.0 - p_up - p_down)
    late_up, late_down, place = after_drift(-bottom, width, drift, sigma2, first_s, hold_s - first_s)
    late_up, late_down = alive * late_up, alive * late_down
    at_end = alive * (place + bottom) - top * late_up - bottom * late_down
    p_up += late_up
    p_down += late_down
    total = p_up + p_down
    if total > 1.0:
        p_up, p_down = p_up / total, p_down / total
    timeout = max(0.0, 1.0 - p_up - p_down)
    return p_up, p_down, timeout, at_end if timeout > 0.0 else 0.0


@kernel
def two_barrier_spread(
    up: float,
    down: float,
    drift: float,
    sigma: float,
    log_sd: float,
    drift_s: float,
    hold_s: float,
    step_s: float,
) -> tuple[float, float, float]:
    """(p_up, p_down, p_timeout) as of `two_barrier`, over a log-normal variance of mean sigma^2 whose log has the sd `log_sd`.

    Gauss-Hermite quadrature with three points (Abramowitz & Stegun 25.4.46).
    """
    p_up, p_down, p_timeout = 0.0, 0.0, 0.0
    for weight, node in _THREE_POINTS:
        here = sigma * math.exp(0.5 * (log_sd * node - 0.5 * log_sd * log_sd))
        a, b, c, _ = two_barrier(up, down, drift, here, drift_s, hold_s, step_s)
        p_up += weight * a
        p_down += weight * b
        p_timeout += weight * c
    return p_up, p_down, p_timeout


@kernel
def two_barrier_forecast(
    up: float,
    down: float,
    forecast: float,
    error: float,
    sigma: float,
    log_sd: float,
    drift_s: float,
    hold_s: float,
    step_s: float,
) -> tuple[float, float, float]:
    """(p_up, p_down, p_timeout) for a return of `forecast` >= 0 with its standard error until `drift_s`, then none.

    `two_barrier_spread` over a drift that is there or is not (`evidence.two_points`).
    """
    there, size = two_points(forecast, error)
    a = two_barrier_spread(up, down, size / drift_s, sigma, log_sd, drift_s, hold_s, step_s)
    b = two_barrier_spread(up, down, 0.0, sigma, log_sd, drift_s, hold_s, step_s)
    still = 1.0 - there
    return there * a[0] + still * b[0], there * a[1] + still * b[1], there * a[2] + still * b[2]


@kernel
def reached(
    direction: int,
    take_profit: float,
    stop_loss: float,
    forecast: float,
    error: float,
    sigma: float,
    log_sd: float,
    drift_s: float,
    hold_s: float,
    step_s: float,
) -> tuple[float, float, float]:
    """(p_tp, p_sl, p_timeout) of a trade with fixed barriers; `forecast`: return in its direction, < 0 against it."""
    # the barriers of a short lie at -ln(1 - TP) and -ln(1 + SL)
    side = float(direction)
    up, down = side * math.log1p(side * take_profit), side * math.log1p(-side * stop_loss)
    if forecast >= 0.0:
        return two_barrier_forecast(up, down, forecast, error, sigma, log_sd, drift_s, hold_s, step_s)
    p_sl, p_tp, timeout = two_barrier_forecast(
        -down, -up, -forecast, error, sigma, log_sd, drift_s, hold_s, step_s
    )
    return p_tp, p_sl, timeout
