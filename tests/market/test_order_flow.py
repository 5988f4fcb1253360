"""Books, order flow and samples against plain Python; the same bytes however the rows are batched; frames and tapes read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.kernel import REACHED, WATCH_HIGH, WATCH_LOW, WATCH_MARK, advance, consume
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import (
    DAY,
    FINE,
    FIRST,
    GAP,
    KIND_MASK,
    LAST,
    LEVEL,
    MARK,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.state import TOP, States, new_states
from turbo_trader.market.tape import Tape, read_tape, write_tape

BTC = universe()[0]
T0 = 1_767_600_000 * SECOND
Frame = list[tuple[int, int, int]]  # side, price, lots


def fresh() -> States:
    return new_states(
        [BTC],
        flow_window_s=30,
        vol_half_life_min=30.0,
        slow_vol_half_life_min=1440.0,
        jump_sigmas=6.0,
        jump_fraction=0.005,
    )


def framed(ts: int, levels: Frame, *, snapshot: bool = False) -> list[tuple[int, int, int, int, int, int]]:
    rows = [(ts, 0, 0, SNAPSHOT, 0, 0)] if snapshot else []
    rows += [(ts, lots, price, LEVEL, side, 0) for side, price, lots in levels]
    rows[-1] = (*rows[-1][:3], rows[-1][3] | LAST, *rows[-1][4:])
    rows[0] = (*rows[0][:3], rows[0][3] | FIRST, *rows[0][4:])
    return rows


def as_rows(rows: list[tuple[int, int, int, int, int, int]]) -> Rows:
    return cast("Rows", np.array(rows, ROW))


@st.composite
def tapes(draw: st.DrawFn) -> tuple[Rows, list[tuple[int, Frame]]]:
    """A book that never crosses, changed by frames some tenths of a second to hours apart, with prints between them."""
    ts = T0
    start: Frame = [(1, 1000 - k, 10 + k) for k in range(12)] + [(-1, 1001 + k, 10 + k) for k in range(12)]
    rows, frames = framed(ts, start, snapshot=True), [(ts, start)]
    for _ in range(draw(st.integers(1, 25))):
        ts += draw(
            st.sampled_from([0, 1, 300_000_000, SECOND, 7 * SECOND, 45 * SECOND, 3_700 * SECOND, DAY // 2])
        )
        if draw(st.booleans()):
            rows.append(
                (
                    ts,
                    draw(st.integers(1, 50)),
                    draw(st.integers(990, 1010)),
                    TRADE | WHOLE,
                    draw(st.sampled_from([1, -1])),
                    0,
                )
            )
            continue
        change: Frame = [
            (side, 1000 - off if side > 0 else 1001 + off, lots)
            for side, off, lots in draw(
                st.lists(
                    st.tuples(st.sampled_from([1, -1]), st.integers(0, 14), st.integers(0, 40)),
                    min_size=1,
                    max_size=6,
                )
            )
        ]
        rows += framed(ts, change)
        frames.append((ts, change))
    return as_rows(rows), frames


def brute_force_imbalance(frames: list[tuple[int, Frame]], now: int) -> tuple[int, int]:
    """Sum and absolute sum of Cont, Kukanov & Stoikov's contributions over ten levels in the last 30 whole seconds."""
    sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
    before: dict[int, list[tuple[int, int]]] = {1: [], -1: []}
    total = absolute = 0
    for ts, levels in frames:
        for side, price, lots in levels:
            sides[side][price] = lots
            if not lots:
                del sides[side][price]
        top = {
            side: sorted(book.items(), key=lambda level: -side * level[0])[:TOP]
            for side, book in sides.items()
        }
        valid = bool(top[1] and top[-1])
        if valid and before[1] and before[-1]:
            change = 0
            for side in (1, -1):
                for rank in range(TOP):
                    now_level = top[side][rank] if rank < len(top[side]) else None
                    old = before[side][rank] if rank < len(before[side]) else None
                    if now_level and (old is None or side * now_level[0] >= side * old[0]):
                        change += side * now_level[1]
                    if old and (now_level is None or side * now_level[0] <= side * old[0]):
                        change -= side * old[1]
            if ts // SECOND > now // SECOND - 30:
                total += change
                absolute += abs(change)
        before = top if valid else {1: [], -1: []}
    return total, absolute


