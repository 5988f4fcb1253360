"""Portfolio weights: equal below 20 USDT, else minimum variance with Ledoit-Wolf shrinkage and a cap solved
properly.
"""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.portfolio import ledoit_wolf, minimum_variance, weights

P = Policy()
D = Decimal


def sample(t: int, n: int, seed: int, scale: float = 1e-3) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    common = rng.standard_normal((t, 1))
    mix = rng.uniform(0.2, 2.0, n)
    return scale * (common * mix + rng.standard_normal((t, n)) * rng.uniform(0.3, 3.0, n))


@pytest.mark.parametrize(("t", "n"), [(10, 2), (60, 3), (30, 15), (1440, 15), (2, 4), (500, 1)])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_shrinkage_equals_scikit_learn(t: int, n: int, seed: int) -> None:
    from sklearn.covariance import LedoitWolf

    x = sample(t, n, seed)
    reference = LedoitWolf().fit(x)
    covariance, shrinkage = ledoit_wolf(x)
    assert shrinkage == pytest.approx(reference.shrinkage_, abs=1e-9)
    np.testing.assert_allclose(covariance, reference.covariance_, rtol=1e-9, atol=1e-15)


@settings(max_examples=60, deadline=None)
@given(n=st.integers(2, 15), seed=st.integers(0, 10_000), cap=st.floats(0.05, 1.0))
def test_minimum_variance_meets_the_kkt_conditions(n: int, seed: int, cap: float) -> None:
    cap = max(cap, 1.0 / n)
    c, _ = ledoit_wolf(sample(200, n, seed))
    w = minimum_variance(c, cap)
    assert w.sum() == pytest.approx(1.0, abs=1e-12)
    assert np.all(w >= 0)
    assert np.all(w <= cap + 1e-12)
    g = c @ w / (w @ c @ w)  # 1 on free weights
    free = (w > 1e-9) & (w < cap - 1e-9)
    if free.any():
        level = g[free].mean()
        np.testing.assert_allclose(g[free], level, rtol=1e-7)
        assert np.all(g[w <= 1e-9] >= level - 1e-7)
        assert np.all(g[w >= cap - 1e-9] <= level + 1e-7)


def test_cap_is_solved_not_clipped() -> None:
    c = np.diag([1.0, 4.0, 9.0, 16.0])
    w = minimum_variance(c, 0.30)
    # clipping 0.70 to 0.30 and scaling the rest would not keep them in proportion to 1 / variance
    # below the cap
    assert w[0] == pytest.approx(0.30)
    assert w[1] == pytest.approx(0.30)
    assert w[2] / w[3] == pytest.approx(16 / 9)


def test_against_slsqp() -> None:
    from scipy.optimize import minimize

    c, _ = ledoit_wolf(sample(300, 10, 7))
    c = c / np.trace(c)
    found = minimize(
        lambda w: w @ c @ w,
        np.full(10, 0.1),
        jac=lambda w: 2 * c @ w,
        bounds=[(0, 0.3)] * 10,
        constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
        options={"ftol": 1e-15},
    )
    np.testing.assert_allclose(minimum_variance(c, 0.3), found.x, atol=1e-5)


@pytest.mark.parametrize(("equity", "equal"), [("19.99", True), ("20", False)])
def test_equal_below_20_minimum_variance_from_20(equity: str, equal: bool) -> None:
    w = weights(P, D(equity), sample(300, 5, 1))
    assert np.allclose(w, 0.2) is equal


@pytest.mark.parametrize(("n", "cap"), [(10, 0.30), (4, 0.30), (3, 1 / 3)])
def test_the_calmest_symbol_gets_the_cap_of_30_percent_or_one_nth(n: int, cap: float) -> None:
    calm = np.random.default_rng(1).standard_normal((300, n)) * np.array([0.01, *[1.0] * (n - 1)])
    assert weights(P, D(50), calm)[0] == pytest.approx(cap)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_cap_is_one_over_n_where_that_is_more(n: int) -> None:
    np.testing.assert_allclose(weights(P, D(100), sample(300, n, 1)).sum(), 1.0)
    assert np.all(weights(P, D(100), sample(300, n, 1)) <= max(0.30, 1 / n) + 1e-12)


def test_degenerate_inputs_are_defined() -> None:
    x = sample(300, 4, 1)
    assert weights(P, D(100), np.zeros((0, 0))).shape == (0,)
    np.testing.assert_allclose(weights(P, D(100), np.zeros((300, 4))), 0.25)  # constant prices
    np.testing.assert_allclose(weights(P, D(100), x[:1]), 0.25)  # no history
    np.testing.assert_allclose(weights(P, D(100), np.full((300, 4), np.nan)), 0.25)
    np.testing.assert_allclose(weights(P, D(100), x[:, :1]), 1.0)  # one symbol
    same = np.repeat(x[:, :1], 4, axis=1)
    np.testing.assert_allclose(weights(P, D(100), same), 0.25, atol=1e-9)


def test_a_symbol_without_history_gets_the_equal_weight_the_others_share_the_rest() -> None:
    x = sample(300, 5, 1)
    x[:, 2] = np.nan
    x[:, 4] = 0.0
    w = weights(P, D(100), x)
    assert w[2] == w[4] == pytest.approx(0.2)
    assert w.sum() == pytest.approx(1.0)
    assert np.all(w <= 0.30 + 1e-12)


def test_rows_with_a_missing_return_are_left_out() -> None:
    x = sample(300, 3, 1)
    holed = x.copy()
    holed[10, 1] = np.nan
    np.testing.assert_allclose(weights(P, D(100), holed), weights(P, D(100), np.delete(x, 10, axis=0)))


@settings(max_examples=60, deadline=None)
@given(n=st.integers(1, 15), t=st.integers(0, 60), seed=st.integers(0, 999), holes=st.floats(0, 1))
def test_weights_are_always_a_capped_portfolio(n: int, t: int, seed: int, holes: float) -> None:
    x = sample(t, n, seed)
    x[np.random.default_rng(seed).random(x.shape) < holes] = np.nan
    w = weights(P, D(50), x)
    assert w.shape == (n,)
    assert np.all(np.isfinite(w))
    assert np.all(w >= 0)
    assert w.sum() == pytest.approx(1.0)
    assert np.all(w <= max(0.30, 1 / n) + 1e-9)
