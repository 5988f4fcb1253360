"""The noise fit ends where scipy's searches of the same likelihood end, to a millionth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar

from turbo_trader.signals import kalman, likelihood
from turbo_trader.signals.likelihood import deviance, innovations, with_jerk, without_jerk
from turbo_trader.signals.likelihood_lanes import LANES, innovations_of_four

Window = tuple[NDArray[np.int64], NDArray[np.float64]]


def window(seed: int) -> Window:
    """Samples of a walk with bounce: with or without a velocity, bursts, ticks and gaps."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(120, 900))
    seconds = np.cumsum(rng.integers(1, 7, n)) if seed % 2 else np.arange(n)
    gaps = np.diff(seconds, prepend=seconds[0] - 1)
    y = np.cumsum(rng.normal(0, 1e-4, n) * np.sqrt(gaps)) + rng.normal(0, 10.0 ** rng.uniform(-6, -4), n)
    if seed % 3 == 0:
        velocity = np.cumsum(rng.normal(0, 10.0 ** rng.uniform(-9, -7), n) * gaps)
        y += np.cumsum(velocity * gaps)
    if seed % 5 == 0:
        y = np.round(y / 1e-4) * 1e-4
    return seconds.astype(np.int64), np.ascontiguousarray(y - y[0])


@pytest.mark.parametrize("seed", range(24))
def test_fit_without_jerk_ends_where_scipy_ends(seed: int) -> None:
    seconds, y = window(seed)
    fit = minimize_scalar(
        lambda b: deviance(seconds, y, 0.0, math.exp(b)),
        bounds=(likelihood.LOW_BOUNCE, likelihood.HIGH_BOUNCE),
        method="bounded",
        options={"xatol": 0.01},
    )
    assert without_jerk(seconds, y) == pytest.approx((fit.x, fit.fun), rel=1e-6)


@pytest.mark.parametrize("seed", range(24))
def test_fit_with_jerk_ends_where_scipy_ends(seed: int) -> None:
    seconds, y = window(seed)
    bounce = without_jerk(seconds, y)[0]

    def objective(p: tuple[float, float] | NDArray[np.float64]) -> float:
        inside = likelihood.LOW_RATIO <= p[0] <= likelihood.HIGH_RATIO
        if not (inside and likelihood.LOW_BOUNCE <= p[1] <= likelihood.HIGH_BOUNCE):
            return likelihood.IMPOSSIBLE
        return float(deviance(seconds, y, math.exp(p[0]), math.exp(p[1])))

    bounces = sorted({bounce, min(bounce + 2.0, likelihood.HIGH_BOUNCE - 0.5), likelihood.LOW_BOUNCE / 4})
    value, r, b = min((objective((r, b)), r, b) for r in np.arange(-24.0, 1.0, 3.0) for b in bounces)
    simplex = np.array(((r, b), (r + 1.5, b), (r, b + 1.0 if b < 0 else b - 1.0)))
    options = {"initial_simplex": simplex, "xatol": 0.02, "fatol": 1e-3, "maxiter": 120}
    fit = minimize(objective, simplex[0], method="Nelder-Mead", options=options)
    best = (*fit.x, fit.fun) if fit.fun < value else (r, b, value)
    assert with_jerk(seconds, y, bounce, math.inf) == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("seed", range(6))
def test_four_points_at_once_give_the_bits_of_one_by_one(seed: int) -> None:
    seconds, y = window(seed)
    ratios, bounces = np.exp([-30.0, -18.0, -6.0, 4.0]), np.exp([-12.0, 6.0, -1.0, 0.5])
    logs, squares = np.empty(LANES), np.empty(LANES)
    innovations_of_four(seconds, y, ratios, bounces, logs, squares)
    alone = [innovations(seconds, y, r, b, np.empty(0)) for r, b in zip(ratios, bounces, strict=True)]
    assert list(zip(logs, squares, strict=True)) == alone


@pytest.mark.parametrize("seed", range(4))
def test_innovations_are_those_of_the_filter(seed: int) -> None:
    seconds, y = window(seed)
    ratio, bounce = 1e-6, 0.3
    found, x, P = np.zeros(len(y)), np.zeros(3), np.zeros((3, 3))
    innovations(seconds, y, ratio, bounce, found)
    kalman.begin(x, P, y[0], ratio, 1.0, bounce)
    expected = [0.0]
    for i in range(1, len(y)):
        kalman.predict(x, P, float(seconds[i] - seconds[i - 1]), ratio, 1.0)
        expected.append((y[i] - x[0]) / math.sqrt(P[0, 0] + bounce))
        kalman.update(x, P, y[i], bounce)
    assert found == pytest.approx(np.array(expected), rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("seed", range(1, 24, 3))
def test_a_search_that_is_of_no_use_ends_early_and_near(seed: int) -> None:
    seconds, y = window(seed)
    bounce = without_jerk(seconds, y)[0]
    whole = with_jerk(seconds, y, bounce, math.inf)[2]
    assert with_jerk(seconds, y, bounce, -math.inf)[2] == pytest.approx(whole, abs=0.1)


def test_samples_that_fit_nothing_have_no_likelihood() -> None:
    assert deviance(np.arange(200), np.zeros(200), 0.0, 1.0) == likelihood.IMPOSSIBLE
