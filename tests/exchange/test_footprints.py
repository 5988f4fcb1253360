"""How long what we took out of the book stays taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.machine import ExchangeConfig
from turbo_trader.market.events import FIRST, LAST, LEVEL, ROW, SECOND, SNAPSHOT, WHOLE, Rows


def asks(desk: Any) -> dict[int, int]:
    """The asks of the Exchange's book: lots by ticks."""
    state = desk.x.states[0]
    n = int(state["levels"][1])
    return {abs(int(state["key"][1, j])): int(state["lots"][1, j]) for j in range(n)}


def lasting(desks: Any, seconds: float | None) -> Any:
    ns = None if seconds is None else int(seconds * SECOND)
    return desks("100000", config=ExchangeConfig(footprint_ns=ns))


def wait(desk: Any, seconds: float) -> None:
    """Time goes on without a row."""
    desk.now += int(seconds * SECOND)
    desk.x.advance(0, np.zeros(0, ROW), 0, desk.now)


def test_by_default_a_fill_is_gone_when_the_tape_writes_the_level(desks: Any) -> None:
    desk = lasting(desks, None)
    desk.market(1, "0.300")
    wait(desk, 1000)
    assert asks(desk)[500_010] == 700
    desk.level(-1, 500_010, 1000)
    assert asks(desk)[500_010] == 1000


def test_for_its_time_a_fill_is_missing_whatever_the_tape_writes(desks: Any) -> None:
    desk = lasting(desks, 5)
    desk.market(1, "1.300")  # the whole of the first level, 300 of the second
    assert asks(desk) == {500_020: 700, 500_030: 1000}
    desk.level(-1, 500_010, 1200)
    assert asks(desk)[500_010] == 200
    desk.level(-1, 500_010, 400)
    assert 500_010 not in asks(desk)
    desk.book(500_000, 500_010, 1100)
    assert asks(desk) == {500_010: 100, 500_020: 800, 500_030: 1100}
    wait(desk, 1.9)
    assert asks(desk)[500_010] == 100
    wait(desk, 0.2)
    assert asks(desk) == {500_010: 1100, 500_020: 1100, 500_030: 1100}


def test_what_the_tape_took_away_meanwhile_does_not_come_back(desks: Any) -> None:
    desk = lasting(desks, 5)
    desk.market(1, "0.300")
    desk.level(-1, 500_010, 0)
    wait(desk, 10)
    assert 500_010 not in asks(desk)


def test_each_fill_comes_back_at_its_own_time_and_before_the_next_request(desks: Any) -> None:
    desk = lasting(desks, 5)
    desk.market(1, "0.300")
    wait(desk, 3)
    desk.market(1, "0.200")
    assert asks(desk)[500_010] == 500
    wait(desk, 3)
    assert asks(desk)[500_010] == 800
    desk.now += 10 * SECOND  # no row, no time told: the request finds the book as it is by now
    desk.market(1, "1.000")
    assert desk.fills()[-1].price == desk.x.instruments[0].price(500_010)


def test_without_any_time_the_book_is_whole_for_the_next_order(desks: Any) -> None:
    desk = lasting(desks, 0)
    for _ in range(3):
        desk.market(1, "1.000")
    assert {fill.price for fill in desk.fills()} == {desk.x.instruments[0].price(500_010)}


@pytest.mark.parametrize("seconds", [None, 2.5])
@given(
    levels=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2000), st.booleans()), min_size=1, max_size=12
    ),
    cuts=st.sets(st.integers(0, 12)),
)
def test_the_book_does_not_see_how_rows_are_split(
    desks: Any, seconds: float | None, levels: list[tuple[int, int, bool]], cuts: set[int]
) -> None:
    whole, split = lasting(desks, seconds), lasting(desks, seconds)
    parts: list[Rows] = []
    for n, (k, lots, snapshot) in enumerate(levels):
        ts = whole.now + (n + 1) * SECOND // 2
        row = (ts, lots, 500_010 + 10 * k, LEVEL | (LAST if snapshot else WHOLE), -1, 0)
        frame = [(ts, 0, 0, SNAPSHOT | FIRST, 0, 0), row] if snapshot else [row]
        parts.append(np.array(frame, ROW))
    for desk in (whole, split):
        desk.market(1, "1.300")
        desk.limit(-1, "0.100", "50001.5", reduce_only=True)
    whole.feed(np.concatenate(parts))
    pieces = np.split(np.arange(len(parts)), sorted(cuts))
    for piece in pieces:
        if len(piece):
            split.feed(np.concatenate([parts[i] for i in piece]))
    assert asks(whole) == asks(split)
    assert whole.fills() == split.fills()
