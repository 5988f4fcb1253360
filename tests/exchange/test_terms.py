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
from turbo_trader.market.instruments import Instrument, RiskTier
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND

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


def lever(rig: Any, long: int, short: int | None = None) -> int:
    return int(rig.do(ask.SetLeverage("BTCUSDT", D(long), None if short is None else D(short))))


def add(rig: Any, amount: str, idx: int = 0) -> int:
    return int(rig.do(ask.AddMargin("BTCUSDT", D(amount), idx)))


# -- leverage


def test_one_way_leverage_is_one_figure(rig: Any) -> None:
    assert lever(rig, 5, 6) == 10001
    assert lever(rig, 5, 5) == 0
    assert rig.position().leverage == 5


def test_each_side_of_hedge_mode_has_its_leverage_and_its_margin(rigs: Any) -> None:
    rig = rigs("10000")
    rig.hedge()
    assert lever(rig, 5, 20) == 0
    assert lever(rig, 5, 20) == 110043
    rig.market(1, "0.020", position_idx=LONG)
    rig.market(-1, "0.020", position_idx=SHORT)
    # long 0.02 x 50,001 / 5 + 0.02 x 50,001 x 4/5 x f; short 0.02 x 50,000 / 20 + 0.02 x 50,000 x 21/20 x f
    assert rig.position(idx=LONG).margin == D("200.004") + D("800.016") * FEE
    assert rig.position(idx=SHORT).margin == D(50) + D(1050) * FEE
    assert lever(rig, 5, 10) == 0
    assert rig.position(idx=SHORT).margin == D(100) + D(1100) * FEE


def test_a_lower_leverage_needs_the_margin(rigs: Any) -> None:
    rig = rigs("600")
    rig.market(1, "0.100")  # 5,000.1: 500 at 10x, 1,000 at 5x
    assert lever(rig, 5) == 110007
    assert rig.position().leverage == 10
    assert lever(rig, 9) == 0


def test_a_higher_leverage_is_refused_where_the_mark_is_beyond_its_liquidation_price(rig: Any) -> None:
    rig.market(1, "0.100")
    rig.mark(490_000)  # at 50x it would be liquidated at 50,001 x 0.98 / 0.995 = 49,247
    assert lever(rig, 50) == 110011
    assert rig.position().leverage == 10
    assert lever(rig, 20) == 0  # 50,001 x 0.95 / 0.995 = 47,739


def test_resting_orders_are_held_at_the_leverage_they_had_when_it_is_refused(rig: Any) -> None:
    rig.limit(1, "0.100", "49990.0")
    before = rig.x.wallet_message("u", rig.now).order_margin
    assert lever(rig, 4) == 110007
    assert rig.x.wallet_message("u", rig.now).order_margin == before


# -- margin added


def test_added_margin_moves_bankruptcy_and_liquidation(rigs: Any) -> None:
    rig = rigs("2000")
    rig.market(1, "0.100")  # at 50,001.0
    free = rig.x.wallet_message("u", rig.now).available
    assert add(rig, "100") == 0
    position = rig.position()
    reach = D(100) / (1 - FEE)
    assert abs(position.bust_price - (D("45000.9") - reach / D("0.1"))) < D("1e-18")
    assert abs(position.liq_price - (D("4500.09") - reach) / (D("0.1") * D("0.995"))) < D("1e-18")
    assert rig.x.wallet_message("u", rig.now).available == free - 100
    rig.mark(int(position.liq_price * 10) + 2)
    assert rig.size() == D("0.100")
    rig.mark(int(position.liq_price * 10) - 1)
    assert (rig.fills()[-1].kind, rig.size()) == ("BustTrade", 0)
    assert rig.fills()[-1].price == D("44000.3")  # 45,000.9 - 1,000.550... on the tick below
    lost, fees = D("0.1") * (D("50001.0") - D("44000.3")), D("0.1") * (D("50001.0") + D("44000.3")) * FEE
    assert rig.x.wallet("u") == 2000 - lost - fees


def test_margin_of_a_short_moves_it_up(rigs: Any) -> None:
    rig = rigs("2000")
    rig.market(-1, "0.100")  # at 50,000.0
    add(rig, "50")
    reach = D(50) / (1 + FEE)
    assert abs(rig.position().liq_price - (D(5500) + reach) / (D("0.1") * D("1.005"))) < D("1e-18")


