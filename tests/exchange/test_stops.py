"""The trading-stop request and what follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.market.rows import KIND_MASK, LEVEL, ROW, SECOND, TRADE, WHOLE, Rows

D = Decimal
T0 = 1_767_600_000 * SECOND


def test_another_trigger_price_type_is_a_change(rig: Any) -> None:
    rig.mark(500_000)
    rig.market(1, "0.010", stop_loss=D("49000.0"))
    assert rig.stop(stop_loss=D("49000.0")) == 34040
    assert rig.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 0
    assert rig.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 34040
    rig.trade(489_000)
    assert rig.size() == D("0.010")  # the last price does not fire it any more
    rig.mark(489_000)
    assert rig.size() == 0


def test_removing_what_is_not_there_is_no_change(rig: Any) -> None:
    rig.market(1, "0.010", stop_loss=D("49000.0"))
    assert rig.stop(take_profit=D(0), sl_trigger_by="MarkPrice") == 34040
    assert rig.stop(stop_loss=D(0)) == 0
    assert rig.stop(stop_loss=D(0), sl_trigger_by="MarkPrice") == 34040


def prints(*ticks: int) -> Rows:
    """Prints a second apart, each with a book frame that changes nothing, all in one array."""
    times = range(T0 + 100 * SECOND, T0 + 1000 * SECOND, SECOND)
    rows = (
        row
        for ts, price in zip(times, ticks, strict=False)
        for row in ((ts, 5, price, TRADE | WHOLE, 1, 0), (ts, 0, 1, LEVEL | WHOLE, 1, 0))
    )
    return np.array(list(rows), ROW)


def held(rig: Any, side: int = 1) -> Any:
    """A position of 0.010 and the rig it is on."""
    rig.market(side, "0.010")
    return rig


@pytest.mark.parametrize("side", [1, -1])
def test_a_trailing_stop_follows_the_best_last_price_and_fires_at_its_distance(rig: Any, side: int) -> None:
    held(rig, side)
    assert rig.stop(trailing_stop=D("10.0")) == 0
    child = rig.position_stop("TrailingStop")
    assert (child.stop_type, child.link_id, child.trigger_price) == ("TrailingStop", "", D("50000.5"))
    assert rig.position().trailing_stop == D(10)
    rig.trade(500_005 + side * 200)
    rig.trade(500_005 + side * 101)  # 9.9 back
    assert rig.size() == side * D("0.010")
    rig.x.drain()
    rig.trade(500_005 + side * 100)
    assert rig.size() == 0
    assert (child.status, child.filled, child.order_type) == ("Filled", D("0.010"), "Market")
    fill = rig.fills()[-1]
    assert (fill.stop_type, fill.create_type, fill.link_id) == ("TrailingStop", "CreateByTrailingStop", "")
    assert rig.position().trailing_stop is None


def test_a_trailing_stop_sleeps_until_its_activation_price(rig: Any) -> None:
    held(rig)
    assert rig.stop(trailing_stop=D("10.0"), active_price=D("50020.0")) == 0
    rig.trade(499_000)
    assert rig.size() == D("0.010")
    rig.trade(500_300)  # reached, and beyond: it trails from here
    rig.trade(500_201)
    assert rig.size() == D("0.010")
    rig.trade(500_200)
    assert rig.size() == 0


def test_a_trailing_stop_is_refused_changed_and_removed(rig: Any) -> None:
    assert rig.stop(trailing_stop=D(10)) == 10001  # no position
    held(rig)
    for wrong in ({"trailing_stop": D("0.05")}, {"trailing_stop": D(60_000)}, {"trailing_stop": D(-1)}):
        assert rig.stop(**wrong) == 10001
    assert rig.stop(trailing_stop=D(10), active_price=D("49990.0")) == 10001
    assert rig.stop(trailing_stop=D(0)) == 34040
    assert rig.stop(active_price=D("50100.0")) == 34040
    assert rig.stop(trailing_stop=D(10)) == 0
    child = rig.position_stop("TrailingStop")
    assert rig.stop(trailing_stop=D(10)) == 34040
    rig.trade(500_500)
    assert rig.stop(trailing_stop=D(20)) == 0  # restarts at the last price
    assert rig.position_stop("TrailingStop") is child
    rig.trade(500_301)
    assert rig.size() == D("0.010")
    assert rig.stop(active_price=D("50200.0")) == 0
    rig.trade(490_000)
    assert rig.size() == D("0.010")
    assert rig.stop(trailing_stop=D(0)) == 0
    assert (child.status, rig.position().trailing_stop) == ("Deactivated", None)


def test_a_trailing_stop_follows_the_size_and_goes_with_the_position(rig: Any) -> None:
    held(rig)
    rig.stop(trailing_stop=D(10))
    child = rig.position_stop("TrailingStop")
    rig.market(1, "0.005")
    assert child.qty == D("0.015")
    rig.market(-1, "0.015")
    assert (child.status, child.cancel_type) == ("Deactivated", "CancelByTpSlTsClear")


@given(
    walk=st.lists(st.integers(-40, 40), min_size=1, max_size=40),
    cuts=st.sets(st.integers(0, 40)),
    side=st.sampled_from([1, -1]),
    active=st.integers(0, 60),
)
def test_a_trailing_stop_does_not_see_how_rows_are_split(
    rigs: Any, walk: list[int], cuts: set[int], side: int, active: int
) -> None:
    whole, split = held(rigs(), side), held(rigs(), side)
    for rig in (whole, split):
        more = {"active_price": D(500_005 + side * active) / 10} if active else {}
        assert rig.stop(trailing_stop=D("3.0"), **more) == 0
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
