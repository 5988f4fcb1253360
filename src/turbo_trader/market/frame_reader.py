"""Public frames' bytes to rows in one kernel call: book and print frames as the venue writes them.

The kernel knows the keys of these frames, in any order, plain texts and whole numbers. Whatever else a frame holds is left to
`market.frames`, which reads any JSON: until a frame is read to its end nothing is changed. Both keep what the next frame needs in
one FEED record a symbol, and make the same rows of a frame.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.market.json_text import (
    BAD,
    BEGIN,
    CLOSE,
    END,
    MOST_DIGITS,
    NINE,
    OPEN,
    POINT,
    QUOTE,
    ZERO,
    Text,
    after,
    ahead,
    eight_of,
    expect,
    fixed,
    flag,
    goes_on,
    in_units,
    read_number,
    stands,
    string,
    whole,
)  # fmt: skip
from turbo_trader.market.levels import MOST_LOTS, MOST_TICKS, make_frame, read_side, write
from turbo_trader.market.rows import KIND_MASK, RPI, SECOND, SNAPSHOT, TRADE, WHOLE, Rows, record_dtype

NAME: Final = 32  # bytes of a symbol's name, at most
ID_PARTS: Final = 5  # a print's id: its first 40 bytes, eight a part
PRINTS: Final = 1024  # prints a frame, at most: the venue's limit
AHEAD_MS: Final = 60_000  # a time inside a frame that is so much later than its push is none
MARK_NS: Final = 5 * SECOND  # a mark price older than this judges no print
MILLISECOND: Final = 1_000_000

#: What one symbol's topics have brought so far, and its units.
FEED: Final = record_dtype(
    [
        ("index", "<i8"),  # of its instrument
        ("name", "u1", (NAME,)),
        ("name_length", "<i8"),
        ("per_tick", "f8"),
        ("per_lot", "f8"),
        ("reach", "f8"),  # of the mark; farther away nothing trades
        ("update", "<i8"),  # `u` of the last book frame; 0: a snapshot is needed
        ("last_ts", "<i8"),  # ns
        ("mark", "<i8"),  # ticks; 0: none
        ("mark_ts", "<i8"),  # ns
        ("ids", "<i8", (2, PRINTS, ID_PARTS)),  # of the prints of the last frame, and of the one being read
        ("id_count", "<i8", (2,)),
        ("id_half", "<i8"),  # which of the two is the last frame's
        ("left_out", "<i8", (4,)),  # prints that are no rows, by reason
    ]
)
Feeds: TypeAlias = NDArray[np.record]

#: Prints that are no rows, by reason: places in `left_out`.
REPEATED, BLOCK_TRADE, IMPOSSIBLE, OUTSIDE = range(4)

_OTHER, _BOOK, _PRINTS = range(3)  # what a topic brings


_TOPIC, _TYPE, _TS, _CTS, _DATA = map(fixed, ('"topic":', '"type":', '"ts":', '"cts":', '"data":'))
_S, _B, _A, _U, _SEQ = map(fixed, ('"s":', '"b":', '"a":', '"u":', '"seq":'))
_T, _SIDE, _V, _P, _L, _I = map(fixed, ('"T":', '"S":', '"v":', '"p":', '"L":', '"i":'))
_BT, _RPI, _BUY, _SELL, _DELTA = map(fixed, ('"BT":', '"RPI":', '"Buy"', '"Sell"', '"delta"'))
_SNAPSHOT = np.frombuffer(b'"snapshot"', np.uint8)
_BOOK_TOPIC, _PRINT_TOPIC = np.frombuffer(b"orderbook.", np.uint8), np.frombuffer(b"publicTrade.", np.uint8)
_LATEST = 2**63 // MILLISECOND - 1  # ms that a row's time can hold


@kernel
def read_frames(text: Text, ends: Any, feeds: Feeds, rows: Rows, at: int, parts: Any) -> tuple[int, int, int]:
    """The frames text[:ends[0]], text[ends[0]:ends[1]] ... to rows[at:], up to one that `read_frame` does not read:
    (frames read, how many `parts` they are, prints that are no rows).

    parts[n]: (which of `feeds`, first row, end of its rows). Frames of one topic that follow each other are one part.
    """
    start, count, dropped = 0, 0, 0
    for n in range(len(ends)):
        k, end, left_out = read_frame(text[start:], ends[n] - start, feeds, rows, at)
        if end == BAD:
            return n, count, dropped
        start = ends[n]
        dropped += left_out
        if end == at:
            continue
        same = count > 0 and parts[count - 1, 0] == k and _is_print(rows[at - 1]) == _is_print(rows[at])
        if not same:
            parts[count, 0], parts[count, 1] = k, at
            count += 1
        parts[count - 1, 2] = end
        at = end
    return len(ends), count, dropped


@kernel
def _is_print(row: np.record) -> bool:
    return bool(row.kind & KIND_MASK == TRADE)


@kernel
def read_frame(text: Text, length: int, feeds: Feeds, rows: Rows, at: int) -> tuple[int, int, int]:
    """The frame in text[:length] to rows[at:]: (which of `feeds`, end of the rows, prints that are no rows).

    The end is BAD where `market.frames` must read it. A delta of a void book and a frame without news are no row. There must be
    room for length // SHORTEST + 2 rows.
    """
    topic, k, snapshot, update, first, end, last_ts = _OTHER, 0, False, 0, at, 0, 0
    ts, cts, seen, bit = 0, 0, 0, 0
    dropped = (0, 0, 0, 0)
    i = expect(text, 0, BEGIN)
    more = True
    while more and i != BAD:
        key, i = ahead(text, i)
        if stands(key, _TOPIC):
            bit = 1
            topic, k, i = _read_topic(text, i + _TOPIC[2], feeds)
        elif stands(key, _TYPE):
            bit = 2
            snapshot, i = _read_type(text, i + _TYPE[2])
        elif stands(key, _TS):
            bit = 4
            ts, i = whole(text, i + _TS[2])
        elif stands(key, _CTS):
            bit = 8
            cts, i = whole(text, i + _CTS[2])
        elif stands(key, _DATA) and topic == _BOOK:
            bit = 16
            first = at + 1 if snapshot else at  # its own row comes first
            update, end, i = _read_book(text, i + _DATA[2], feeds[k], rows, first)
        elif stands(key, _DATA) and topic == _PRINTS:
            bit = 16
            end, last_ts, dropped, i = _read_prints(text, i + _DATA[2], feeds[k], rows, at)
        else:
            return k, BAD, 0
        if seen & bit:
            return k, BAD, 0
        seen |= bit
        more, i = goes_on(text, i, END)
    early = ts > 0 and max(cts, last_ts // MILLISECOND) > ts + AHEAD_MS
    if i != length or not seen & 16 or max(ts, cts) > _LATEST or early:
        return k, BAD, 0
    if topic == _BOOK:
        if (snapshot or update == 1) and first == at:  # it says so late, or not at all: the service restarted
            return k, BAD, 0
        return k, _end_book(feeds[k], snapshot, update, cts if cts else ts, rows, at, end), 0
    return k, end, _end_prints(feeds[k], last_ts, dropped)


@kernel
def _end_prints(feed: Any, last_ts: int, dropped: tuple[int, int, int, int]) -> int:
    """A frame of prints was read to its end: how many of them are no rows."""
    feed.last_ts = last_ts
    feed.id_half = 1 - feed.id_half
    for reason in range(len(dropped)):
        feed.left_out[reason] += dropped[reason]
    return dropped[0] + dropped[1] + dropped[2] + dropped[3]


@kernel
def _read_type(text: Text, i: int) -> tuple[bool, int]:
    """(is it a snapshot, place behind) of the type of a frame."""
    each, i = ahead(text, i)
    if stands(each, _DELTA):
        return False, i + _DELTA[2]
    i = after(text, i, _SNAPSHOT)
    return i != BAD, i


@kernel
def _end_book(feed: Any, snapshot: bool, update: int, ts: int, rows: Rows, first: int, end: int) -> int:
    """The end of a book frame whose rows are rows[first:end]: `first` where they say nothing, BAD where they do not follow."""
    if not snapshot and feed.update != 0 and update != feed.update + 1:
        return BAD
    feed.last_ts = max(feed.last_ts, ts * MILLISECOND)
    if not snapshot and feed.update == 0:
        return first
    feed.update = update
    if snapshot:
        write(rows[first], 0, SNAPSHOT, 0, 0, 0)
    make_frame(rows, first, end, feed.last_ts)
    return end


@kernel
def _read_book(text: Text, i: int, feed: Any, rows: Rows, at: int) -> tuple[int, int, int]:
    """(update, end of the rows, place behind) of a book's data, bids before asks, from rows[at] on."""
    update, seen, bit = 0, 0, 0
    more = True
    i = expect(text, i, BEGIN)
    while more and i != BAD:
        key, i = ahead(text, i)
        if stands(key, _B):
            bit = 1
            at, i = read_side(text, i + _B[2], 1, feed.per_tick, feed.per_lot, rows, at)
        elif stands(key, _A):
            bit = 3  # no bids after it
            at, i = read_side(text, i + _A[2], -1, feed.per_tick, feed.per_lot, rows, at)
        elif stands(key, _U):
            bit = 4
            update, i = whole(text, i + _U[2])
        elif stands(key, _SEQ):
            bit = 8
            _, i = whole(text, i + _SEQ[2])
        elif stands(key, _S):
            bit = 16
            i = string(text, i + _S[2])
        else:
            return 0, 0, BAD
        if seen & bit & ~1 or (bit == 1 and seen & 1):
            return 0, 0, BAD
        seen |= bit
        more, i = goes_on(text, i, END)
    return update, at, i if seen & 4 else BAD


