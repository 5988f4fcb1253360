"""The synthetic market is the same whatever is asked when, has no edge unless asked, and has the one it is given."""

from __future__ import annotations

from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance, advance_book
from turbo_trader.market.rows import (
    BAR,
    FINE,
    FIRST,
    FUNDING,
    INDEX,
    KIND_MASK,
    LAST,
    LEVEL,
    MARK,
    MINUTE,
    SECOND,
    TRADE,
)
from turbo_trader.market.state import new_states
from turbo_trader.simulation.synthetic import HISTORY, SyntheticMarket, generate

START = 1_786_310_820 * SECOND
UNITS = {
    "BTCUSDT": ("0.1", "0.001"), "ETHUSDT": ("0.01", "0.01"), "SOLUSDT": ("0.01", "0.1"), "XRPUSDT": ("0.0001", "0.1"),
    "ADAUSDT": ("0.0001", "1"), "LTCUSDT": ("0.01", "0.1"), "DOGEUSDT": ("0.00001", "1"), "INJUSDT": ("0.001", "0.1"),
}  # fmt: skip


def instruments(symbols: tuple[str, ...]) -> tuple[Instrument, ...]:
    return tuple(
        Instrument(
            symbol=symbol, status="Trading", tick=Decimal(UNITS[symbol][0]), step=Decimal(UNITS[symbol][1]),
            min_qty=Decimal(UNITS[symbol][1]), max_qty=Decimal(10**6), max_market_qty=Decimal(10**5),
            min_notional=Decimal(5), min_price=Decimal(UNITS[symbol][0]), max_price=Decimal(10**6),
            max_leverage=Decimal(50), leverage_step=Decimal("0.01"), funding_interval_min=480,
            funding_cap=Decimal("0.005"), price_limit_x=Decimal("0.05"), price_limit_y=Decimal("0.05"),
        )
        for symbol in symbols
    )  # fmt: skip


FEW = instruments(("BTCUSDT", "ADAUSDT", "INJUSDT"))
ALL = instruments(tuple(UNITS))


@cache
def whole(edge: float) -> tuple[bytes, ...]:
    market = SyntheticMarket(FEW, 5, START, edge)
    return tuple(market.read(s, START + 4 * MINUTE).tobytes() for s in range(3))


@pytest.mark.long
@settings(max_examples=8, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4 * 60_000)), max_size=8),
    st.sampled_from([0.0, 1.0]),
)
def test_rows_are_the_same_in_whatever_pieces_they_are_read(
    reads: list[tuple[int, int]], edge: float
) -> None:
    market = SyntheticMarket(FEW, 5, START, edge)
    got = [b"", b"", b""]
    for s, milliseconds in [*sorted(reads, key=lambda r: r[1]), (2, 240_000), (0, 240_000), (1, 240_000)]:
        got[s] += market.read(s, START + milliseconds * 1_000_000).tobytes()
    assert tuple(got) == whole(edge)


def test_frames_are_whole_in_time_order_and_the_book_is_never_crossed() -> None:
    market = SyntheticMarket(ALL, 1, START, 1.0)
    states = new_states(
        ALL,
        flow_window_s=30,
        vol_half_life_min=30.0,
        slow_vol_half_life_min=1440.0,
        jump_sigmas=6.0,
        jump_fraction=0.005,
    )
    for s in range(len(ALL)):
        rows = market.read(s, START + 5 * MINUTE)
        assert rows["ts"][0] >= START
        assert (np.diff(rows["ts"]) >= 0).all()
        begun = np.cumsum(rows["kind"] & FIRST > 0) - np.cumsum(
            np.concatenate(([False], rows["kind"][:-1] & LAST > 0))
        )
        assert (begun == 1).all()
        kinds = set((rows["kind"] & KIND_MASK).tolist())
        assert {TRADE, LEVEL, MARK, INDEX, FUNDING} <= kinds
        n, _ = advance(states, s, rows, 0, START + 5 * MINUTE)
        assert n == len(rows)
    assert (states["bad_rows"] == 0).all()
    assert (states["book_valid"] == 1).all()
    assert (states["levels"] >= 10).all()


def test_history_leads_to_the_first_prices_and_is_two_days_of_whole_minutes() -> None:
    market = SyntheticMarket(ALL, 2, START + 17 * SECOND)
    assert market.start == START
    for s, instrument in enumerate(ALL):
        bars = market.history(instrument.symbol)
        assert bars.dtype == BAR
        assert len(bars) == HISTORY >= 2880
        assert (np.diff(bars["ts"]) == MINUTE).all()
        assert bars["ts"][-1] == START - MINUTE
        assert (bars["high"] >= np.maximum(bars["open"], bars["close"])).all()
        assert (bars["low"] <= np.minimum(bars["open"], bars["close"])).all()
        rows = market.read(s, START + 10 * SECOND)
        first = rows["price"][rows["kind"] & KIND_MASK == MARK][0] * float(instrument.tick)
        assert first == pytest.approx(bars["close"][-1], rel=0.002)


