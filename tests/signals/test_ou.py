"""The mean-reversion fit equals independent references and stays silent on random walks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from statsmodels.tsa.adfvalues import mackinnoncrit
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.stattools import adfuller

from turbo_trader.market.state import MINUTES
from turbo_trader.signals import ou
from turbo_trader.signals.filters import new_filters


def ring(y: NDArray[np.float64], minutes: NDArray[np.int64] | None = None) -> tuple[Any, Any]:
    index, values = np.zeros(MINUTES, np.int64), np.zeros(MINUTES)
    index[: len(y)] = np.arange(len(y)) if minutes is None else minutes
    values[: len(y)] = y
    return index, values


def reverting(rng: np.random.Generator, n: int, half_life: float, sd: float = 0.003) -> NDArray[np.float64]:
    phi = 0.5 ** (1 / half_life)
    y = np.empty(n)
    y[0] = rng.normal(0, sd)
    for i in range(1, n):
        y[i] = phi * y[i - 1] + rng.normal(0, sd * np.sqrt(1 - phi * phi))
    y += np.log(100.0)
    return y


def test_regression_equals_statsmodels() -> None:
    rng = np.random.default_rng(1)
    for half_life in (2.0, 15.0, 60.0):
        y = reverting(rng, 480, half_life)
        phi, variance, statistic, v, *_ = ou.least_squares(*ring(y), 0, 479)
        reference = AutoReg(y, 1).fit()
        assert phi == pytest.approx(reference.params[1], abs=1e-9)
        assert statistic == pytest.approx(adfuller(y, maxlag=0, autolag=None, regression="c")[0], abs=1e-8)
        assert v * 477 / 479 == pytest.approx(reference.sigma2, rel=1e-7)
        assert variance * 477 / 479 == pytest.approx(reference.bse[1] ** 2, rel=1e-6)


def clustered(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A random walk whose volatility comes in clusters, as that of markets does."""
    log_volatility = np.zeros(n)
    for i in range(1, n):
        log_volatility[i] = 0.95 * log_volatility[i - 1] + 0.15 * rng.normal()
    return np.cumsum(rng.normal(0, 4e-4, n) * np.exp(log_volatility + 0.5 * rng.normal(size=n)))


def test_robust_variance_equals_statsmodels() -> None:
    from statsmodels.regression.linear_model import OLS
    from statsmodels.tools import add_constant

    y = clustered(np.random.default_rng(7), 480)
    index, values = ring(y)
    phi, _, _, _, mean, after, _ = ou.least_squares(index, values, 0, 479)
    reference = OLS(np.diff(y), add_constant(y[:-1])).fit(cov_type="HC0")
    variance = ou.white_variance(index, values, 0, 479, phi, mean, after)
    assert variance == pytest.approx(reference.bse[1] ** 2, rel=1e-7)
    assert (phi - 1) / np.sqrt(variance) == pytest.approx(reference.tvalues[1], rel=1e-7)


def test_clusters_of_volatility_are_not_called_mean_reversion() -> None:
    """The ordinary standard error fails this: it rejects some 6 to 7 % of such walks where 5 % is right."""
    rng = np.random.default_rng(8)
    coefficients = np.array((-2.86154, -2.8903, -4.234, -40.040))
    ordinary = robust = 0
    for _ in range(3000):
        index, values = ring(clustered(rng, 960))
        phi, _, statistic, _, mean, after, _ = ou.least_squares(index, values, 0, 959)
        error = np.sqrt(ou.white_variance(index, values, 0, 959, phi, mean, after))
        limit = ou.critical(coefficients, 959)
        ordinary += statistic < limit
        robust += (phi - 1) / error < limit
    assert robust / 3000 <= 0.058  # 5 % and two standard errors
    assert robust < ordinary


def test_critical_value_equals_mackinnon(params: Any) -> None:
    for n in (100, 479, 1439):
        expected = mackinnoncrit(1, "c", nobs=n)[1]
        assert ou.critical(params[0]["df_critical"], n) == pytest.approx(expected, abs=1e-9)


def test_likelihood_of_gaps_agrees_with_least_squares_without_gaps() -> None:
    y = reverting(np.random.default_rng(2), 480, 10.0)
    minutes, values = ring(y)
    assert ou.likeliest(minutes, values, 0, 479) == pytest.approx(
        ou.least_squares(minutes, values, 0, 479)[0], abs=1e-6
    )


def test_missing_minutes_use_the_real_time_between() -> None:
    rng = np.random.default_rng(3)
    phis = []
    for _ in range(40):
        y = reverting(rng, 900, 5.0)
        keep = rng.random(900) < 0.6
        minutes, values = ring(y[keep], np.flatnonzero(keep))
        phis.append(ou.likeliest(minutes, values, 0, int(keep.sum()) - 1))
    assert np.mean(phis) == pytest.approx(0.5 ** (1 / 5), abs=0.012)


def test_half_life_of_five_minutes_is_recovered_within_its_errors(params: Any, fill: Any) -> None:
    rng = np.random.default_rng(4)
    phi_z, centre_z = [], []
    for _ in range(200):
        states = fill(reverting(rng, 480, 5.0), np.empty(0))
        filters = new_filters(1)
        ou.refit(states, filters, 0, params)
        f = filters[0]
        phi_z.append((f["ou_phi"] - 0.5**0.2) / np.sqrt(f["ou_phi_variance"]))
        error2 = f["ou_centre_variance"] + f["ou_centre_slope"] ** 2 * f["ou_phi_variance"]
        centre_z.append((f["ou_centre"] - np.log(100.0)) / np.sqrt(error2))
    assert abs(np.mean(phi_z)) < 0.25
    assert 0.8 < np.std(phi_z) < 1.25
    assert abs(np.mean(centre_z)) < 0.25
    assert 0.8 < np.std(centre_z) < 1.25


def test_realised_reversion_follows_the_prediction(params: Any, fill: Any, scan: Any) -> None:
    rng = np.random.default_rng(5)
    predicted, realised = [], []
    for _ in range(600):
        y = reverting(rng, 495, 5.0)
        row = scan(fill(y[:480], y[479:480]))
        if row["ou_valid"]:
            predicted.append(row["ou_forecast"])
            realised.append(y[494] - np.log(row["mid"]))
    assert len(predicted) > 500
    slope = np.dot(predicted, realised) / np.dot(predicted, predicted)
    assert slope == pytest.approx(1.0, abs=0.1)


def test_random_walks_are_not_called_mean_reverting(params: Any, fill: Any, scan: Any) -> None:
    rng = np.random.default_rng(6)
    states = fill(np.cumsum(rng.normal(0, 4e-4, 480)) + 4.6, np.full(1, 4.6))
    hits = 0
    for _ in range(2000):
        states[0]["minute_y"][:480] = np.cumsum(rng.normal(0, 4e-4, 480)) + 4.6
        hits += int(scan(states)["ou_valid"])
    assert hits / 2000 <= 0.06


def test_a_flat_price_gives_no_fit(params: Any, fill: Any, scan: Any) -> None:
    row = scan(fill(np.full(480, 4.6), np.full(400, 4.6)))
    assert row["ou_valid"] == 0
    assert row["warm"] == 0
