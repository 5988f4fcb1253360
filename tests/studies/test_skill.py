"""The statistics of the studies: right on made-up data whose answer is known, with standard errors that cover."""

from __future__ import annotations

import math

import numpy as np
import pytest

from studies.skill import coefficient, hit_rate, mean, newey_west, slope

pytestmark = pytest.mark.long


def test_a_planted_coefficient_is_found_and_its_sign_is_that_of_the_score() -> None:
    rng = np.random.default_rng(1)
    score = rng.normal(size=(3, 4000))
    forward = 0.1 * score + rng.normal(size=(3, 4000))
    found = coefficient(score, forward, 1)
    assert found.value == pytest.approx(0.1 / math.sqrt(1.01), abs=3 * found.error)
    assert found.error == pytest.approx(12_000**-0.5, rel=0.15)
    assert coefficient(-score, forward, 1).value == pytest.approx(-found.value)
    assert hit_rate(score, forward, 1).z(0.5) > 3
    assert slope(score, forward, 1).value == pytest.approx(0.1, abs=0.03)


def overlapping(rng: np.random.Generator, count: int, ahead: int) -> tuple[np.ndarray, np.ndarray]:
    """A persistent score and the returns of the `ahead` steps after it, of which it knows nothing."""
    steps = rng.normal(size=(1, count + ahead))
    path = np.concatenate((np.zeros((1, 1)), np.cumsum(steps, axis=1)), axis=1)
    forward = path[:, ahead : count + ahead] - path[:, :count]
    score = np.empty((1, count))
    score[0, 0] = rng.normal()
    for i in range(1, count):
        score[0, i] = 0.98 * score[0, i - 1] + 0.2 * rng.normal()
    return score, forward


@pytest.mark.parametrize("estimator", [coefficient, hit_rate, slope])
def test_standard_errors_of_overlapping_returns_are_as_large_as_the_scatter(estimator: object) -> None:
    rng = np.random.default_rng(2)
    assert callable(estimator)
    found = [estimator(*overlapping(rng, 3000, 30), 30) for _ in range(150)]
    expected = 0.5 if estimator is hit_rate else 0.0
    z = np.array([each.z(expected) for each in found])
    assert 0.85 < np.std(z) < 1.2  # without the correction it is beyond 3
    assert abs(np.mean(z)) < 0.3


def test_symbols_that_move_together_do_not_count_as_several() -> None:
    rng = np.random.default_rng(3)
    one = rng.normal(size=(1, 2000))
    alone = mean(one, 1)
    together = mean(np.repeat(one, 8, axis=0), 1)
    assert together.error == pytest.approx(alone.error)
    assert together.samples == 8 * alone.samples


def test_too_little_gives_no_figure_and_no_error() -> None:
    nothing = coefficient(np.full((2, 50), np.nan), np.zeros((2, 50)), 1)
    assert math.isnan(nothing.value)
    assert nothing.z() == 0.0
    assert math.isnan(newey_west(np.ones(50), 10))
    few = mean(np.arange(50.0)[None, :], 10)
    assert few.value == pytest.approx(24.5)
    assert math.isnan(few.error)