def test_at_the_liquidation_price_margin_and_result_are_the_maintenance_margin(rigs: Any) -> None:
    rig = rigs("2000")
    rig.market(1, "0.100")
    add(rig, "77.7")
    p = rig.position()
    unrealised = D("0.1") * (p.liq_price - D("50001.0"))
    needed = D("0.1") * p.liq_price * D("0.005") + D("0.1") * p.bust_price * FEE
    assert abs(p.margin + unrealised - needed) < D("1e-18")


def test_margin_is_refused_each_for_its_cause(rigs: Any) -> None:
    rig = rigs("600")
    assert add(rig, "10") == 10001  # flat
    rig.market(1, "0.100")
    assert add(rig, "10", LONG) == 10001
    assert add(rig, "0") == 110027
    assert add(rig, "-1") == 10001  # nothing was added
    assert add(rig, "100") == 110014
    assert add(rig, "50") == 0
    rig.mark(451_000)  # without the 50 it is liquidated at 45,000.9 / 0.995 = 45,227
    assert add(rig, "-50") == 110011
    assert rig.size() == D("0.100")
    rig.mark(500_000)
    assert add(rig, "-50") == 0
    assert rig.position().margin == D("500.01") + D("4500.09") * FEE


def test_added_margin_leaves_with_what_is_closed(rigs: Any) -> None:
    rig = rigs("2000")
    rig.market(1, "0.100")
    add(rig, "80")
    rig.market(-1, "0.025", reduce_only=True)
    assert rig.position().margin - (D("375.0075") + D("3375.0675") * FEE) == 60
    rig.market(-1, "0.200")  # closes and opens a short
    assert rig.position().margin == D("0.125") * 50_000 / 10 + D("0.125") * 55_000 * FEE


def test_sides_have_their_own_added_margin(rigs: Any) -> None:
    rig = rigs("5000")
    rig.hedge()
    rig.market(1, "0.010", position_idx=LONG)
    rig.market(-1, "0.010", position_idx=SHORT)
    before = rig.position(idx=LONG).liq_price, rig.position(idx=SHORT).liq_price
    assert add(rig, "10") == 10001
    assert add(rig, "10", SHORT) == 0
    assert rig.position(idx=LONG).liq_price == before[0]
    assert rig.position(idx=SHORT).liq_price > before[1]


def test_margin_is_added_of_itself_while_there_is_some(rigs: Any) -> None:
    rig = rigs("1300")
    rig.market(1, "0.100")
    assert rig.do(ask.SetAutoMargin("BTCUSDT", True)) == 0
    before, free = rig.position(), rig.x.wallet_message("u", rig.now).available
    rig.mark(int(before.liq_price * 10) - 1)
    assert rig.position().margin == before.margin * 2
    rig.mark(int(rig.position().liq_price * 10) - 1)
    assert rig.position().margin == before.margin + free
    assert rig.x.wallet_message("u", rig.now).available == 0
    rig.mark(int(rig.position().liq_price * 10) - 1)
    assert (rig.fills()[-1].kind, rig.size()) == ("BustTrade", 0)


def test_margin_is_not_added_of_itself_cross_or_on_the_wrong_side(rig: Any) -> None:
    assert rig.do(ask.SetAutoMargin("BTCUSDT", True, LONG)) == 10001
    rig.do(ask.SetMarginMode(True))
    assert rig.do(ask.SetAutoMargin("BTCUSDT", True)) == 110015


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


def test_a_position_shows_its_tier(rigs: Any) -> None:
    rig = rigs("100000", of=(TIERED,))
    for qty, tier in (("0.010", 1), ("0.090", 2), ("0.400", 3)):
        rig.market(1, qty)
        assert (rig.position().tier, rig.position().tier_limit) == (tier, TIERS[tier - 1].limit)
    # 0.5 at 50,001.0: mark 50,000.5, mmr 2 % less 110, and the fee at bankruptcy
    assert rig.position().maintenance == D("25000.25") * D("0.02") - 110 + D("25000.5") * D("0.9") * FEE


def test_an_order_counts_with_the_position_and_what_rests(rigs: Any) -> None:
    rig = rigs("100000", of=(TIERED,))
    lever(rig, 50)
    assert rig.market(1, "0.100") == 0  # 5,000
    assert rig.limit(1, "0.090", "49000.0") == 0  # 9,500 at the mark
    assert rig.limit(1, "0.020", "49000.0") == 110090  # 10,500: tier 3 allows 25x
    assert rig.limit(-1, "0.250", "51000.0") == 0  # a short of 0.150 at most
    assert lever(rig, 51) == 110013
    assert lever(rig, 25) == 0
    assert rig.limit(1, "0.020", "49000.0") == 0
    assert rig.limit(1, "0.850", "49000.0") == 110090  # beyond the table


