"""Walking the book: the average price beyond the best one, against plain arithmetic."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.book import walk
from turbo_trader.market.state import STATE, States

THIN = 0.0005


def state(bids: list[tuple[int, int]], asks: list[tuple[int, int]], has_book: int = 1) -> States:
    """Levels as (price in ticks, lots), best first."""
    states = np.zeros(1, STATE)
    states["has_book"] = has_book
    for i, (sign, levels) in enumerate(((1, bids), (-1, asks))):
        states["levels"][0, i] = len(levels)
        for m, (price, lots) in enumerate(reversed(levels)):
            states["key"][0, i, m], states["lots"][0, i, m] = sign * price, lots
    return states


BOOK = state([(1000, 10), (999, 10), (990, 100)], [(1001, 5), (1003, 5)])


@pytest.mark.parametrize(
    ("side", "lots", "fraction"),
    [
        (1, 10, 0.0),  # within the best level
        (1, 20, 10 * 1 / 20 / 1000),
        (1, 30, (10 * 1 + 10 * 10) / 30 / 1000),
        (-1, 5, 0.0),
        (-1, 10, 5 * 2 / 10 / 1001),
        (-1, 11, 2 / 1001),  # more than the side holds: its last level
        (1, 1000, 10 / 1000),
    ],
)
def test_the_average_beyond_the_best_price(side: int, lots: int, fraction: float) -> None:
    assert walk(BOOK, 0, side, lots, 0.0) == pytest.approx(fraction, abs=1e-15)


def test_a_side_that_holds_less_costs_the_thin_rate_at_least() -> None:
    assert walk(BOOK, 0, -1, 11, 0.01) == 0.01
    assert walk(state([], [(5, 1)]), 0, 1, 1, THIN) == THIN


def test_no_book_recorded_no_walk() -> None:
    assert walk(state([(1000, 1)], [(1001, 1)], has_book=0), 0, 1, 100, THIN) == 0.0
    assert walk(BOOK, 0, 1, 0.0, THIN) == 0.0


@given(
    sizes=st.lists(st.integers(1, 1000), min_size=1, max_size=30),
    lots=st.floats(0.1, 5000),
    more=st.floats(1.0, 3.0),
)
@settings(max_examples=100, deadline=None)
def test_more_never_costs_less_and_equals_plain_python(sizes: list[int], lots: float, more: float) -> None:
    levels = [(10_000 - 3 * k, size) for k, size in enumerate(sizes)]
    states = state(levels, levels)
    left, paid = lots, 0.0
    for price, size in levels:
        paid += min(left, size) * (10_000 - price)
        left -= min(left, size)
    expected = paid / lots / 10_000 if left <= 0 else max(THIN, 3 * (len(sizes) - 1) / 10_000)
    found = walk(states, 0, 1, lots, THIN)
    assert found == pytest.approx(expected, rel=1e-9, abs=1e-15)
    if lots * more <= sum(sizes):
        assert walk(states, 0, 1, lots * more, THIN) >= found - 1e-15
