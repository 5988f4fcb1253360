"""Amendments: of the TP/SL an order carries, of triggers, of the children of positions."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask

D = Decimal


def test_the_exits_of_an_unfilled_order_are_changed_and_removed(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="a", stop_loss=D("49900.0"))
    assert rig.amend("a", stop_loss="49800.0", take_profit="50200.0") == 0
    order = rig.order("a")
    assert (order.stop_loss, order.take_profit) == (D("49800.0"), D("50200.0"))
    assert rig.amend("a", stop_loss="0") == 0
    assert (order.stop_loss, order.take_profit) == (None, D("50200.0"))
    rig.trade(499_990, 10, -1)
    assert (rig.position().stop_loss, rig.position().take_profit) == (None, D("50200.0"))


def test_an_amendment_keeps_the_place_in_the_queue_unless_the_price_moves(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="a")
    rig.trade(500_000, 400, -1)
    ahead = rig.order("a").place.ahead
    assert rig.amend("a", stop_loss="49800.0") == 0
    assert rig.order("a").place.ahead == ahead == 600


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"stop_loss": "50100.0"}, 10001),
        ({"take_profit": "49900.0"}, 10001),
        ({"stop_loss": "49900.05"}, 10001),
        ({"price": "-1"}, 10001),
        ({"price": "60000.0"}, 30208),
    ],
)
def test_wrong_amendments_are_refused_and_change_nothing(rig: Any, change: dict[str, str], code: int) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="a")
    rig.x.accounts["u"].moves_prices = False
    before = rig.order("a").message(0)
    assert rig.amend("a", **change) == code
    assert rig.order("a").message(0) == before


def test_exits_of_a_partly_filled_order_stay_as_they_are(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.5", link_id="a", stop_loss=D("49900.0"))
    rig.trade(500_005, 4, -1)
    assert rig.amend("a", stop_loss="49800.0") == 110059
    assert rig.amend("a", qty="0.004") == 110064


def test_a_conditional_order_gets_another_trigger(rig: Any) -> None:
    rig.mark(500_000)
    rig.market(1, "0.010", link_id="a", trigger_price=D("50100.0"), trigger_direction=1)
    assert rig.amend("a", trigger_price="49900.0") == 110092
    assert rig.amend("a", trigger_price="50200.0") == 0
    rig.trade(501_500)
    assert rig.size() == 0
    assert rig.change(rig.order("a"), trigger_by="MarkPrice") == 0
    rig.trade(502_000)
    assert rig.size() == 0  # the last price does not fire it any more
    rig.mark(502_000)
    assert rig.size() == D("0.010")


def test_a_stop_child_is_moved_and_the_position_shows_it(rig: Any) -> None:
    rig.market(1, "0.010", stop_loss=D("49900.0"))
    child = rig.position_stop("StopLoss")
    assert rig.change(child, trigger_price=D("50100.0")) == 10001
    assert rig.change(child, qty=D("0.005")) == 110060
    assert rig.change(child, stop_loss=D("49000.0")) == 110057
    assert rig.change(child, trigger_price=D("49950.0")) == 0
    assert rig.position().stop_loss == D("49950.0")
    rig.trade(499_500)
    assert rig.size() == 0


def test_a_partial_child_is_moved_and_resized_within_the_position(rig: Any) -> None:
    rig.market(1, "0.010")
    pair = {
        "tpsl_mode": "Partial",
        "take_profit": D("50100.0"),
        "tp_size": D("0.004"),
        "tp_limit": D("50090.0"),
    }
    assert rig.stop(**pair) == 0
    child = rig.x.open_orders("u")[0]
    assert rig.change(child, qty=D("0.011")) == 110058
    assert rig.change(child, qty=D("0.007"), trigger_price=D("50050.0"), price=D("50080.0")) == 0
    rig.trade(500_500)
    assert (child.status, child.leaves, child.price) == ("New", D("0.007"), D("50080.0"))


def test_a_trailing_stop_is_changed_through_trading_stop_only(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.stop(trailing_stop=D(10), active_price=D("50100.0"))
    child = rig.position_stop("TrailingStop")
    assert rig.change(child, trigger_price=D("50200.0")) == 10001
    assert rig.do(ask.CancelOrder("BTCUSDT", child.order_id)) == 0
    assert rig.position().trailing_stop is None
