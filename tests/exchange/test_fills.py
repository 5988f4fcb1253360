"""What fills do to other orders: reduce-only orders are cut to the position, attached TP/SL meet the position they open."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def test_a_resting_reduce_only_order_is_cut_when_the_position_shrinks(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50100.0", reduce_only=True, link_id="out")
    rig.market(-1, "0.004")
    assert rig.order("out").qty == D("0.006")
    rig.trade(501_500, 100)  # through it
    assert rig.size() == 0
    assert rig.order("out").status == "Filled"


def test_of_several_reduce_only_orders_the_worst_priced_are_trimmed_first(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.005", "50200.0", reduce_only=True, link_id="far")
    rig.limit(-1, "0.005", "50100.0", reduce_only=True, link_id="near")
    rig.market(-1, "0.003")
    assert (rig.order("near").qty, rig.order("far").qty) == (D("0.005"), D("0.002"))
    rig.market(-1, "0.003")
    assert (rig.order("far").status, rig.order("far").cancel_type) == ("Cancelled", "CancelByReduceOnly")
    assert rig.order("near").qty == D("0.004")


def test_a_new_reduce_only_order_takes_only_what_others_leave_of_the_position(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.007", "50100.0", reduce_only=True, link_id="near")
    rig.limit(-1, "0.010", "50200.0", reduce_only=True, link_id="far")
    assert (rig.order("near").qty, rig.order("far").qty) == (D("0.007"), D("0.003"))


def test_a_flip_ends_the_reduce_only_orders_of_the_old_side(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50100.0", reduce_only=True, link_id="out")
    rig.market(-1, "0.015")
    assert rig.order("out").status == "Cancelled"
    assert rig.order("out").cancel_type == "CancelByReduceOnly"
    assert rig.size() == D("-0.005")


def test_a_triggered_reduce_only_limit_order_goes_with_the_position(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(
        -1,
        "0.010",
        "50100.0",
        reduce_only=True,
        link_id="out",
        trigger_price=D("50010.0"),
        trigger_direction=1,
    )
    rig.trade(500_100)
    assert rig.order("out").status == "New"
    rig.market(-1, "0.010", reduce_only=True)
    assert rig.order("out").cancel_type == "CancelByReduceOnly"


def test_attached_stops_come_with_the_fill_that_opens_also_where_it_is_not_the_first(rigs: Any) -> None:
    rig = rigs("10000")
    rig.market(1, "1.000")  # takes the ask at 50,001.0
    rig.market(
        -1, "1.500", stop_loss=D("50100.0"), take_profit=D("49000.0")
    )  # 1.000 closes, then 0.500 opens
    assert rig.size() == D("-0.500")
    assert (rig.position().stop_loss, rig.position().take_profit) == (D("50100.0"), D("49000.0"))


def test_attached_stops_come_where_one_fill_closes_and_opens(rig: Any) -> None:
    rig.market(1, "0.010", stop_loss=D("49000.0"), take_profit=D("51000.0"))
    rig.market(-1, "0.030", stop_loss=D("50100.0"))
    assert rig.size() == D("-0.020")
    assert (rig.position().stop_loss, rig.position().take_profit) == (D("50100.0"), None)
    (child,) = rig.x.open_orders("u")
    assert (child.side, child.qty, child.trigger_direction) == (1, D("0.020"), 1)


def test_attached_stops_are_set_once_and_stay_as_their_owner_moved_them(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", stop_loss=D("49000.0"))
    rig.trade(500_000, 1004, -1)
    assert rig.size() == D("0.004")
    assert rig.stop(stop_loss=D("49500.0")) == 0
    rig.trade(500_000, 100, -1)
    assert rig.size() == D("0.010")
    assert rig.position().stop_loss == D("49500.0")


def test_an_order_on_the_other_side_holds_margin_for_the_part_that_opens(rig: Any) -> None:
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50100.0")
    assert rig.x.wallet_message("u", rig.now).order_margin == 0
    rig.limit(-1, "0.010", "50100.0")  # the first closes, this one opens: 501 / 10 + fees of 501 and of 551.1
    fees = D("0.00055") * (501 + D("551.1"))
    assert rig.x.wallet_message("u", rig.now).order_margin == D("50.1") + fees


def test_an_order_that_becomes_an_opening_one_without_margin_is_cancelled(rigs: Any) -> None:
    rig = rigs("60")
    rig.market(1, "0.010")  # holds 50.2 of 59.7: 9.5 are left
    rig.limit(-1, "0.010", "50100.0", link_id="out")  # closes: holds nothing
    rig.market(-1, "0.005")  # half of it would open now: 25.3 of about 34
    assert rig.order("out").status == "New"
    rig.limit(1, "0.001", "49900.0", link_id="in")  # 5 more
    rig.market(-1, "0.005")  # the whole of it would open
    assert rig.order("out").margin == D("501") * (D("0.1") + D("0.00055") * D("2.1"))
    assert rig.order("in").status == "New"
    rig.market(-1, "0.001", link_id="more")  # does not fit beside the other two
    assert rig.last.code == 110007


def test_the_newest_orders_go_when_the_balance_does_not_carry_them(rigs: Any) -> None:
    rig = rigs("60")
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50500.0", link_id="out")
    rig.book(499_000, 499_010)
    rig.market(-1, "0.010")  # 1 lost and half a unit of fees: about 58 are left for 51
    rig.limit(-1, "0.001", "50400.0", link_id="in")
    assert [rig.order(link).status for link in ("out", "in")] == ["New", "New"]
    rig.limit(1, "0.010", "49000.0", link_id="too-much")
    assert rig.last.code == 110007


def test_what_a_closed_position_leaves_uncovered_is_cancelled(rigs: Any) -> None:
    rig = rigs("60")
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50500.0", link_id="out")
    rig.book(492_000, 492_010)
    rig.market(-1, "0.010")  # 8 lost: 51.2 are left, "out" would hold 51.08
    assert rig.order("out").status == "New"
    rig = rigs("60")
    rig.market(1, "0.010")
    rig.limit(-1, "0.010", "50500.0", link_id="out")
    rig.book(491_000, 491_010)
    rig.market(-1, "0.010")  # 9 lost
    assert (rig.order("out").status, rig.order("out").reject_reason) == ("Cancelled", "EC_Others")
