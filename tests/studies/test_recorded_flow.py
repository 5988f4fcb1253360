"""Order-flow imbalance on real depth, against plain Python, after every single frame: over ten levels and at the best alone."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from studies.recorded_book import read_recorded_book
from turbo_trader.market.kernel import advance
from turbo_trader.market.rows import KIND_MASK, LAST, LEVEL, SECOND, SNAPSHOT
from turbo_trader.market.state import DEPTH, TOP, new_states
from turbo_trader.market.tape import Tape, read_tape
from turbo_trader.rules.policy import Policy

pytestmark = pytest.mark.long

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
RECORDED = sorted((DATA / "binance-raw-l2-trades-20240808").glob("*.gz"))
BYBIT = DATA / "bybit-v5-session-20260809" / "linear_BTCUSDT_DOGEUSDT.jsonl.gz"

Side = list[tuple[int, int]]  # (price in ticks, lots), best first


def contribution(before: Side, after: Side, side: int, ranks: int) -> int:
    """Cont, Kukanov & Stoikov (2014): what came to each rank of the demand (side 1) or supply (-1), less what went from it."""
    total = 0
    for rank in range(ranks):
        new = after[rank] if rank < len(after) else None
        old = before[rank] if rank < len(before) else None
        if new and (old is None or side * new[0] >= side * old[0]):
            total += new[1]
        if old and (new is None or side * new[0] <= side * old[0]):
            total -= old[1]
    return side * total


class Book:
    """Both sides as sorted prices and their sizes; like the market state's, it forgets what lies beyond DEPTH levels."""

    def __init__(self) -> None:
        self._prices: dict[int, list[int]] = {1: [], -1: []}
        self._lots: dict[int, dict[int, int]] = {1: {}, -1: {}}

    def put(self, side: int, price: int, lots: int) -> None:
        prices, sizes = self._prices[side], self._lots[side]
        if lots and price not in sizes:
            insort(prices, price)
        if lots:
            sizes[price] = lots
            if len(prices) > DEPTH:
                del sizes[prices.pop(0 if side > 0 else -1)]
        elif sizes.pop(price, 0):
            del prices[bisect_left(prices, price)]

    def top(self) -> tuple[Side, Side] | None:
        """The best levels of both sides; None where one is empty or the two cross."""
        bids, asks = self._prices[1][: -TOP - 1 : -1], self._prices[-1][:TOP]
        if not bids or not asks or bids[0] >= asks[0]:
            return None
        return [(p, self._lots[1][p]) for p in bids], [(p, self._lots[-1][p]) for p in asks]


def contributions(rows: Any) -> Iterator[tuple[int, int, int, int]]:
    """(next row, second, over all levels, at the best) of every book frame; 0 where no book stood before."""
    book, before = Book(), None
    for i, (ts, lots, price, kind, side, _) in enumerate(rows.tolist()):
        if kind & KIND_MASK == SNAPSHOT:
            book = Book()
        elif kind & KIND_MASK == LEVEL:
            book.put(side, price, lots)
        if not kind & LAST or kind & KIND_MASK not in (SNAPSHOT, LEVEL):
            continue
        after = book.top()
        flows = [0, 0]
        if before and after:
            for k, ranks in enumerate((TOP, 1)):
                flows[k] = sum(contribution(before[j], after[j], (1, -1)[j], ranks) for j in (0, 1))
        before = after
        yield i + 1, ts // SECOND, flows[0], flows[1]


def compared(tape: Tape) -> int:
    """How many frames were compared; fails at the first after which a sum over the window differs."""
    frames = 0
    for s, rows in enumerate(tape.rows):
        states = new_states(tape.instruments, **Policy().market_parameters())
        window, at = int(states["flow_window"][s]), 0
        inside: deque[tuple[int, int, int]] = deque()
        wanted = np.zeros(4, np.int64)
        for end, second, levels, best in contributions(rows):
            advance(states, s, rows[:end], at, int(rows["ts"][end - 1]) + 1)
            at = end
            inside.append((second, levels, best))
            wanted += (levels, abs(levels), best, abs(best))
            while inside[0][0] <= second - window:
                _, levels, best = inside.popleft()
                wanted -= (levels, abs(levels), best, abs(best))
            found = [int(states[name][s]) for name in ("ofi", "ofi_abs", "ofi_best", "ofi_best_abs")]
            assert found == wanted.tolist(), f"{tape.source}, symbol {s}, row {end}"
            frames += 1
    return frames


@pytest.mark.skipif(not RECORDED, reason="needs the recorded depth in ../shared/data")
@pytest.mark.parametrize("path", RECORDED, ids=lambda path: path.stem)
def test_every_frame_of_recorded_depth_contributes_what_the_paper_says(path: Path) -> None:
    assert compared(read_recorded_book(path)) > 5_000


@pytest.mark.skipif(not BYBIT.exists(), reason="needs the recorded session in ../shared/data")
def test_every_frame_of_a_bybit_session_contributes_what_the_paper_says() -> None:
    assert compared(read_tape(BYBIT)) > 700