@kernel
def _read_prints(
    text: Text, i: int, feed: Any, rows: Rows, at: int
) -> tuple[int, int, tuple[int, int, int, int], int]:
    """(end of the rows, time of the last, prints dropped by reason, place behind) of a list of prints."""
    last_ts, repeated, blocks, impossible, outside = feed.last_ts, 0, 0, 0, 0
    half = 1 - feed.id_half
    feed.id_count[half] = 0
    more = True
    i = expect(text, i, OPEN)
    while more and i != BAD:
        ts, side, lots, ticks, known, block, hidden, i = _read_print(text, i, feed, half)
        if i == BAD:
            break
        if known:
            repeated += 1
        elif block:
            blocks += 1
        elif lots <= 0 or ticks <= 0 or side == 0:
            impossible += 1
        else:
            last_ts = max(last_ts, ts * MILLISECOND)
            if _off_market(feed, last_ts, ticks):
                outside += 1
            elif at == len(rows):
                i = BAD
            else:
                write(rows[at], last_ts, TRADE | WHOLE, side, ticks, lots)
                rows[at].spare = RPI if hidden else 0
                at += 1
        more, i = goes_on(text, i, CLOSE)
    return at, last_ts, (repeated, blocks, impossible, outside), i


@kernel
def _read_taker(text: Text, i: int) -> tuple[int, int]:
    """(side, place behind) of who took; 0: neither of the two."""
    each, i = ahead(text, i)
    if stands(each, _BUY):
        return 1, i + _BUY[2]
    if stands(each, _SELL):
        return -1, i + _SELL[2]
    return 0, string(text, i)


