"""The filter equals an independent implementation, its noise fit is honest, its errors are what it says."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from filterpy.kalman import KalmanFilter
from numpy.typing import NDArray

from turbo_trader.market.state import SECONDS
from turbo_trader.signals import kalman
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.noise import Noise, deviance, fit_noise

NOISE = Noise(2e-6, 5e-5, 3e-5, True, 10.0, 900, 1.0, 0.0)


def transition(dt: float, noise: Noise) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    F = np.array([[1, dt, dt * dt / 2], [0, 1, dt], [0, 0, 1]])
    Q = noise.jerk**2 * np.array(
        [
            [dt**5 / 20, dt**4 / 8, dt**3 / 6],
            [dt**4 / 8, dt**3 / 3, dt**2 / 2],
            [dt**3 / 6, dt**2 / 2, dt],
        ]
    )
    Q[0, 0] += noise.walk**2 * dt
    return F, Q


def samples(rng: np.random.Generator, n: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    seconds = np.cumsum(np.where(rng.random(n) < 0.2, rng.integers(2, 40, n), 1))
    return seconds, 4.6 + np.cumsum(rng.normal(0, 1e-4, n))


def ring(seconds: NDArray[np.int64], y: NDArray[np.float64]) -> Any:
    from turbo_trader.market.state import STATE

    states = np.zeros(1, STATE)
    for k in range(len(y)):
        states[0]["sample_second"][k & (SECONDS - 1)] = seconds[k]
        states[0]["sample_y"][k & (SECONDS - 1)] = y[k]
    states[0]["samples"] = len(y)
    return states


def simulated(
    rng: np.random.Generator, n: int, noise: Noise, dt: float = 1.0
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    F, Q = transition(dt, noise)
    scale = np.sqrt(np.diag(Q))
    root = np.linalg.cholesky(Q / np.outer(scale, scale)) * scale[:, None]
    x, states = np.zeros(3), np.empty((n, 3))
    for k in range(n):
        x = F @ x + root @ rng.normal(size=3)
        states[k] = x
    return states, states[:, 0] + noise.measurement * rng.normal(size=n)


def test_filter_equals_filterpy() -> None:
    seconds, y = samples(np.random.default_rng(1), 400)
    filters = new_filters(1)
    set_noise(filters, 0, NOISE)
    kalman.catch_up(ring(seconds, y), filters, 0)
    other = KalmanFilter(dim_x=3, dim_z=1)
    unknown = 100 * (NOISE.walk**2 + NOISE.measurement**2 + NOISE.jerk**2)
    other.x = np.array([[y[0]], [0.0], [0.0]])
    other.P = np.diag([NOISE.measurement**2, unknown, unknown])
    other.H, other.R = np.array([[1.0, 0.0, 0.0]]), NOISE.measurement**2
    for k in range(1, len(y)):
        F, Q = transition(float(seconds[k] - seconds[k - 1]), NOISE)
        other.predict(F=F, Q=Q)
        other.update(y[k])
    assert filters[0]["x"] == pytest.approx(other.x[:, 0], abs=1e-9)
    assert filters[0]["P"] == pytest.approx(other.P, rel=1e-9, abs=1e-9 * other.P[0, 0])


def test_catching_up_in_pieces_gives_the_same_bits() -> None:
    seconds, y = samples(np.random.default_rng(2), 1500)
    states = ring(seconds, y)
    whole, pieces = new_filters(1), new_filters(1)
    set_noise(whole, 0, NOISE)
    set_noise(pieces, 0, NOISE)
    kalman.catch_up(states, whole, 0)
    for count in (1, 2, 5, 700, 701, 1500):
        states[0]["samples"] = count
        kalman.catch_up(states, pieces, 0)
    assert whole.tobytes() == pieces.tobytes()


def test_a_filter_left_behind_begins_anew_at_the_oldest_sample() -> None:
    seconds, y = samples(np.random.default_rng(3), 5000)
    states = ring(seconds, y)
    filters = new_filters(1)
    set_noise(filters, 0, NOISE)
    filters[0]["started"], filters[0]["taken"] = 1, 10
    kalman.catch_up(states, filters, 0)
    assert filters[0]["taken"] == 5000
    assert filters[0]["second"] == seconds[-1]
    assert np.isfinite(filters[0]["P"]).all()


def test_velocity_error_is_as_large_as_it_says() -> None:
    rng = np.random.default_rng(4)
    noise = Noise(2e-6, 5e-5, 3e-5, True, 10.0, 900, 1.0, 0.0)
    beyond = []
    for _ in range(30):
        truth, y = simulated(rng, 1500, noise)
        for stop in range(300, 1501, 60):
            filters = new_filters(1)
            set_noise(filters, 0, noise)
            kalman.catch_up(ring(np.arange(1500)[stop - 300 : stop], y[stop - 300 : stop]), filters, 0)
            f = filters[0]
            beyond.append(abs(f["x"][1] - truth[stop - 1, 1]) > np.sqrt(f["P"][1, 1]))
    assert np.mean(beyond) == pytest.approx(0.317, abs=0.03)


def test_forecast_of_the_mean_misses_by_its_standard_error() -> None:
    rng = np.random.default_rng(5)
    z = []
    for _ in range(400):
        truth, y = simulated(rng, 400, NOISE)
        filters = new_filters(1)
        set_noise(filters, 0, NOISE)
        kalman.catch_up(ring(np.arange(400), y), filters, 0)
        f = filters[0]
        mean, error = kalman.forecast(f["x"], f["P"], f["y"], 60.0, 60.0)
        damped = kalman.damped(60.0, 60.0)
        actual = truth[-1, 0] + truth[-1, 1] * 60.0 + truth[-1, 2] * damped - y[-1]
        z.append((mean - actual) / error)
    assert np.std(z) == pytest.approx(1.0, abs=0.1)


def test_noise_of_a_simulated_market_is_recovered() -> None:
    rng = np.random.default_rng(6)
    fits = [fit_noise(np.arange(900), simulated(rng, 900, NOISE)[1]) for _ in range(20)]
    found = [f for f in fits if f is not None]
    assert len(found) == 20
    assert all(f.velocity_valid for f in found)
    assert np.median([f.jerk for f in found]) == pytest.approx(NOISE.jerk, rel=0.25)
    assert np.median([f.walk for f in found]) == pytest.approx(NOISE.walk, rel=0.15)
    assert np.median([f.measurement for f in found]) == pytest.approx(NOISE.measurement, rel=0.15)
    assert np.median([f.innovation_correlation for f in found]) == pytest.approx(0.0, abs=0.03)


def test_fit_is_a_maximum_of_the_likelihood() -> None:
    _, y = simulated(np.random.default_rng(7), 900, NOISE)
    seconds = np.arange(900)
    fit = fit_noise(seconds, y)
    assert fit is not None
    ratio, bounce = (fit.jerk / fit.walk) ** 2, (fit.measurement / fit.walk) ** 2
    best = deviance(seconds, y - y[0], ratio, bounce)
    for factor in (0.7, 1.4):
        assert deviance(seconds, y - y[0], ratio * factor, bounce) > best - 0.01
        assert deviance(seconds, y - y[0], ratio, bounce * factor) > best - 0.01


def plain(rng: np.random.Generator) -> NDArray[np.float64]:
    return np.cumsum(rng.normal(0, 1e-4, 600)) + rng.normal(0, 3e-5, 600)


def fat_tails(rng: np.random.Generator) -> NDArray[np.float64]:
    steps: NDArray[np.float64] = np.asarray(rng.standard_t(3, 600) * 1e-4, np.float64)
    return np.cumsum(steps)


def ticks(rng: np.random.Generator) -> NDArray[np.float64]:
    walk = np.cumsum(rng.normal(0, 1.0, 600))
    rounded: NDArray[np.float64] = np.asarray(np.round(walk) * 1e-4, np.float64)
    return rounded


def bursts(rng: np.random.Generator) -> NDArray[np.float64]:
    loud = (np.arange(600) // 60) % 7 == 0
    return np.cumsum(rng.normal(0, 1e-4, 600) * np.where(loud, np.exp(1.2), 1.0))


#: 5 % and two binomial standard errors.
@pytest.mark.parametrize(
    ("walk", "most"), [(plain, 0.075), (fat_tails, 0.075), (ticks, 0.075), (bursts, 0.075)]
)
def test_a_random_walk_has_no_velocity(
    walk: Callable[[np.random.Generator], NDArray[np.float64]], most: float
) -> None:
    rng = np.random.default_rng(8)
    hits = 0
    for _ in range(300):
        fit = fit_noise(np.arange(600), walk(rng))
        assert fit is not None
        hits += fit.velocity_valid
    assert hits / 300 <= most


def test_no_fit_without_movement_or_with_bad_samples() -> None:
    seconds, rng = np.arange(600), np.random.default_rng(9)
    y = np.cumsum(rng.normal(0, 1e-4, 600))
    assert fit_noise(seconds, np.zeros(600)) is None
    assert fit_noise(seconds[:100], y[:100]) is None
    assert fit_noise(seconds[::-1], y) is None
    bad = y.copy()
    bad[5] = np.nan
    assert fit_noise(seconds, bad) is None


def test_a_fit_is_fast_enough_for_a_backtest() -> None:
    _, y = simulated(np.random.default_rng(10), 900, NOISE)
    fit_noise(np.arange(900), y)
    best = 1e9
    for _ in range(5):
        begun = time.perf_counter()
        fit_noise(np.arange(900), y)
        best = min(best, time.perf_counter() - begun)
    assert best < 0.02
