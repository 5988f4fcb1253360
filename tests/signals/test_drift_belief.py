"""Belief is the information criterion's, an averaged forecast has the moments of what it is averaged over."""

from __future__ import annotations

import math

import numpy as np
import pytest
from statsmodels.regression.linear_model import OLS

from turbo_trader.signals.drift_belief import averaged, belief, two_points


def test_belief_is_that_of_the_two_models_information_criteria() -> None:
    rng = np.random.default_rng(1)
    for effect in (0.0, 0.1, 0.2, 0.5):
        x = rng.normal(size=(300, 2))
        y = effect * x[:, 0] + rng.normal(size=300)
        model = OLS(y, x)
        with_drift, without = model.fit(), model.loglike(np.zeros(2))
        ratio = 2.0 * (with_drift.llf - without)
        odds = math.exp(0.5 * (-2.0 * without - with_drift.bic))
        assert belief(ratio, 300**2) == pytest.approx(odds / (1.0 + odds), rel=1e-9)


@pytest.mark.parametrize(
    ("ratio", "information"), [(0.0, 2000.0), (1e6, 300.0), (0.0, 1e18), (1e308, 9.0), (0.0, 1e308)]
)
def test_belief_is_a_probability_at_any_extreme(ratio: float, information: float) -> None:
    assert 0.0 <= belief(ratio, information) <= 1.0


def test_an_averaged_forecast_has_the_moments_of_the_mixture() -> None:
    rng = np.random.default_rng(2)
    for mean, error, probability in (
        (0.003, 0.001, 0.3),
        (-0.01, 0.02, 0.9),
        (0.002, 0.0, 0.5),
        (0.004, 0.003, 1.0),
    ):
        drawn = np.where(
            rng.random(400_000) < probability, rng.normal(mean, max(error, 1e-300), 400_000), 0.0
        )
        found = averaged(mean, error, probability)
        assert found == pytest.approx((drawn.mean(), drawn.std()), abs=2.5e-3 * (abs(mean) + error))


def test_a_forecast_stands_out_only_where_its_drift_is_likelier_than_none() -> None:
    """|r| > se asks for (2 p - 1) z^2 > 1: never at p <= 1/2, and at p = 1 as without averaging."""
    for z in (0.5, 1.2, 3.0, 30.0):
        for p in (0.1, 0.5, 0.6, 0.9, 1.0):
            mean, error = averaged(z, 1.0, p)
            assert (mean > error) == ((2.0 * p - 1.0) * z * z > 1.0)


@pytest.mark.parametrize(
    ("mean", "error"), [(0.004, 0.001), (0.001, 0.001), (0.0005, 0.02), (0.002, 0.0), (1e-5, 1.0)]
)
def test_two_points_have_the_mean_and_error_they_stand_for(mean: float, error: float) -> None:
    probability, size = two_points(mean, error)
    assert 0.0 < probability <= 1.0
    assert probability * size == pytest.approx(mean, rel=1e-12)
    assert math.sqrt(probability * (1.0 - probability)) * size == pytest.approx(error, rel=1e-9, abs=1e-15)


def test_two_points_give_back_the_belief_of_a_drift_that_is_known_where_it_is_there() -> None:
    for p in (0.1, 0.5, 0.99):
        assert two_points(*averaged(0.003, 0.0, p)) == pytest.approx((p, 0.003), rel=1e-12)


@pytest.mark.parametrize(("mean", "error"), [(0.0, 0.0), (0.0, 1.0), (1e-200, 1e-3), (1e-12, 1e-3)])
def test_a_mean_too_small_to_be_distinct_from_none_is_none(mean: float, error: float) -> None:
    assert two_points(mean, error) == (0.0, 0.0)