@kernel
def _off_market(feed: Any, ts: int, ticks: int) -> bool:
    """Is a print farther from the mark than the market can be?"""
    known = feed.mark > 0 and feed.reach > 0.0 and ts - feed.mark_ts <= MARK_NS
    return bool(known and abs(ticks - feed.mark) > feed.reach * feed.mark)


@kernel
def _read_print(text: Text, i: int, feed: Any, half: int) -> tuple[int, int, int, int, bool, bool, bool, int]:
    """(ms, side, lots, ticks, repeated, block trade, hidden quote, place behind) of a print; its id is kept in `half`."""
    ts, side, lots, ticks, seen, bit = 0, 0, 0, 0, 0, 0
    known, block, hidden, more = False, False, False, True
    i = expect(text, i, BEGIN)
    while more and i != BAD:
        key, i = ahead(text, i)
        if stands(key, _T):
            bit = 1
            ts, i = whole(text, i + _T[2])
        elif stands(key, _SIDE):
            bit = 2
            side, i = _read_taker(text, i + _SIDE[2])
        elif stands(key, _V):
            bit = 4
            lots, i = _units(text, i + _V[2], feed.per_lot, MOST_LOTS)
        elif stands(key, _P):
            bit = 8
            ticks, i = _units(text, i + _P[2], feed.per_tick, MOST_TICKS)
        elif stands(key, _I):
            bit = 16
            known, i = _read_id(text, i + _I[2], feed, half)
        elif stands(key, _BT):
            bit = 32
            block, i = flag(text, i + _BT[2])
        elif stands(key, _RPI):
            bit = 64
            hidden, i = flag(text, i + _RPI[2])
        elif stands(key, _SEQ):
            bit = 128
            _, i = whole(text, i + _SEQ[2])
        elif stands(key, _S):
            bit = 256
            i = string(text, i + _S[2])
        elif stands(key, _L):
            bit = 512
            i = string(text, i + _L[2])
        else:
            i = BAD
        if i == BAD or seen & bit:
            break
        seen |= bit
        bit = 0
        more, i = goes_on(text, i, END)
    good = i != BAD and bit == 0 and seen & 15 == 15 and ts <= _LATEST
    return ts, side, lots, ticks, known, block, hidden, i if good else BAD


