"""Isotonic maps equal a reference, use the past only, and mend an overconfident model."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from turbo_trader.signals.calibration_fits import by_group, fit_map, pool_adjacent, reliability, slope, wilson


@given(st.lists(st.floats(-1, 1), min_size=1, max_size=60))
@settings(max_examples=100, deadline=None)
def test_pooling_equals_scikit_learn(values: list[float]) -> None:
    y, w = np.array(values), np.linspace(1, 2, len(values))
    reference = IsotonicRegression().fit_transform(np.arange(len(y)), y, sample_weight=w)
    assert pool_adjacent(y, w) == pytest.approx(reference, abs=1e-9)


def test_a_map_uses_only_what_was_known() -> None:
    rng = np.random.default_rng(1)
    p = rng.random(1000)
    outcome = (rng.random(1000) < p).astype(float)
    ts = np.arange(1000)
    spoiled = outcome.copy()
    spoiled[600:] = np.nan
    assert fit_map(p, outcome, ts, 599) == fit_map(p, spoiled, ts, 599)
    assert fit_map(p, outcome, ts, 100) is None


def test_a_map_ascends_and_mends_an_overconfident_probability() -> None:
    rng = np.random.default_rng(2)
    p = rng.random(20_000)
    outcome = (rng.random(20_000) < 0.4 + 0.2 * p).astype(float)
    found = fit_map(p, outcome, np.zeros(20_000), 0)
    assert found is not None
    assert len(found.x) <= 33
    assert (np.diff(found.x) > 0).all()
    assert (np.diff(found.y) >= 0).all()
    assert found(0.5) == pytest.approx(0.5, abs=0.03)
    assert found(0.9) == pytest.approx(0.58, abs=0.04)
    assert found(5.0) == found.y[-1]


def test_equal_predictions_make_one_point() -> None:
    found = fit_map(np.full(400, 0.5), np.arange(400) % 2, np.zeros(400), 0)
    assert found is not None
    assert found.x == (0.5,)
    assert found.y == pytest.approx((0.5,))


def test_reliability_counts_everything_once_and_skips_what_is_not_finite() -> None:
    p = np.linspace(0, 1, 1003)
    outcome = np.where(np.arange(1003) % 2, 1.0, 0.0)
    p[0] = math.nan
    rows = reliability(p, outcome)
    assert sum(r.samples for r in rows) == 1002
    assert all(r.outcome == pytest.approx(0.5, abs=0.02) for r in rows)
    assert rows[0].error == pytest.approx(0.05, abs=0.002)
    assert reliability([], []) == []


def test_slope_of_an_honest_model_is_one_within_its_error() -> None:
    rng = np.random.default_rng(3)
    z = []
    for _ in range(200):
        x = rng.normal(size=500)
        found = slope(x, x + rng.normal(size=500) * 3)
        assert found is not None
        z.append((found.slope - 1) / found.error)
    assert np.std(z) == pytest.approx(1.0, abs=0.15)


def test_overlap_widens_the_error_of_the_slope() -> None:
    rng = np.random.default_rng(4)
    x = np.convolve(rng.normal(size=5000), np.ones(15), "valid")
    y = np.convolve(rng.normal(size=5000), np.ones(15), "valid")
    naive, honest = slope(x, y), slope(x, y, overlap=30)
    assert naive is not None
    assert honest is not None
    assert honest.error > 2 * naive.error
    assert slope([0.0, 0.0, 0.0], [1.0, 2.0, 3.0]) is None


def test_a_slope_by_groups_equals_that_of_the_groups_seen_once() -> None:
    rng = np.random.default_rng(5)
    x = rng.standard_normal(300)
    y = x + rng.standard_normal(300)
    once = slope(x, y)
    thrice = slope(np.repeat(x, 3), np.repeat(y, 3), groups=np.repeat(np.arange(300), 3))
    assert once is not None
    assert thrice is not None
    assert (thrice.slope, thrice.error) == pytest.approx((once.slope, once.error))
    assert thrice.samples == 900


def test_by_group_sums_in_the_labels_order() -> None:
    assert by_group([1.0, 2.0, 4.0, 8.0], [7, 3, 7, 5]).tolist() == [2.0, 8.0, 5.0]


@pytest.mark.parametrize(
    ("share", "n", "low", "high"), [(0.0, 10, 0.0, 0.2775), (0.5, 10, 0.2366, 0.7634), (0.9, 50, 0.7864, 0.9565), (0.3, 0, 0, 1)]
)  # fmt: skip
def test_binomial_intervals_are_wilsons(share: float, n: int, low: float, high: float) -> None:
    assert wilson(share, n) == pytest.approx((low, high), abs=1e-4)
