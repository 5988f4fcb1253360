"""Partial TP/SL: pairs over parts of a position, beside the Full stops of the whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal
PAIR = {"take_profit": D("50100.0"), "stop_loss": D("49900.0"), "tpsl_mode": "Partial"}


def parts(desk: Any) -> list[Any]:
    """The Partial children, oldest first."""
    return [order for order in desk.x.accounts["u"].orders.values() if order.stop_type.startswith("Partial")]


def with_pair(desk: Any, size: str = "0.004", **more: Any) -> list[Any]:
    """A long of 0.010 and one pair over a part of it."""
    desk.market(1, "0.010")
    assert desk.stop(**{**PAIR, "tp_size": D(size), "sl_size": D(size), **more}) == 0
    return parts(desk)


def test_a_pair_closes_its_part_and_the_other_of_it_ends(desk: Any) -> None:
    profit, loss = with_pair(desk)
    assert (profit.stop_type, loss.stop_type) == ("PartialTakeProfit", "PartialStopLoss")
    assert (profit.link_id, profit.qty, profit.message(0).tpsl_mode) == ("", D("0.004"), "Partial")
    position = desk.position()
    assert (position.take_profit, position.stop_loss) == (None, None)  # it shows the Full pair only
    desk.book(500_990, 501_010)
    desk.trade(501_000)
    assert desk.size() == D("0.006")
    assert (profit.status, loss.status) == ("Filled", "Deactivated")
    assert loss.cancel_type == "CancelByOCOSlCanceledByTpTriggered"
    assert desk.fills()[-1].create_type == "CreateByPartialTakeProfit"


def test_a_limit_take_profit_rests_at_its_price_and_is_trimmed_with_the_position(desk: Any) -> None:
    profit, _ = with_pair(desk, tp_limit=D("50200.0"))
    assert (profit.order_type, profit.price) == ("Limit", D("50200.0"))
    desk.trade(501_000)
    assert (profit.status, profit.time_in_force, desk.size()) == ("New", "GTC", D("0.010"))
    desk.market(-1, "0.008")
    assert profit.leaves == D("0.002")
    desk.book(501_990, 502_010)
    desk.trade(502_100)
    assert (profit.filled, desk.size()) == (D("0.002"), 0)
    assert desk.fills()[-1].is_maker


def test_parts_are_cut_to_the_position_and_end_with_it(desk: Any) -> None:
    children = with_pair(desk, "0.009")
    desk.market(-1, "0.004")
    assert [child.qty for child in children] == [D("0.006")] * 2
    desk.market(1, "0.004")
    assert [child.qty for child in children] == [D("0.006")] * 2
    desk.market(-1, "0.010")
    assert {(child.status, child.cancel_type) for child in children} == {
        ("Deactivated", "CancelByTpSlTsClear")
    }


def test_partial_and_full_stand_together(desk: Any) -> None:
    with_pair(desk)
    assert desk.stop(stop_loss=D("49800.0"), take_profit=D("50300.0")) == 0
    full = desk.position_stop("StopLoss")
    desk.book(498_990, 499_010)
    desk.trade(499_000)  # the part's stop
    assert (desk.size(), full.qty, desk.position().stop_loss) == (D("0.006"), D("0.006"), D("49800.0"))
    desk.book(497_990, 498_010)
    desk.trade(498_000)
    assert desk.size() == 0
    assert not desk.x.open_orders("u")


def test_pairs_are_added_up_to_twenty_and_refused_where_they_cannot_stand(desk: Any) -> None:
    desk.market(1, "0.030")
    sizes = {"tp_size": D("0.001"), "sl_size": D("0.001")}
    assert desk.stop(**{**PAIR, **sizes, "stop_loss": D("50050.0")}) == 10001  # beyond the price
    for _ in range(20):
        assert desk.stop(**PAIR, **sizes) == 0
    assert desk.stop(**PAIR, **sizes) == 110061
    assert desk.market(1, "0.001", **PAIR) == 110061
    assert desk.stop(**PAIR, tp_size=D("0.031"), sl_size=D("0.031")) == 110058
    assert desk.stop(**PAIR, tp_size=D("0.001"), sl_size=D("0.002")) == 10001
    assert desk.stop(**PAIR) == 10001  # no size
    assert desk.stop(tpsl_mode="Partial", take_profit=D(0)) == 34040
    assert len(parts(desk)) == 40


def test_a_partial_order_makes_children_of_what_fills(desk: Any) -> None:
    assert desk.limit(1, "0.010", "50000.5", link_id="a", **PAIR, sl_limit=D("49890.0")) == 0
    assert (parts(desk), desk.order("a").message(0).tpsl_mode) == ([], "Partial")
    desk.trade(500_005, 4, -1)
    profit, loss = parts(desk)
    assert (profit.qty, loss.qty, loss.price) == (D("0.004"), D("0.004"), D("49890.0"))
    assert (profit.parent_link_id, profit.link_id) == ("a", "")
    desk.trade(500_005, 6, -1)
    assert (profit.qty, loss.qty, len(parts(desk))) == (D("0.010"), D("0.010"), 2)


def test_what_fills_after_the_pair_fired_has_a_pair_of_its_own(desks: Any) -> None:
    desk = desks("1000", "1000")
    desk.limit(1, "0.010", "50000.5", link_id="a", **PAIR)
    desk.trade(500_005, 4, -1)
    desk.limit(1, "0.004", "50000.9", uid="u2")  # who takes the profit's sale
    desk.trade(501_000)
    assert desk.size() == 0
    desk.trade(500_005, 6, -1)
    assert [child.qty for child in parts(desk)] == [D("0.004")] * 2 + [D("0.006")] * 2


def test_a_limit_exit_needs_the_partial_mode(desk: Any) -> None:
    assert desk.market(1, "0.010", stop_loss=D("49900.0"), sl_limit=D("49890.0")) == 110057
    assert desk.market(1, "0.010", stop_loss=D("49900.0"), tpsl_mode="Some") == 10001


def test_cancelling_one_of_a_pair_cancels_both_until_one_side_was_changed(desk: Any) -> None:
    desk.market(1, "0.010", stop_loss=D("49900.0"), take_profit=D("50100.0"))
    profit, loss = (desk.position_stop(kind) for kind in ("TakeProfit", "StopLoss"))
    assert desk.cancel(profit) == 0
    assert (profit.status, loss.status) == ("Deactivated", "Deactivated")
    assert (desk.position().take_profit, desk.position().stop_loss) == (None, None)
    desk.stop(stop_loss=D("49900.0"), take_profit=D("50100.0"))
    desk.stop(stop_loss=D("49800.0"))
    profit, loss = (desk.position_stop(kind) for kind in ("TakeProfit", "StopLoss"))
    assert desk.cancel(profit) == 0
    assert (desk.position().take_profit, desk.position().stop_loss) == (None, D("49800.0"))
