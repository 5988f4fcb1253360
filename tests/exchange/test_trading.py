"""Requests on orders: what an amendment does to an order, its queue and its margin; what outlives a position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.messages import PositionMessage
from turbo_trader.market.reference import universe

D = Decimal
BTC = universe()[0]


def test_a_post_only_order_amended_into_the_book_does_not_take(desk: Any) -> None:
    desk.limit(1, "0.010", "49990.0", link_id="in", time_in_force="PostOnly")
    assert desk.amend("in", price="50001.0") == 0
    assert (desk.order("in").status, desk.order("in").filled) == ("Cancelled", 0)
    assert desk.order("in").reject_reason == "EC_PostOnlyWillTakeLiquidity"


def test_another_order_amended_into_the_book_takes(desk: Any) -> None:
    desk.limit(1, "0.010", "49990.0", link_id="in")
    assert desk.amend("in", price="50001.0") == 0
    assert desk.order("in").status == "Filled"
    assert not desk.fills()[0].is_maker


@pytest.mark.parametrize(
    ("change", "kept"),
    [
        ({"qty": "0.005"}, True),
        ({"qty": "0.020"}, False),
        ({"price": "49999.0"}, False),
        ({"price": "50000.0", "qty": "0.009"}, True),
    ],
)
def test_a_smaller_quantity_keeps_the_queue_anything_else_loses_it(
    desk: Any, change: dict[str, str], kept: bool
) -> None:
    desk.limit(1, "0.010", "50000.0", link_id="in")
    desk.trade(500_000, 900, -1)
    assert desk.order("in").place.ahead == 100
    assert desk.amend("in", **change) == 0
    assert desk.order("in").place.ahead == (100 if kept else 1000)


def test_an_order_that_lost_its_queue_stands_behind_the_accounts_other_orders(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.5", link_id="a")
    desk.limit(1, "0.010", "50000.5", link_id="b")
    desk.amend("a", qty="0.011")
    desk.trade(500_005, 10, -1)
    assert (desk.order("a").filled, desk.order("b").filled) == (0, D("0.010"))


def test_an_amended_quantity_must_exceed_what_is_filled(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.0", link_id="in")
    desk.trade(500_000, 1004, -1)
    assert desk.order("in").filled == D("0.004")
    assert desk.amend("in", qty="0.004") == 110064
    assert desk.amend("in", qty="0.003") == 110064
    assert desk.amend("in", qty="0.005") == 0


def test_a_reduce_only_order_is_not_amended_beyond_the_position(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.005", "50100.0", link_id="out", reduce_only=True)
    assert desk.amend("out", qty="0.011") == 110017
    assert desk.amend("out", qty="0.010") == 0
    assert desk.order("out").qty == D("0.010")


def test_an_amendment_needs_the_margin_of_what_it_adds(desk: Any) -> None:
    desk.limit(1, "0.010", "49990.0", link_id="in")
    assert desk.amend("in", qty="0.500") == 110007
    assert desk.amend("in", qty="0.100") == 0
    assert desk.order("in").qty == D("0.100")


def test_quantity_0_of_a_closing_order_is_all_of_the_position(desk: Any) -> None:
    desk.market(1, "0.020")
    assert desk.market(-1, "0", reduce_only=True) == 10001
    assert desk.market(-1, "0", close_on_trigger=True) == 10001
    closing = {"reduce_only": True, "close_on_trigger": True}
    assert (
        desk.market(-1, "0", trigger_price=D("49000"), trigger_direction=2, link_id="later", **closing) == 0
    )
    assert desk.order("later").qty == BTC.max_market_qty
    assert desk.market(-1, "0", link_id="now", **closing) == 0
    assert (desk.order("now").qty, desk.size()) == (D("0.020"), 0)
    assert desk.market(-1, "0", **closing) == 110017


def test_no_closing_order_is_larger_than_an_order_may_be(desks: Any) -> None:
    small = replace(BTC, max_market_qty=D("0.015"))
    desk = desks("10000", of=(small,))
    desk.market(1, "0.010")
    desk.market(1, "0.010")
    assert desk.market(-1, "0", reduce_only=True, close_on_trigger=True) == 0
    assert desk.size() == D("0.005")


def test_a_trigger_is_not_amended_beyond_the_last_price(desk: Any) -> None:
    desk.market(1, "0.010", link_id="in", trigger_price=D("50100.0"), trigger_direction=1)
    assert desk.amend("in", trigger_price="49000.0") == 110092
    assert desk.amend("in", trigger_price="50200.0") == 0
    desk.trade(501_500)
    waiting = desk.order("in")
    assert (waiting.status, waiting.stop_type, waiting.create_type) == (
        "Untriggered",
        "Stop",
        "CreateByStopOrder",
    )
    desk.trade(502_000)
    assert desk.order("in").status == "Filled"


def test_the_users_conditional_reduce_only_order_outlives_its_position_and_then_finds_nothing(
    desk: Any,
) -> None:
    # so at the venue: only TP, SL and trailing stops are tied to the position
    desk.market(1, "0.010")
    desk.market(
        -1, "0.010", link_id="stop", reduce_only=True, trigger_price=D("49900.0"), trigger_direction=2
    )
    desk.market(-1, "0.010", reduce_only=True)
    assert desk.order("stop").status == "Untriggered"
    desk.trade(498_000)
    assert (desk.order("stop").status, desk.order("stop").cancel_type) == ("Cancelled", "CancelByReduceOnly")
    assert desk.size() == 0


def test_cancel_all_keeps_to_its_filter(desk: Any) -> None:
    def begin() -> None:
        desk.market(1, "0.010", stop_loss=D("49000.0"))
        desk.limit(1, "0.010", "49990.0")
        desk.market(-1, "0.010", trigger_price=D("49500.0"), trigger_direction=2)

    def left() -> list[str]:
        return sorted(order.stop_type for order in desk.x.open_orders("u"))

    begin()
    desk.do(ask.CancelAll("BTCUSDT", "StopOrder", "Stop"))  # spares TP/SL
    assert left() == ["", "StopLoss"]
    desk.do(ask.CancelAll("BTCUSDT", "Order"))
    assert left() == ["StopLoss"]
    begin()
    desk.do(ask.CancelAll("BTCUSDT", "OpenOrder"))  # all but TP/SL
    assert left() == ["StopLoss"]
    begin()
    desk.do(ask.CancelAll("BTCUSDT", "StopOrder"))
    assert left() == [""]
    assert desk.position().stop_loss is None
    desk.limit(-1, "0.010", "50100.0", trigger_price=D("50050.0"), trigger_direction=1)
    desk.trade(500_500)  # in the book from now on
    desk.do(ask.CancelAll("BTCUSDT", "StopOrder"))
    assert left() == ["", "Stop"]
    desk.do(ask.CancelAll("BTCUSDT"))
    assert left() == []


def positions_told(desk: Any) -> list[tuple[str, int, Decimal]]:
    return [(m.symbol, m.position_idx, m.size) for _, m in desk.x.drain() if isinstance(m, PositionMessage)]


def test_each_action_on_an_order_tells_its_position_once_changed_or_not(desk: Any) -> None:
    flat, held = [("BTCUSDT", 0, D(0))], [("BTCUSDT", 0, D("0.010"))]
    desk.x.drain()
    desk.limit(1, "0.010", "49990.0", link_id="in")
    assert positions_told(desk) == flat
    desk.amend("in", qty="0.020")
    assert positions_told(desk) == flat
    desk.cancel(desk.order("in"))
    assert positions_told(desk) == flat
    desk.market(1, "0.010")
    assert positions_told(desk) == held
    desk.limit(-1, "0.010", "50100.0")
    desk.limit(-1, "0.010", "50110.0")
    assert positions_told(desk) == held * 2
    desk.do(ask.CancelAll("BTCUSDT"))
    assert positions_told(desk) == held
    assert desk.do(ask.CancelAll("BTCUSDT")) == 0
    assert desk.market(1, "0.0001") == 10001
    assert positions_told(desk) == []


def test_an_order_tells_its_bound_what_it_saw_and_what_it_closed(desk: Any) -> None:
    desk.market(1, "0.100")  # at 50,001.0 for 0.00055
    desk.market(-1, "0.100", link_id="out")  # at 50,000.0
    told = desk.order("out").message(desk.now)
    assert (told.last_price, told.leaves) == (D("50000.5"), 0)
    assert told.price == D("48700.0")  # 2.6 % below the bid
    assert told.closed_pnl == D("-0.1") - D("0.1") * D("50001.0") * D("0.00055") - D("0.1") * 50_000 * D(
        "0.00055"
    )
    assert desk.fills()[-1].order_price == D("48700.0")


@pytest.mark.parametrize(
    ("side", "book_side", "level", "price"),
    [(1, "Queue", 1, "50000.0"), (1, "Queue", 3, "49998.0"), (1, "Counterparty", 2, "50002.0"), (-1, "Queue", 2, "50002.0"),
     (-1, "Counterparty", 1, "50000.0")],
)  # fmt: skip
def test_the_venue_takes_a_price_from_its_book(
    desk: Any, side: int, book_side: str, level: int, price: str
) -> None:
    wanted = ask.BookPrice(book_side, level)
    order = ask.CreateOrder("BTCUSDT", side, "Limit", D("0.001"), link_id="a", book_price=wanted)
    assert desk.do(order) == 0
    assert desk.order("a").price == D(price)


def test_there_is_no_price_where_the_book_is_not_so_deep(desk: Any) -> None:
    wanted = ask.BookPrice("Queue", 4)
    assert desk.do(ask.CreateOrder("BTCUSDT", 1, "Limit", D("0.001"), book_price=wanted)) == 10001


def test_a_closing_order_above_the_largest_quantity_becomes_several(desks: Any) -> None:
    small = replace(BTC, max_qty=D("0.020"), max_market_qty=D("0.010"))
    desk = desks("10000", of=(small,))
    assert [desk.market(1, "0.010") for _ in range(5)] == [0] * 5
    assert desk.market(1, "0.020") == 10001
    assert desk.limit(-1, "0.045", "50100.0", link_id="part", reduce_only=True) == 0
    resting = desk.x.open_orders("u")
    assert [(o.qty, o.link_id) for o in resting] == [(D("0.020"), "part"), (D("0.020"), ""), (D("0.005"), "")]
    assert desk.last.result["orderId"] == resting[0].order_id
    assert desk.market(-1, "9.000", reduce_only=True) == 0  # cut to the position, then split
    assert desk.size() == 0
    assert [fill.qty for fill in desk.fills()[5:]] == [D("0.010")] * 5
    assert desk.market(-1, "0.030", reduce_only=True, trigger_price=D(49_000), trigger_direction=2) == 10001