def test_leverage_is_bound_by_the_tier_of_what_is_held_and_would_open(rigs: Any) -> None:
    rig = rigs("100000", of=(TIERED,))
    rig.market(1, "0.100")
    assert lever(rig, 51) == 110013
    assert lever(rig, 20) == 0
    assert rig.limit(-1, "0.450", "51000.0") == 0  # leaves a short of 0.350: 17,500
    assert lever(rig, 26) == 110013


# -- what the venue takes


def ladder(rigs: Any, lots: int) -> Any:
    """Long 0.100 in tier 2; the mark falls to its liquidation price, 45,354.44, where bids show `lots` a level."""
    rig = rigs("2000", of=(TIERED,))
    rig.market(1, "0.100", stop_loss=D("40000.0"))
    rig.limit(1, "0.010", "45000.0", link_id="in", time_in_force="PostOnly")
    rig.mark(454_000)
    rig.book(453_500, 453_560, lots)
    assert int(rig.position().liq_price * 10) == 453_544
    rig.mark(453_544)
    return rig


def test_a_liquidation_first_steps_down_to_the_lower_tier(rigs: Any) -> None:
    rig = ladder(rigs, 1000)
    # 2,000 / 45,354.4 = 0.0440...: 0.044 may stay, its liquidation price is 45,000.9 / 0.995 = 45,227
    order, fill = list(rig.x.accounts["u"].orders.values())[-1], rig.fills()[-1]
    assert (order.create_type, order.time_in_force, order.price) == ("CreateByLiq", "FOK", D("45000.9"))
    assert (fill.kind, fill.qty, fill.price) == ("Trade", D("0.056"), D("45350.0"))
    assert (rig.size(), rig.position().tier) == (D("0.044"), 1)
    assert (rig.order("in").cancel_type, rig.position().stop_loss) == ("CancelAllBeforeLiq", D("40000.0"))
    rig.mark(452_270)
    assert (rig.fills()[-1].kind, rig.size()) == ("BustTrade", 0)


def test_what_the_book_does_not_take_is_taken_over(rigs: Any) -> None:
    rig = ladder(rigs, 10)
    failed, taken = list(rig.x.accounts["u"].orders.values())[-2:]
    assert (failed.create_type, failed.status, failed.reject_reason) == (
        "CreateByLiq", "Cancelled", "EC_NoEnoughQtyToFill",
    )  # fmt: skip
    assert (taken.create_type, taken.filled) == ("CreateByTakeOver_PassThrough", D("0.100"))
    assert rig.fills()[-1].price == D("45000.9")
    assert rig.size() == 0


def test_funding_that_is_not_available_is_taken_from_the_margin(rigs: Any) -> None:
    rig = rigs("505.3")
    rig.mark(500_000)
    rig.funding("0.001")
    rig.market(1, "0.100")
    free = rig.x.wallet_message("u", rig.now).available
    before = rig.position()
    assert 0 < free < D("0.1")
    rig.now = (rig.now // EIGHT_HOURS + 1) * EIGHT_HOURS
    rig.x.settle(rig.now)
    assert rig.position().margin == before.margin - (5 - free)
    assert rig.position().liq_price > before.liq_price
    assert rig.x.wallet_message("u", rig.now).available == 0
    assert add(rig, "0.1") == 110014


def test_the_break_even_price_counts_fees_paid_and_to_be_paid(rig: Any) -> None:
    assert rig.position().break_even is None
    rig.market(1, "0.100")
    paid = D("5000.1") * FEE
    assert rig.position().break_even == ((D("5000.1") + paid) / (D("0.1") * (1 - FEE))).quantize(D("1e-8"))
    rig.market(-1, "0.180")  # closes, and opens 0.080
    paid = D("4000") * FEE
    assert rig.position().break_even == ((D("4000") - paid) / (D("0.08") * (1 + FEE))).quantize(D("1e-8"))


def test_a_position_opened_again_keeps_the_time_of_the_first(rig: Any) -> None:
    rig.market(1, "0.010")
    first = rig.now
    rig.market(-1, "0.010")
    rig.trade(500_000)
    rig.market(-1, "0.010")
    assert (rig.position().created_ts, rig.position().opened_ts) == (first, rig.now)
    assert rig.now > first
