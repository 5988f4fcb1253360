"""Section 7: the smallest of all limits wins; no limit is ever exceeded, whatever the account."""

import pytest
from tests.rules.sized import TINY, D, P, account, entry, instrument, open_risk, size

from turbo_trader.market.instruments import RiskTier, simulated_tiers
from turbo_trader.rules.choices import LeveragePolicy
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.sizing import (
    highest_leverage,
    liquidation_distance,
    margin_cap,
    margin_target,
    order_cost_rate,
    reference_notional,
    size_entry,
    smallest_qty,
)


@pytest.mark.parametrize(
    ("tier", "weight_times_n", "target"),
    [
        (TIER_A, "0", "0.30"), (TIER_A, "1", "0.40"), (TIER_A, "2", "0.50"), (TIER_A, "9", "0.50"),
        (TIER_B, "0", "0.10"), (TIER_B, "1", "0.125"), (TIER_B, "2", "0.15"), (TIER_B, "9", "0.15"),
    ],
)  # fmt: skip
def test_margin_target(tier: int, weight_times_n: str, target: str) -> None:
    assert margin_target(P, tier, D(weight_times_n) / 10, 10) == D(target)


@pytest.mark.parametrize(
    ("equity", "cap"),
    [("19.99", "0.40"), ("20", "0.50"), ("49.99", "0.50"), ("50", "0.60"), ("5000", "0.60")],
)
def test_margin_cap_per_trade(equity: str, cap: str) -> None:
    assert margin_cap(P, D(equity)) == D(cap)


def test_margin_cap_binds_where_the_target_is_above_it() -> None:
    sizing = size(weight=D(1), stop_loss=D("0.003"), cost=D("0.0002"), range_tail=D(0))
    assert sizing.binding == "margin cap"
    assert sizing.margin <= D("0.40") * 18


def test_loss_at_stop_including_cost_is_at_most_a_tenth_for_a_and_a_twentieth_for_b() -> None:
    for tier, share in ((TIER_A, D("0.10")), (TIER_B, D("0.05"))):
        sizing = size("30", trade_tier=tier, range_tail=D(0), stop_loss=D("0.02"), weight=D(1))
        assert sizing.binding == "loss at stop"
        loss = sizing.notional * D("0.0212")
        assert share * 30 - D("0.1") * D("0.6") * D("0.0212") < loss <= share * 30


def test_loss_at_stop_row_allows_about_27_percent_of_margin_at_the_widest_stop() -> None:
    sizing = size_entry(P, account("1000"), (), entry(range_tail=D(0), cost=D("0.0014")))
    assert sizing.binding == "loss at stop"
    assert D("0.26") < sizing.notional / 50 / 1000 < D("0.28")


def test_session_budget_counts_the_result_so_far_and_open_losses_at_their_stops() -> None:
    risks = (open_risk("200"),)  # loses 1.44 at its stop
    sizing = size_entry(P, account("18", session_result="-2"), risks, entry(direction=-1, range_tail=D(0)))
    assert sizing.binding == "session budget"
    budget = D("3.6") - 2 - D("1.44")
    assert budget - D("0.001") < sizing.notional * D("0.0072") <= budget


def test_session_budget_used_up_means_no_trade() -> None:
    sizing = size_entry(P, account("18", session_result="-3.6"), (), entry())
    assert sizing.qty == 0
    assert sizing.binding == "session budget"
    assert "XRPUSDT" in sizing.refusal


def test_a_locked_gain_gives_no_further_budget() -> None:
    assert open_risk("200", stop="-0.02").loss_at_stop == 0
    assert open_risk("200", stop="-0.02").loss_together == 0


def test_same_direction_counts_stop_cost_and_range_of_all_on_that_side() -> None:
    risks = (open_risk("400"),)
    sizing = size(risks=risks)
    assert sizing.binding == "same direction"
    total = 400 * D("0.0112") + sizing.notional * D("0.0112")
    assert D("5.4") - D("0.001") < total <= D("5.4")
    assert size(risks=risks, direction=-1).binding != "same direction"


def test_total_margin_including_this_is_at_most_90_percent() -> None:
    risks = (open_risk("1", margin="16", stop="-0.01"),)
    sizing = size(risks=risks)
    assert sizing.binding == "total margin"
    assert sizing.margin + 16 <= D("16.2")


