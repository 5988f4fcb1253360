"""The mean-reversion fit equals independent references and stays silent on random walks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.signal import lfilter
from statsmodels.tsa.adfvalues import mackinnoncrit
from statsmodels.tsa.ar_model import AutoReg
from statsmodels.tsa.stattools import adfuller

from turbo_trader.market.state import MINUTES
from turbo_trader.signals import ou
from turbo_trader.signals.drift_belief import averaged, belief
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.signals.filters import new_filters


def ring(y: NDArray[np.float64], minutes: NDArray[np.int64] | None = None) -> tuple[Any, Any]:
    index, values = np.zeros(MINUTES, np.int64), np.zeros(MINUTES)
    index[: len(y)] = np.arange(len(y)) if minutes is None else minutes
    values[: len(y)] = y
    return index, values


def reverting(rng: np.random.Generator, n: int, half_life: float, sd: float = 0.003) -> NDArray[np.float64]:
    phi = 0.5 ** (1 / half_life)
    noise = rng.normal(0, sd, n)
    noise[1:] *= np.sqrt(1 - phi * phi)
    return np.asarray(lfilter([1.0], [1.0, -phi], noise) + np.log(100.0), np.float64)


def test_regression_equals_statsmodels() -> None:
    rng = np.random.default_rng(1)
    for half_life in (2.0, 15.0, 60.0):
        y = reverting(rng, 480, half_life)
        phi, variance, statistic, v, *_ = ou.least_squares(*ring(y), 0, 479)
        reference = AutoReg(y, 1).fit()
        assert phi == pytest.approx(reference.params[1], abs=1e-9)
        assert statistic == pytest.approx(
            adfuller(y, maxlag=0, autolag=None, regression="c", result_object=False)[0], abs=1e-8
        )
        assert v * 477 / 479 == pytest.approx(reference.sigma2, rel=1e-7)
        assert variance * 477 / 479 == pytest.approx(reference.bse[1] ** 2, rel=1e-6)


def clustered(rng: np.random.Generator, n: int) -> NDArray[np.float64]:
    """A random walk whose volatility comes in clusters, as that of markets does."""
    log_volatility = lfilter([0.15], [1.0, -0.95], rng.normal(size=n))
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
        assert ou.critical(params[0]["df_critical"][WEIGHED], n) == pytest.approx(expected, abs=1e-9)


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


@pytest.mark.long
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


def passing(rng: np.random.Generator, n: int, count: int, half_lives: Callable[[int], float]) -> Any:
    """(belief, forecast of 15 min, its error without belief, true mean return) of the fits to `n` closes that pass the gate.

    `half_lives(i)`: of path i in minutes; 0 = a random walk.
    """
    coefficients, out = np.array((-2.86154, -2.8903, -4.234, -40.040)), []
    for i in range(count):
        half_life = half_lives(i)
        y = reverting(rng, n, half_life) if half_life else np.cumsum(rng.normal(0, 6e-4, n)) + np.log(100.0)
        index, values = ring(y)
        phi, _, _, v, mean, after, _ = ou.least_squares(index, values, 0, n - 1)
        variance = ou.white_variance(index, values, 0, n - 1, phi, mean, after)
        t2 = (phi - 1) ** 2 / variance
        phi += (1 + 3 * phi) / (n - 1)
        if (
            phi >= 1
            or np.sqrt(t2) < -ou.critical(coefficients, n - 1)
            or not 2 <= np.log(0.5) / np.log(phi) <= 60
        ):
            continue
        centre, slope = (after - phi * mean) / (1 - phi), (after - mean) / (1 - phi) ** 2
        forecast = ou.reversion(
            centre - y[-1], phi, 15.0, variance, v / ((n - 1) * (1 - phi) ** 2), slope, 0.0
        )
        true = (np.log(100.0) - y[-1]) * (1 - 0.5 ** (15 / half_life)) if half_life else 0.0
        out.append((belief(t2, (n - 1) / variance), *forecast, true))
    return np.array(out).T


def test_the_lucky_fits_to_random_walks_are_hardly_believed() -> None:
    p, mean, error, _ = passing(np.random.default_rng(9), 960, 4000, lambda _: 0.0)
    assert len(p) > 60
    assert np.mean(np.abs(mean) > error) > 0.5  # as they are, most of them stand out
    averaged_mean, averaged_error = np.array([averaged(*each) for each in zip(mean, error, p, strict=True)]).T
    assert np.mean(np.abs(averaged_mean) > averaged_error) < 0.15
    assert np.sqrt(np.mean((averaged_mean / averaged_error) ** 2)) < 0.8


def test_a_reversion_is_never_believed_more_than_it_is_true() -> None:
    """Half of the prices are random walks, half revert: believed less than true, and forecasts on average right."""
    rng = np.random.default_rng(10)
    p, mean, _, true = passing(
        rng, 480, 3000, lambda i: float(np.exp(rng.uniform(0.7, 4.1))) if i % 2 else 0.0
    )
    claimed = p * mean
    assert claimed @ true / (claimed @ claimed) == pytest.approx(1.0, abs=0.1)
    for low, high in ((0.0, 0.3), (0.3, 0.7), (0.7, 1.0)):
        inside = (p > low) & (p <= high)
        assert inside.sum() > 40
        assert np.mean(true[inside] != 0.0) >= p[inside].mean() - 0.02


def test_a_flat_price_gives_no_fit(params: Any, fill: Any, scan: Any) -> None:
    row = scan(fill(np.full(480, 4.6), np.full(400, 4.6)))
    assert row["ou_valid"] == 0
    assert row["warm"] == 0
