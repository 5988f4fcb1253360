"""Resting orders: one print is shared out in price-time order; queues move by prints and by cancels in proportion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def filled(desk: Any, *links: str) -> list[Decimal]:
    return [desk.order(link).filled for link in links]


def desk_place(desk: Any) -> Any:
    """The place of a bid that joined 1,000 lots."""
    desk.limit(1, "0.010", "50000.0", link_id="a")
    return desk.order("a").place


def test_a_print_through_two_orders_is_shared_best_price_first(desk: Any) -> None:
    desk.limit(1, "0.010", "49999.0", link_id="low")
    desk.limit(1, "0.010", "49999.5", link_id="high")
    desk.trade(499_980, 15, -1)
    assert filled(desk, "high", "low") == [D("0.010"), D("0.005")]


def test_at_one_price_the_older_order_fills_first(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.5", link_id="a")
    desk.limit(1, "0.010", "50000.5", link_id="b")
    desk.trade(500_005, 4, -1)
    assert filled(desk, "a", "b") == [D("0.004"), 0]
    desk.trade(500_005, 10, -1)
    assert filled(desk, "a", "b") == [D("0.010"), D("0.004")]


def test_a_print_is_shared_among_accounts_too(desks: Any) -> None:
    desk = desks("1000", "1000")
    desk.limit(1, "0.010", "50000.5", uid="u2", link_id="a")
    desk.limit(1, "0.010", "50000.5", link_id="b")
    desk.trade(500_005, 15, -1)
    assert (desk.size("u2"), desk.size()) == (D("0.010"), D("0.005"))


def test_two_orders_behind_one_queue_wait_for_it_once(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.0", link_id="a")  # both behind the tape's 1,000 lots
    desk.limit(1, "0.010", "50000.0", link_id="b")
    desk.trade(500_000, 1015, -1)
    assert filled(desk, "a", "b") == [D("0.010"), D("0.005")]


def test_a_book_that_comes_to_an_order_fills_what_it_offers(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.5", link_id="a")
    desk.limit(1, "0.010", "50000.0", link_id="b")
    desk.book(499_950, 499_990, 5)  # asks of 5 lots at 49,999.0, 50,000.0 and 50,001.0
    assert filled(desk, "a", "b") == [D("0.010"), 0]
    assert int(desk.x.states["ask"][0]) == 500_010


def test_lots_that_come_later_queue_behind_and_cancels_move_the_queue_in_proportion(desk: Any) -> None:
    place = desk_place(desk)  # 1,000 ahead
    desk.level(1, 500_000, 2000)  # 1,000 more behind
    desk.trade(500_000, 1, -1)
    assert place.ahead == 999
    desk.level(1, 500_000, 1999)  # the book after the print
    desk.level(1, 500_000, 999)  # 1,000 cancel
    desk.trade(500_000, 1, -1)  # 998 ahead; 999 lots are gone that this print does not explain
    desk.trade(
        500_000, 1, -1
    )  # no print explained them for a second: 998 x 999 / 1,998 = 499 of them were ahead
    assert place.ahead == 499 - 1
    desk.trade(500_000, 498, -1)
    assert desk.order("a").filled == 0
    desk.trade(500_000, 10, -1)
    assert desk.order("a").filled == D("0.010")


def test_the_queue_is_not_longer_than_the_level_for_long(desk: Any) -> None:
    place = desk_place(desk)
    desk.level(1, 500_000, 3)
    desk.trade(500_000, 1, -1)
    desk.trade(500_000, 1, -1)
    assert place.ahead <= 3


def test_a_print_and_its_book_change_count_once_whichever_comes_first(desks: Any) -> None:
    for book_first in (True, False):
        desk = desks()
        desk.limit(1, "0.010", "50000.0", link_id="a")
        if book_first:
            desk.level(1, 500_000, 600)
            desk.trade(500_000, 400, -1)
        else:
            desk.trade(500_000, 400, -1)
            desk.level(1, 500_000, 600)
        desk.trade(500_000, 1, -1)
        desk.level(1, 500_000, 599)
        desk.trade(500_000, 598, -1)
        assert desk.order("a").filled == 0
        desk.trade(500_000, 20, -1)
        assert desk.order("a").filled == D("0.010")
