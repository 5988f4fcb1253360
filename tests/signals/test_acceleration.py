"""ACCEL under `asked`: the Kalman filter of one-minute closes, and when it does not count."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from tests.signals.conftest import add_minute, one_state

from turbo_trader.market.rows import MINUTE
from turbo_trader.signals import figures
from turbo_trader.signals.acceleration import catch_up_minutes, likeliest, minute_acceleration
from turbo_trader.signals.figures import ACCEL, ASKED
from turbo_trader.signals.filters import new_filters

NOISE = 2e-4


def closes(y: Any) -> Any:
    """A state with these closes, a minute apart."""
    states = one_state()
    for k, value in enumerate(y):
        add_minute(states[0], k, 1_000_000 + k, float(value))
    return states


def z_of(y: Any, params: Any, filters: Any = None) -> tuple[float, bool]:
    states, kept = closes(y), new_filters(1) if filters is None else filters
    catch_up_minutes(states, kept, 0, params)
    z, valid = minute_acceleration(kept, 0)
    return float(z), bool(valid)


def curved(acceleration: float, n: int = 60, bend: int = 20, seed: int = 1) -> Any:
    """Noise about a price that stands still and then accelerates for the last `bend` minutes."""
    t = np.maximum(np.arange(n) - (n - bend), 0)
    return math.log(100) + 0.5 * acceleration * t * t + NOISE * np.random.default_rng(seed).standard_normal(n)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_price_that_accelerates_has_an_acceleration_of_that_sign(params: Any, sign: int) -> None:
    z, valid = z_of(curved(sign * 2e-4), params)
    assert valid
    assert sign * z > 2


def test_a_straight_line_has_no_jerk_and_is_no_signal(params: Any) -> None:
    line = math.log(100) + 1e-4 * np.arange(60) + NOISE * np.random.default_rng(3).standard_normal(60)
    states = closes(line)
    ratio = likeliest(states[0]["minute_index"], states[0]["minute_y"], 0, 59)
    valid = z_of(line, params)[1]
    assert valid == (ratio < 29)
    assert ratio > 15  # next to none


def test_too_few_closes_are_no_signal(params: Any) -> None:
    assert not z_of(curved(2e-4, n=50), params)[1]


def test_it_is_a_function_of_the_closes_however_often_it_is_asked(params: Any) -> None:
    y = math.log(100) + np.cumsum(5e-4 * np.random.default_rng(5).standard_normal(400))
    kept, states = new_filters(1), one_state()
    for k, value in enumerate(y):
        add_minute(states[0], k, 1_000_000 + k, float(value))
        if k % 7 == 0:
            catch_up_minutes(states, kept, 0, params)
    catch_up_minutes(states, kept, 0, params)
    assert minute_acceleration(kept, 0) == z_of(y, params)


def test_on_a_driftless_walk_it_confirms_about_as_often_either_way(params: Any) -> None:
    rng = np.random.default_rng(7)
    found = [z_of(np.cumsum(5e-4 * rng.standard_normal(120)), params) for _ in range(400)]
    z = np.array([value for value, valid in found if valid])
    assert len(z) > 300
    assert 0.03 < np.mean(z > 1) < 0.25
    assert np.mean(z > 1) == pytest.approx(np.mean(z < -1), abs=0.07)


def test_accel_takes_the_minute_filter_under_asked_alone(fill: Any, scan: Any, params: Any) -> None:
    y = curved(2e-4, n=300)
    states = fill(y, np.full(400, y[-1]))
    assert not scan(states)["valid"] >> ACCEL & 1
    params["belief"] = ASKED
    row = scan(states)
    assert row["valid"] >> ACCEL & 1
    assert row["accel_z"] > 1
    assert row["acceleration_z"] == 0  # the forecast's own filter has found no velocity
    assert row["score"][ACCEL] == pytest.approx(min(1.0, row["accel_z"] / 2))
    assert row["kalman_forecast"] == 0.0  # it never enters the forecast
    late = scan(states, at=int(row["ts"]) + 5 * MINUTE)
    assert not late["valid"] >> ACCEL & 1


def test_both_forecasts_are_made_whichever_is_in_force(fill: Any, scan: Any, params: Any) -> None:
    rng = np.random.default_rng(1)
    y = np.zeros(480)
    for i in range(1, 480):
        y[i] = 0.5**0.1 * y[i - 1] + rng.normal(0, 5e-4)
    y[-1] = -0.004
    y += math.log(100)
    states = fill(y, np.full(400, y[-1]))
    weighed = scan(states)
    params["belief"] = ASKED
    asked = scan(states)
    assert weighed["forecasts"].tolist() == asked["forecasts"].tolist()
    assert asked["forecast"] == asked["forecasts"][figures.ASKED] > 0 < weighed["forecast"]
    assert asked["snr"] == asked["snrs"][figures.ASKED]
    assert weighed["confidence"] == asked["confidences"][figures.WEIGHED]
    assert asked["forecasts"][figures.MEASURED] == 0
