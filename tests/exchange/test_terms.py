"""Leverage by side, margin added, and the tiers of the risk table: figures by hand, and each refusal from its own cause."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.margin import liquidation_price
from turbo_trader.market.events import SECOND
from turbo_trader.market.instruments import Instrument, RiskTier
from turbo_trader.market.reference import universe

D = Decimal
BTC = universe()[0]
FEE = D("0.00055")
LONG, SHORT = 1, 2
EIGHT_HOURS = 8 * 3600 * SECOND
# deductions by hand: 2,000 x 0.005 = 10; 10 + 10,000 x 0.01 = 110
TIERS = (
    RiskTier(D(2_000), D("0.005"), D("0.01"), D(100), D(0)),
    RiskTier(D(10_000), D("0.01"), D("0.02"), D(50), D(10)),
    RiskTier(D(50_000), D("0.02"), D("0.04"), D(25), D(110)),
)
TIERED: Instrument = replace(BTC, tiers=TIERS)


def lever(desk: Any, long: int, short: int | None = None) -> int:
    return int(desk.do(ask.SetLeverage("BTCUSDT", D(long), None if short is None else D(short))))


def add(desk: Any, amount: str, idx: int = 0) -> int:
    return int(desk.do(ask.AddMargin("BTCUSDT", D(amount), idx)))


# -- leverage


def test_one_way_leverage_is_one_figure(desk: Any) -> None:
    assert lever(desk, 5, 6) == 10001
    assert lever(desk, 5, 5) == 0
    assert desk.position().leverage == 5


def test_each_side_of_hedge_mode_has_its_leverage_and_its_margin(desks: Any) -> None:
    desk = desks("10000")
    desk.hedge()
    assert lever(desk, 5, 20) == 0
    assert lever(desk, 5, 20) == 110043
    desk.market(1, "0.020", position_idx=LONG)
    desk.market(-1, "0.020", position_idx=SHORT)
    # long 0.02 x 50,001 / 5 + 0.02 x 50,001 x 4/5 x f; short 0.02 x 50,000 / 20 + 0.02 x 50,000 x 21/20 x f
    assert desk.position(idx=LONG).margin == D("200.004") + D("800.016") * FEE
    assert desk.position(idx=SHORT).margin == D(50) + D(1050) * FEE
    assert lever(desk, 5, 10) == 0
    assert desk.position(idx=SHORT).margin == D(100) + D(1100) * FEE


def test_a_lower_leverage_needs_the_margin(desks: Any) -> None:
    desk = desks("600")
    desk.market(1, "0.100")  # 5,000.1: 500 at 10x, 1,000 at 5x
    assert lever(desk, 5) == 110007
    assert desk.position().leverage == 10
    assert lever(desk, 9) == 0


def test_a_higher_leverage_is_refused_where_the_mark_is_beyond_its_liquidation_price(desk: Any) -> None:
    desk.market(1, "0.100")
    desk.mark(490_000)  # at 50x it would be liquidated at 50,001 x 0.98 / 0.995 = 49,247
    assert lever(desk, 50) == 110011
    assert desk.position().leverage == 10
    assert lever(desk, 20) == 0  # 50,001 x 0.95 / 0.995 = 47,739


def test_resting_orders_are_held_at_the_leverage_they_had_when_it_is_refused(desk: Any) -> None:
    desk.limit(1, "0.100", "49990.0")
    before = desk.x.wallet_message("u", desk.now).order_margin
    assert lever(desk, 4) == 110007
    assert desk.x.wallet_message("u", desk.now).order_margin == before


# -- margin added


def test_added_margin_moves_bankruptcy_and_liquidation(desks: Any) -> None:
    desk = desks("2000")
    desk.market(1, "0.100")  # at 50,001.0
    free = desk.x.wallet_message("u", desk.now).available
    assert add(desk, "100") == 0
    position = desk.position()
    reach = D(100) / (1 - FEE)
    assert abs(position.bust_price - (D("45000.9") - reach / D("0.1"))) < D("1e-18")
    assert abs(position.liq_price - (D("4500.09") - reach) / (D("0.1") * D("0.995"))) < D("1e-18")
    assert desk.x.wallet_message("u", desk.now).available == free - 100
    desk.mark(int(position.liq_price * 10) + 2)
    assert desk.size() == D("0.100")
    desk.mark(int(position.liq_price * 10) - 1)
    assert (desk.fills()[-1].kind, desk.size()) == ("BustTrade", 0)
    assert desk.fills()[-1].price == D("44000.3")  # 45,000.9 - 1,000.550... on the tick below
    lost, fees = D("0.1") * (D("50001.0") - D("44000.3")), D("0.1") * (D("50001.0") + D("44000.3")) * FEE
    assert desk.x.wallet("u") == 2000 - lost - fees


def test_margin_of_a_short_moves_it_up(desks: Any) -> None:
    desk = desks("2000")
    desk.market(-1, "0.100")  # at 50,000.0
    add(desk, "50")
    reach = D(50) / (1 + FEE)
    assert abs(desk.position().liq_price - (D(5500) + reach) / (D("0.1") * D("1.005"))) < D("1e-18")


def test_at_the_liquidation_price_margin_and_result_are_the_maintenance_margin(desks: Any) -> None:
    desk = desks("2000")
    desk.market(1, "0.100")
    add(desk, "77.7")
    p = desk.position()
    unrealised = D("0.1") * (p.liq_price - D("50001.0"))
    needed = D("0.1") * p.liq_price * D("0.005") + D("0.1") * p.bust_price * FEE
    assert abs(p.margin + unrealised - needed) < D("1e-18")


def test_margin_is_refused_each_for_its_cause(desks: Any) -> None:
    desk = desks("600")
    assert add(desk, "10") == 10001  # flat
    desk.market(1, "0.100")
    assert add(desk, "10", LONG) == 10001
    assert add(desk, "0") == 110027
    assert add(desk, "-1") == 10001  # nothing was added
    assert add(desk, "100") == 110014
    assert add(desk, "50") == 0
    desk.mark(451_000)  # without the 50 it is liquidated at 45,000.9 / 0.995 = 45,227
    assert add(desk, "-50") == 110011
    assert desk.size() == D("0.100")
    desk.mark(500_000)
    assert add(desk, "-50") == 0
    assert desk.position().margin == D("500.01") + D("4500.09") * FEE


def test_added_margin_leaves_with_what_is_closed(desks: Any) -> None:
    desk = desks("2000")
    desk.market(1, "0.100")
    add(desk, "80")
    desk.market(-1, "0.025", reduce_only=True)
    assert desk.position().margin - (D("375.0075") + D("3375.0675") * FEE) == 60
    desk.market(-1, "0.200")  # closes and opens a short
    assert desk.position().margin == D("0.125") * 50_000 / 10 + D("0.125") * 55_000 * FEE


def test_sides_have_their_own_added_margin(desks: Any) -> None:
    desk = desks("5000")
    desk.hedge()
    desk.market(1, "0.010", position_idx=LONG)
    desk.market(-1, "0.010", position_idx=SHORT)
    before = desk.position(idx=LONG).liq_price, desk.position(idx=SHORT).liq_price
    assert add(desk, "10") == 10001
    assert add(desk, "10", SHORT) == 0
    assert desk.position(idx=LONG).liq_price == before[0]
    assert desk.position(idx=SHORT).liq_price > before[1]


def test_margin_is_added_of_itself_while_there_is_some(desks: Any) -> None:
    desk = desks("1300")
    desk.market(1, "0.100")
    assert desk.do(ask.SetAutoMargin("BTCUSDT", True)) == 0
    before, free = desk.position(), desk.x.wallet_message("u", desk.now).available
    desk.mark(int(before.liq_price * 10) - 1)
    assert desk.position().margin == before.margin * 2
    desk.mark(int(desk.position().liq_price * 10) - 1)
    assert desk.position().margin == before.margin + free
    assert desk.x.wallet_message("u", desk.now).available == 0
    desk.mark(int(desk.position().liq_price * 10) - 1)
    assert (desk.fills()[-1].kind, desk.size()) == ("BustTrade", 0)


def test_margin_is_not_added_of_itself_cross_or_on_the_wrong_side(desk: Any) -> None:
    assert desk.do(ask.SetAutoMargin("BTCUSDT", True, LONG)) == 10001
    desk.do(ask.SetMarginMode(True))
    assert desk.do(ask.SetAutoMargin("BTCUSDT", True)) == 110015


# -- tiers


@pytest.mark.parametrize(
    ("size", "bust", "expected"),
    [
        ("0.04", 45_000, (D("0.04") * 45_000) / (D("0.04") * D("0.995"))),
        ("0.1", 45_000, (D(4500) - 10) / (D("0.1") * D("0.99"))),
        # 2,200 at entry is of tier 2, 1,989.9 at liquidation of tier 1
        ("0.044", 45_000, D(45_000) / D("0.995")),
        # 9,500 at entry is of tier 2, 10,353 at liquidation of tier 3
        ("-0.19", 55_000, (D(10_450) + 110) / (D("0.19") * D("1.02"))),
    ],
)
def test_the_liquidation_price_is_of_the_tier_it_lies_in(size: str, bust: int, expected: Decimal) -> None:
    price, falling = liquidation_price(TIERED, (D(size),), -D(size) * bust, D(50_000))
    assert price is not None
    assert abs(price - expected) < D("1e-18")
    assert falling == (D(size) > 0)


@given(
    st.lists(st.integers(-300, 900).filter(bool), min_size=1, max_size=2),
    st.integers(1, 5_000),
    st.sampled_from([30_000, 50_000, 70_000]),
)
def test_at_the_price_found_what_carries_the_positions_is_what_they_need(
    lots: list[int], spare: int, near: int
) -> None:
    sizes = [D(n) / 1000 for n in lots]

    def need(price: Decimal) -> Decimal:
        tiers = [TIERED.tier(abs(size) * price) for size in sizes]
        parts = zip(sizes, tiers, strict=True)
        return sum((abs(size) * price * tier.maintenance_rate - tier.deduction for size, tier in parts), D(0))

    rest = spare + need(D(near)) - sum(sizes) * near  # carried by `spare` at the price `near`
    price, falling = liquidation_price(TIERED, sizes, rest, D(near))
    if price is None:
        return
    assert abs(rest + sum(sizes) * price - need(price)) < D("1e-15")
    assert (price < near) == falling
    between = (price + near) / 2
    assert rest + sum(sizes) * between > need(between)


def test_a_position_shows_its_tier(desks: Any) -> None:
    desk = desks("100000", of=(TIERED,))
    for qty, tier in (("0.010", 1), ("0.090", 2), ("0.400", 3)):
        desk.market(1, qty)
        assert (desk.position().tier, desk.position().tier_limit) == (tier, TIERS[tier - 1].limit)
    # 0.5 at 50,001.0: mark 50,000.5, mmr 2 % less 110, and the fee at bankruptcy
    assert desk.position().maintenance == D("25000.25") * D("0.02") - 110 + D("25000.5") * D("0.9") * FEE


def test_an_order_counts_with_the_position_and_what_rests(desks: Any) -> None:
    desk = desks("100000", of=(TIERED,))
    lever(desk, 50)
    assert desk.market(1, "0.100") == 0  # 5,000
    assert desk.limit(1, "0.090", "49000.0") == 0  # 9,500 at the mark
    assert desk.limit(1, "0.020", "49000.0") == 110090  # 10,500: tier 3 allows 25x
    assert desk.limit(-1, "0.250", "51000.0") == 0  # a short of 0.150 at most
    assert lever(desk, 51) == 110013
    assert lever(desk, 25) == 0
    assert desk.limit(1, "0.020", "49000.0") == 0
    assert desk.limit(1, "0.850", "49000.0") == 110090  # beyond the table


def test_leverage_is_bound_by_the_tier_of_what_is_held_and_would_open(desks: Any) -> None:
    desk = desks("100000", of=(TIERED,))
    desk.market(1, "0.100")
    assert lever(desk, 51) == 110013
    assert lever(desk, 20) == 0
    assert desk.limit(-1, "0.450", "51000.0") == 0  # leaves a short of 0.350: 17,500
    assert lever(desk, 26) == 110013


# -- what the venue takes


def ladder(desks: Any, lots: int) -> Any:
    """Long 0.100 in tier 2; the mark falls to its liquidation price, 45,354.44, where bids show `lots` a level."""
    desk = desks("2000", of=(TIERED,))
    desk.market(1, "0.100", stop_loss=D("40000.0"))
    desk.limit(1, "0.010", "45000.0", link_id="in", time_in_force="PostOnly")
    desk.mark(454_000)
    desk.book(453_500, 453_560, lots)
    assert int(desk.position().liq_price * 10) == 453_544
    desk.mark(453_544)
    return desk


def test_a_liquidation_first_steps_down_to_the_lower_tier(desks: Any) -> None:
    desk = ladder(desks, 1000)
    # 2,000 / 45,354.4 = 0.0440...: 0.044 may stay, its liquidation price is 45,000.9 / 0.995 = 45,227
    order, fill = list(desk.x.accounts["u"].orders.values())[-1], desk.fills()[-1]
    assert (order.create_type, order.time_in_force, order.price) == ("CreateByLiq", "FOK", D("45000.9"))
    assert (fill.kind, fill.qty, fill.price) == ("Trade", D("0.056"), D("45350.0"))
    assert (desk.size(), desk.position().tier) == (D("0.044"), 1)
    assert (desk.order("in").cancel_type, desk.position().stop_loss) == ("CancelAllBeforeLiq", D("40000.0"))
    desk.mark(452_270)
    assert (desk.fills()[-1].kind, desk.size()) == ("BustTrade", 0)


def test_what_the_book_does_not_take_is_taken_over(desks: Any) -> None:
    desk = ladder(desks, 10)
    failed, taken = list(desk.x.accounts["u"].orders.values())[-2:]
    assert (failed.create_type, failed.status, failed.reject_reason) == (
        "CreateByLiq", "Cancelled", "EC_NoEnoughQtyToFill",
    )  # fmt: skip
    assert (taken.create_type, taken.filled) == ("CreateByTakeOver_PassThrough", D("0.100"))
    assert desk.fills()[-1].price == D("45000.9")
    assert desk.size() == 0


def test_funding_that_is_not_available_is_taken_from_the_margin(desks: Any) -> None:
    desk = desks("505.3")
    desk.mark(500_000)
    desk.funding("0.001")
    desk.market(1, "0.100")
    free = desk.x.wallet_message("u", desk.now).available
    before = desk.position()
    assert 0 < free < D("0.1")
    desk.now = (desk.now // EIGHT_HOURS + 1) * EIGHT_HOURS
    desk.x.settle(desk.now)
    assert desk.position().margin == before.margin - (5 - free)
    assert desk.position().liq_price > before.liq_price
    assert desk.x.wallet_message("u", desk.now).available == 0
    assert add(desk, "0.1") == 110014


def test_the_break_even_price_counts_fees_paid_and_to_be_paid(desk: Any) -> None:
    assert desk.position().break_even is None
    desk.market(1, "0.100")
    paid = D("5000.1") * FEE
    assert desk.position().break_even == ((D("5000.1") + paid) / (D("0.1") * (1 - FEE))).quantize(D("1e-8"))
    desk.market(-1, "0.180")  # closes, and opens 0.080
    paid = D("4000") * FEE
    assert desk.position().break_even == ((D("4000") - paid) / (D("0.08") * (1 + FEE))).quantize(D("1e-8"))


def test_a_position_opened_again_keeps_the_time_of_the_first(desk: Any) -> None:
    desk.market(1, "0.010")
    first = desk.now
    desk.market(-1, "0.010")
    desk.trade(500_000)
    desk.market(-1, "0.010")
    assert (desk.position().created_ts, desk.position().opened_ts) == (first, desk.now)
    assert desk.now > first
