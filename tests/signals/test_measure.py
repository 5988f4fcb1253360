"""A scan's figures: definitions, validity, staleness, direction of every confirmation, and nothing but finite numbers."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.market.state import MINUTES, STATE
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals import figures, ou
from turbo_trader.signals.drift_belief import belief
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.measure import measure
from turbo_trader.signals.noise import Noise

NAMES = [field[0] for field in figures.FIGURES]
NOISE = Noise(2e-6, 5e-5, 3e-5, True, 1.0, 0.0, 10.0, 10.0, 900)


def reverting(n: int = 480, gap: float = 0.0) -> Any:
    """Closes that revert with a half-life of ten minutes and end `gap` above their centre."""
    rng = np.random.default_rng(1)
    phi, y = 0.5**0.1, np.zeros(n)
    for i in range(1, n):
        y[i] = phi * y[i - 1] + rng.normal(0, 5e-4)
    y[-1] = gap
    return y + math.log(100.0)


def valid(row: Any, signal: int) -> bool:
    return bool(row["valid"] >> signal & 1)


def confirms(row: Any, signal: int) -> bool:
    return bool(row["confirms"] >> signal & 1)


def finite(row: Any) -> bool:
    return all(np.isfinite(row[name]).all() for name in NAMES)


def test_a_price_below_its_centre_is_a_long_confirmed_by_what_points_up(fill: Any, scan: Any) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, np.full(400, y[-1]))
    row = scan(states)
    assert row["warm"] == row["fresh"] == row["ou_valid"] == 1
    assert row["direction"] == 1
    assert row["ou_z"] < -1
    assert 120 <= row["ou_half_life_s"] <= 3600
    minutes, closes = states[0]["minute_index"], states[0]["minute_y"]
    phi, *_, mean, after, _ = ou.least_squares(minutes, closes, 0, 479)
    information = 479 / ou.white_variance(minutes, closes, 0, 479, phi, mean, after)
    assert 0.5 < row["ou_belief"] == pytest.approx(belief(row["ou_statistic"] ** 2, information), rel=1e-9)
    assert (
        row["forecast"]
        == row["ou_forecast"]
        == pytest.approx(0.004 * (1 - 0.5**1.5) * row["ou_belief"], abs=0.0005)
    )
    assert row["snr"] == pytest.approx(abs(row["forecast"]) / row["se"])
    spread = math.sqrt(row["se"] ** 2 + row["sigma"] ** 2 * 900)
    assert row["confidence"] == pytest.approx(0.5 + 0.5 * math.erf(row["forecast"] / spread / math.sqrt(2)))
    assert row["hold_sigma"] == pytest.approx(
        row["sigma"] * 2**0.125
    )  # a quarter, in logs, of the slow variance
    assert confirms(row, figures.OU_DRIFT)
    assert row["score"][figures.OFI] == 0.6
    assert confirms(row, figures.OFI)
    assert row["funding_8h"] == pytest.approx(0.0008)
    assert not confirms(row, figures.FUNDING)  # positive funding confirms shorts
    assert row["vwap_gap"] == pytest.approx(-math.log(1.01), abs=1e-4)
    assert not confirms(row, figures.VWAP)  # the gap is smaller than one band
    assert not valid(row, figures.ACCEL)


def test_a_price_above_its_centre_is_a_short(fill: Any, scan: Any) -> None:
    y = reverting(gap=0.004)
    states = fill(y, np.full(400, y[-1]))
    states[0]["ofi"] = -60
    row = scan(states)
    assert row["direction"] == -1
    for signal in (figures.OFI, figures.FUNDING, figures.OU_DRIFT):
        assert confirms(row, signal)
    assert row["score"][figures.FUNDING] == pytest.approx(-0.8)


def test_vwap_confirms_on_the_cheap_side_beyond_one_band(fill: Any, scan: Any) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, np.full(400, y[-1]))
    price = float(states[0]["vwap_base"])
    states[0]["vwap_square"] = 10.0 * ((0.01 * price) ** 2 + (0.005 * price) ** 2)
    row = scan(states)
    assert row["vwap_z"] == pytest.approx(-math.log(1.01) / (0.005 / 1.01), rel=0.02)
    assert confirms(row, figures.VWAP)
    states[0]["vwap_start"] = row["ts"] - 29 * MINUTE
    assert not valid(scan(states), figures.VWAP)


def test_stale_data_counts_for_nothing(fill: Any, scan: Any, now: int) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, np.full(400, y[-1]))
    late = scan(states, at=now + 5 * SECOND)
    assert late["fresh"] == 0
    assert not valid(late, figures.OFI)
    hours = scan(states, at=now + 7 * 3600 * SECOND)
    assert hours["ou_valid"] == 0
    assert hours["consensus_horizons"] == 0
    old = scan(states, at=now + 15 * 3600 * SECOND)
    assert not valid(old, figures.FUNDING)
    assert not valid(old, figures.VWAP)


def test_prints_stand_in_for_a_book_that_never_was(fill: Any, scan: Any) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, np.full(400, y[-1]))
    states[0]["has_book"] = states[0]["book_valid"] = 0
    row = scan(states)
    assert row["degraded"] == row["fresh"] == 1
    assert row["score"][figures.OFI] == pytest.approx(-0.3)
    assert row["bid"] == row["ask"] == row["mid"] == row["last_price"]


def test_a_crossed_or_one_sided_book_is_no_price(fill: Any, scan: Any) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, np.full(400, y[-1]))
    states[0]["ask"] = states[0]["bid"]
    row = scan(states)
    assert row["fresh"] == row["mid"] == row["direction"] == 0
    states[0]["ask"] = states[0]["bid"] = 0
    assert scan(states)["fresh"] == 0


def test_acceleration_needs_a_velocity_that_is_there(fill: Any, scan: Any) -> None:
    seconds = math.log(100) + 2e-6 * np.arange(400.0) ** 1.5
    states = fill(reverting(), seconds)
    filters = new_filters(1)
    set_noise(filters, 0, NOISE)
    row = scan(states, filters)
    assert row["kalman_valid"] == 1
    assert row["velocity_z"] > 1
    assert row["kalman_forecast"] > 0
    assert valid(row, figures.ACCEL)
    set_noise(filters, 0, Noise(0.0, 5e-5, 3e-5, False, 0.0, 0.0, 0.0, 10.0, 900))
    row = scan(states, filters)
    assert row["kalman_valid"] == row["velocity"] == 0
    assert not valid(row, figures.ACCEL)


def test_a_half_believed_velocity_is_half_of_it_and_the_rest_is_in_its_error(fill: Any, scan: Any) -> None:
    states = fill(reverting(), math.log(100) + 2e-6 * np.arange(400.0) ** 1.5)
    filters = new_filters(1)
    set_noise(filters, 0, NOISE)
    sure = scan(states, filters)
    assert sure["kalman_belief"] == 1.0
    set_noise(filters, 0, replace(NOISE, belief=0.5))
    half = scan(states, filters)
    mean, error = sure["kalman_forecast"], sure["kalman_se"]
    assert half["kalman_forecast"] == pytest.approx(0.5 * mean)
    assert half["kalman_se"] == pytest.approx(math.sqrt(0.5 * (error**2 + 0.5 * mean**2)))
    assert half["kalman_belief"] == 0.5
    for name in ("velocity_z", "acceleration_z"):
        z = sure[name]
        assert half[name] == pytest.approx(0.5 * z / math.sqrt(0.5 * (1 + 0.5 * z * z)))


def test_forecasts_are_combined_by_inverse_variance(fill: Any, scan: Any) -> None:
    y = reverting(gap=-0.004)
    states = fill(y, y[-1] + np.cumsum(np.random.default_rng(2).normal(0, 5e-5, 400)))
    filters = new_filters(1)
    set_noise(filters, 0, NOISE)
    row = scan(states, filters)
    assert row["kalman_valid"] == row["ou_valid"] == 1
    w = np.array([row["kalman_se"] ** -2, row["ou_se"] ** -2])
    r = np.array([row["kalman_forecast"], row["ou_forecast"]])
    assert row["forecast"] == pytest.approx(float(w @ r / w.sum()))
    assert row["se"] == pytest.approx(float(w.sum() ** -0.5))


def test_the_grid_must_reach_back_five_minutes(fill: Any, scan: Any) -> None:
    y = reverting()
    assert scan(fill(y, np.full(299, y[-1])))["warm"] == 0
    assert scan(fill(y, np.full(300, y[-1])))["warm"] == 1
    assert scan(fill(y[:59], np.full(300, y[-1])))["warm"] == 0


@pytest.mark.parametrize("seconds", [1, 30, 59, 60])
def test_a_warm_up_of_a_minute_or_less_ends_too(fill: Any, scan: Any, params: Any, seconds: int) -> None:
    y = reverting()
    params["warm_up_s"] = seconds
    assert scan(fill(y, np.full(seconds, y[-1])))["warm"] == 1


def test_only_the_figures_are_written(fill: Any, params: Any, now: int) -> None:
    out = np.zeros(1, SCAN)
    out["cost"], out["blocker"] = 7.0, 3
    y = reverting()
    measure(fill(y, np.full(400, y[-1])), new_filters(1), 0, now, params, out, 0)
    assert out[0]["cost"] == 7.0
    assert out[0]["blocker"] == 3


def test_an_empty_state_gives_an_empty_row(scan: Any) -> None:
    row = scan(np.zeros(1, STATE))
    assert finite(row)
    assert row["warm"] == row["fresh"] == row["valid"] == row["direction"] == 0


BAD = st.sampled_from([math.nan, math.inf, -math.inf, 0.0, -1.0, 1e300])


@pytest.mark.long
@given(
    fields=st.dictionaries(
        st.sampled_from(
            ["mark", "variance", "vwap_base", "vwap_volume", "vwap_sum", "vwap_square", "funding_rate"]
        ),
        BAD,
        max_size=4,
    ),
    integers=st.dictionaries(
        st.sampled_from(["bid", "ask", "last", "ofi_abs", "taker_abs", "funding_minutes", "book_valid"]),
        st.sampled_from([0, 1, 100]),
        max_size=4,
    ),
    at=st.integers(-100, 100_000),
    holes=st.lists(st.tuples(st.integers(0, 479), BAD), max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_no_figure_is_ever_not_a_number(
    fields: dict[str, float], integers: dict[str, int], at: int, holes: list[tuple[int, float]]
) -> None:
    states = _STATES.copy()
    for name, value in (fields | integers).items():
        states[0][name] = value
    for k, value in holes:
        states[0]["minute_y"][k] = value
        states[0]["minute_range"][k] = value
        states[0]["sample_y"][k % 400] = value
    filters, out = new_filters(1), np.zeros(1, SCAN)
    set_noise(filters, 0, NOISE)
    measure(states, filters, 0, _NOW + at * SECOND, _PARAMS, out, 0)
    assert finite(out[0])
    assert (np.abs(out[0]["score"]) <= 1).all()


_STATES: Any = np.zeros(1, STATE)
_PARAMS: Any = None
_NOW = 0


@pytest.fixture(autouse=True)
def _remember(fill: Any, params: Any, now: int) -> None:
    """What the property above starts from (fixtures of a function do not mix with hypothesis)."""
    global _STATES, _PARAMS, _NOW
    if _PARAMS is None:
        y = reverting(gap=-0.004)
        _STATES, _PARAMS, _NOW = fill(y, y[-1] + 1e-5 * np.sin(np.arange(400.0))), params, now


def test_ages_are_huge_until_something_happened(fill: Any, scan: Any, now: int) -> None:
    y = reverting()
    states = fill(y, np.full(400, y[-1]))
    assert scan(states)["jump_age"] > 10**18
    states[0]["jump_ts"] = now - 7 * SECOND
    assert scan(states)["jump_age"] == 7 * SECOND
    assert scan(states)["age"] == SECOND
    assert MINUTES == 2048