@pytest.mark.long
@settings(max_examples=150, deadline=None)
@given(tapes())
def test_the_imbalance_is_that_of_the_paper_and_the_window_is_exact(
    tape: tuple[Rows, list[tuple[int, Frame]]],
) -> None:
    rows, frames = tape
    states = fresh()
    end = int(rows["ts"][-1])
    advance(states, 0, rows, 0, end + 1)
    assert (int(states["ofi"][0]), int(states["ofi_abs"][0])) == brute_force_imbalance(frames, end)


levels_in_turn = st.lists(
    st.tuples(
        st.sampled_from([1, -1]),
        st.integers(0, 16),
        st.integers(0, 30),
        st.sampled_from([1, 1, SECOND // 2, 40 * SECOND]),
    ),
    min_size=1,
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 14), levels_in_turn)
def test_a_level_alone_counts_as_in_a_frame_that_says_it_twice(
    depth: int, levels: list[tuple[int, int, int, int]]
) -> None:
    opening = [(side, 1000 - side * (k + 1), 7) for k in range(depth) for side in (1, -1)] or [(1, 999, 7)]
    alone = framed(T0, opening, snapshot=True)
    twice = list(alone)
    ts = T0
    for side, away, lots, later in levels:
        level = (side, 1000 - side * (away - 1), lots)  # away 0 crosses, or meets, the other side
        ts += later
        alone += framed(ts, [level])
        twice += framed(ts, [level, level])
    states = fresh(), fresh()
    for state, rows in zip(states, (alone, twice), strict=True):
        advance(state, 0, as_rows(rows), 0, ts + SECOND)
    flow = (
        "ofi",
        "ofi_abs",
        "ofi_best",
        "ofi_best_abs",
        "levels",
        "key",
        "lots",
        "bid",
        "ask",
        "ts",
        "book_ts",
    )
    sampled = ("samples", "sample_second", "sample_y", "minutes", "minute_y", "minute_range")
    for name in (*flow, *sampled):
        assert (states[0][name] == states[1][name]).all(), name


@pytest.mark.parametrize(("away", "counts"), [(10, True), (11, False)])
@pytest.mark.parametrize("lots", [0, 30])
def test_a_level_alone_behind_rank_ten_is_no_order_flow(away: int, counts: bool, lots: int) -> None:
    opening = [(side, 1000 - side * (k + 1), 7) for k in range(12) for side in (1, -1)]
    states = fresh()
    rows = framed(T0, opening, snapshot=True) + framed(T0 + 1, [(1, 1000 - away, lots)])
    advance(states, 0, as_rows(rows), 0, T0 + SECOND)
    assert (int(states["ofi_abs"][0]) > 0) == counts
    assert int(states["levels"][0][0]) == (12 if lots else 11)


@pytest.mark.long
@settings(max_examples=200, deadline=None)
@given(tapes(), st.lists(st.floats(0, 1), max_size=8))
def test_any_split_in_time_gives_the_same_bytes(
    tape: tuple[Rows, list[tuple[int, Frame]]], cuts: list[float]
) -> None:
    rows, _ = tape
    first, end = int(rows["ts"][0]), int(rows["ts"][-1]) + 90 * SECOND
    whole, pieces = fresh(), fresh()
    advance(whole, 0, rows, 0, end)
    at = 0
    for cut in sorted(cuts):
        at, _ = advance(pieces, 0, rows, at, first + int(cut * (end - first)))
    advance(pieces, 0, rows, at, end)
    assert whole.tobytes() == pieces.tobytes()
    for name in whole.dtype.names or ():
        if whole[name].dtype.kind == "f" and not name.startswith("watch_"):  # no watch: infinitely far
            assert np.isfinite(whole[name]).all()


def test_a_watch_stops_at_the_frame_that_leaves_its_range_and_goes_on_after() -> None:
    states = fresh()
    rows = as_rows(
        framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True)
        + framed(T0 + SECOND, [(1, 1000, 0), (1, 990, 5)])
        + framed(T0 + 2 * SECOND, [(-1, 1001, 0), (-1, 1030, 5), (1, 1025, 5)])
    )
    states["watch_side"], states["watch_low"], states["watch_high"] = 1, 990, 1025
    assert advance(states, 0, rows, 0, T0 + 9 * SECOND) == (5, WATCH_LOW)
    assert advance(states, 0, rows, 5, T0 + 9 * SECOND) == (8, WATCH_HIGH)


