"""How long what we took out of the book stays taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.exchange_machine import ExchangeConfig
from turbo_trader.market.rows import FIRST, LAST, LEVEL, ROW, SECOND, SNAPSHOT, WHOLE, Rows


def asks(rig: Any) -> dict[int, int]:
    """The asks of the Exchange's book: lots by ticks."""
    state = rig.x.states[0]
    n = int(state["levels"][1])
    return {abs(int(state["key"][1, j])): int(state["lots"][1, j]) for j in range(n)}


def lasting(rigs: Any, seconds: float | None) -> Any:
    ns = None if seconds is None else int(seconds * SECOND)
    return rigs("100000", config=ExchangeConfig(footprint_ns=ns))


def wait(rig: Any, seconds: float) -> None:
    """Time goes on without a row."""
    rig.now += int(seconds * SECOND)
    rig.x.advance(0, np.zeros(0, ROW), 0, rig.now)


def test_by_default_a_fill_is_gone_when_the_tape_writes_the_level(rigs: Any) -> None:
    rig = lasting(rigs, None)
    rig.market(1, "0.300")
    wait(rig, 1000)
    assert asks(rig)[500_010] == 700
    rig.level(-1, 500_010, 1000)
    assert asks(rig)[500_010] == 1000


def test_for_its_time_a_fill_is_missing_whatever_the_tape_writes(rigs: Any) -> None:
    rig = lasting(rigs, 5)
    rig.market(1, "1.300")  # the whole of the first level, 300 of the second
    assert asks(rig) == {500_020: 700, 500_030: 1000}
    rig.level(-1, 500_010, 1200)
    assert asks(rig)[500_010] == 200
    rig.level(-1, 500_010, 400)
    assert 500_010 not in asks(rig)
    rig.book(500_000, 500_010, 1100)
    assert asks(rig) == {500_010: 100, 500_020: 800, 500_030: 1100}
    wait(rig, 1.9)
    assert asks(rig)[500_010] == 100
    wait(rig, 0.2)
    assert asks(rig) == {500_010: 1100, 500_020: 1100, 500_030: 1100}


def test_what_the_tape_took_away_meanwhile_does_not_come_back(rigs: Any) -> None:
    rig = lasting(rigs, 5)
    rig.market(1, "0.300")
    rig.level(-1, 500_010, 0)
    wait(rig, 10)
    assert 500_010 not in asks(rig)


def test_each_fill_comes_back_at_its_own_time_and_before_the_next_request(rigs: Any) -> None:
    rig = lasting(rigs, 5)
    rig.market(1, "0.300")
    wait(rig, 3)
    rig.market(1, "0.200")
    assert asks(rig)[500_010] == 500
    wait(rig, 3)
    assert asks(rig)[500_010] == 800
    rig.now += 10 * SECOND  # no row, no time given: the request finds the book as it is by now
    rig.market(1, "1.000")
    assert rig.fills()[-1].price == rig.x.instruments[0].price(500_010)


def test_without_any_time_the_book_is_whole_for_the_next_order(rigs: Any) -> None:
    rig = lasting(rigs, 0)
    for _ in range(3):
        rig.market(1, "1.000")
    assert {fill.price for fill in rig.fills()} == {rig.x.instruments[0].price(500_010)}


@pytest.mark.parametrize("seconds", [None, 2.5])
@given(
    levels=st.lists(
        st.tuples(st.integers(0, 2), st.integers(0, 2000), st.booleans()), min_size=1, max_size=12
    ),
    cuts=st.sets(st.integers(0, 12)),
)
def test_the_book_does_not_see_how_rows_are_split(
    rigs: Any, seconds: float | None, levels: list[tuple[int, int, bool]], cuts: set[int]
) -> None:
    whole, split = lasting(rigs, seconds), lasting(rigs, seconds)
    parts: list[Rows] = []
    for n, (k, lots, snapshot) in enumerate(levels):
        ts = whole.now + (n + 1) * SECOND // 2
        row = (ts, lots, 500_010 + 10 * k, LEVEL | (LAST if snapshot else WHOLE), -1, 0)
        frame = [(ts, 0, 0, SNAPSHOT | FIRST, 0, 0), row] if snapshot else [row]
        parts.append(np.array(frame, ROW))
    for rig in (whole, split):
        rig.market(1, "1.300")
        rig.limit(-1, "0.100", "50001.5", reduce_only=True)
    whole.feed(np.concatenate(parts))
    pieces = np.split(np.arange(len(parts)), sorted(cuts))
    for piece in pieces:
        if len(piece):
            split.feed(np.concatenate([parts[i] for i in piece]))
    assert asks(whole) == asks(split)
    assert whole.fills() == split.fills()