def test_available_balance_covers_margin_and_fees() -> None:
    acc = account("100", available="2")
    sizing = size_entry(P, acc, (), entry())
    assert sizing.binding == "available"
    assert sizing.notional * order_cost_rate(entry(), sizing.leverage) <= 2


def test_leverage_is_the_lowest_that_keeps_margin_within_target() -> None:
    sizing = size("30", trade_tier=TIER_B, stop_loss=D("0.004"), range_tail=D("0.03"))
    target = D("0.125") * 30
    assert sizing.margin <= target
    assert sizing.notional / (sizing.leverage - D("0.01")) > target


def test_leverage_at_most_50_and_the_symbols_maximum() -> None:
    tight = entry(stop_loss=D("0.0025"))
    assert highest_leverage(P, tight, tight.instrument.tiers[0]) == (D(50), "MAX_LEVERAGE")
    low = entry(
        stop_loss=D("0.0025"), instrument=instrument(max_leverage=D(25), tiers=simulated_tiers(D(25)))
    )
    assert highest_leverage(P, low, low.instrument.tiers[0])[0] <= 25


@pytest.mark.parametrize("direction", [1, -1])
def test_leverage_keeps_the_stop_within_half_the_distance_to_liquidation(direction: int) -> None:
    e = entry(direction=direction, stop_loss=D("0.012"), slippage=D("0.001"), mark_gap=D("0.0005"))
    tier = e.instrument.tiers[0]
    top, _ = highest_leverage(P, e, tier)
    assert 1 < top < 50
    assert liquidation_distance(direction, top, tier.maintenance_rate) - D("0.0005") >= 2 * D("0.013")
    above = top + D("0.01")
    assert liquidation_distance(direction, above, tier.maintenance_rate) - D("0.0005") < 2 * D("0.013")


def test_distance_to_liquidation_at_50x_is_1_to_1_and_a_half_percent() -> None:
    for rate in (D("0.005"), D("0.01")):
        for direction in (1, -1):
            assert D("0.0099") <= liquidation_distance(direction, D(50), rate) <= D("0.0151")


def test_liquidation_distance_is_the_venues_isolated_formula() -> None:
    price, leverage, rate = D(60000), D(20), D("0.005")
    assert (
        price * (1 - liquidation_distance(1, leverage, rate)) - price * (1 - 1 / leverage) / (1 - rate)
        < TINY * price
    )
    assert (
        price * (1 + liquidation_distance(-1, leverage, rate)) - price * (1 + 1 / leverage) / (1 + rate)
        < TINY * price
    )


def test_a_stop_too_wide_for_any_leverage_is_refused() -> None:
    sizing = size(stop_loss=D("0.6"))
    assert sizing.qty == 0
    assert sizing.binding == "leverage"


@pytest.mark.parametrize(("losses", "factor"), [(0, "1"), (2, "1"), (3, "0.5"), (7, "0.5")])
def test_three_losses_halve(losses: int, factor: str) -> None:
    full = size("1000")
    assert abs(size("1000", losses=losses).qty - full.qty * D(factor)) <= D("0.1")


def test_below_the_minimum_means_no_trade_never_rounding_up() -> None:
    btc = instrument(symbol="BTCUSDT", step=D("0.001"), min_qty=D("0.001"))
    sizing = size("18", instrument=btc, price=D(97000), stop_loss=D("0.02"))
    assert sizing.qty == 0
    assert "needs 97.00 USDT" in sizing.refusal


@pytest.mark.parametrize(("equity", "qty"), [("0.36", "10"), ("0.3599", "0")])
def test_an_entry_is_worth_5_usdt_at_least_also_where_the_venue_takes_less(equity: str, qty: str) -> None:
    cheap = instrument(min_notional=D(1))
    assert size(equity, instrument=cheap, price=D("0.5"), range_tail=D(0)).qty == D(qty)


def test_a_size_halved_below_the_minimum_says_what_is_left_of_it() -> None:
    assert size("0.9", stop_loss=D("0.01")).qty > 0
    halved = size("0.9", stop_loss=D("0.01"), losses=3)
    assert halved.qty == 0
    assert halved.binding.endswith(", halved")
    allowed = D(halved.needed.removesuffix(")").split("was ")[1])
    assert allowed < D("5.04")
    assert halved.refusal.endswith(f"{halved.binding} allows {allowed}")


