"""Data that cannot be: each kind has its result, and no decision is ever made on a figure that is not a number."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.rows import (
    FINE,
    FIRST,
    FUNDING,
    GAP,
    INDEX,
    LAST,
    LEVEL,
    MARK,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
)  # fmt: skip
from turbo_trader.market.state import new_states
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import assess
from turbo_trader.rules.gate import BLOCK, PASS
from turbo_trader.rules.gates import DATA
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import VWAP
from turbo_trader.signals.filters import new_filters

POLICY = Policy(belief=Belief.WEIGHED)


class Market:
    """A warmed-up market of one symbol at 148.00, scanned after whatever rows are fed to it."""

    def __init__(self, warm: Any, item: Any, begin: int, frames: Any) -> None:
        self.states = new_states([item], **POLICY.market_parameters())
        self.filters = new_filters(1)
        backfill(self.states, 0, warm)
        self.now = begin + 400 * SECOND
        self.feed(frames)

    def feed(self, rows: Any) -> None:
        advance(self.states, 0, rows, 0, self.now + 1)

    def rows(self, *items: tuple[int, int, int, int]) -> None:
        """(kind, side, price in ticks, lots) now."""
        self.feed(
            np.array([(self.now, lots, price, kind, side, 0) for kind, side, price, lots in items], ROW)
        )

    def scan(self, later_s: float = 0.5) -> Any:
        tier = POLICY.capital_tier(Decimal(18))
        out = np.zeros(1, SCAN)
        assess(
            self.states, self.filters, 0, self.now + int(later_s * SECOND), POLICY.signal_parameters(tier),
            POLICY.gate_parameters(tier, Decimal(18)), out, 0,
        )  # fmt: skip
        for name in SCAN.names or ():
            assert np.all(np.isfinite(out[name])), name
        return out[0]


@pytest.fixture
def market(reverting: Any) -> Market:
    return Market(reverting.bars(1500, 5, 10.0), reverting.item, reverting.begin, reverting.frames(148.0, 1))


def blocked(row: Any, code: Code) -> bool:
    return bool(row["verdict"][DATA] == BLOCK and row["block_code"] == code and row["candidate"] == 0)


def test_the_market_as_it_is_is_a_candidate(market: Market) -> None:
    row = market.scan()
    assert row["verdict"][DATA] == PASS
    assert row["candidate"] == 1


@pytest.mark.parametrize(
    "row",
    [
        (LEVEL | WHOLE, 1, 0, 5),
        (LEVEL | WHOLE, 1, -14_800, 5),
        (LEVEL | WHOLE, -1, 14_900, -5),
        (LEVEL | WHOLE, 0, 14_800, 5),
        (TRADE | WHOLE, 1, 0, 5),
        (TRADE | WHOLE, 1, -14_800, 5),
        (TRADE | WHOLE, 1, 14_800, 0),
        (TRADE | WHOLE, 1, 14_800, -3),
        (MARK | WHOLE, 0, 14_800, 0),
        (MARK | WHOLE, 0, 14_800, -14_800 * FINE),
        (INDEX | WHOLE, 0, 14_800, -1),
    ],
)
def test_no_price_or_size_that_cannot_be_changes_a_decision(
    market: Market, row: tuple[int, int, int, int]
) -> None:
    before, bad = market.scan(), int(market.states["bad_rows"][0])
    market.rows(row)
    after = market.scan()
    assert int(market.states["bad_rows"][0]) == bad + 1
    assert after["candidate"] == 1
    for name in ("mid", "last_price", "mark", "sigma", "forecast", "vwap_gap"):
        assert after[name] == pytest.approx(before[name]), name


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 0.0, -1.0])
@pytest.mark.parametrize("name", ["close", "high", "low", "volume", "turnover"])
def test_a_bar_that_cannot_be_is_left_out_of_the_back_fill(reverting: Any, name: str, bad: float) -> None:
    bars = reverting.bars(1500, 5, 10.0)
    bars[name][-40] = bad
    row = Market(bars, reverting.item, reverting.begin, reverting.frames(148.0, 1)).scan()
    market = Market(np.delete(bars, -40), reverting.item, reverting.begin, reverting.frames(148.0, 1))
    if name in ("volume", "turnover") and bad == 0.0:
        assert market.states["minutes"][0] == 1505  # no trade in a minute, or no turnover reported, can be
        return
    assert row.tobytes() == market.scan().tobytes()


def test_a_crossed_book_is_no_price_until_it_is_whole_again(market: Market) -> None:
    bid = int(market.states["bid"][0])
    market.rows((LEVEL | WHOLE, -1, bid - 3, 5))
    assert blocked(market.scan(), Code.STALE)
    market.rows((LEVEL | WHOLE, -1, bid - 3, 0))
    assert market.scan()["verdict"][DATA] == PASS


@pytest.mark.parametrize("side", [1, -1])
def test_a_one_sided_book_is_no_price(market: Market, side: int) -> None:
    market.rows((SNAPSHOT | FIRST, 0, 0, 0), (LEVEL | LAST, side, 14_800, 5))
    row = market.scan()
    assert blocked(row, Code.STALE)
    assert row["direction"] == 0


def test_a_gap_voids_the_book_until_a_snapshot(market: Market) -> None:
    market.rows((GAP | WHOLE, 0, 0, 0))
    assert blocked(market.scan(), Code.STALE)
    market.rows((SNAPSHOT | FIRST, 0, 0, 0), (LEVEL, 1, 14_812, 5), (LEVEL | LAST, -1, 14_813, 5))
    assert market.scan()["verdict"][DATA] == PASS


def test_a_frame_that_comes_twice_counts_once_in_the_order_flow(market: Market) -> None:
    bid, ask = int(market.states["bid"][0]), int(market.states["ask"][0])
    frame = [(LEVEL | FIRST, 1, bid, 900), (LEVEL | LAST, -1, ask, 400)]
    market.rows(*frame)
    once = market.scan()
    flow = int(market.states["ofi"][0]), int(market.states["ofi_abs"][0])
    market.rows(*frame)
    assert (int(market.states["ofi"][0]), int(market.states["ofi_abs"][0])) == flow
    assert market.scan()["score"].tolist() == once["score"].tolist()


def test_time_that_goes_back_is_counted_and_never_turns_the_clock_back(market: Market) -> None:
    ts, minutes, samples = (int(market.states[name][0]) for name in ("ts", "minutes", "samples"))
    bad, now = int(market.states["bad_rows"][0]), market.now
    market.now = ts - 3600 * SECOND
    market.rows((TRADE | WHOLE, 1, 14_812, 1))
    market.now = now
    assert int(market.states["bad_rows"][0]) == bad + 1
    assert [int(market.states[name][0]) for name in ("ts", "minutes", "samples")] == [ts, minutes, samples]
    assert market.scan()["verdict"][DATA] == PASS


@pytest.mark.parametrize("hours", [1, 5, 30, 200])
def test_after_hours_of_silence_nothing_old_counts(market: Market, hours: int) -> None:
    assert blocked(market.scan(hours * 3600.0), Code.NOT_WARM)
    market.now += hours * 3600 * SECOND
    market.rows((LEVEL | WHOLE, 1, int(market.states["bid"][0]), 7))
    row = market.scan()
    assert blocked(row, Code.NOT_WARM)  # the one-second grid has to fill again
    assert row["ou_valid"] == 0
    assert row["consensus_horizons"] == 0


def test_in_the_first_half_hour_after_midnight_vwap_does_not_count(market: Market) -> None:
    day = 86_400 * SECOND
    midnight = (market.now // day + 1) * day
    for second, counts in ((60, False), (1700, False), (1900, True)):
        market.now = midnight + second * SECOND
        bid = int(market.states["bid"][0])
        for k in range(5):
            market.rows((TRADE | WHOLE, 1, bid + k % 2, 3), (LEVEL | WHOLE, 1, bid, 7 + k))
            market.now += SECOND
        row = market.scan()
        assert bool(row["valid"] >> VWAP & 1) == counts
        assert counts or row["score"][VWAP] == 0.0


@pytest.mark.parametrize("rate", [2**62, -(2**62)])
def test_a_funding_rate_beyond_reason_gives_figures_that_are_numbers(market: Market, rate: int) -> None:
    market.feed(np.array([(market.now, rate, 0, FUNDING | WHOLE, 0, 480)], ROW))
    market.scan()
