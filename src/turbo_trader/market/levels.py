"""A book frame's levels to rows: `[["price","size"],...]` read by a kernel, the one part of a frame that is worth one.

The texts are plain decimals, as the venue writes them. Up to 15 digits the result is that of `round(float(text) * per_unit)`.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import FIRST, LAST, LEVEL, SNAPSHOT, Rows

BAD: Final = -1  # no such text
SHORTEST: Final = 9  # bytes of the shortest level, ["1","1"]

_POWERS = np.array([10.0**n for n in range(19)])
_MOST_DIGITS = 18  # a mantissa stays below 2**63
_MOST_TICKS = 2**31 - 1
_MOST_LOTS = 2**62
_SPACE, _QUOTE, _COMMA, _POINT, _ZERO, _NINE, _OPEN, _CLOSE = (ord(c) for c in ' ",.09[]')


@kernel
def read_book(
    text: NDArray[np.uint8],
    bids: int,
    asks: int,
    snapshot: bool,
    ts: int,
    per_tick: float,
    per_lot: float,
    rows: Rows,
) -> int:
    """Write one frame's rows to rows[0:]; returns how many, BAD where the text is no list of levels.

    text: the list of bids in its first `bids` bytes, that of asks in the next `asks`. Prices become ticks
    (price x `per_tick`), sizes lots, all at `ts`. `rows` must have room for (bids + asks) // SHORTEST + 1.
    """
    at = 0
    if snapshot:
        _write(rows[0], ts, SNAPSHOT, 0, 0, 0)
        at = 1
    at = _read_side(text[:bids], 1, ts, per_tick, per_lot, rows, at)
    if at != BAD:
        at = _read_side(text[bids : bids + asks], -1, ts, per_tick, per_lot, rows, at)
    if at > 0:
        rows[0].kind |= FIRST
        rows[at - 1].kind |= LAST
    return at


@kernel
def _write(row: np.record, ts: int, kind: int, side: int, price: int, lots: int) -> None:
    row.ts = ts
    row.lots = lots
    row.price = price
    row.kind = kind
    row.side = side
    row.spare = 0


@kernel
def _read_side(
    text: NDArray[np.uint8], side: int, ts: int, per_tick: float, per_lot: float, rows: Rows, at: int
) -> int:
    i = _expect(text, 0, _OPEN)
    if i == BAD:
        return BAD
    end = _expect(text, i, _CLOSE)
    while end == BAD:
        price, i = _read_number(text, _expect(text, i, _OPEN))
        lots, i = _read_number(text, _expect(text, i, _COMMA))
        i = _expect(text, i, _CLOSE)
        if i == BAD or price * per_tick > _MOST_TICKS or lots * per_lot > _MOST_LOTS:
            return BAD
        _write(rows[at], ts, LEVEL, side, round(price * per_tick), round(lots * per_lot))
        at += 1
        end = _expect(text, i, _CLOSE)
        if end == BAD:
            i = _expect(text, i, _COMMA)
            if i == BAD:
                return BAD
    return at if end == len(text) else BAD


@kernel
def _expect(text: NDArray[np.uint8], i: int, byte: int) -> int:
    """The place after `byte`, which must come next but for spaces; BAD where it does not, or where `i` is BAD."""
    if i == BAD:
        return BAD
    while i < len(text):
        if text[i] == byte:
            return i + 1
        if text[i] != _SPACE:
            break
        i += 1
    return BAD


@kernel
def _read_number(text: NDArray[np.uint8], i: int) -> tuple[float, int]:
    """A decimal in quotes and the place after it (BAD for anything else)."""
    i = _expect(text, i, _QUOTE)
    if i == BAD:
        return 0.0, BAD
    first = i
    point = -1  # where it is; -1: it has not come
    mantissa = np.int64(0)
    while i < len(text):
        c = text[i]
        if _ZERO <= c <= _NINE:
            mantissa = mantissa * 10 + (np.int64(c) - _ZERO)
        elif c == _POINT and point < 0:
            point = i
        else:
            break
        i += 1
    digits = i - first - (point >= 0)
    if i == len(text) or text[i] != _QUOTE or digits < 1 or digits > _MOST_DIGITS:
        return 0.0, BAD
    return mantissa / _POWERS[i - point - 1 if point >= 0 else 0], i + 1
