"""Resting orders: one print is shared out in price-time order; queues move by prints and by cancels in proportion."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def filled(rig: Any, *links: str) -> list[Decimal]:
    return [rig.order(link).filled for link in links]


def rig_place(rig: Any) -> Any:
    """The place of a bid that joined 1,000 lots."""
    rig.limit(1, "0.010", "50000.0", link_id="a")
    return rig.order("a").place


def test_a_print_through_two_orders_is_shared_best_price_first(rig: Any) -> None:
    rig.limit(1, "0.010", "49999.0", link_id="low")
    rig.limit(1, "0.010", "49999.5", link_id="high")
    rig.trade(499_980, 15, -1)
    assert filled(rig, "high", "low") == [D("0.010"), D("0.005")]


def test_at_one_price_the_older_order_fills_first(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.5", link_id="a")
    rig.limit(1, "0.010", "50000.5", link_id="b")
    rig.trade(500_005, 4, -1)
    assert filled(rig, "a", "b") == [D("0.004"), 0]
    rig.trade(500_005, 10, -1)
    assert filled(rig, "a", "b") == [D("0.010"), D("0.004")]


def test_a_print_is_shared_among_accounts_too(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.limit(1, "0.010", "50000.5", uid="u2", link_id="a")
    rig.limit(1, "0.010", "50000.5", link_id="b")
    rig.trade(500_005, 15, -1)
    assert (rig.size("u2"), rig.size()) == (D("0.010"), D("0.005"))


def test_two_orders_behind_one_queue_wait_for_it_once(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.0", link_id="a")  # both behind the tape's 1,000 lots
    rig.limit(1, "0.010", "50000.0", link_id="b")
    rig.trade(500_000, 1015, -1)
    assert filled(rig, "a", "b") == [D("0.010"), D("0.005")]


def test_a_book_that_comes_to_an_order_fills_what_it_offers(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.5", link_id="a")
    rig.limit(1, "0.010", "50000.0", link_id="b")
    rig.book(499_950, 499_990, 5)  # asks of 5 lots at 49,999.0, 50,000.0 and 50,001.0
    assert filled(rig, "a", "b") == [D("0.010"), 0]
    assert int(rig.x.states["ask"][0]) == 500_010


def test_lots_that_come_later_queue_behind_and_cancels_move_the_queue_in_proportion(rig: Any) -> None:
    place = rig_place(rig)  # 1,000 ahead
    rig.level(1, 500_000, 2000)  # 1,000 more behind
    rig.trade(500_000, 1, -1)
    assert place.ahead == 999
    rig.level(1, 500_000, 1999)  # the book after the print
    rig.level(1, 500_000, 999)  # 1,000 cancel
    rig.trade(500_000, 1, -1)  # 998 ahead; 999 lots are gone that this print does not explain
    rig.trade(
        500_000, 1, -1
    )  # no print explained them for a second: 998 x 999 / 1,998 = 499 of them were ahead
    assert place.ahead == 499 - 1
    rig.trade(500_000, 498, -1)
    assert rig.order("a").filled == 0
    rig.trade(500_000, 10, -1)
    assert rig.order("a").filled == D("0.010")


def test_the_queue_is_not_longer_than_the_level_for_long(rig: Any) -> None:
    place = rig_place(rig)
    rig.level(1, 500_000, 3)
    rig.trade(500_000, 1, -1)
    rig.trade(500_000, 1, -1)
    assert place.ahead <= 3


def test_a_print_and_its_book_change_count_once_whichever_comes_first(rigs: Any) -> None:
    for book_first in (True, False):
        rig = rigs()
        rig.limit(1, "0.010", "50000.0", link_id="a")
        if book_first:
            rig.level(1, 500_000, 600)
            rig.trade(500_000, 400, -1)
        else:
            rig.trade(500_000, 400, -1)
            rig.level(1, 500_000, 600)
        rig.trade(500_000, 1, -1)
        rig.level(1, 500_000, 599)
        rig.trade(500_000, 598, -1)
        assert rig.order("a").filled == 0
        rig.trade(500_000, 20, -1)
        assert rig.order("a").filled == D("0.010")