@kernel
def _read_id(text: Text, i: int, feed: Any, half: int) -> tuple[bool, int]:
    """(was it in the frame before, place behind) of a print's id, which is kept in `half`."""
    count = feed.id_count[half]
    i = expect(text, i, QUOTE)
    if i == BAD or count == PRINTS:
        return False, BAD
    start = i
    for w in range(ID_PARTS):
        eight, i = eight_of(text, i)
        feed.ids[half, count, w] = eight
    if i == BAD or i >= len(text) or text[i] != QUOTE:
        return False, BAD
    if i == start:
        return False, i + 1
    feed.id_count[half] = count + 1
    for other in range(feed.id_count[1 - half]):
        same = True
        for w in range(ID_PARTS):
            same &= feed.ids[half, count, w] == feed.ids[1 - half, other, w]
        if same:
            return True, i + 1
    return False, i + 1


@kernel
def _read_topic(text: Text, i: int, feeds: Feeds) -> tuple[int, int, int]:
    """(what it brings, which of `feeds`, place behind) of a topic of theirs."""
    start = expect(text, i, QUOTE)
    topic, at = _PRINTS, after(text, start, _PRINT_TOPIC)
    if at == BAD:
        topic, at = _BOOK, after(text, start, _BOOK_TOPIC)
        while at != BAD and at < len(text) and ZERO <= text[at] <= NINE:
            at += 1
        at = expect(text, at, POINT)
    if at == BAD:
        return _OTHER, 0, BAD
    for k in range(len(feeds)):
        length = feeds[k].name_length
        end = at + length
        if length > NAME or end >= len(text) or text[end] != QUOTE:
            continue
        j = 0
        while j < length and feeds[k].name[j] == text[at + j]:
            j += 1
        if j == length:
            return topic, k, end + 1
    return _OTHER, 0, BAD


@kernel
def _units(text: Text, i: int, per_unit: float, most: int) -> tuple[int, int]:
    """(in units, place behind) of a decimal in quotes."""
    mantissa, places, end = read_number(text, i)
    units = in_units(mantissa, places, per_unit, most)
    if end == BAD or end - i > MOST_DIGITS + 3 or units == BAD:
        return 0, BAD
    return units, end