def test_the_notional_each_limit_allows_is_reported_smallest_first() -> None:
    reported = size("18").allowed
    amounts = [D(amount) for amount in reported.values()]
    assert amounts == sorted(amounts)
    assert next(iter(reported)) == size("18").binding
    assert len(reported) == 9


def test_smallest_quantity_meets_minimum_notional_on_the_step() -> None:
    assert smallest_qty(instrument(), D("0.6"), D(5)) == D("8.4")
    assert smallest_qty(instrument(), D(60), D(5)) == D("0.1")
    assert smallest_qty(instrument(min_notional=D(1)), D("0.6"), D(5)) == D("8.4")
    assert smallest_qty(instrument(min_notional=D(7)), D("0.6"), D(5)) == D("11.7")


def test_maximum_quantity_of_market_orders_binds_since_exits_need_it() -> None:
    sizing = size("100000", instrument=instrument(max_market_qty=D(100)))
    assert (sizing.qty, sizing.binding) == (D(100), "maximum quantity")


def test_no_risk_table_no_trade() -> None:
    assert size(instrument=instrument(tiers=())).refusal.startswith("XRPUSDT")


def test_a_higher_risk_tier_is_used_where_it_allows_more() -> None:
    tiers = (
        RiskTier(D(1000), D("0.005"), D("0.01"), D(100), D(0)),
        RiskTier(D(100000), D("0.01"), D("0.02"), D(50), D(5)),
    )
    sizing = size("1000", instrument=instrument(tiers=tiers))
    assert sizing.notional > 1000
    assert sizing.leverage <= highest_leverage(P, entry(), tiers[1])[0]


@pytest.mark.parametrize("equity", ["18", "50", "500", "2000"])
def test_the_reference_notional_is_the_largest_an_a_trade_can_get(equity: str) -> None:
    most = reference_notional(P, D(equity))
    assert most * (D("0.003") + D("0.0011")) == pytest.approx(D(equity) * D("0.1"))
    assert 0 < size(equity, stop_loss=D("0.003"), cost=D("0.0011"), weight=D(1)).notional <= most


def test_nothing_is_the_reference_of_an_account_under_water() -> None:
    assert reference_notional(P, D(-5)) == 0


def test_the_same_direction_row_holds_only_where_it_is_asked_for() -> None:
    risks = (open_risk("400"),)
    assert "same direction" not in size_entry(Policy(), account("18"), risks, entry()).limits
    held = size_entry(Policy(same_direction=D("0.30"), min_size_share=D(0)), account("18"), risks, entry())
    assert held.limits["same direction"] == (D("5.4") - D(400) * D("0.0112")) / D("0.0112")


@pytest.mark.parametrize(("trade_tier", "low"), [(TIER_A, "0.30"), (TIER_B, "0.10")])
def test_a_size_below_half_of_the_low_target_at_the_highest_leverage_is_no_trade(
    trade_tier: int, low: str
) -> None:
    whole = size_entry(Policy(), account("18"), (), entry(trade_tier=trade_tier))
    floor = D("0.5") * D(low) * 18 * whole.highest
    assert whole.floor == floor
    session = account("18", session_result=str(D("-3.6") + floor * D("0.0072") - D("0.01")))
    small = size_entry(Policy(), session, (), entry(trade_tier=trade_tier))
    assert small.qty == 0
    assert small.binding == "session budget"
    assert "least size" in small.refusal
    assert size_entry(Policy(min_size_share=D(0)), session, (), entry(trade_tier=trade_tier)).qty > 0


def test_the_least_size_is_compared_before_halving_for_losses() -> None:
    whole = size_entry(Policy(), account("18"), (), entry(trade_tier=TIER_B))
    session = account("18", session_result=str(D("-3.6") + whole.floor * D("0.0072") + D("0.01")))
    halved = size_entry(Policy(), session, (), entry(trade_tier=TIER_B), 3)
    assert 0 < halved.notional < whole.floor
    assert halved.floor == whole.floor / 2


def test_leverage_is_the_lowest_that_fills_the_target_or_the_highest_allowed() -> None:
    lowest = size_entry(Policy(), account("18"), (), entry())
    highest = size_entry(Policy(leverage_policy=LeveragePolicy.HIGHEST), account("18"), (), entry())
    assert highest.qty == lowest.qty
    assert lowest.leverage < highest.leverage == highest.highest
    assert highest.margin < lowest.margin
    assert highest.liquidation > lowest.liquidation  # of a long: nearer
