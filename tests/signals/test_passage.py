"""First-passage probabilities against Monte Carlo, their sums, their extremes."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.drift_belief import averaged
from turbo_trader.signals.passage import (
    decays,
    reach_either,
    reach_up,
    survivors,
    two_barrier,
    two_barrier_forecast,
    two_barrier_spread,
)

PATHS = 600
STEPS = 150


@kernel
def simulate(
    seed: int,
    paths: int,
    steps: int,
    up: float,
    down: float,
    drift: float,
    sigma: float,
    drift_s: float,
    hold_s: float,
) -> tuple[float, float, float]:
    np.random.seed(seed)
    dt = hold_s / steps
    root = sigma * math.sqrt(dt)
    ups = downs = 0
    rest = 0.0
    for _ in range(paths):
        x = 0.0
        hit = 0
        for k in range(steps):
            x += drift * max(0.0, min(dt, drift_s - k * dt)) + root * np.random.normal()
            if x >= up:
                hit = 1
            elif x <= down:
                hit = -1
            if hit != 0:
                break
        if hit > 0:
            ups += 1
        elif hit < 0:
            downs += 1
        else:
            rest += x
    return ups / paths, downs / paths, rest / paths


def test_five_hundred_points_agree_with_monte_carlo() -> None:
    rng = np.random.default_rng(1)
    z = []
    for point in range(500):
        up, down = rng.uniform(0.004, 0.015), -rng.uniform(0.0025, 0.008)
        sigma, hold = 10 ** rng.uniform(-4.3, -3.2), float(rng.choice([900, 1800, 2700]))
        drift, drift_s = rng.normal(0, 3e-6), float(rng.choice([900, 1800]))
        exact = two_barrier(up, down, drift, sigma, drift_s, hold, hold / STEPS)
        simulated = simulate(point, PATHS, STEPS, up, down, drift, sigma, drift_s, hold)
        for p, q in zip(exact[:2], simulated[:2], strict=True):
            error = math.sqrt(max(p * (1 - p), 1 / PATHS) / PATHS)
            z.append((q - p) / error)
    assert abs(np.mean(z)) < 0.15  # no bias beyond a sixth of a standard error of 600 paths
    assert np.std(z) < 1.1
    assert np.max(np.abs(z)) < 4.5


def test_expected_return_at_timeout_agrees_with_monte_carlo() -> None:
    arguments = (0.008, -0.005, 3e-6, 1.5e-4, 900.0, 1800.0)
    exact = two_barrier(*arguments, 10.0)[3]
    simulated = simulate(7, 40_000, 180, *arguments)[2]
    assert exact == pytest.approx(simulated, abs=5e-5)


@pytest.mark.long
@given(
    up=st.floats(1e-5, 0.2),
    down=st.floats(1e-5, 0.2),
    drift=st.floats(-1e-3, 1e-3),
    sigma=st.one_of(st.just(0.0), st.floats(1e-12, 1.0)),
    drift_s=st.floats(0, 1e5),
    hold_s=st.floats(0, 1e5),
    step_s=st.floats(0, 60),
)
@settings(max_examples=300, deadline=None)
def test_probabilities_are_probabilities_at_any_extreme(
    up: float, down: float, drift: float, sigma: float, drift_s: float, hold_s: float, step_s: float
) -> None:
    figures = two_barrier(up, -down, drift, sigma, drift_s, hold_s, step_s)
    assert all(math.isfinite(f) for f in figures)
    assert all(0.0 <= p <= 1.0 for p in figures[:3])
    assert sum(figures[:3]) == pytest.approx(1.0, abs=1e-9)


def test_images_and_eigenfunctions_are_the_same_solution() -> None:
    width, sigma2 = 0.01, 1e-8
    for scaled in (0.14999999999, 0.15):
        t = scaled * width * width / sigma2
        for drift in (-1e-5, 0.0, 3e-6):
            p = reach_up(0.004, width, drift, sigma2, t)
            assert p == pytest.approx(reach_up(0.004, width, drift, sigma2, t * 1.0000001), abs=1e-7)
    t = 0.15 * width * width / sigma2
    long, none = decays(0.15), decays(0.1)
    assert reach_either(0.006, width, sigma2, t, long) == pytest.approx(
        reach_either(0.006, width, sigma2, t, none), abs=1e-10
    )
    a, b = (survivors(0.003, 0.006, width, 1e-6, sigma2, t, d) for d in (long, none))
    assert a == pytest.approx(b, rel=1e-9)


def test_never_ending_horizon_gives_the_gamblers_ruin() -> None:
    up, down, drift, sigma = 0.01, -0.005, 2e-6, 3e-4
    k = 2 * drift / sigma**2
    ruin = (1 - math.exp(k * -down)) / (math.exp(-k * up) - math.exp(k * -down))
    assert two_barrier(up, down, drift, sigma, 1e7, 1e7, 0.0)[0] == pytest.approx(ruin, abs=1e-9)


def test_a_farther_target_is_never_likelier() -> None:
    for drift in (-4e-6, 0.0, 4e-6):
        p = [
            two_barrier(up, -0.004, drift, 2e-4, 900.0, 1800.0, 1.0)[0]
            for up in np.linspace(0.001, 0.05, 200)
        ]
        assert (np.diff(p) <= 1e-9).all()


@pytest.mark.clock
def test_a_first_passage_stays_within_its_budget() -> None:
    rng = np.random.default_rng(2)
    points = [
        (up, -down, drift, sigma, 900.0, 1800.0, 1.0)
        for up, down, drift, sigma in zip(
            rng.uniform(0.004, 0.015, 300), rng.uniform(0.0025, 0.008, 300), rng.normal(0, 3e-6, 300),
            10 ** rng.uniform(-4.3, -3.2, 300), strict=True,
        )
    ]  # fmt: skip
    best = math.inf
    for _ in range(8):
        begun = time.process_time()
        for point in points:
            two_barrier(*point)
        best = min(best, (time.process_time() - begun) / len(points))
    assert best < 20e-6


def test_mirrored_prices_mirror_the_figures() -> None:
    p_up, p_down, rest, mean = two_barrier(0.008, -0.005, 2e-6, 2e-4, 900.0, 1800.0, 1.0)
    other = two_barrier(0.005, -0.008, -2e-6, 2e-4, 900.0, 1800.0, 1.0)
    assert (p_down, p_up, rest, -mean) == pytest.approx(other, abs=1e-12)


def test_nothing_that_is_not_finite_comes_back() -> None:
    assert two_barrier(math.nan, -0.01, 0.0, 1e-4, 900.0, 1800.0, 1.0) == (0.0, 0.0, 1.0, 0.0)
    assert two_barrier(0.0, -0.01, 0.0, 1e-4, 900.0, 1800.0, 1.0)[0] == 1.0
    assert two_barrier(0.01, 0.0, 0.0, 1e-4, 900.0, 1800.0, 1.0)[1] == 1.0


def test_an_uncertain_volatility_is_averaged_over() -> None:
    rng = np.random.default_rng(4)
    for up, down, sigma, log_sd in (
        (0.009, -0.0045, 3e-4, 0.6),
        (0.006, -0.003, 5e-5, 0.6),
        (0.006, -0.003, 1e-4, 0.3),
    ):
        logs = log_sd * rng.standard_normal(4_000) - 0.5 * log_sd**2
        each = np.array(
            [two_barrier(up, down, 1e-6, sigma * math.exp(0.5 * x), 900, 1800, 1.0)[:3] for x in logs]
        )
        found = np.array(two_barrier_spread(up, down, 1e-6, sigma, log_sd, 900, 1800, 1.0))
        assert found.sum() == pytest.approx(1.0, abs=1e-9)
        error = each.std(0) / math.sqrt(len(logs))
        assert np.all(np.abs(found - each.mean(0)) < 0.004 + 4 * error)
        known = two_barrier_spread(up, down, 1e-6, sigma, 0.0, 900, 1800, 1.0)
        assert known == pytest.approx(two_barrier(up, down, 1e-6, sigma, 900, 1800, 1.0)[:3], abs=1e-12)


TERMS = (2e-4, 0.6, 900.0, 1800.0, 1.0)  # sigma, sd of its log, drift until, hold, step


def test_a_drift_that_may_not_be_there_is_averaged_over() -> None:
    mean, error = averaged(0.01, 0.0, 0.3)
    there = two_barrier_spread(0.009, -0.0045, 0.01 / 900.0, *TERMS)
    none = two_barrier_spread(0.009, -0.0045, 0.0, *TERMS)
    found = two_barrier_forecast(0.009, -0.0045, mean, error, *TERMS)
    assert found == pytest.approx([0.3 * a + 0.7 * b for a, b in zip(there, none, strict=True)], abs=1e-12)
    certain = two_barrier_spread(0.009, -0.0045, mean / 900.0, *TERMS)
    assert two_barrier_forecast(0.009, -0.0045, mean, 0.0, *TERMS) == pytest.approx(certain, abs=1e-12)
    assert two_barrier_forecast(0.009, -0.0045, 0.0, error, *TERMS) == pytest.approx(none, abs=1e-12)


@given(
    forecast=st.floats(0.0, 1.0),
    error=st.one_of(st.just(0.0), st.floats(1e-300, 10.0)),
    up=st.floats(1e-4, 0.2),
    down=st.floats(1e-4, 0.2),
    sigma=st.floats(1e-9, 0.5),
)
@settings(max_examples=300)
def test_averaged_probabilities_are_probabilities_at_any_extreme(
    forecast: float, error: float, up: float, down: float, sigma: float
) -> None:
    found = two_barrier_forecast(up, -down, forecast, error, sigma, 0.6, 900.0, 1800.0, 1.0)
    assert all(-1e-12 <= p <= 1.0 + 1e-12 for p in found)
    assert sum(found) == pytest.approx(1.0, abs=1e-9)
    farther = two_barrier_forecast(1.1 * up, -down, forecast, error, sigma, 0.6, 900.0, 1800.0, 1.0)
    assert farther[0] <= found[0] + 1e-9
