"""The trading-stop request and what follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.market.events import KIND_MASK, LEVEL, ROW, SECOND, TRADE, WHOLE, Rows

D = Decimal
T0 = 1_767_600_000 * SECOND


def test_another_trigger_price_type_is_a_change(desk: Any) -> None:
    desk.mark(500_000)
    desk.market(1, "0.010", stop_loss=D("49000.0"))
    assert desk.stop(stop_loss=D("49000.0")) == 34040
    assert desk.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 0
    assert desk.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 34040
    desk.trade(489_000)
    assert desk.size() == D("0.010")  # the last price does not fire it any more
    desk.mark(489_000)
    assert desk.size() == 0


def test_removing_what_is_not_there_is_no_change(desk: Any) -> None:
    desk.market(1, "0.010", stop_loss=D("49000.0"))
    assert desk.stop(take_profit=D(0), sl_trigger_by="MarkPrice") == 34040
    assert desk.stop(stop_loss=D(0)) == 0
    assert desk.stop(stop_loss=D(0), sl_trigger_by="MarkPrice") == 34040


def prints(*ticks: int) -> Rows:
    """Prints a second apart, each with a book frame that changes nothing, all in one array."""
    times = range(T0 + 100 * SECOND, T0 + 1000 * SECOND, SECOND)
    rows = (
        row
        for ts, price in zip(times, ticks, strict=False)
        for row in ((ts, 5, price, TRADE | WHOLE, 1, 0), (ts, 0, 1, LEVEL | WHOLE, 1, 0))
    )
    return np.array(list(rows), ROW)


def held(desk: Any, side: int = 1) -> Any:
    """A position of 0.010 and the desk it is on."""
    desk.market(side, "0.010")
    return desk


@pytest.mark.parametrize("side", [1, -1])
def test_a_trailing_stop_follows_the_best_last_price_and_fires_at_its_distance(desk: Any, side: int) -> None:
    held(desk, side)
    assert desk.stop(trailing_stop=D("10.0")) == 0
    child = desk.position_stop("TrailingStop")
    assert (child.stop_type, child.link_id, child.trigger_price) == ("TrailingStop", "", D("50000.5"))
    assert desk.position().trailing_stop == D(10)
    desk.trade(500_005 + side * 200)
    desk.trade(500_005 + side * 101)  # 9.9 back
    assert desk.size() == side * D("0.010")
    desk.x.drain()
    desk.trade(500_005 + side * 100)
    assert desk.size() == 0
    assert (child.status, child.filled, child.order_type) == ("Filled", D("0.010"), "Market")
    fill = desk.fills()[-1]
    assert (fill.stop_type, fill.create_type, fill.link_id) == ("TrailingStop", "CreateByTrailingStop", "")
    assert desk.position().trailing_stop is None


def test_a_trailing_stop_sleeps_until_its_activation_price(desk: Any) -> None:
    held(desk)
    assert desk.stop(trailing_stop=D("10.0"), active_price=D("50020.0")) == 0
    desk.trade(499_000)
    assert desk.size() == D("0.010")
    desk.trade(500_300)  # reached, and beyond: it trails from here
    desk.trade(500_201)
    assert desk.size() == D("0.010")
    desk.trade(500_200)
    assert desk.size() == 0


def test_a_trailing_stop_is_refused_changed_and_removed(desk: Any) -> None:
    assert desk.stop(trailing_stop=D(10)) == 10001  # no position
    held(desk)
    for wrong in ({"trailing_stop": D("0.05")}, {"trailing_stop": D(60_000)}, {"trailing_stop": D(-1)}):
        assert desk.stop(**wrong) == 10001
    assert desk.stop(trailing_stop=D(10), active_price=D("49990.0")) == 10001
    assert desk.stop(trailing_stop=D(0)) == 34040
    assert desk.stop(active_price=D("50100.0")) == 34040
    assert desk.stop(trailing_stop=D(10)) == 0
    child = desk.position_stop("TrailingStop")
    assert desk.stop(trailing_stop=D(10)) == 34040
    desk.trade(500_500)
    assert desk.stop(trailing_stop=D(20)) == 0  # begins anew at the last price
    assert desk.position_stop("TrailingStop") is child
    desk.trade(500_301)
    assert desk.size() == D("0.010")
    assert desk.stop(active_price=D("50200.0")) == 0
    desk.trade(490_000)
    assert desk.size() == D("0.010")
    assert desk.stop(trailing_stop=D(0)) == 0
    assert (child.status, desk.position().trailing_stop) == ("Deactivated", None)


def test_a_trailing_stop_follows_the_size_and_goes_with_the_position(desk: Any) -> None:
    held(desk)
    desk.stop(trailing_stop=D(10))
    child = desk.position_stop("TrailingStop")
    desk.market(1, "0.005")
    assert child.qty == D("0.015")
    desk.market(-1, "0.015")
    assert (child.status, child.cancel_type) == ("Deactivated", "CancelByTpSlTsClear")


@given(
    walk=st.lists(st.integers(-40, 40), min_size=1, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    side=st.sampled_from([1, -1]),
    active=st.integers(0, 60),
)
def test_a_trailing_stop_does_not_see_how_rows_are_split(
    desks: Any, walk: list[int], cuts: set[int], side: int, active: int
) -> None:
    whole, split = held(desks(), side), held(desks(), side)
    for desk in (whole, split):
        more = {"active_price": D(500_005 + side * active) / 10} if active else {}
        assert desk.stop(trailing_stop=D("3.0"), **more) == 0
    rows = prints(*(500_005 + sum(walk[: n + 1]) for n in range(len(walk))))
    whole.feed(rows)
    for part in np.split(rows, sorted(cut for cut in cuts if cut < len(rows))):
        if len(part):
            split.feed(part)
    assert whole.fills() == split.fills()
    assert whole.order_states() == split.order_states()
    best, fired = None if active else 500_005, False  # the rule, said once more
    for row in rows[(rows["kind"] & KIND_MASK) == TRADE]:
        last = int(row["price"])
        if best is None and side * last >= side * (500_005 + side * active):
            best = last
        elif best is not None:
            best = max(best, last) if side > 0 else min(best, last)
            fired = fired or side * (best - last) >= 30
    assert (whole.size() == 0) == fired
