"""The dense tape is a true one: whole frames, a book that never crosses, nothing refused."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from benchmarks.dense import dense_rows, one_level_rows
from turbo_trader.market.kernel import advance
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FIRST, LAST, SECOND, Rows
from turbo_trader.market.state import new_states
from turbo_trader.rules.policy import Policy

START = 1_767_603_600 * SECOND


@pytest.mark.parametrize("made", [dense_rows, one_level_rows])
def test_a_dense_tape_is_made_of_whole_frames_and_keeps_its_book(made: Callable[[int, int], Rows]) -> None:
    rows = made(40_000, START)
    opened = np.cumsum(
        (rows["kind"] & FIRST > 0).astype(int) - np.concatenate(([0], (rows["kind"] & LAST > 0)[:-1]))
    )
    assert (opened == 1).all()
    states = new_states(universe()[:1], **Policy().market_parameters())
    advance(states, 0, rows, 0, int(rows["ts"][-1]) + 1)
    state = states[0]
    assert (state["bad_rows"], state["book_valid"]) == (0, 1)
    assert state["levels"].min() >= 50
    assert state["ask"] - state["bid"] == 2
    assert state["ofi_abs"] > 0
