"""Partial TP/SL: pairs over parts of a position, beside the Full stops of the whole."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal
PAIR = {"take_profit": D("50100.0"), "stop_loss": D("49900.0"), "tpsl_mode": "Partial"}


def parts(rig: Any) -> list[Any]:
    """The Partial children, oldest first."""
    return [order for order in rig.x.accounts["u"].orders.values() if order.stop_type.startswith("Partial")]


def with_pair(rig: Any, size: str = "0.004", **more: Any) -> list[Any]:
    """A long of 0.010 and one pair over a part of it."""
    rig.market(1, "0.010")
    assert rig.stop(**{**PAIR, "tp_size": D(size), "sl_size": D(size), **more}) == 0
    return parts(rig)


def test_a_pair_closes_its_part_and_the_other_of_it_ends(rig: Any) -> None:
    profit, loss = with_pair(rig)
    assert (profit.stop_type, loss.stop_type) == ("PartialTakeProfit", "PartialStopLoss")
    assert (profit.link_id, profit.qty, profit.message(0).tpsl_mode) == ("", D("0.004"), "Partial")
    position = rig.position()
    assert (position.take_profit, position.stop_loss) == (None, None)  # it shows the Full pair only
    rig.book(500_990, 501_010)
    rig.trade(501_000)
    assert rig.size() == D("0.006")
    assert (profit.status, loss.status) == ("Filled", "Deactivated")
    assert loss.cancel_type == "CancelByOCOSlCanceledByTpTriggered"
    assert rig.fills()[-1].create_type == "CreateByPartialTakeProfit"


def test_a_limit_take_profit_rests_at_its_price_and_is_trimmed_with_the_position(rig: Any) -> None:
    profit, _ = with_pair(rig, tp_limit=D("50200.0"))
    assert (profit.order_type, profit.price) == ("Limit", D("50200.0"))
    rig.trade(501_000)
    assert (profit.status, profit.time_in_force, rig.size()) == ("New", "GTC", D("0.010"))
    rig.market(-1, "0.008")
    assert profit.leaves == D("0.002")
    rig.book(501_990, 502_010)
    rig.trade(502_100)
    assert (profit.filled, rig.size()) == (D("0.002"), 0)
    assert rig.fills()[-1].is_maker


def test_parts_are_cut_to_the_position_and_end_with_it(rig: Any) -> None:
    children = with_pair(rig, "0.009")
    rig.market(-1, "0.004")
    assert [child.qty for child in children] == [D("0.006")] * 2
    rig.market(1, "0.004")
    assert [child.qty for child in children] == [D("0.006")] * 2
    rig.market(-1, "0.010")
    assert {(child.status, child.cancel_type) for child in children} == {
        ("Deactivated", "CancelByTpSlTsClear")
    }


def test_partial_and_full_stand_together(rig: Any) -> None:
    with_pair(rig)
    assert rig.stop(stop_loss=D("49800.0"), take_profit=D("50300.0")) == 0
    full = rig.position_stop("StopLoss")
    rig.book(498_990, 499_010)
    rig.trade(499_000)  # the part's stop
    assert (rig.size(), full.qty, rig.position().stop_loss) == (D("0.006"), D("0.006"), D("49800.0"))
    rig.book(497_990, 498_010)
    rig.trade(498_000)
    assert rig.size() == 0
    assert not rig.x.open_orders("u")


def test_pairs_are_added_up_to_twenty_and_refused_where_they_cannot_stand(rig: Any) -> None:
    rig.market(1, "0.030")
    sizes = {"tp_size": D("0.001"), "sl_size": D("0.001")}
    assert rig.stop(**{**PAIR, **sizes, "stop_loss": D("50050.0")}) == 10001  # beyond the price
    for _ in range(20):
        assert rig.stop(**PAIR, **sizes) == 0
    assert rig.stop(**PAIR, **sizes) == 110061
    assert rig.market(1, "0.001", **PAIR) == 110061
    assert rig.stop(**PAIR, tp_size=D("0.031"), sl_size=D("0.031")) == 110058
    assert rig.stop(**PAIR, tp_size=D("0.001"), sl_size=D("0.002")) == 10001
    assert rig.stop(**PAIR) == 10001  # no size
    assert rig.stop(tpsl_mode="Partial", take_profit=D(0)) == 34040
    assert len(parts(rig)) == 40


def test_a_partial_order_makes_children_of_what_fills(rig: Any) -> None:
    assert rig.limit(1, "0.010", "50000.5", link_id="a", **PAIR, sl_limit=D("49890.0")) == 0
    assert (parts(rig), rig.order("a").message(0).tpsl_mode) == ([], "Partial")
    rig.trade(500_005, 4, -1)
    profit, loss = parts(rig)
    assert (profit.qty, loss.qty, loss.price) == (D("0.004"), D("0.004"), D("49890.0"))
    assert (profit.parent_link_id, profit.link_id) == ("a", "")
    rig.trade(500_005, 6, -1)
    assert (profit.qty, loss.qty, len(parts(rig))) == (D("0.010"), D("0.010"), 2)


def test_what_fills_after_the_pair_fired_has_a_pair_of_its_own(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.limit(1, "0.010", "50000.5", link_id="a", **PAIR)
    rig.trade(500_005, 4, -1)
    rig.limit(1, "0.004", "50000.9", uid="u2")  # who takes the profit's sale
    rig.trade(501_000)
    assert rig.size() == 0
    rig.trade(500_005, 6, -1)
    assert [child.qty for child in parts(rig)] == [D("0.004")] * 2 + [D("0.006")] * 2


def test_a_limit_exit_needs_the_partial_mode(rig: Any) -> None:
    assert rig.market(1, "0.010", stop_loss=D("49900.0"), sl_limit=D("49890.0")) == 110057
    assert rig.market(1, "0.010", stop_loss=D("49900.0"), tpsl_mode="Some") == 10001


def test_cancelling_one_of_a_pair_cancels_both_until_one_side_was_changed(rig: Any) -> None:
    rig.market(1, "0.010", stop_loss=D("49900.0"), take_profit=D("50100.0"))
    profit, loss = (rig.position_stop(kind) for kind in ("TakeProfit", "StopLoss"))
    assert rig.cancel(profit) == 0
    assert (profit.status, loss.status) == ("Deactivated", "Deactivated")
    assert (rig.position().take_profit, rig.position().stop_loss) == (None, None)
    rig.stop(stop_loss=D("49900.0"), take_profit=D("50100.0"))
    rig.stop(stop_loss=D("49800.0"))
    profit, loss = (rig.position_stop(kind) for kind in ("TakeProfit", "StopLoss"))
    assert rig.cancel(profit) == 0
    assert (rig.position().take_profit, rig.position().stop_loss) == (None, D("49800.0"))
