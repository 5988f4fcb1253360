"""Sections 3 to 5 at their boundary values: what is measured of a reverting market under the default policy."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from scipy import stats

from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.rows import (
    BAR,
    FIRST,
    LAST,
    LEVEL,
    MINUTE,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.state import MINUTES, new_states
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals import noise
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, VWAP
from turbo_trader.signals.filters import new_filters
from turbo_trader.signals.listed import score_figures
from turbo_trader.signals.measure import consensus_figures, measure

D = Decimal
HOUR = 3600 * SECOND
Measured = Callable[..., Any]
Market = Callable[..., Any]
NOTHING: Rows = np.zeros(0, ROW)


@pytest.fixture(scope="module")
def market(reverting: Any) -> Market:
    """market(bars, half_life=..., seed=..., frames=...) -> states of the reverting market, at `reverting.now` with frames."""

    def make(bars: int = 1500, half_life: float = 10.0, seed: int = 5, *, frames: bool = True) -> Any:
        states = new_states([reverting.item], **Policy(belief=Belief.WEIGHED).market_parameters())
        backfill(states, 0, reverting.bars(bars, seed, half_life))
        if frames:
            advance(states, 0, reverting.frames(148.0, 1), 0, reverting.now)
        return states

    return make


def scanned(states: Any, now: int, policy: Policy | None = None) -> Any:
    """The figures of a scan of states at 18 USDT, without a Kalman forecast."""
    rules = policy or Policy(belief=Belief.WEIGHED)
    out = np.zeros(1, SCAN)
    measure(states.copy(), new_filters(1), 0, now, rules.signal_parameters(rules.capital_tier(D(18))), out, 0)
    return out[0]


# 3 volatility


def moving(flat: int) -> Rows:
    """2,500 minutes of 0.1 % each, and then so many in which nothing moves."""
    bars = np.zeros(2500 + flat, BAR)
    price = 100 * np.exp(0.001 * (np.arange(len(bars) + 1) % 2))
    price[2500:] = price[2500]
    bars["ts"] = np.arange(len(bars)) * MINUTE
    bars["open"], bars["close"] = price[:-1], price[1:]
    bars["high"], bars["low"] = np.maximum(price[:-1], price[1:]), np.minimum(price[:-1], price[1:])
    bars["volume"], bars["turnover"] = 1.0, price[1:]
    return bars


@pytest.mark.parametrize(("minutes", "name"), [(30, "variance"), (1440, "slow_variance")])
def test_volatility_forgets_half_in_30_minutes_and_its_slow_average_in_a_day(
    reverting: Any, minutes: int, name: str
) -> None:
    left = []
    for flat in (0, minutes):
        states = new_states([reverting.item], **Policy(belief=Belief.WEIGHED).market_parameters())
        backfill(states, 0, moving(flat))
        left.append(float(states[name][0]))
    assert left[1] / left[0] == pytest.approx(0.5, rel=1e-6)


def test_volatility_of_the_hold_goes_a_quarter_of_the_way_to_the_slow_average(measured: Measured) -> None:
    row = measured(state={"variance": 16e-8, "slow_variance": 1e-8})
    assert row["hold_sigma"] / row["sigma"] == pytest.approx((1 / 16) ** (0.25 / 2))


# 3 warm-up: six minutes close within the frames


@pytest.mark.parametrize(("bars", "env", "warm"), [
    (54, {}, 1), (53, {}, 0),  # 60 closes
    (25, {"MIN_MINUTES": "30"}, 1), (24, {"MIN_MINUTES": "30"}, 0),  # 30 returns
])  # fmt: skip
def test_warm_after_60_closes_and_30_returns(
    measured: Measured, bars: int, env: dict[str, str], warm: int
) -> None:
    assert measured(Policy.from_env({"BELIEF": "weighed", **env}), bars=bars)["warm"] == warm


@pytest.mark.parametrize(("seconds", "warm"), [(300, 0), (301, 1)])
def test_warm_once_the_one_second_grid_reaches_back_five_minutes(
    market: Market, reverting: Any, seconds: int, warm: int
) -> None:
    states = market()
    states["samples"] = seconds
    states["sample_second"][0, :seconds] = reverting.now // SECOND - np.arange(seconds)[::-1]
    assert scanned(states, reverting.now)["warm"] == warm


# 3 Kalman


def test_an_acceleration_dies_away_with_a_minute(measured: Measured) -> None:
    near, far = measured(equity="18"), measured(equity="150")  # 900 s and 1800 s
    of_acceleration = far["kalman_forecast"] - near["kalman_forecast"] - 900 * near["velocity"]
    assert of_acceleration / (900 * near["acceleration"]) == pytest.approx(60, abs=0.01)


def test_the_test_for_jerk_is_made_at_the_level_that_is_shown() -> None:
    level = float(Policy(belief=Belief.WEIGHED).kalman_significance)
    assert stats.chi2.sf(noise._CRITICAL, 1) / 2 == pytest.approx(level)  # half of the mass lies at 0
    assert stats.chi2.sf(noise._WHITE, noise._LAGS) == pytest.approx(level)


# 3 OU


def test_the_ou_fit_sees_the_last_960_minutes(market: Market, reverting: Any) -> None:
    states = market()
    newest = int(states["minutes"][0]) - 1
    before = scanned(states, reverting.now)["ou_statistic"]
    for back, seen in ((960, False), (959, True)):
        other = states.copy()
        other["minute_y"][0, newest - back] += 0.001
        assert bool(scanned(other, reverting.now)["ou_statistic"] != before) is seen


@pytest.mark.parametrize(("bars", "fitted"), [(858, True), (857, False)])
def test_the_ou_fit_needs_nine_tenths_of_its_window(
    market: Market, reverting: Any, bars: int, fitted: bool
) -> None:
    assert bool(scanned(market(bars), reverting.now)["ou_statistic"]) is fitted  # 864 closes


def test_the_ou_fit_is_that_of_least_squares_on_minutes_bias_taken_off(
    market: Market, reverting: Any
) -> None:
    states = market()
    y = states["minute_y"][0, int(states["minutes"][0]) - 960 : int(states["minutes"][0])]
    phi = np.polyfit(y[:-1], y[1:], 1)[0]
    phi += (1 + 3 * phi) / 959
    minutes = np.log(0.5) / np.log(phi)
    assert scanned(states, reverting.now)["ou_half_life_s"] == pytest.approx(60 * minutes, rel=1e-6)
    assert int(Policy(belief=Belief.WEIGHED).ou_sample_interval) == MINUTE // SECOND


@pytest.mark.parametrize(
    ("half_life", "seed", "least", "most", "valid"),
    [
        (1.5, 5, 108, 120, 0), (1.7, 5, 120, 132, 1),  # two minutes
        (70.0, 290, 3540, 3600, 1), (70.0, 73, 3600, 3660, 0),  # an hour
    ],
)  # fmt: skip
def test_ou_half_life_between_two_minutes_and_an_hour(
    market: Market, reverting: Any, half_life: float, seed: int, least: float, most: float, valid: int
) -> None:
    row = scanned(market(half_life=half_life, seed=seed), reverting.now)
    assert least < row["ou_half_life_s"] < most
    assert row["ou_statistic"] < -2.87
    assert row["ou_valid"] == valid


@pytest.mark.parametrize(("seed", "least", "most", "valid"), [(171, -3.4, -2.87, 1), (184, -2.86, -2.6, 0)])
def test_a_unit_root_is_rejected_at_5_percent(
    market: Market, reverting: Any, seed: int, least: float, most: float, valid: int
) -> None:
    row = scanned(market(half_life=70.0, seed=seed), reverting.now)
    assert least < row["ou_statistic"] < most
    assert row["ou_half_life_s"] < 3600
    assert row["ou_valid"] == valid


# 4 the five signals


def scored(states: Any, now: int, direction: int = 1, **figures: float) -> Any:
    """The scores of states at a time, of figures given."""
    policy, out = Policy(belief=Belief.WEIGHED), np.zeros(1, SCAN)
    out["direction"], out["mid"] = direction, 148.13
    for name, value in figures.items():
        out[name] = value
    score_figures(states, 0, now, policy.signal_parameters(policy.capital_tier(D(18))), out, 0)
    return out[0]


def says(row: Any, signal: int) -> str:
    """What a signal says: nothing, a score only, or that it confirms."""
    if not int(row["valid"]) >> signal & 1:
        return "no signal"
    return "confirms" if int(row["confirms"]) >> signal & 1 else "scores"


SIDES = pytest.mark.parametrize("d", [1, -1], ids=["long", "short"])


@SIDES
@pytest.mark.parametrize(("flow", "said"), [(150, "scores"), (151, "confirms"), (-400, "scores")])
def test_ofi_confirms_above_fifteen_hundredths(
    market: Market, reverting: Any, d: int, flow: int, said: str
) -> None:
    states = market()
    states["ofi"], states["ofi_abs"] = d * flow, 1000
    row = scored(states, reverting.now, d)
    assert says(row, OFI) == said
    assert row["score"][OFI] == d * flow / 1000


@pytest.mark.parametrize(
    ("late", "said"), [(4 * SECOND + SECOND // 2, "scores"), (4 * SECOND + SECOND // 2 + 1, "no signal")]
)
def test_a_book_is_stale_after_five_seconds(market: Market, reverting: Any, late: int, said: str) -> None:
    states = market()
    states["ofi"], states["ofi_abs"] = 0, 1000
    assert says(scored(states, reverting.now + late), OFI) == said
    assert scanned(states, reverting.now + late)["fresh"] == (said == "scores")


@pytest.mark.parametrize(("seconds", "seen"), [(29, True), (30, False)])
def test_order_flow_is_that_of_the_last_thirty_seconds(reverting: Any, seconds: int, seen: bool) -> None:
    states = new_states([reverting.item], **Policy(belief=Belief.WEIGHED).market_parameters())
    begin = reverting.begin
    advance(states, 0, np.array([(begin, 10, 14800, TRADE | WHOLE, 1, 0)], ROW), 0, begin + 1)
    advance(states, 0, NOTHING, 0, begin + seconds * SECOND)
    assert bool(states["taker_abs"][0]) is seen


@pytest.mark.parametrize(("level", "seen"), [(0, True), (1, False)])
def test_order_flow_is_that_of_the_levels_that_are_shown(reverting: Any, level: int, seen: bool) -> None:
    states = new_states([reverting.item], **Policy(belief=Belief.WEIGHED).market_parameters())
    ts, later = reverting.begin, reverting.begin + SECOND
    book = [(ts, 500, 14801 + depth, LEVEL, -1, 0) for depth in range(20)]
    book += [(ts, 500, 14799 - depth, LEVEL, 1, 0) for depth in range(20)]
    frame = np.array([(ts, 0, 0, SNAPSHOT | FIRST, 0, 0), *book], ROW)
    frame["kind"][-1] |= LAST
    advance(states, 0, frame, 0, later)
    changed = 14799 - (Policy(belief=Belief.WEIGHED).ofi_levels - 1 + level)
    advance(states, 0, np.array([(later, 600, changed, LEVEL | WHOLE, 1, 0)], ROW), 0, later + 1)
    assert bool(states["ofi_abs"][0]) is seen


@SIDES
@pytest.mark.parametrize(
    ("gap", "band", "said"),
    [
        (0.00101, 1e-4, "confirms"), (0.00099, 1e-4, "scores"),  # 0.10 %
        (1.01, 0.01, "confirms"), (0.99, 0.01, "scores"),  # one sd of the band
        (-0.01, 1e-4, "scores"),
    ],
)  # fmt: skip
def test_vwap_confirms_on_the_cheap_side_by_a_tenth_of_a_percent_or_its_band(
    market: Market, reverting: Any, d: int, gap: float, band: float, said: str
) -> None:
    if band == 0.01:
        gap *= float(Policy(belief=Belief.WEIGHED).vwap_min_sd) * band
    row = scored(at_vwap(market(), d * gap, band), reverting.now, d)
    assert says(row, VWAP) == said
    assert row["score"][VWAP] == pytest.approx(d * np.clip(gap / band / 2, -1, 1), rel=1e-3)


def at_vwap(states: Any, gap: float, band: float) -> Any:
    """The VWAP `gap` (log) above 148.13, its band a fraction of it."""
    average = 148.13 * np.exp(gap)
    states["vwap_base"], states["vwap_volume"], states["vwap_sum"] = average, 10.0, 0.0
    states["vwap_square"] = 10.0 * (average * band) ** 2
    return states


@pytest.mark.parametrize(("age", "said"), [(1800 * SECOND, "confirms"), (1800 * SECOND - 1, "no signal")])
def test_vwap_is_valid_after_thirty_minutes(market: Market, reverting: Any, age: int, said: str) -> None:
    states = at_vwap(market(), 0.01, 0.001)
    states["vwap_start"] = reverting.now - age
    assert says(scored(states, reverting.now), VWAP) == said


@SIDES
@pytest.mark.parametrize(("z", "said"), [(1.0, "scores"), (1.01, "confirms"), (-3.0, "scores")])
def test_accel_confirms_beyond_one_sd(market: Market, reverting: Any, d: int, z: float, said: str) -> None:
    row = scored(market(), reverting.now, d, accel_valid=1, accel_z=d * z)
    assert says(row, ACCEL) == said
    assert row["score"][ACCEL] == pytest.approx(d * max(-1.0, z / 2))


@SIDES
@pytest.mark.parametrize(("z", "said"), [(1.0, "scores"), (1.01, "confirms"), (-3.0, "scores")])
def test_ou_drift_confirms_beyond_one_sd_from_the_centre(
    market: Market, reverting: Any, d: int, z: float, said: str
) -> None:
    row = scored(market(), reverting.now, d, ou_valid=1, ou_z=-d * z)
    assert says(row, OU_DRIFT) == said
    assert row["score"][OU_DRIFT] == pytest.approx(d * max(-1.0, z / 2))


@SIDES
@pytest.mark.parametrize(("rate", "said"), [(0.0005, "scores"), (0.000501, "confirms"), (-0.01, "scores")])
@pytest.mark.parametrize("hours", [8, 4, 1])
def test_funding_confirms_against_five_hundredths_of_a_percent_in_eight_hours(
    market: Market, reverting: Any, d: int, rate: float, said: str, hours: int
) -> None:
    states = market()
    states["funding_minutes"], states["funding_ts"] = 60 * hours, reverting.now
    states["funding_rate"] = -d * rate * hours / Policy(belief=Belief.WEIGHED).funding_period
    row = scored(states, reverting.now, d)
    assert says(row, FUNDING) == said
    assert row["score"][FUNDING] == pytest.approx(d * max(-1.0, rate / 0.001))


@pytest.mark.parametrize(("age", "said"), [(16 * HOUR, "confirms"), (16 * HOUR + 1, "no signal")])
def test_funding_is_stale_after_two_intervals(market: Market, reverting: Any, age: int, said: str) -> None:
    states = market()
    states["funding_minutes"], states["funding_ts"], states["funding_rate"] = 480, reverting.now - age, -0.001
    assert says(scored(states, reverting.now), FUNDING) == said


# 5 what the gates take


@pytest.mark.parametrize(("sigmas", "jumped"), [(5.9, False), (6.1, True)])
def test_a_minute_of_more_than_six_sigma_is_a_jump(measured: Measured, sigmas: float, jumped: bool) -> None:
    sigma = float(measured(drift=0)["sigma"]) * 60**0.5
    row = measured(drift=0, jump=float(np.expm1(sigmas * sigma)), late_s=1)
    assert (row["jump_age"] < HOUR) == jumped


@pytest.mark.parametrize(("move", "seen"), [(0.0049, False), (0.0051, True)])
def test_a_minute_of_more_than_half_a_percent_is_a_big_move(
    measured: Measured, move: float, seen: bool
) -> None:
    assert (measured(drift=0, jump=move, late_s=1)["big_move_age"] < HOUR) == seen


@pytest.mark.parametrize(("closes", "horizons"), [
    (3, 0), (4, 1), (11, 1), (12, 2), (47, 2), (48, 3), (191, 3), (192, 4), (1151, 4), (1152, 5),
])  # fmt: skip
def test_consensus_over_five_horizons_each_with_four_fifths_of_its_minutes(
    market: Market, reverting: Any, closes: int, horizons: int
) -> None:
    row = scanned(market(closes, frames=False), reverting.begin)
    assert row["consensus_horizons"] == horizons


@SIDES
def test_a_slope_counts_beyond_a_t_of_one(market: Market, reverting: Any, d: int) -> None:
    policy, filters, out = Policy(belief=Belief.WEIGHED), new_filters(1), np.zeros(1, SCAN)
    filters["slope_valid"], filters["slope_t"], out["direction"] = (
        1,
        d * np.array([1.0, 1.01, 9, -1.01, -9]),
        d,
    )
    params = policy.signal_parameters(policy.capital_tier(D(18)))
    consensus_figures(market(), filters, 0, reverting.now, params, out, 0)
    assert out[0]["consensus"] == pytest.approx(2 / 5)


def test_the_range_tail_is_the_quantile_that_is_shown(reverting: Any) -> None:
    ranges = np.random.default_rng(1).permutation(np.arange(1, 2001)) * 1e-6
    bars = reverting.bars(2000, 5, 10.0)
    bars["low"], bars["high"] = bars["close"], bars["close"] * (1 + ranges)
    bars["open"] = bars["close"]
    states = new_states([reverting.item], **Policy(belief=Belief.WEIGHED).market_parameters())
    backfill(states, 0, bars)
    kept = states["minute_range"][0, :2000]
    assert len(kept) < MINUTES
    quantile = np.quantile(kept, float(Policy(belief=Belief.WEIGHED).range_quantile), method="inverted_cdf")
    assert scanned(states, reverting.begin)["range_tail"] == pytest.approx(quantile)
