"""The entry's limit and the ranking of candidates."""

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.entry import entry_limit, fill_probability, ranked
from turbo_trader.rules.policy import Policy

D = Decimal


def instrument(tick: str) -> Instrument:
    return Instrument(
        "ETHUSDT", "Trading", D(tick), D("0.01"), D("0.01"), D(1000), D(500), D(5), D(tick), D(10**6), D(100),
        D("0.01"), 480, D("0.01"), D("0.1"), D("0.1"), 0, simulated_tiers(D(100)),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("direction", "margin", "limit"),
    [
        (1, "0.01", "2001.00"),  # 5 bp of 2000
        (1, "0.0005", "2000.50"),  # half of 5 bp
        (1, "0", "2000.00"),
        (1, "-1", "2000.00"),
        (-1, "0.01", "1998.50"),  # bid 1999.50: 1998.50025 rounded towards the touch is 1998.51
        (-1, "0", "1999.50"),
    ],
)
def test_limit_at_the_touch_plus_min_of_5_bp_and_half_the_ev_margin(
    direction: int, margin: str, limit: str
) -> None:
    got = entry_limit(
        Policy(belief=Belief.WEIGHED), instrument("0.01"), direction, D("1999.50"), D(2000), D(margin)
    )
    assert abs(got - D(limit)) <= D("0.01")
    assert direction * (got - (D(2000) if direction > 0 else D("1999.50"))) >= 0
    touch = D(2000) if direction > 0 else D("1999.50")
    assert direction * (got - touch) <= touch * D("0.0005")


def test_coarse_tick_stays_at_the_touch() -> None:
    assert entry_limit(Policy(belief=Belief.WEIGHED), instrument("5"), 1, D(1995), D(2000), D("0.01")) == 2000


@pytest.mark.parametrize(("direction", "limit"), [(1, "1999.50"), (-1, "2000")])
def test_maker_rests_at_its_own_touch(direction: int, limit: str) -> None:
    policy = Policy.from_env({"BELIEF": "weighed", "ENTRY_STYLE": "maker"})
    assert entry_limit(policy, instrument("0.01"), direction, D("1999.50"), D(2000), D(1)) == D(limit)


def test_candidates_by_ev_times_weight_highest_first() -> None:
    assert ranked([("a", 0.001, 0.1), ("b", 0.002, 0.1), ("c", 0.001, 0.3), ("d", 0.001, 0.1)]) == [
        "c",
        "b",
        "a",
        "d",
    ]


@given(sigma=st.floats(1e-5, 1e-3), distance=st.floats(1e-6, 5e-3), patience=st.floats(1.0, 60.0))
def test_a_resting_entry_is_likelier_filled_the_nearer_and_the_longer(
    sigma: float, distance: float, patience: float
) -> None:
    chance = fill_probability(sigma, distance, patience)
    assert 0.0 <= chance <= 1.0
    assert (
        fill_probability(sigma, 2 * distance, patience)
        <= chance
        <= fill_probability(sigma, distance, 2 * patience)
    )


def test_the_chance_of_a_fill_is_that_of_a_walk_reaching_the_price() -> None:
    draws = np.random.default_rng(1).standard_normal((20_000, 400))
    lowest = np.cumsum(draws * 1e-4 * (10 / 400) ** 0.5, axis=1).min(1)
    came = float((lowest <= -2e-4).mean())
    # looked at four hundred times: the walk overshoots by 0.5826 sigma sqrt(dt) (Broadie, Glasserman & Kou 1997)
    assert (
        abs(came - fill_probability(1e-4, 2e-4 + 0.5826e-4 * (10 / 400) ** 0.5, 10))
        < 2.5 * (came * (1 - came) / 20_000) ** 0.5
    )


def test_without_volatility_nothing_comes_to_a_resting_entry() -> None:
    assert fill_probability(0.0, 1e-4, 10) == 0.0
    assert fill_probability(0.0, 0.0, 10) == 1.0
