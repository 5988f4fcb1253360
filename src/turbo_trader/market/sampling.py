"""The clock of a market state: closing seconds, minutes and days. What a second leaves behind is one sample of ln(mid)."""

from __future__ import annotations

import math

from turbo_trader.market.compiled import kernel
from turbo_trader.market.order_flow import expire
from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import MINUTES, SECONDS, State

_DAY_SECONDS = 86_400
_LONGEST_GAP = 60  # minutes: a return over a longer hole says nothing about one-minute volatility
_JUMP_MIN_RETURNS = 30  # minutes of volatility before a move can be called a jump


@kernel
def mid_sum(st: State) -> int:
    """Bid + ask in ticks (twice the mid): from the book, or from the last print where no book is recorded; 0 = none."""
    price: int = st.bid + st.ask if st.book_valid else 0
    return price if st.has_book else int(2 * st.last)


@kernel
def note_price(st: State) -> None:
    """The second has data: widen the range of the minute."""
    st.touched = 1
    price = mid_sum(st)
    if price > 0:
        if st.minute_high == 0 or price > st.minute_high:
            st.minute_high = price
        if st.minute_low == 0 or price < st.minute_low:
            st.minute_low = price


@kernel
def roll(st: State, new_second: int) -> None:
    """Go from the second being filled to `new_second`, closing what ends between them. Seconds without data leave no sample."""
    if st.second < 0:
        _begin_second(st, new_second)
        st.day = new_second // _DAY_SECONDS
        st.vwap_start = new_second * SECOND
        return
    if new_second <= st.second:
        return
    if st.touched:
        _close_second(st)
    if new_second // 60 > st.second // 60:
        _close_minute(st)
    expire(st, new_second)
    if new_second // _DAY_SECONDS > st.day:
        st.day = new_second // _DAY_SECONDS
        st.vwap_start = st.day * _DAY_SECONDS * SECOND
        st.vwap_base = 0.0
        st.vwap_volume = 0.0
        st.vwap_sum = 0.0
        st.vwap_square = 0.0
    _begin_second(st, new_second)


@kernel
def _begin_second(st: State, second: int) -> None:
    st.second = second
    st.second_end = (second + 1) * SECOND


@kernel
def _close_second(st: State) -> None:
    st.touched = 0
    price = mid_sum(st)
    if price <= 0:
        return
    at = st.samples & (SECONDS - 1)
    st.sample_second[at] = st.second
    st.sample_y[at] = math.log(0.5 * price * st.tick)
    st.samples += 1
    _detect_moves(st)


@kernel
def _detect_moves(st: State) -> None:
    """Compare the newest sample with the last one at least 60 s older: beyond the thresholds it is a jump or a big move."""
    newest = st.samples - 1
    second = st.sample_second[newest & (SECONDS - 1)]
    oldest = max(0, st.samples - SECONDS)
    j, end = max(oldest, newest - 60), newest
    while j < end:  # the first one that is not older
        middle = (j + end) >> 1
        if st.sample_second[middle & (SECONDS - 1)] < second - 60:
            j = middle + 1
        else:
            end = middle
    if st.sample_second[j & (SECONDS - 1)] > second - 60:
        j -= 1
    if j < oldest or second - st.sample_second[j & (SECONDS - 1)] > 120:
        return
    move = abs(st.sample_y[newest & (SECONDS - 1)] - st.sample_y[j & (SECONDS - 1)])
    if move > st.jump_fraction:
        st.big_move_ts = (second + 1) * SECOND
    if st.returns >= _JUMP_MIN_RETURNS and move > st.jump_sigmas * math.sqrt(st.variance):
        st.jump_ts = (second + 1) * SECOND


@kernel
def _close_minute(st: State) -> None:
    """Close the minute of the second being filled: its close is the last sample's, if it has one."""
    minute = st.second // 60
    high = st.minute_high
    low = st.minute_low
    st.minute_high = 0
    st.minute_low = 0
    if st.samples == 0:
        return
    last = (st.samples - 1) & (SECONDS - 1)
    if st.sample_second[last] // 60 != minute:
        return
    spread = (high - low) / high if high > 0 else 0.0
    push_minute(st, minute, st.sample_y[last], spread)


@kernel
def push_minute(st: State, minute: int, y: float, minute_range: float) -> None:
    """Append a one-minute close of ln(mid) and its range (fraction), and update the EWMA variances of one-minute returns."""
    if st.minutes > 0:
        before = (st.minutes - 1) & (MINUTES - 1)
        gap = minute - st.minute_index[before]
        if gap <= 0:
            return
        if gap <= _LONGEST_GAP:
            change = y - st.minute_y[before]
            st.returns += 1
            plain = 1.0 / st.returns  # the mean of all, until an average has filled
            now = change * change / gap
            st.variance += max(plain, 1.0 - math.pow(st.vol_decay, gap)) * (now - st.variance)
            st.slow_variance += max(plain, 1.0 - math.pow(st.slow_vol_decay, gap)) * (now - st.slow_variance)
    at = st.minutes & (MINUTES - 1)
    st.minute_index[at] = minute
    st.minute_y[at] = y
    st.minute_range[at] = minute_range
    st.minutes += 1
