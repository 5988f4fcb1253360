"""Whoever takes after a print takes from the book of after the print: stops, market and IOC orders, queues of resting orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import FINE, GAP, LEVEL, MARK, ROW, SECOND, TRADE, WHOLE, Rows

D = Decimal
MS = 1_000_000
FALLEN = (498_990, 499_000)  # the book after the move


def row(rig: Any, ms: int, kind: int, price: int = 0, lots: int = 5, side: int = -1) -> Rows:
    """One row, `ms` after the rig's last."""
    return np.array([(rig.now + ms * MS, lots, price, kind | WHOLE, side, 0)], ROW)


def long(rig: Any, **more: Any) -> Any:
    """A long of 0.010 with a stop at 49,950, its fills so far forgotten."""
    assert rig.market(1, "0.010", stop_loss=D("49950.0"), **more) == 0
    return rig


def follow(rig: Any, bid: int = FALLEN[0], ask: int = FALLEN[1], lots: int = 1000, ms: int = 20) -> None:
    """The book, `ms` after the rig's last row."""
    rig.now += ms * MS - SECOND
    rig.book(bid, ask, lots)


def wait(rig: Any, ms: int) -> None:
    """Time passes without a row."""
    rig.now += ms * MS
    rig.x.advance(0, np.zeros(0, ROW), 0, rig.now)


@pytest.mark.parametrize("apart", [0, 20])
def test_a_stop_fills_from_the_book_that_follows_its_print(rig: Any, apart: int) -> None:
    long(rig)
    rig.feed(row(rig, 1000, TRADE, 499_000))
    assert rig.size() == D("0.010")  # the book of before the move is not traded with
    follow(rig, ms=apart)
    fill = rig.fills()[-1]
    assert (fill.stop_type, fill.price, rig.size()) == ("StopLoss", D("49899.0"), 0)


def test_a_stop_fills_at_once_where_the_book_moved_with_its_print(rig: Any) -> None:
    long(rig)
    rig.book(*FALLEN)
    rig.feed(row(rig, 0, TRADE, 499_000))
    assert rig.fills()[-1].price == D("49899.0")


def test_a_short_is_stopped_at_the_ask_that_follows(rig: Any) -> None:
    rig.market(-1, "0.010", stop_loss=D("50050.0"))
    rig.feed(row(rig, 1000, TRADE, 501_000, side=1))
    follow(rig, 501_000, 501_010)
    assert rig.fills()[-1].price == D("50101.0")


def test_a_stop_by_mark_fills_from_the_book_that_follows_the_mark(rig: Any) -> None:
    rig.mark(500_005)
    long(rig, sl_trigger_by="MarkPrice")
    rig.feed(row(rig, 1000, MARK, 499_000, 499_000 * FINE, 0))
    assert rig.size() == D("0.010")
    follow(rig)
    assert rig.fills()[-1].price == D("49899.0")


def test_without_a_frame_a_stop_fills_after_a_second_at_no_better_than_the_print(rig: Any) -> None:
    long(rig)
    rig.feed(row(rig, 1000, TRADE, 499_000))
    wait(rig, 900)
    assert rig.size() == D("0.010")
    wait(rig, 200)
    assert (rig.size(), rig.fills()[-1].price) == (0, D("49900.0"))


def test_a_stop_whose_book_is_void_waits_for_one(rig: Any) -> None:
    long(rig)
    rig.feed(row(rig, 1000, GAP), row(rig, 1001, TRADE, 499_000))
    wait(rig, 60_000)
    assert rig.size() == D("0.010")
    rig.book(*FALLEN)
    assert (rig.size(), rig.fills()[-1].price) == (0, D("49899.0"))


def test_a_triggered_stop_is_neither_changed_nor_cancelled(rig: Any) -> None:
    long(rig)
    child = rig.position_stop("StopLoss")
    rig.feed(row(rig, 1000, TRADE, 499_000))
    assert child.status == "Triggered"
    assert rig.cancel(child) == 110001
    assert rig.stop(stop_loss=D("48000.0")) == 34040
    assert rig.stop(stop_loss=D(0)) == 34040
    follow(rig)
    assert (child.status, rig.size()) == ("Filled", 0)


def test_a_triggered_stop_goes_with_its_position(rig: Any) -> None:
    long(rig)
    child = rig.position_stop("StopLoss")
    rig.feed(row(rig, 1000, TRADE, 499_000))
    assert rig.market(-1, "0.010", reduce_only=True) == 0
    follow(rig)
    assert (child.status, child.filled, rig.size()) == ("Cancelled", 0, 0)


def test_stops_of_one_print_fill_in_the_order_of_their_triggers(rig: Any) -> None:
    for n, stop in enumerate(("49950.0", "49960.0")):
        more = {"trigger_price": D(stop), "trigger_direction": 2}
        assert rig.market(-1, "0.010", link_id=f"s{n}", **more) == 0
    rig.feed(row(rig, 1000, TRADE, 499_000))
    follow(rig, lots=10)
    assert [rig.order(f"s{n}").filled_value / D("0.010") for n in (0, 1)] == [D("49899.0"), D("49898.0")]


@pytest.mark.parametrize(("side", "printed", "price"), [(-1, 499_000, "49900.0"), (1, 501_000, "50100.0")])
def test_a_market_order_gets_no_better_than_a_print_newer_than_the_book(
    rig: Any, side: int, printed: int, price: str
) -> None:
    rig.feed(row(rig, 1000, TRADE, printed, side=side))
    rig.market(side, "0.010")
    assert rig.fills()[-1].price == D(price)


def test_an_ioc_order_does_not_take_what_a_newer_print_took(rig: Any) -> None:
    rig.feed(row(rig, 1000, TRADE, 500_100, side=1))
    assert rig.limit(1, "0.010", "50005.0", time_in_force="IOC", link_id="a") == 0
    assert (rig.order("a").status, rig.order("a").filled) == ("Cancelled", 0)


def test_a_print_on_the_good_side_makes_no_price_better(rig: Any) -> None:
    rig.feed(row(rig, 1000, TRADE, 500_009, side=1))
    rig.market(1, "0.010")
    assert rig.fills()[-1].price == D("50001.0")


def test_the_book_after_a_print_is_believed_again(rig: Any) -> None:
    rig.feed(row(rig, 1000, TRADE, 499_000))
    rig.book(500_000, 500_010)
    rig.market(-1, "0.010")
    assert rig.fills()[-1].price == D("50000.0")


def test_a_resting_buy_is_not_filled_by_takers_that_buy_at_its_price(rig: Any) -> None:
    rig.limit(1, "0.010", "50000.5", link_id="a")
    rig.trade(500_005, 100, 1)
    assert rig.order("a").filled == 0
    rig.trade(500_005, 100, -1)
    assert rig.order("a").filled == D("0.010")


def test_a_resting_buy_is_filled_at_its_price_when_the_market_falls_through_it(rig: Any) -> None:
    rig.limit(1, "0.010", "49990.0", link_id="a")
    rig.book(*FALLEN)
    assert (rig.order("a").filled, rig.fills()[-1].price) == (D("0.010"), D("49990.0"))


def test_a_level_far_from_a_print_says_nothing_of_the_price(rig: Any) -> None:
    """A stop waits for a frame, whatever it changes."""
    long(rig)
    rig.feed(row(rig, 1000, TRADE, 499_000), row(rig, 1020, LEVEL, 400_000, 1, 1))
    assert rig.fills()[-1].stop_type == "StopLoss"
