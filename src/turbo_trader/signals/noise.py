"""The noise parameters of the Kalman model by maximum likelihood, and the test whether there is a velocity at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel, released
from turbo_trader.signals.drift_belief import belief
from turbo_trader.signals.kalman import START
from turbo_trader.signals.likelihood import (
    STEP,
    Seconds,
    Vector,
    deviance,
    innovations,
    with_jerk,
    without_jerk,
)

MIN_SAMPLES: Final = 120
MIN_MOVES: Final = 30  # samples that differ from the one before
_ASIDE: Final = 1.6  # factor on the ratio at which the curvature of the likelihood is looked at
#: 5 % point of the 50:50 mixture of 0 and chi2(1): the jerk intensity is tested on the boundary (Self & Liang 1987, case 5).
_CRITICAL: Final = 2.705543454095404
_IDLE: Final = _CRITICAL / 2.0  # a likelihood ratio below is not searched to its last digit
_LAGS: Final = 10
_WHITE: Final = 18.307038053275146  # 95 % point of chi2(10)
_STEADY_S: Final = 60.0  # half-life, either way in time, of the local volatility the test is made in units of
_FAINTEST: Final = 1e-3  # local variance, of the mean one, below which a stretch is not magnified further


@dataclass(frozen=True, slots=True)
class Noise:
    """Noise of level-velocity-acceleration with white-noise jerk, random-walk level and bounce (`signals.kalman`).

    All intensities are standard deviations of ln(price): `jerk` per s^2.5, `walk` per s^0.5, `measurement` per observation.
    `velocity_valid`: the jerk intensity is above zero at 5 % (likelihood ratio), both in the samples as they are and in units
    of their local volatility, and with it the innovations are white at 5 %; where it is not, jerk is 0.
    """

    jerk: float
    walk: float
    measurement: float
    velocity_valid: bool
    belief: float  # probability that there is a velocity (signals.drift_belief); 0 where it is not valid
    log_jerk_sd: float  # standard error of ln(jerk variance / walk variance); 0 where there is none
    likelihood_ratio: float  # 2 (log L with jerk - log L without), in the units in which it is less
    portmanteau: float  # of the innovations; above 18.3 in 5 of 100 fits of a right model
    samples: int


def fit_noise(seconds: NDArray[np.int64], y: NDArray[np.float64]) -> Noise | None:
    """Noise by maximum likelihood of the samples `y` = ln(mid) at the ascending whole `seconds`; gaps are real elapsed time.

    None where nothing can be fitted: fewer than 120 samples, a non-finite one, seconds that do not ascend, or a price that
    moved at fewer than 30 of them.
    """
    seconds = np.ascontiguousarray(seconds, np.int64)
    values = np.ascontiguousarray(y, np.float64)
    if values.shape[0] < MIN_SAMPLES or seconds.shape != values.shape or not np.isfinite(values).all():
        return None
    if (np.diff(seconds) <= 0).any() or np.count_nonzero(np.diff(values)) < MIN_MOVES:
        return None
    jerk, walk, measurement, valid, believed, sd, likelihood_ratio, q = fitted(seconds, values - values[0])
    return Noise(
        jerk=jerk,
        walk=walk,
        measurement=measurement,
        velocity_valid=bool(valid),
        belief=believed,
        log_jerk_sd=sd,
        likelihood_ratio=likelihood_ratio,
        portmanteau=q,
        samples=values.shape[0],
    )


@released
def fitted(seconds: Seconds, y: Vector) -> tuple[float, float, float, bool, float, float, float, float]:
    """The figures of `Noise`, but for `samples`, in their order. It depends on the samples alone."""
    null_bounce, null = without_jerk(seconds, y)
    ratio, bounce, valid, believed, sd = 0.0, math.exp(null_bounce), False, 0.0, 0.0
    likelihood_ratio = _steady_likelihood_ratio(seconds, y)
    scale, q = _innovations(seconds, y, ratio, bounce)
    if likelihood_ratio > _CRITICAL:
        log_ratio, log_bounce, best = with_jerk(seconds, y, null_bounce, math.inf)
        likelihood_ratio = min(likelihood_ratio, max(0.0, null - best))
        found, white = _innovations(seconds, y, math.exp(log_ratio), math.exp(log_bounce))
        if likelihood_ratio > _CRITICAL and white <= _WHITE:
            valid, ratio, bounce, scale, q = True, math.exp(log_ratio), math.exp(log_bounce), found, white
            believed = belief(likelihood_ratio, y.shape[0] - START)
            sd = _log_ratio_sd(seconds, y, ratio, bounce)
    noise = math.sqrt(ratio * scale), math.sqrt(scale), math.sqrt(bounce * scale)
    return noise[0], noise[1], noise[2], valid, believed, sd, likelihood_ratio, q


@kernel
def portmanteau(standard: Vector) -> float:
    """Sum over ten lags of the squared autocorrelations of `standard`, each in units of its own variance.

    Chi-square(10) where they are uncorrelated, also where their volatility changes: each variance is estimated from the products
    themselves (Lobato, Nankervis & Savin, "Testing for autocorrelation using a modified Box-Pierce Q test", 2001).
    """
    total = 0.0
    for lag in range(1, _LAGS + 1):
        covariance = variance = 0.0
        for i in range(lag, standard.shape[0]):
            product = standard[i] * standard[i - lag]
            covariance += product
            variance += product * product
        if variance > 0.0:
            total += covariance * covariance / variance
    return total


@kernel
def _innovations(seconds: Seconds, y: Vector, ratio: float, bounce: float) -> tuple[float, float]:
    """(walk variance of highest likelihood, portmanteau of the standardised innovations) at these ratios."""
    standard = np.zeros(y.shape[0])
    squares = innovations(seconds, y, ratio, bounce, standard)[1]
    return squares / (y.shape[0] - START), portmanteau(standard[START:])


@kernel
def _steady_likelihood_ratio(seconds: Seconds, y: Vector) -> float:
    """The likelihood ratio of jerk > 0 in units of local volatility; where that is far from critical, about."""
    steady = steadied(seconds, y)
    bounce, null = without_jerk(seconds, steady)
    return max(0.0, null - with_jerk(seconds, steady, bounce, null - _IDLE)[2])


@kernel
def _log_ratio_sd(seconds: Seconds, y: Vector, ratio: float, bounce: float) -> float:
    """Standard error of ln(ratio) from the curvature of the likelihood at its maximum; at most a step of the grid.

    At a given bounce: letting that move along makes it larger by some percent at most.
    """
    here = deviance(seconds, y, ratio, bounce)
    rise = deviance(seconds, y, ratio * _ASIDE, bounce) - here
    rise += deviance(seconds, y, ratio * (1.0 / _ASIDE), bounce) - here
    curvature = rise / math.log(_ASIDE) ** 2
    return min(STEP, math.sqrt(2.0 / curvature)) if curvature > 0.0 else STEP


@kernel
def steadied(seconds: Seconds, y: Vector) -> Vector:
    """`y` rebuilt from its steps, each divided by the volatility about it: a walk whose volatility does not change.

    A burst of volatility looks like movement to a likelihood that knows one volatility only. Rescaling by a smooth local
    estimate restores the level of such tests (Beare 2018, "Unit root testing with unstable volatility").
    """
    n = y.shape[0] - 1
    square, ahead, weight = np.empty(n), np.zeros(n), np.zeros(n)
    mean = 0.0
    for i in range(n):
        square[i] = (y[i + 1] - y[i]) ** 2 / (seconds[i + 1] - seconds[i])
        mean += square[i] / n
    total = mass = 0.0
    dt, decay = 0, 1.0  # a power for each change of the step only
    for i in range(n - 1, -1, -1):
        ahead[i], weight[i] = total, mass
        if seconds[i + 1] - seconds[i] != dt:
            dt = seconds[i + 1] - seconds[i]
            decay = 0.5 ** (dt / _STEADY_S)
        total, mass = decay * (total + square[i]), decay * (mass + 1.0)
    out = np.zeros(n + 1)
    total = mass = 0.0
    for i in range(n):
        if seconds[i + 1] - seconds[i] != dt:
            dt = seconds[i + 1] - seconds[i]
            decay = 0.5 ** (dt / _STEADY_S)
        total, mass = decay * total + square[i], decay * mass + 1.0
        local = max((total + ahead[i]) / (mass + weight[i]), _FAINTEST * mean)
        out[i + 1] = out[i] + (y[i + 1] - y[i]) * math.sqrt(mean / local)
    return out
