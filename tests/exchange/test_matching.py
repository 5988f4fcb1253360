"""Orders meet the book: footprint, remainders, orders of other accounts, margin at the trigger."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask

D = Decimal


def test_the_touch_moves_on_when_a_level_is_taken_and_the_remainder_waits(rigs: Any) -> None:
    rig = rigs("20000")
    rig.limit(1, "1.500", "50001.0", link_id="in")  # 1.000 is offered at 50,001.0, the next is at 50,002.0
    assert int(rig.x.states["ask"][0]) == 500_020
    assert int(rig.x.states["bid"][0]) == 500_000
    rig.mark(500_005)
    rig.trade(500_020)
    assert rig.order("in").filled == 1
    assert not any(fill.is_maker for fill in rig.fills())


def test_a_conditional_order_without_margin_at_its_trigger_is_cancelled(rig: Any) -> None:
    rig.market(
        1, "0.500", link_id="in", trigger_price=D("50010.0"), trigger_direction=1
    )  # needs 2,500 of 1,000
    assert rig.order("in").status == "Untriggered"
    rig.trade(500_100)
    assert (rig.order("in").status, rig.order("in").filled) == ("Cancelled", 0)
    assert rig.size() == 0


def test_a_conditional_order_with_margin_fills_at_its_trigger(rig: Any) -> None:
    rig.market(1, "0.100", link_id="in", trigger_price=D("50010.0"), trigger_direction=1)
    rig.trade(500_100)
    assert rig.order("in").status == "Filled"


def cost(qty: str, price: str, side: int) -> str:
    """Margin at 10x and the fees of opening and of closing at bankruptcy."""
    rate = D("0.1") + D("0.00055") * (1 + 1 - D(side) / 10)
    return str(D(qty) * D(price) * rate)


def test_a_market_order_needs_margin_for_the_worst_price_it_pays(rigs: Any) -> None:
    # 1.000 BTC at 50,001.0, 0.500 at 50,002.0
    assert rigs(cost("1.5", "50001.0", 1)).market(1, "1.500") == 110007
    assert rigs(cost("1.5", "50002.0", 1)).market(1, "1.500") == 0


def test_a_limit_sale_below_the_bid_needs_margin_for_the_price_it_gets(rigs: Any) -> None:
    assert rigs(cost("0.1", "49800.0", -1)).limit(-1, "0.100", "49800.0") == 110007
    rig = rigs(cost("0.1", "50000.0", -1))
    assert rig.limit(-1, "0.100", "49800.0") == 0
    assert rig.x.wallet_message("u", rig.now).available == 0


def test_orders_of_two_accounts_trade_with_each_other_behind_the_tapes_level(rigs: Any) -> None:
    rig = rigs("20000", "20000")
    rig.limit(1, "0.200", "50000.0", uid="u2", link_id="bid")
    rig.market(-1, "1.100")  # 1.000 of the tape's bid, then 0.100 of the other account
    assert rig.size() == D("-1.100")
    assert rig.size("u2") == D("0.100")
    (fill,) = rig.fills("u2")
    assert (fill.price, fill.is_maker) == (D("50000.0"), True)
    assert rig.fills()[-1].price == D("50000.0")


def test_an_accounts_own_orders_never_rest_crossed(rigs: Any) -> None:
    rig = rigs("100000")
    rig.limit(1, "0.200", "50000.5", link_id="bid")
    rig.limit(-1, "0.300", "50000.5", link_id="offer")
    assert rig.order("bid").status == "Filled"
    assert rig.order("offer").filled == D("0.200")
    assert rig.size() == 0


def test_a_post_only_order_does_not_take_a_resting_order_of_another_account(rigs: Any) -> None:
    rig = rigs("20000", "20000")
    rig.limit(1, "0.200", "50000.5", uid="u2")
    rig.limit(-1, "0.200", "50000.5", link_id="offer", time_in_force="PostOnly")
    assert rig.order("offer").reject_reason == "EC_PostOnlyWillTakeLiquidity"


@pytest.mark.parametrize(("qty", "status", "filled"), [("2.000", "Filled", "2"), ("2.001", "Cancelled", "0")])
def test_fill_or_kill_fills_whole_or_not_at_all(rigs: Any, qty: str, status: str, filled: str) -> None:
    rig = rigs("20000")
    rig.limit(1, qty, "50002.0", link_id="in", time_in_force="FOK")  # 1.000 at 50,001.0 and 1.000 at 50,002.0
    assert (rig.order("in").status, rig.order("in").filled) == (status, D(filled))


def meet(rig: Any, smp: str) -> tuple[str, str, Decimal]:
    """A resting sell of the account at the best price, and a buy of the same account that meets it: cancel types of both, what was
    bought."""
    rig.book(500_000, 500_100)
    rig.limit(-1, "0.010", "50005.0", link_id="maker")
    rig.limit(1, "0.020", "50010.0", link_id="taker", time_in_force="IOC", smp=smp)
    maker, taker = rig.order("maker"), rig.order("taker")
    if smp != "None":
        ended = [order for order in (maker, taker) if order.cancel_type == "CancelBySmp"]
        assert all(
            {order.smp_order_id} <= {maker.order_id, taker.order_id} - {order.order_id} for order in ended
        )
    return maker.cancel_type, taker.cancel_type, taker.filled


@pytest.mark.parametrize(
    ("smp", "maker", "taker", "filled"),
    [
        ("None", "UNKNOWN", "UNKNOWN", "0.020"),  # trades with itself, then with the tape
        ("CancelMaker", "CancelBySmp", "UNKNOWN", "0.020"),  # all from the tape
        ("CancelTaker", "UNKNOWN", "CancelBySmp", "0"),
        ("CancelBoth", "CancelBySmp", "CancelBySmp", "0"),
    ],
)
def test_an_order_that_meets_its_own_does_as_it_was_asked(
    rig: Any, smp: str, maker: str, taker: str, filled: str
) -> None:
    assert meet(rig, smp) == (maker, taker, D(filled))


def test_only_the_accounts_own_orders_are_prevented(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.book(500_000, 500_100)
    rig.limit(-1, "0.010", "50005.0", "u2", link_id="other")
    rig.limit(1, "0.010", "50010.0", time_in_force="FOK", smp="CancelBoth")
    assert rig.order("other", "u2").status == "Filled"


@pytest.mark.parametrize(
    ("slippage", "filled"),
    [
        (ask.Slippage("TickSize", D(9)), "1.000"),  # the next level is ten ticks on
        (ask.Slippage("TickSize", D(10)), "2.000"),
        (ask.Slippage("Percent", D("0.01")), "3.000"),  # of 50,001.0: 50 ticks
        (None, "3.000"),
    ],
)
def test_a_market_order_goes_as_far_as_it_may(rigs: Any, slippage: ask.Slippage | None, filled: str) -> None:
    rig = rigs("1000000")
    assert rig.market(1, "3.000", link_id="a", slippage=slippage) == 0
    assert rig.order("a").filled == D(filled)


@pytest.mark.parametrize(
    "slippage",
    ["TickSize 0", "TickSize 1.5", "TickSize 10001", "Percent 0.001", "Percent 11", "Other 1"],
)
def test_slippage_has_its_ranges(rig: Any, slippage: str) -> None:
    kind, amount = slippage.split()
    asked = ask.Slippage(kind, D(amount))
    assert rig.market(1, "0.001", slippage=asked) == 10001
    assert rig.limit(1, "0.001", "50000.0", slippage=ask.Slippage("TickSize", D(5))) == 10001
    assert rig.limit(1, "0.001", "50000.0", smp="CancelAll") == 10001


def test_a_resting_order_that_its_own_accounts_fill_ends_is_not_filled(rigs: Any) -> None:
    """Bought far above the mark, the account cannot carry its resting sell any more: it ends while it is being met."""
    rig = rigs("157", bid=500_000, ask_=510_000)
    rig.do(ask.SetMarginMode(True))
    rig.mark(440_000)
    assert rig.limit(-1, "0.020", "50500.0", link_id="maker") == 0
    assert rig.market(1, "0.010", link_id="taker") == 0
    maker, taker = rig.order("maker"), rig.order("taker")
    assert (maker.status, maker.filled, maker.reject_reason) == ("Cancelled", 0, "EC_Others")
    assert (taker.status, taker.filled_value) == ("Filled", D("505.0000"))
    assert rig.size() == D("0.010")
