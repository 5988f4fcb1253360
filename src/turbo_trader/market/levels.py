"""A book frame's levels to rows: `[["price","size"],...]` read by a kernel, the one part of a frame that is worth one.

The texts are plain decimals, as the venue writes them. Up to 15 digits the result is that of `round(float(text) * per_unit)`.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.json_text import BAD, CLOSE, COMMA, OPEN, Text, expect, in_units, read_number
from turbo_trader.market.rows import FIRST, LAST, LEVEL, SNAPSHOT, Rows

SHORTEST: Final = 9  # bytes of the shortest level, ["1","1"]
MOST_TICKS: Final = 2**31 - 1
MOST_LOTS: Final = 2**62


@kernel
def read_book(
    text: Text,
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
        write(rows[0], ts, SNAPSHOT, 0, 0, 0)
        at = 1
    at, end = read_side(text, 0, 1, per_tick, per_lot, rows, at)
    if end == bids:
        at, end = read_side(text, end, -1, per_tick, per_lot, rows, at)
    else:
        return BAD
    if end != bids + asks:
        return BAD
    make_frame(rows, 0, at, ts)
    return at


@kernel
def make_frame(rows: Rows, first: int, end: int, ts: int) -> None:
    """Make rows[first:end] one frame at `ts`."""
    for j in range(first, end):
        rows[j].ts = ts
    if end > first:
        rows[first].kind |= FIRST
        rows[end - 1].kind |= LAST


@kernel
def write(row: np.record, ts: int, kind: int, side: int, price: int, lots: int) -> None:
    """Set all fields but `spare`, which is 0."""
    row.ts = ts
    row.lots = lots
    row.price = price
    row.kind = kind
    row.side = side
    row.spare = 0


@kernel
def read_side(
    text: Text, start: int, side: int, per_tick: float, per_lot: float, rows: Rows, at: int
) -> tuple[int, int]:
    """Write the levels of the list at text[start:] to rows[at:], without their time: (next row, place behind the list or BAD).

    It reads up to the end of `text`, however short the frame in it: whoever calls looks whether the list ended where it must.
    """
    i = expect(text, start, OPEN)
    end = expect(text, i, CLOSE)
    while i != BAD and end == BAD:
        price, decimals, i = read_number(text, expect(text, i, OPEN))
        ticks = in_units(price, decimals, per_tick, MOST_TICKS)
        size, decimals, i = read_number(text, expect(text, i, COMMA))
        lots = in_units(size, decimals, per_lot, MOST_LOTS)
        i = expect(text, i, CLOSE)
        if i == BAD or ticks == BAD or lots == BAD or at == len(rows):
            return at, BAD
        write(rows[at], 0, LEVEL, side, ticks, lots)
        at += 1
        end = expect(text, i, CLOSE)
        if end == BAD:
            i = expect(text, i, COMMA)
    return at, end
