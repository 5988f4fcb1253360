"""Requests on orders: what an amendment does to an order, its queue and its margin; what outlives a position."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.messages import PositionMessage
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe

D = Decimal
BTC = universe()[0]


def test_a_post_only_order_amended_into_the_book_does_not_take(rig: Any) -> None:
    rig.limit(1, "0.010", "49990.0", link_id="in", time_in_force="PostOnly")
    assert rig.amend("in", price="50001.0") == 0
    assert (rig.order("in").status, rig.order("in").filled) == ("Cancelled", 0)
    assert rig.order("in").reject_reason == "EC_PostOnlyWillTakeLiquidity"


def test_another_order_amended_into_the_book_takes(rig: Any) -> None:
    rig.limit(1, "0.010", "49990.0", link_id="in")
    assert rig.amend("in", price="50001.0") == 0
    assert rig.order("in").status == "Filled"
    assert not rig.fills()[0].is_maker


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
    rig: Any, change: dict[str, str], kept: bool
) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="in")
    rig.trade(500_000, 900, -1)
    assert rig.order("in").place.ahead == 100
    assert rig.amend("in", **change) == 0
    assert rig.order("in").place.ahead == (100 if kept else 1000)


def test_an_order_that_lost_its_queue_stands_behind_the_accounts_other_orders(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.5", link_id="a")
    rig.limit(1, "0.010", "50000.5", link_id="b")
    rig.amend("a", qty="0.011")
    rig.trade(500_005, 10, -1)
    assert (rig.order("a").filled, rig.order("b").filled) == (0, D("0.010"))


def test_an_amended_quantity_must_exceed_what_is_filled(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="in")
    rig.trade(500_000, 1004, -1)
    assert rig.order("in").filled == D("0.004")
    assert rig.amend("in", qty="0.004") == 110064
    assert rig.amend("in", qty="0.003") == 110064
    assert rig.amend("in", qty="0.005") == 0


def test_a_reduce_only_order_is_not_amended_beyond_the_position(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.005", "50100.0", link_id="out", reduce_only=True)
    assert rig.amend("out", qty="0.011") == 110017
    assert rig.amend("out", qty="0.010") == 0
    assert rig.order("out").qty == D("0.010")


def test_an_amendment_needs_the_margin_of_what_it_adds(rig: Any) -> None:
    rig.limit(1, "0.010", "49990.0", link_id="in")
    assert rig.amend("in", qty="0.500") == 110007
    assert rig.amend("in", qty="0.100") == 0
    assert rig.order("in").qty == D("0.100")


def test_quantity_0_of_a_closing_order_is_all_of_the_position(rig: Any) -> None:
    rig.market(1, "0.020")
    assert rig.market(-1, "0", reduce_only=True) == 10001
    assert rig.market(-1, "0", close_on_trigger=True) == 10001
    closing = {"reduce_only": True, "close_on_trigger": True}
    assert rig.market(-1, "0", trigger_price=D("49000"), trigger_direction=2, link_id="later", **closing) == 0
    assert rig.order("later").qty == BTC.max_market_qty
    assert rig.market(-1, "0", link_id="now", **closing) == 0
    assert (rig.order("now").qty, rig.size()) == (D("0.020"), 0)
    assert rig.market(-1, "0", **closing) == 110017


def test_no_closing_order_is_larger_than_an_order_may_be(rigs: Any) -> None:
    small = replace(BTC, max_market_qty=D("0.015"))
    rig = rigs("10000", of=(small,))
    rig.market(1, "0.010")
    rig.market(1, "0.010")
    assert rig.market(-1, "0", reduce_only=True, close_on_trigger=True) == 0
    assert rig.size() == D("0.005")


def test_a_trigger_is_not_amended_beyond_the_last_price(rig: Any) -> None:
    rig.market(1, "0.010", link_id="in", trigger_price=D("50100.0"), trigger_direction=1)
    assert rig.amend("in", trigger_price="49000.0") == 110092
    assert rig.amend("in", trigger_price="50200.0") == 0
    rig.trade(501_500)
    waiting = rig.order("in")
    assert (waiting.status, waiting.stop_type, waiting.create_type) == (
        "Untriggered",
        "Stop",
        "CreateByStopOrder",
    )
    rig.trade(502_000)
    assert rig.order("in").status == "Filled"


def test_a_conditional_reduce_only_order_outlives_its_position_and_finds_nothing(
    rig: Any,
) -> None:
    # so at the venue: only TP, SL and trailing stops are tied to the position
    rig.market(1, "0.010")
    rig.market(-1, "0.010", link_id="stop", reduce_only=True, trigger_price=D("49900.0"), trigger_direction=2)
    rig.market(-1, "0.010", reduce_only=True)
    assert rig.order("stop").status == "Untriggered"
    rig.trade(498_000)
    assert (rig.order("stop").status, rig.order("stop").cancel_type) == ("Cancelled", "CancelByReduceOnly")
    assert rig.size() == 0


def test_cancel_all_keeps_to_its_filter(rig: Any) -> None:
    def begin() -> None:
        rig.market(1, "0.010", stop_loss=D("49000.0"))
        rig.limit(1, "0.010", "49990.0")
        rig.market(-1, "0.010", trigger_price=D("49500.0"), trigger_direction=2)

    def left() -> list[str]:
        return sorted(order.stop_type for order in rig.x.open_orders("u"))

    begin()
    rig.do(ask.CancelAll("BTCUSDT", "StopOrder", "Stop"))  # spares TP/SL
    assert left() == ["", "StopLoss"]
    rig.do(ask.CancelAll("BTCUSDT", "Order"))
    assert left() == ["StopLoss"]
    begin()
    rig.do(ask.CancelAll("BTCUSDT", "OpenOrder"))  # all but TP/SL
    assert left() == ["StopLoss"]
    begin()
    rig.do(ask.CancelAll("BTCUSDT", "StopOrder"))
    assert left() == [""]
    assert rig.position().stop_loss is None
    rig.limit(-1, "0.010", "50100.0", trigger_price=D("50050.0"), trigger_direction=1)
    rig.trade(500_500)  # in the book from now on
    rig.do(ask.CancelAll("BTCUSDT", "StopOrder"))
    assert left() == ["", "Stop"]
    rig.do(ask.CancelAll("BTCUSDT"))
    assert left() == []


def positions_sent(rig: Any) -> list[tuple[str, int, Decimal]]:
    return [(m.symbol, m.position_idx, m.size) for _, m in rig.x.drain() if isinstance(m, PositionMessage)]


def test_each_action_on_an_order_reports_its_position_once_changed_or_not(rig: Any) -> None:
    flat, held = [("BTCUSDT", 0, D(0))], [("BTCUSDT", 0, D("0.010"))]
    rig.x.drain()
    rig.limit(1, "0.010", "49990.0", link_id="in")
    assert positions_sent(rig) == flat
    rig.amend("in", qty="0.020")
    assert positions_sent(rig) == flat
    rig.cancel(rig.order("in"))
    assert positions_sent(rig) == flat
    rig.market(1, "0.010")
    assert positions_sent(rig) == held
    rig.limit(-1, "0.010", "50100.0")
    rig.limit(-1, "0.010", "50110.0")
    assert positions_sent(rig) == held * 2
    rig.do(ask.CancelAll("BTCUSDT"))
    assert positions_sent(rig) == held
    assert rig.do(ask.CancelAll("BTCUSDT")) == 0
    assert rig.market(1, "0.0001") == 10001
    assert positions_sent(rig) == []


def test_an_order_reports_its_bound_what_it_saw_and_what_it_closed(rig: Any) -> None:
    rig.market(1, "0.100")  # at 50,001.0 for 0.00055
    rig.market(-1, "0.100", link_id="out")  # at 50,000.0
    reported = rig.order("out").message(rig.now)
    assert (reported.last_price, reported.leaves) == (D("50000.5"), 0)
    assert reported.price == D("48700.0")  # 2.6 % below the bid
    assert reported.closed_pnl == D("-0.1") - D("0.1") * D("50001.0") * D("0.00055") - D("0.1") * 50_000 * D(
        "0.00055"
    )
    assert rig.fills()[-1].order_price == D("48700.0")


@pytest.mark.parametrize(
    ("side", "book_side", "level", "price"),
    [(1, "Queue", 1, "50000.0"), (1, "Queue", 3, "49998.0"), (1, "Counterparty", 2, "50002.0"), (-1, "Queue", 2, "50002.0"),
     (-1, "Counterparty", 1, "50000.0")],
)  # fmt: skip
def test_the_venue_takes_a_price_from_its_book(
    rig: Any, side: int, book_side: str, level: int, price: str
) -> None:
    wanted = ask.BookPrice(book_side, level)
    order = ask.CreateOrder(
        symbol="BTCUSDT", side=Side(side), order_type="Limit", qty=D("0.001"), link_id="a", book_price=wanted
    )
    assert rig.do(order) == 0
    assert rig.order("a").price == D(price)


def test_there_is_no_price_where_the_book_is_not_so_deep(rig: Any) -> None:
    wanted = ask.BookPrice("Queue", 4)
    assert (
        rig.do(
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Limit", qty=D("0.001"), book_price=wanted
            )
        )
        == 10001
    )


def test_a_closing_order_above_the_largest_quantity_becomes_several(rigs: Any) -> None:
    small = replace(BTC, max_qty=D("0.020"), max_market_qty=D("0.010"))
    rig = rigs("10000", of=(small,))
    assert [rig.market(1, "0.010") for _ in range(5)] == [0] * 5
    assert rig.market(1, "0.020") == 10001
    assert rig.limit(-1, "0.045", "50100.0", link_id="part", reduce_only=True) == 0
    resting = rig.x.open_orders("u")
    assert [(o.qty, o.link_id) for o in resting] == [(D("0.020"), "part"), (D("0.020"), ""), (D("0.005"), "")]
    assert rig.last.result["orderId"] == resting[0].order_id
    assert rig.market(-1, "9.000", reduce_only=True) == 0  # cut to the position, then split
    assert rig.size() == 0
    assert [fill.qty for fill in rig.fills()[5:]] == [D("0.010")] * 5
    assert rig.market(-1, "0.030", reduce_only=True, trigger_price=D(49_000), trigger_direction=2) == 10001
