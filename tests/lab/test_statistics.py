"""Each statistic against a published example or an independent implementation."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from scipy import stats
from statsmodels.regression.linear_model import OLS

from turbo_trader.lab.statistics import (
    Shape,
    clustered_mean,
    deflated_sharpe,
    expected_best,
    minimum_track_record,
    needed,
    overfitting_probability,
    probabilistic_sharpe,
    sharpe_variance,
    stationary_bootstrap,
)


def test_deflated_sharpe_is_that_of_the_paper() -> None:
    """Bailey & Lopez de Prado (2014): SR 2.5 a year, V = 1/2, N = 100, T = 1250, skew -3, kurtosis 10 give 0.9004."""
    shape = Shape(2.5 / math.sqrt(250), 1250, -3.0, 10.0)
    assert expected_best(0.5 / 250, 100) == pytest.approx(0.1132, abs=5e-5)
    assert deflated_sharpe(shape, 100, 0.5 / 250) == pytest.approx(0.9004, abs=5e-5)
    assert deflated_sharpe(shape, 46, 0.5 / 250) == pytest.approx(0.9505, abs=5e-4)


def test_minimum_track_record_is_that_of_the_paper() -> None:
    """Bailey & Lopez de Prado (2012): SR 2 a year over 1 takes 2.73 years of days, 4.99 of months of their hedge funds."""
    daily = Shape(2 / math.sqrt(250), 1000, 0.0, 3.0)
    assert minimum_track_record(daily, 1 / math.sqrt(250)) / 250 == pytest.approx(2.73, abs=0.01)
    monthly = Shape(2 / math.sqrt(12), 100, -0.72, 5.78)
    assert minimum_track_record(monthly, 1 / math.sqrt(12)) / 12 == pytest.approx(4.99, abs=0.02)


def test_probabilistic_sharpe_is_the_share_of_simulated_records_below() -> None:
    rng = np.random.default_rng(1)
    x = rng.gamma(4.0, 1.0, (20_000, 60)) - 3.8
    shape = Shape(0.2 / 2.0, 60, 1.0, 4.5)
    found = np.array([row.mean() / row.std(ddof=1) for row in x])
    error = math.sqrt(shape.variance(0.1) / 59)
    assert found.std() == pytest.approx(error, rel=0.05)
    assert probabilistic_sharpe(Shape(0.1, 60, 1.0, 4.5), 0.1 - 1.645 * error) == pytest.approx(
        0.95, abs=1e-3
    )


def test_overfitting_probability_is_that_of_a_plain_loop() -> None:
    rng = np.random.default_rng(2)
    table = rng.standard_normal((96, 7)) * 0.01 + rng.standard_normal(7) * 0.001
    parts = np.array_split(np.arange(96), 8)
    below = []
    for chosen in combinations(range(8), 4):
        inside = np.concatenate([parts[k] for k in chosen])
        outside = np.concatenate([parts[k] for k in range(8) if k not in chosen])
        best = np.argmax(table[inside].mean(0) / table[inside].std(0))
        rank = stats.rankdata(table[outside].mean(0) / table[outside].std(0))[best]
        below.append(np.log(rank / 8 / (1 - rank / 8)) <= 0)
    assert overfitting_probability(table, 8) == pytest.approx(np.mean(below))


def test_noise_is_overfitted_half_the_time_and_a_real_edge_never() -> None:
    rng = np.random.default_rng(3)
    noise = [overfitting_probability(rng.standard_normal((240, 20)), 8) for _ in range(60)]
    assert np.mean(noise) == pytest.approx(0.5, abs=0.1)
    real = rng.standard_normal((240, 20))
    real[:, 4] += 1.0
    assert overfitting_probability(real, 8) == 0.0


def test_clustered_error_is_that_of_statsmodels() -> None:
    rng = np.random.default_rng(4)
    day = rng.integers(0, 25, 400)
    x = rng.standard_normal(400) + rng.standard_normal(25)[day]
    fit = OLS(x, np.ones(400)).fit(cov_type="cluster", cov_kwds={"groups": day})
    found = clustered_mean(x, day)
    assert found.mean == pytest.approx(fit.params[0])
    assert found.error == pytest.approx(fit.bse[0])


def test_stationary_bootstrap_has_geometric_blocks_and_every_observation() -> None:
    rows = stationary_bootstrap(200, 10.0, 2_000, np.random.default_rng(5))
    follows = (np.diff(rows, axis=1) % 200 == 1).mean()
    assert follows == pytest.approx(0.9 + 0.1 / 200, abs=0.003)
    assert np.bincount(rows.ravel(), minlength=200).std() / 2_000 < 0.05


def test_block_bootstrap_covers_the_mean_of_a_dependent_record() -> None:
    rng = np.random.default_rng(6)
    covered = {1.0: 0, 25.0: 0}
    for k in range(150):
        x = np.zeros(400)
        for t in range(1, 400):
            x[t] = 0.7 * x[t - 1] + rng.standard_normal()
        for block in covered:
            rows = stationary_bootstrap(len(x), block, 300, np.random.default_rng(k))
            low, high = np.quantile(x[rows].mean(axis=1), (0.025, 0.975))
            covered[block] += low <= 0.0 <= high
    assert covered[25.0] / 150 > 0.85 > 0.7 > covered[1.0] / 150


def test_needed_observations_give_the_promised_power() -> None:
    count = math.ceil(needed(0.1, 1.0, 1.645))
    x = np.random.default_rng(7).standard_normal((20_000, count)).mean(1) + 0.1
    assert np.mean(x * math.sqrt(count) > 1.645) == pytest.approx(0.8, abs=0.01)


def test_variance_of_trials_is_that_of_luck_and_losers_do_not_widen_it() -> None:
    noise = np.random.default_rng(8).normal(0.0, 0.3, 4_000)
    assert sharpe_variance(noise.tolist(), 1_000) == pytest.approx(0.09, rel=0.05)
    assert sharpe_variance([-2.0, -1.0, -0.1], 31) == pytest.approx(1 / 30)
    assert sharpe_variance([0.2], 31) == pytest.approx(1 / 30)


def test_record_without_spread_has_no_sharpe_ratio() -> None:
    assert Shape.of([0.1, 0.1, 0.1]).sharpe == 0.0
    assert minimum_track_record(Shape.of([0.0])) == math.inf
