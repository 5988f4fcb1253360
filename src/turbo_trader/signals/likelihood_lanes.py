"""The likelihood of four pairs of noise parameters in one run over the samples: what a search asks for at once.

A run of the filter waits for itself: each step needs the one before. Four runs beside each other take half as long again as one,
and give the bits that `likelihood.innovations` gives one by one.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.kalman import DIFFUSE, START

LANES: Final = 4
_L: Final = LANES
#: Where the numbers of all lanes lie, one kind after the other, so that the compiler sees a step as operations on vectors.
_X0, _X1, _X2, _A, _B, _C, _D, _E, _F = (k * _L for k in range(9))
_BOUNCE, _Q5, _Q4, _Q3, _Q2, _Q1, _PRODUCT, _LOGS, _SQUARES = (k * _L for k in range(9, 18))
_SIZE: Final = 18 * _L
SHORT: Final = 16  # seconds: what steps up to this add is worked out once
ADDED: Final = 5


@kernel
def add(into: NDArray[np.float64], ratio: float, dt: float) -> None:
    """What a step of `dt` seconds adds to the covariances: to that of the level, of level and velocity, and so on."""
    d2 = dt * dt
    d3 = d2 * dt
    into[0], into[1], into[2] = ratio * d2 * d3 / 20.0 + dt, ratio * d2 * d2 / 8.0, ratio * d3 / 6.0
    into[3], into[4] = ratio * d2 / 2.0, ratio * dt


@kernel
def innovations_of_four(
    seconds: NDArray[np.int64], y: NDArray[np.float64], ratios: NDArray[np.float64], bounces: NDArray[np.float64],
    logs: NDArray[np.float64], squares: NDArray[np.float64],
) -> None:  # fmt: skip
    """Into logs and squares: what `innovations` returns for each of the four pairs."""
    z = np.zeros(_SIZE)
    for j in range(_L):
        z[_BOUNCE + j], z[_A + j] = bounces[j], bounces[j]
        z[_F + j] = DIFFUSE * (1.0 + bounces[j] + ratios[j])
        z[_D + j], z[_X0 + j], z[_PRODUCT + j] = z[_F + j], y[0], 1.0
    noise = np.empty((SHORT + 1, ADDED * _L))
    one = np.empty(ADDED)
    for k in range(1, SHORT + 1):
        _add(noise[k], one, ratios, float(k))
    dt = 0.0
    for i in range(1, y.shape[0]):
        step = float(seconds[i] - seconds[i - 1])
        if step != dt:
            dt = step
            k = int(dt) if dt <= SHORT else 0
            if k == 0:
                _add(noise[0], one, ratios, dt)
            for j in range(ADDED * _L):
                z[_Q5 + j] = noise[k, j]
        _step(z, dt, y[i], i >= START)
        for j in range(_L):
            product = z[_PRODUCT + j]
            if product > 1e200 or product < 1e-200:
                z[_LOGS + j] += math.log(product)
                z[_PRODUCT + j] = 1.0
    for j in range(_L):
        logs[j], squares[j] = z[_LOGS + j] + math.log(z[_PRODUCT + j]), z[_SQUARES + j]


@kernel
def _add(into: NDArray[np.float64], one: NDArray[np.float64], ratios: NDArray[np.float64], dt: float) -> None:
    for j in range(_L):
        add(one, ratios[j], dt)
        for k in range(ADDED):
            into[k * _L + j] = one[k]


@kernel
def _step(z: NDArray[np.float64], dt: float, y: float, counts: bool) -> None:
    """A sample of all lanes, as in `innovations`; `counts`: it is not one of the first."""
    d2 = dt * dt
    d3 = d2 * dt
    for j in range(_L):
        x0, x1, x2, bounce = z[_X0 + j], z[_X1 + j], z[_X2 + j], z[_BOUNCE + j]
        a, b, c, d, e, f = z[_A + j], z[_B + j], z[_C + j], z[_D + j], z[_E + j], z[_F + j]
        x0 += x1 * dt + 0.5 * d2 * x2
        x1 += x2 * dt
        both = c + d
        a = (a + 2.0 * dt * b) + d2 * both + (d3 * e + 0.25 * d2 * d2 * f + z[_Q5 + j])
        b = (b + dt * both) + (1.5 * d2 * e + 0.5 * d3 * f + z[_Q4 + j])
        c = (c + dt * e) + (0.5 * d2 * f + z[_Q3 + j])
        d = (d + 2.0 * dt * e) + (d2 * f + 2.0 * z[_Q3 + j])
        e = e + (dt * f + z[_Q2 + j])
        f = f + z[_Q1 + j]
        total = a + bounce
        share = np.divide(
            1.0, total
        )  # never 0; Python's own division would look, and leave the vectors for it
        error = y - x0
        shift = error * share
        z[_PRODUCT + j] *= total if counts else 1.0
        z[_SQUARES + j] += error * error * share if counts else 0.0
        z[_X0 + j], z[_X1 + j], z[_X2 + j] = x0 + a * shift, x1 + b * shift, x2 + c * shift
        z[_D + j], z[_E + j], z[_F + j] = d - b * b * share, e - b * c * share, f - c * c * share
        z[_A + j], z[_B + j], z[_C + j] = bounce * a * share, bounce * b * share, bounce * c * share