def test_the_seed_decides_and_the_label_says_it_is_made_up() -> None:
    market = SyntheticMarket(FEW, 6, START)
    assert market.read(0, START + 4 * MINUTE).tobytes() != whole(0.0)[0]
    assert "made up" in market.label
    assert not market.ended(START + 10**18)


def scans(
    edge: float, minutes: int, seed: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Order-flow score, return of the last 30 s and of the next, [times, symbols]."""
    market = SyntheticMarket(ALL, seed, START, edge)
    states = new_states(
        ALL,
        flow_window_s=30,
        vol_half_life_min=30.0,
        slow_vol_half_life_min=1440.0,
        jump_sigmas=6.0,
        jump_fraction=0.005,
    )
    scores, mids = [], []
    for now in range(START + 30 * SECOND, START + minutes * MINUTE, 30 * SECOND):
        for s in range(len(ALL)):
            advance(states, s, market.read(s, now), 0, now)
        scores.append(states["ofi"] / np.maximum(states["ofi_abs"], 1))
        mids.append(np.log(states["bid"] + states["ask"]))
    moves = np.diff(np.array(mids), axis=0)
    return np.array(scores)[1:-1], moves[:-1], moves[1:]


def over_its_error(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Mean product of standardised figures over its standard error; symbols of one time count as one observation."""
    products = (a / a.std(0) * (b / b.std(0))).mean(1)
    return float(products.mean() / products.std() * len(products) ** 0.5)


@pytest.mark.long
def test_without_edge_order_flow_and_past_moves_say_nothing_of_what_follows() -> None:
    score, past, following = scans(0.0, 400, 3)
    assert abs(over_its_error(score, following)) < 2
    assert abs(over_its_error(past, following)) < 2
    assert over_its_error(score, past) > 10


@pytest.mark.long
def test_with_edge_deviations_revert_and_order_flow_leads_the_reversion() -> None:
    """Of what a symbol moved beside the others in half an hour, part is taken back in the next; and flow says which way."""
    market = SyntheticMarket(ALL, 4, START, 1.0)
    closes = np.array([np.log(market.history(i.symbol)["close"]) for i in ALL])[1:]
    moves = np.diff(closes[:, ::30], axis=1)
    own = moves - moves.mean(0)
    assert np.corrcoef(own[:, :-1].ravel(), own[:, 1:].ravel())[0, 1] < -0.2
    score, _, following = scans(1.0, 240, 4)
    assert over_its_error(score[:, 1:], following[:, 1:]) > 3.0


def test_a_generated_tape_is_marked_made_up_and_holds_what_the_market_gives() -> None:
    tape = generate(["BTCUSDT", "INJUSDT"], 5, START, 2 * MINUTE, 1.0)
    assert tape.made_up
    assert not tape.rebuilt
    market = SyntheticMarket(tape.instruments, 5, START, 1.0)
    assert tape.rows[1].tobytes() == market.read(1, START + 2 * MINUTE).tobytes()
    assert len(tape.rows[0]) > 100


def test_a_mark_price_is_never_ahead_of_the_book() -> None:
    """Every mark lies at the mid that was shown before it: it tells nothing of the next frame."""
    tape = generate(["SOLUSDT"], 5, START, 10 * MINUTE)
    rows, states = tape.rows[0], new_states(
        tape.instruments, flow_window_s=1, vol_half_life_min=1.0, slow_vol_half_life_min=1.0, jump_sigmas=1.0, jump_fraction=1.0
    )  # fmt: skip
    at = 0
    for n in np.flatnonzero((rows["kind"] & KIND_MASK) == MARK):
        at = int(advance_book(states, 0, rows, at, int(rows["ts"][n])))
        mid = (int(states["bid"][0]) + int(states["ask"][0])) / 2
        assert abs(int(rows["lots"][n]) / FINE / mid - 1) < 2e-5


def test_a_widened_book_stands_as_far_apart_as_was_asked_for() -> None:
    (instrument,) = instruments(("BTCUSDT",))
    apart = []
    for spread in (0.0009, None):
        market = SyntheticMarket((instrument,), 1, START)
        if spread is not None:
            market.widen(0, spread)
        rows = market.read(0, market.start + MINUTE)
        first = rows[((rows["kind"] & KIND_MASK) == LEVEL) & (rows["ts"] == rows["ts"][rows["side"] != 0][0])]
        ask, bid = first["price"][first["side"] < 0].min(), first["price"][first["side"] > 0].max()
        apart.append(ask / bid - 1)
    assert apart[0] == pytest.approx(0.0009, rel=0.01)
    assert apart[1] < 0.0001
