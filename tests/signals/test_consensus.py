"""Slopes equal a textbook regression, exactly the same however late the filter catches up; tails are order statistics."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy import stats

from turbo_trader.market.state import MINUTES
from turbo_trader.signals import consensus
from turbo_trader.signals.filters import new_filters

HORIZONS = (5, 15, 60, 240, 1440)


def walk(seed: int, n: int) -> Any:
    return math.log(100) + np.cumsum(np.random.default_rng(seed).normal(0, 4e-4, n))


def append(state: Any, minute: int, y: float, span: float = 1e-3) -> None:
    k = int(state["minutes"]) & (MINUTES - 1)
    state["minute_index"][k], state["minute_y"][k], state["minute_range"][k] = minute, y, span
    state["minutes"] += 1


def test_slopes_equal_ordinary_least_squares(fill: Any, params: Any) -> None:
    keep = np.random.default_rng(1).random(1600) < 0.95
    keep[-20:] = True
    y = walk(2, 1600)
    filters = new_filters(1)
    consensus.slopes(fill(y, np.empty(0), keep=keep), filters, 0, params)
    minutes = np.arange(1600)
    for h, horizon in enumerate(HORIZONS):
        inside = keep & (minutes >= 1600 - horizon)
        fit = stats.linregress(minutes[inside], y[inside])
        assert filters[0]["slope_valid"][h] == 1
        assert filters[0]["slope"][h] == pytest.approx(fit.slope, rel=1e-3, abs=1e-9)
        assert filters[0]["slope_t"][h] == pytest.approx(fit.slope / fit.stderr, rel=2e-3, abs=2e-3)


def test_a_horizon_without_its_minutes_is_not_valid(fill: Any, params: Any) -> None:
    filters = new_filters(1)
    consensus.slopes(fill(walk(3, 100), np.empty(0)), filters, 0, params)
    assert list(filters[0]["slope_valid"]) == [1, 1, 1, 0, 0]


def test_slopes_do_not_depend_on_when_they_were_asked_for(fill: Any, params: Any) -> None:
    y = walk(4, 5000)
    states = fill(y[:1500], np.empty(0))
    first = int(states[0]["minute_index"][1499]) + 1
    often, seldom = new_filters(1), new_filters(1)
    consensus.slopes(states, often, 0, params)
    consensus.slopes(states, seldom, 0, params)
    for k in range(3500):
        append(states[0], first + k + (5 if k > 2000 else 0), y[1500 + k])
        consensus.slopes(states, often, 0, params)
        if k % 431 == 0:
            consensus.slopes(states, seldom, 0, params)
            assert often[0]["slope"] == pytest.approx(seldom[0]["slope"], rel=1e-9, abs=1e-12)
    late = new_filters(1)
    consensus.slopes(states, late, 0, params)
    assert late[0]["slope_t"] == pytest.approx(often[0]["slope_t"], rel=1e-4, abs=1e-4)
    seldom[0]["slope_minutes"] -= 2500
    consensus.slopes(states, seldom, 0, params)
    assert seldom[0]["slope"] == pytest.approx(late[0]["slope"], rel=1e-12)


def test_a_straight_line_is_as_clear_as_can_be_and_a_flat_one_is_nothing(fill: Any, params: Any) -> None:
    for step, expected in ((1e-5, 1e6), (0.0, 0.0), (-1e-5, -1e6)):
        filters = new_filters(1)
        consensus.slopes(fill(4.0 + step * np.arange(100), np.empty(0)), filters, 0, params)
        assert filters[0]["slope_t"][1] == pytest.approx(expected)


def test_range_tail_is_the_order_statistic_of_the_ring(fill: Any) -> None:
    rng = np.random.default_rng(5)
    states = fill(walk(6, 10), np.empty(0))
    filters = new_filters(1)
    ranges = list(states[0]["minute_range"][:10])
    for k in range(6000):
        ranges.append(float(rng.exponential(1e-3)))
        append(states[0], 10**7 + k, 4.6, ranges[-1])
        if k % 3 == 0 or k > 5900:
            consensus.tails(states, filters, 0)
            if k % 111 == 0:
                kept = sorted(ranges[-(MINUTES - 1) :])
                rank = -((-999 * len(kept)) // 1000)
                assert consensus.range_tail(states, filters, 0) == kept[rank - 1]