def test_rows_consumed_as_they_come_stop_at_a_watch_and_leave_the_same_bytes() -> None:
    parts = [
        as_rows(framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True)),
        as_rows(
            framed(T0 + SECOND, [(1, 1000, 0), (1, 990, 5)]) + framed(T0 + 2 * SECOND - 1, [(1, 991, 5)])
        ),
    ]
    coming, known = fresh(), fresh()
    for states in (coming, known):
        states["watch_side"], states["watch_low"], states["watch_high"] = 1, 990, 1025
    assert consume(coming, 0, parts[0], 0) == (3, REACHED)
    assert consume(coming, 0, parts[1], 0) == (2, WATCH_LOW)
    assert consume(coming, 0, parts[1], 2) == (3, REACHED)
    advance(known, 0, parts[0], 0, T0 + 1)
    for at in (0, 2):
        advance(known, 0, parts[1], at, T0 + 2 * SECOND)
    assert coming.tobytes() == known.tobytes()


def test_a_watch_of_the_mark_stops_at_the_row_that_reaches_its_end() -> None:
    def marked(side: int, low: float, high: float) -> States:
        states = fresh()
        states["watch_side"], states["watch_low"], states["watch_high"] = side, 0, 2**62
        states["watch_mark_low"], states["watch_mark_high"] = low * tick, high * tick
        return states

    tick = float(fresh()["tick"][0])
    marks = [
        (T0 + k * SECOND, at * FINE, at, MARK | WHOLE, 0, 0)
        for k, at in enumerate((1000, 1010, 1011, 999), 1)
    ]
    rows = as_rows(framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True) + marks)
    end = T0 + 9 * SECOND
    for side in (1, -1):
        assert advance(marked(side, 999.5, 1010.5), 0, rows, 0, end) == (6, WATCH_MARK)
        assert advance(marked(side, 999.5, 1011.5), 0, rows, 0, end) == (7, WATCH_MARK)
        assert advance(marked(side, 998.5, 1011.5), 0, rows, 0, end) == (7, REACHED)
    assert advance(marked(0, 999.5, 1010.5), 0, rows, 0, end) == (7, REACHED)
    states = marked(1, 999.5, 1010.5)
    advance(states, 0, rows, 0, end)
    states["watch_mark_high"] = np.inf
    assert advance(states, 0, rows, 6, end) == (7, WATCH_MARK)


def test_a_symbol_without_a_mark_has_no_mark_to_watch() -> None:
    states = fresh()
    states["watch_side"], states["watch_low"], states["watch_high"] = 1, 0, 2**62
    states["watch_mark_low"], states["watch_mark_high"] = 1.0, 2.0
    rows = as_rows(framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True))
    assert advance(states, 0, rows, 0, T0 + SECOND) == (3, REACHED)


def test_vwap_starts_over_at_midnight_utc() -> None:
    states = fresh()
    midnight = (T0 // DAY + 1) * DAY
    rows = as_rows(
        [
            (midnight - SECOND, 10, 1000, TRADE | WHOLE, 1, 0),
            (midnight + SECOND, 4, 1100, TRADE | WHOLE, 1, 0),
        ]
    )
    advance(states, 0, rows, 0, midnight + 2 * SECOND)
    assert float(states["vwap_volume"][0]) == pytest.approx(0.004)
    assert int(states["vwap_start"][0]) == midnight


def test_bad_rows_are_counted_a_crossed_book_is_not_valid_and_nothing_is_nan() -> None:
    states = fresh()
    rows = as_rows(
        framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True)
        + framed(T0 + 1, [(1, -7, 5)])
        + framed(T0 + 2, [(-1, 1002, -1)])
        + [(T0 + 3, 0, 1000, TRADE | WHOLE, 1, 0), (T0 - SECOND, 1, 1000, TRADE | WHOLE, 1, 0)]
    )
    advance(states, 0, rows, 0, T0 + SECOND)
    assert int(states["bad_rows"][0]) == 4
    assert int(states["book_valid"][0]) == 1
    advance(states, 0, as_rows(framed(T0 + SECOND, [(1, 1005, 5)])), 0, T0 + 2 * SECOND)
    assert int(states["book_valid"][0]) == 0


