"""What fills do to other orders: reduce-only orders are cut to the position, attached TP/SL meet the position they open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def test_a_resting_reduce_only_order_is_cut_when_the_position_shrinks(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50100.0", reduce_only=True, link_id="out")
    desk.market(-1, "0.004")
    assert desk.order("out").qty == D("0.006")
    desk.trade(501_500, 100)  # through it
    assert desk.size() == 0
    assert desk.order("out").status == "Filled"


def test_of_several_reduce_only_orders_the_worst_priced_are_trimmed_first(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.005", "50200.0", reduce_only=True, link_id="far")
    desk.limit(-1, "0.005", "50100.0", reduce_only=True, link_id="near")
    desk.market(-1, "0.003")
    assert (desk.order("near").qty, desk.order("far").qty) == (D("0.005"), D("0.002"))
    desk.market(-1, "0.003")
    assert (desk.order("far").status, desk.order("far").cancel_type) == ("Cancelled", "CancelByReduceOnly")
    assert desk.order("near").qty == D("0.004")


def test_a_new_reduce_only_order_takes_only_what_others_leave_of_the_position(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.007", "50100.0", reduce_only=True, link_id="near")
    desk.limit(-1, "0.010", "50200.0", reduce_only=True, link_id="far")
    assert (desk.order("near").qty, desk.order("far").qty) == (D("0.007"), D("0.003"))


def test_a_flip_ends_the_reduce_only_orders_of_the_old_side(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50100.0", reduce_only=True, link_id="out")
    desk.market(-1, "0.015")
    assert desk.order("out").status == "Cancelled"
    assert desk.order("out").cancel_type == "CancelByReduceOnly"
    assert desk.size() == D("-0.005")


def test_a_triggered_reduce_only_limit_order_goes_with_the_position(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(
        -1,
        "0.010",
        "50100.0",
        reduce_only=True,
        link_id="out",
        trigger_price=D("50010.0"),
        trigger_direction=1,
    )
    desk.trade(500_100)
    assert desk.order("out").status == "New"
    desk.market(-1, "0.010", reduce_only=True)
    assert desk.order("out").cancel_type == "CancelByReduceOnly"


def test_attached_stops_come_with_the_fill_that_opens_also_where_it_is_not_the_first(desks: Any) -> None:
    desk = desks("10000")
    desk.market(1, "1.000")  # takes the ask at 50,001.0
    desk.market(
        -1, "1.500", stop_loss=D("50100.0"), take_profit=D("49000.0")
    )  # 1.000 closes, then 0.500 opens
    assert desk.size() == D("-0.500")
    assert (desk.position().stop_loss, desk.position().take_profit) == (D("50100.0"), D("49000.0"))


def test_attached_stops_come_where_one_fill_closes_and_opens(desk: Any) -> None:
    desk.market(1, "0.010", stop_loss=D("49000.0"), take_profit=D("51000.0"))
    desk.market(-1, "0.030", stop_loss=D("50100.0"))
    assert desk.size() == D("-0.020")
    assert (desk.position().stop_loss, desk.position().take_profit) == (D("50100.0"), None)
    (child,) = desk.x.open_orders("u")
    assert (child.side, child.qty, child.trigger_direction) == (1, D("0.020"), 1)


def test_attached_stops_are_set_once_and_stay_as_their_owner_moved_them(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.0", stop_loss=D("49000.0"))
    desk.trade(500_000, 1004, -1)
    assert desk.size() == D("0.004")
    assert desk.stop(stop_loss=D("49500.0")) == 0
    desk.trade(500_000, 100, -1)
    assert desk.size() == D("0.010")
    assert desk.position().stop_loss == D("49500.0")


def test_an_order_on_the_other_side_holds_margin_for_the_part_that_opens(desk: Any) -> None:
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50100.0")
    assert desk.x.wallet_message("u", desk.now).order_margin == 0
    desk.limit(
        -1, "0.010", "50100.0"
    )  # the first closes, this one opens: 501 / 10 + fees of 501 and of 551.1
    fees = D("0.00055") * (501 + D("551.1"))
    assert desk.x.wallet_message("u", desk.now).order_margin == D("50.1") + fees


def test_an_order_that_becomes_an_opening_one_without_margin_is_cancelled(desks: Any) -> None:
    desk = desks("60")
    desk.market(1, "0.010")  # holds 50.2 of 59.7: 9.5 are left
    desk.limit(-1, "0.010", "50100.0", link_id="out")  # closes: holds nothing
    desk.market(-1, "0.005")  # half of it would open now: 25.3 of about 34
    assert desk.order("out").status == "New"
    desk.limit(1, "0.001", "49900.0", link_id="in")  # 5 more
    desk.market(-1, "0.005")  # the whole of it would open
    assert desk.order("out").margin == D("501") * (D("0.1") + D("0.00055") * D("2.1"))
    assert desk.order("in").status == "New"
    desk.market(-1, "0.001", link_id="more")  # does not fit beside the other two
    assert desk.last.code == 110007


def test_the_newest_orders_go_when_the_balance_does_not_carry_them(desks: Any) -> None:
    desk = desks("60")
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50500.0", link_id="out")
    desk.book(499_000, 499_010)
    desk.market(-1, "0.010")  # 1 lost and half a unit of fees: about 58 are left for 51
    desk.limit(-1, "0.001", "50400.0", link_id="in")
    assert [desk.order(link).status for link in ("out", "in")] == ["New", "New"]
    desk.limit(1, "0.010", "49000.0", link_id="too-much")
    assert desk.last.code == 110007


def test_what_a_closed_position_leaves_uncovered_is_cancelled(desks: Any) -> None:
    desk = desks("60")
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50500.0", link_id="out")
    desk.book(492_000, 492_010)
    desk.market(-1, "0.010")  # 8 lost: 51.2 are left, "out" would hold 51.08
    assert desk.order("out").status == "New"
    desk = desks("60")
    desk.market(1, "0.010")
    desk.limit(-1, "0.010", "50500.0", link_id="out")
    desk.book(491_000, 491_010)
    desk.market(-1, "0.010")  # 9 lost
    assert (desk.order("out").status, desk.order("out").reject_reason) == ("Cancelled", "EC_Others")
