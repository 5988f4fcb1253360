"""Whoever takes after a print takes from the book of after the print: stops, market and IOC orders, queues of resting orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.events import FINE, GAP, LEVEL, MARK, ROW, SECOND, TRADE, WHOLE, Rows

D = Decimal
MS = 1_000_000
FALLEN = (498_990, 499_000)  # the book after the move


def row(desk: Any, ms: int, kind: int, price: int = 0, lots: int = 5, side: int = -1) -> Rows:
    """One row, `ms` after the desk's last."""
    return np.array([(desk.now + ms * MS, lots, price, kind | WHOLE, side, 0)], ROW)


def long(desk: Any, **more: Any) -> Any:
    """A long of 0.010 with a stop at 49,950, its fills so far forgotten."""
    assert desk.market(1, "0.010", stop_loss=D("49950.0"), **more) == 0
    return desk


def follow(desk: Any, bid: int = FALLEN[0], ask: int = FALLEN[1], lots: int = 1000, ms: int = 20) -> None:
    """The book, `ms` after the desk's last row."""
    desk.now += ms * MS - SECOND
    desk.book(bid, ask, lots)


def wait(desk: Any, ms: int) -> None:
    """Time passes without a row."""
    desk.now += ms * MS
    desk.x.advance(0, np.zeros(0, ROW), 0, desk.now)


@pytest.mark.parametrize("apart", [0, 20])
def test_a_stop_fills_from_the_book_that_follows_its_print(desk: Any, apart: int) -> None:
    long(desk)
    desk.feed(row(desk, 1000, TRADE, 499_000))
    assert desk.size() == D("0.010")  # the book of before the move is not traded with
    follow(desk, ms=apart)
    fill = desk.fills()[-1]
    assert (fill.stop_type, fill.price, desk.size()) == ("StopLoss", D("49899.0"), 0)


def test_a_stop_fills_at_once_where_the_book_moved_with_its_print(desk: Any) -> None:
    long(desk)
    desk.book(*FALLEN)
    desk.feed(row(desk, 0, TRADE, 499_000))
    assert desk.fills()[-1].price == D("49899.0")


def test_a_short_is_stopped_at_the_ask_that_follows(desk: Any) -> None:
    desk.market(-1, "0.010", stop_loss=D("50050.0"))
    desk.feed(row(desk, 1000, TRADE, 501_000, side=1))
    follow(desk, 501_000, 501_010)
    assert desk.fills()[-1].price == D("50101.0")


def test_a_stop_by_mark_fills_from_the_book_that_follows_the_mark(desk: Any) -> None:
    desk.mark(500_005)
    long(desk, sl_trigger_by="MarkPrice")
    desk.feed(row(desk, 1000, MARK, 499_000, 499_000 * FINE, 0))
    assert desk.size() == D("0.010")
    follow(desk)
    assert desk.fills()[-1].price == D("49899.0")


def test_without_a_frame_a_stop_fills_after_a_second_at_no_better_than_the_print(desk: Any) -> None:
    long(desk)
    desk.feed(row(desk, 1000, TRADE, 499_000))
    wait(desk, 900)
    assert desk.size() == D("0.010")
    wait(desk, 200)
    assert (desk.size(), desk.fills()[-1].price) == (0, D("49900.0"))


def test_a_stop_whose_book_is_void_waits_for_one(desk: Any) -> None:
    long(desk)
    desk.feed(row(desk, 1000, GAP), row(desk, 1001, TRADE, 499_000))
    wait(desk, 60_000)
    assert desk.size() == D("0.010")
    desk.book(*FALLEN)
    assert (desk.size(), desk.fills()[-1].price) == (0, D("49899.0"))


def test_a_triggered_stop_is_neither_changed_nor_cancelled(desk: Any) -> None:
    long(desk)
    child = desk.position_stop("StopLoss")
    desk.feed(row(desk, 1000, TRADE, 499_000))
    assert child.status == "Triggered"
    assert desk.cancel(child) == 110001
    assert desk.stop(stop_loss=D("48000.0")) == 34040
    assert desk.stop(stop_loss=D(0)) == 34040
    follow(desk)
    assert (child.status, desk.size()) == ("Filled", 0)


def test_a_triggered_stop_goes_with_its_position(desk: Any) -> None:
    long(desk)
    child = desk.position_stop("StopLoss")
    desk.feed(row(desk, 1000, TRADE, 499_000))
    assert desk.market(-1, "0.010", reduce_only=True) == 0
    follow(desk)
    assert (child.status, child.filled, desk.size()) == ("Cancelled", 0, 0)


def test_stops_of_one_print_fill_in_the_order_of_their_triggers(desk: Any) -> None:
    for n, stop in enumerate(("49950.0", "49960.0")):
        more = {"trigger_price": D(stop), "trigger_direction": 2}
        assert desk.market(-1, "0.010", link_id=f"s{n}", **more) == 0
    desk.feed(row(desk, 1000, TRADE, 499_000))
    follow(desk, lots=10)
    assert [desk.order(f"s{n}").filled_value / D("0.010") for n in (0, 1)] == [D("49899.0"), D("49898.0")]


@pytest.mark.parametrize(("side", "printed", "price"), [(-1, 499_000, "49900.0"), (1, 501_000, "50100.0")])
def test_a_market_order_gets_no_better_than_a_print_newer_than_the_book(
    desk: Any, side: int, printed: int, price: str
) -> None:
    desk.feed(row(desk, 1000, TRADE, printed, side=side))
    desk.market(side, "0.010")
    assert desk.fills()[-1].price == D(price)


def test_an_ioc_order_does_not_take_what_a_newer_print_took(desk: Any) -> None:
    desk.feed(row(desk, 1000, TRADE, 500_100, side=1))
    assert desk.limit(1, "0.010", "50005.0", time_in_force="IOC", link_id="a") == 0
    assert (desk.order("a").status, desk.order("a").filled) == ("Cancelled", 0)


def test_a_print_on_the_good_side_makes_no_price_better(desk: Any) -> None:
    desk.feed(row(desk, 1000, TRADE, 500_009, side=1))
    desk.market(1, "0.010")
    assert desk.fills()[-1].price == D("50001.0")


def test_the_book_after_a_print_is_believed_again(desk: Any) -> None:
    desk.feed(row(desk, 1000, TRADE, 499_000))
    desk.book(500_000, 500_010)
    desk.market(-1, "0.010")
    assert desk.fills()[-1].price == D("50000.0")


def test_a_resting_buy_is_not_filled_by_takers_that_buy_at_its_price(desk: Any) -> None:
    desk.limit(1, "0.010", "50000.5", link_id="a")
    desk.trade(500_005, 100, 1)
    assert desk.order("a").filled == 0
    desk.trade(500_005, 100, -1)
    assert desk.order("a").filled == D("0.010")


def test_a_resting_buy_is_filled_at_its_price_when_the_market_falls_through_it(desk: Any) -> None:
    desk.limit(1, "0.010", "49990.0", link_id="a")
    desk.book(*FALLEN)
    assert (desk.order("a").filled, desk.fills()[-1].price) == (D("0.010"), D("49990.0"))


def test_a_level_far_from_a_print_says_nothing_of_the_price(desk: Any) -> None:
    """A stop waits for a frame, whatever it changes."""
    long(desk)
    desk.feed(row(desk, 1000, TRADE, 499_000), row(desk, 1020, LEVEL, 400_000, 1, 1))
    assert desk.fills()[-1].stop_type == "StopLoss"