def message(kind: str, u: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": u}
    return json.dumps(
        {"topic": "orderbook.50.BTCUSDT", "type": kind, "ts": 2, "data": data, "cts": 1}
    ).encode()


def test_a_gap_in_the_updates_voids_the_book_until_the_next_snapshot() -> None:
    decoder = FrameDecoder(universe())
    assert decoder.decode(message("delta", 4, [["100.0", "1"]], [])) is None
    assert decoder.decode(message("snapshot", 5, [["100.0", "1.5"]], [["100.1", "2"]])) is not None
    delta = decoder.decode(message("delta", 6, [["100.0", "0"]], []))
    assert delta is not None
    assert (int(delta[1]["price"][0]), int(delta[1]["lots"][0])) == (1000, 0)
    gap = decoder.decode(message("delta", 8, [["100.0", "1"]], []))
    assert gap is not None
    assert int(gap[1]["kind"][0]) & KIND_MASK == GAP
    assert decoder.decode(message("delta", 9, [["100.0", "1"]], [])) is None
    assert decoder.decode(message("snapshot", 20, [["100.0", "1"]], [["100.1", "2"]])) is not None
    assert decoder.decode(b'{"success":true,"op":"subscribe"}') is None


def test_a_frame_that_comes_twice_is_a_gap_of_the_book_and_no_second_print() -> None:
    decoder = FrameDecoder(universe())
    assert decoder.decode(message("snapshot", 5, [["100.0", "1"]], [["100.1", "2"]])) is not None
    delta = message("delta", 6, [["100.0", "2"]], [])
    assert decoder.decode(delta) is not None
    again = decoder.decode(delta)
    assert again is not None
    assert int(again[1]["kind"][0]) & KIND_MASK == GAP

    def prints(*ids: str) -> bytes:
        data = [{"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "100.0", "i": i} for i in ids]
        return json.dumps({"topic": "publicTrade.BTCUSDT", "ts": 2, "data": data}).encode()

    found = [decoder.decode(prints(*ids)) for ids in (("a", "b"), ("a", "b"), ("b", "c"), ("", ""))]
    assert [None if one is None else len(one[1]) for one in found] == [2, None, 1, 2]


def test_a_tape_comes_back_from_parquet_as_it_was(tmp_path: Path) -> None:
    rows = as_rows(
        [*framed(T0, [(1, 1000, 5), (-1, 1001, 5)], snapshot=True), (T0 + 5, 3, 1001, TRADE | WHOLE, 1, 0)]
    )
    tape = Tape((BTC,), (rows,), "somewhere", made_up=True)
    write_tape(tape, tmp_path / "a.parquet")
    again = read_tape(tmp_path / "a.parquet")
    assert again.rows[0].tobytes() == rows.tobytes()
    assert (again.source, again.made_up, again.rebuilt) == ("somewhere", True, False)


@pytest.mark.parametrize("bad", ["NaN", "inf", "-inf", "1e400", "1e30", "one", ""])
def test_a_figure_that_is_no_number_voids_the_book_or_is_refused(bad: str) -> None:
    decoder = FrameDecoder(universe())
    assert decoder.decode(message("snapshot", 5, [["100.0", "1.5"]], [["100.1", "2"]])) is not None
    for level in ([bad, "1"], ["100.0", bad]):
        found = decoder.decode(message("delta", 6, [level], []))
        assert found is not None
        assert int(found[1]["kind"][0]) & KIND_MASK == GAP
        assert decoder.decode(message("delta", 7, [["100.0", "1"]], [])) is None
        assert decoder.decode(message("snapshot", 5, [["100.0", "1.5"]], [["100.1", "2"]])) is not None
    trade = {"T": 1, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": bad}
    ticker = {"symbol": "BTCUSDT", "fundingRate": bad or "x"}
    for topic, data in (("publicTrade", [trade]), ("tickers", ticker)):
        with pytest.raises(ValueError, match=r".+"):
            decoder.decode(json.dumps({"topic": f"{topic}.BTCUSDT", "ts": 2, "data": data}).encode())
