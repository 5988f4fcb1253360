"""The kernels that consume rows. One function serves live (a frame's rows) and backtest (millions): the same bits either way.

Rows must come in whole frames; all rows of a frame share one `ts`. A row that cannot be true (no positive price, negative size) is
refused and counted in `bad_rows`. A row older than what was seen is counted too; its book change is applied, its time is now.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from turbo_trader.market import book, order_flow, sampling
from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import (
    DAY,
    FINE,
    FUNDING,
    GAP,
    INDEX,
    KIND_MASK,
    LAST,
    LEVEL,
    MARK,
    MINUTE,
    RATE,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.state import TOP, State, States

REACHED = 0
WATCH_LOW = 1
WATCH_HIGH = 2
WATCH_MARK = 3


@kernel
def advance(states: States, s: int, rows: Rows, start: int, until: int) -> tuple[int, int]:
    """Consume rows[start:] with ts < `until` (ns) into states[s]; then close every second that ends at or before `until`.

    Returns (next row, reason): REACHED, or WATCH_LOW / WATCH_HIGH / WATCH_MARK when a frame left the closable price or the mark
    outside the watch; then the clock stays at that frame. `until` must not be beyond what is known: a later row may not be older.
    """
    st = states[s]
    i = start
    n = len(rows)
    while i < n:
        row = rows[i]
        if row.ts >= until:
            break
        if row.kind != LEVEL | WHOLE or not _resize(st, row):
            _consume(st, row)
        i += 1
        if row.kind & LAST and st.watch_side != 0:
            reason = watched(st)
            if reason != REACHED:
                return i, reason
    sampling.roll(st, until // SECOND)
    return i, REACHED


@kernel
def consume(states: States, s: int, rows: Rows, start: int) -> tuple[int, int]:
    """As `advance` until just after the last of `rows`, of which there must be one: rows that have just come."""
    return advance(states, s, rows, start, rows[len(rows) - 1].ts + 1)


@kernel
def advance_book(states: States, s: int, rows: Rows, start: int, until: int) -> int:
    """Consume rows[start:] with ts < `until` into the book, last, mark, index and funding only; returns the next row."""
    st = states[s]
    i = start
    n = len(rows)
    while i < n and rows[i].ts < until:
        apply_row(st, rows[i])
        i += 1
    return i


@kernel
def set_level(states: States, s: int, side: int, price: int, lots: int) -> None:
    """Set the size of one book level (lots; 0 deletes it) and the best prices after it: what a fill of ours leaves behind."""
    st = states[s]
    book.put(st, side, price, lots)
    book.settle(st)


@kernel
def apply_row(st: State, row: np.record) -> bool:
    """Apply one row to prices and book, without flow or sampling; True when it ended a book frame. Bad rows are counted."""
    _set_time(st, row)
    kind = row.kind & KIND_MASK
    if kind != LEVEL:
        if not _apply_other(st, row, kind):
            return False
    elif _is_level(row):
        book.put(st, row.side, np.int64(row.price), row.lots)
    else:
        st.bad_rows += 1
    if row.kind & LAST:
        _settle(st)
        return True
    return False


@kernel
def _set_time(st: State, row: np.record) -> None:
    if row.ts < st.ts:
        st.bad_rows += 1
    else:
        st.ts = row.ts


@kernel
def _is_level(row: np.record) -> bool:
    return bool(row.price > 0 and row.lots >= 0 and row.side != 0)


@kernel
def _settle(st: State) -> None:
    st.has_book = 1
    st.book_ts = st.ts
    book.settle(st)


@kernel
def _apply_other(st: State, row: np.record, kind: int) -> bool:
    """Snapshots, gaps, trades and reference prices; True for those of the book."""
    if kind == SNAPSHOT:
        book.clear(st)
        return True
    if kind == GAP:
        book.clear(st)
        st.prev_valid = 0
        return True
    if kind != TRADE:
        _apply_reference(st, row, kind)
    elif row.price <= 0 or row.lots <= 0:
        st.bad_rows += 1
    else:
        st.last = row.price
        st.trade_ts = st.ts
    return False


@kernel
def _apply_reference(st: State, row: np.record, kind: int) -> None:
    """Mark, index and funding rows."""
    if kind == FUNDING:
        st.funding_rate = row.lots / RATE
        st.funding_minutes = row.spare
        st.funding_ts = st.ts
    elif row.lots <= 0:
        st.bad_rows += 1
    elif kind == MARK:
        st.mark = row.lots * st.tick / FINE
        st.mark_ts = st.ts
    elif kind == INDEX:
        st.index = row.lots * st.tick / FINE


@kernel
def _resize(st: State, row: np.record) -> bool:
    """A book frame of one level that has another size now, by the guess of `book.find`: no price moves, so that nothing but the
    order flow is to be done. False where it may be anything else: then nothing is done here."""
    lots, side = row.lots, np.int64(row.side)
    usual = st.book_valid and st.prev_valid and st.touched and not st.in_frame
    if not (usual and st.ts <= row.ts < st.second_end and lots > 0 and side != 0):
        return False
    i = 0 if side > 0 else 1
    best: Any = np.int64(st.levels[i]) - 1
    key = side * np.int64(row.price)
    ahead: Any = st.key[i, best] - key
    if not 0 <= ahead <= best or st.key[i, best - ahead] != key:
        return False
    change = side * (lots - st.lots[i, best - ahead])
    st.lots[i, best - ahead] = lots
    st.ts = st.book_ts = row.ts
    if ahead < TOP and change != 0:
        order_flow.add_frame(st, change, change if ahead == 0 else 0)
    return True


@kernel
def _consume(st: State, row: np.record) -> None:
    if row.ts >= st.second_end:
        sampling.roll(st, row.ts // SECOND)
    kind = row.kind & KIND_MASK
    of_book = kind in (LEVEL, SNAPSHOT, GAP)
    if of_book and not st.in_frame:
        if kind == LEVEL and row.kind & LAST:
            _consume_alone(st, row)
            return
        order_flow.begin_frame(st)
    if apply_row(st, row):
        st.in_frame = 0
        imbalance, best = order_flow.end_frame(st)
        _end_book_frame(st, imbalance, best)
    elif kind == TRADE and row.price > 0 and row.lots > 0:
        _add_print(st, row)


@kernel
def _consume_alone(st: State, row: np.record) -> None:
    """A book frame of one level."""
    _set_time(st, row)
    imbalance, best = 0, 0
    if _is_level(row):
        imbalance, best = order_flow.put_alone(st, row.side, row.price, row.lots)
    else:
        st.bad_rows += 1
    _settle(st)
    _end_book_frame(st, imbalance, best)


@kernel
def _end_book_frame(st: State, imbalance: int, best: int) -> None:
    if st.book_valid:
        if st.prev_valid and imbalance | best:
            order_flow.add_frame(st, imbalance, best)
        sampling.note_price(st)
    st.prev_valid = st.book_valid


@kernel
def _add_print(st: State, row: np.record) -> None:
    if row.side != 0:
        order_flow.add_print(st, np.int64(row.side) * row.lots)
    _add_to_vwap(st, row)
    if not st.has_book:
        sampling.note_price(st)


@kernel
def _add_to_vwap(st: State, row: np.record) -> None:
    price = np.int64(row.price) * st.tick
    volume = row.lots * st.lot
    if st.vwap_volume == 0.0:
        st.vwap_base = price
    away = price - st.vwap_base
    st.vwap_volume += volume
    st.vwap_sum += volume * away
    st.vwap_square += volume * away * away


@kernel
def watched(st: State) -> int:
    """Is the closable price, or the mark, at or beyond an end of its watch? A side that is not there is no price."""
    if st.mark > 0.0 and not st.watch_mark_low < st.mark < st.watch_mark_high:
        return WATCH_MARK
    price = (st.bid if st.watch_side > 0 else st.ask) if st.has_book else st.last
    if price <= 0:
        return REACHED
    if price <= st.watch_low:
        return WATCH_LOW
    if price >= st.watch_high:
        return WATCH_HIGH
    return REACHED


@kernel
def _possible(bar: np.record) -> bool:
    """Prices positive and in order, volume and turnover not negative, all of them finite."""
    prices = 0.0 < bar.low <= bar.high < math.inf and bar.low <= bar.close <= bar.high
    return bool(prices and 0.0 <= bar.volume < math.inf and 0.0 <= bar.turnover < math.inf)


@kernel
def backfill(states: States, s: int, bars: Rows) -> None:
    """Fill minute closes, ranges, variance and the current day's VWAP from one-minute bars (BAR), oldest first.

    Bars that are not older than the minute being filled are left out, so rows that came before the back-fill are not counted twice;
    so are bars with figures that cannot be.
    """
    st = states[s]
    if len(bars) == 0:
        return
    if st.second < 0:
        sampling.roll(st, (bars[len(bars) - 1].ts + MINUTE) // SECOND)
    st.minutes = 0
    st.returns = 0
    st.variance = 0.0
    current = st.second // 60
    rebuilt = False
    for j in range(len(bars)):
        bar = bars[j]
        minute = bar.ts // MINUTE
        if minute >= current or not _possible(bar):
            continue
        sampling.push_minute(st, minute, math.log(bar.close), (bar.high - bar.low) / bar.close)
        if bar.ts // DAY == st.day and bar.volume > 0.0:
            if not rebuilt:
                rebuilt = True
                st.vwap_start = bar.ts
                st.vwap_base = bar.close
                st.vwap_volume = 0.0
                st.vwap_sum = 0.0
                st.vwap_square = 0.0
            away = (
                bar.turnover / bar.volume if bar.turnover > 0.0 else (bar.high + bar.low + bar.close) / 3.0
            ) - st.vwap_base
            st.vwap_volume += bar.volume
            st.vwap_sum += bar.volume * away
            st.vwap_square += bar.volume * away * away
