"""A made-up order book that moves with a path: kernels that write its frames. Shared by rebuilt and synthetic
markets.

Levels behind the best keep their prices while the best moves; the ladder is filled where a move leaves a
hole, grown at its far end where it gets short and cut where it gets long. Sizes follow the depth of
`market.depth`.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from turbo_trader.market.compiled import inlined, kernel
from turbo_trader.market.rows import FIRST, LAST, LEVEL, SNAPSHOT

CAP: Final = 32
MOST: Final = 16
LEAST: Final = 11  # more than the ten levels of the order-flow imbalance: a refill at the far end is no flow
FILLS: Final = 1
GROWTH: Final = 0.3  # each further level lies this much farther out

#: `key` = side x price in ticks, best first; lots beside it. `scale`, `power`: lots within x ticks =
#: scale * x**power / price**(power + 1).
LADDER: Final = np.dtype(
    (
        np.record,
        [
            ("scale", "f8"),
            ("power", "f8"),
            ("spread", "f8"),
            ("levels", "<i8", (2,)),
            ("key", "<i8", (2, CAP)),
            ("lots", "<i8", (2, CAP)),
            ("last_ts", "<i8"),
            ("last_price", "<i8"),
        ],
    )
)


@inlined
def put(rows: Any, n: int, ts: int, kind: int, side: int, price: int, lots: int) -> int:
    """Write a row; returns the next free index."""
    row = rows[n]
    row.ts = ts
    row.kind = kind
    row.side = side
    row.price = price
    row.lots = lots
    row.spare = 0
    return n + 1


@kernel
def size_within(ladder: Any, near: float, far: float, price: float, jitter: float) -> int:
    """Lots between two distances (ticks) from the best, times 0.75 to 1.25 by `jitter`; at least one."""
    power = ladder[0].power
    inner = max(near, 0.0)
    usd = math.exp(power * math.log(max(far, 0.5))) - (
        math.exp(power * math.log(inner)) if inner > 0.5 else 0.0
    )
    size = ladder[0].scale * usd / math.exp((power + 1.0) * math.log(price))
    return max(1, int(size * (0.75 + 0.5 * jitter)))


@kernel
def insert(ladder: Any, side: int, at: int, key: int, lots: int) -> None:
    """Put a level at place `at` (0 = best)."""
    levels = ladder[0].levels[side]
    for i in range(levels, at, -1):
        ladder[0].key[side, i] = ladder[0].key[side, i - 1]
        ladder[0].lots[side, i] = ladder[0].lots[side, i - 1]
    ladder[0].key[side, at] = key
    ladder[0].lots[side, at] = lots
    ladder[0].levels[side] = levels + 1


@kernel
def clear_beyond(ladder: Any, side: int, best: int, rows: Any, n: int, ts: int) -> int:
    """Delete every level better than key `best`."""
    levels = ladder[0].levels[side]
    gone = 0
    sign = 1 - 2 * side
    while gone < levels and ladder[0].key[side, gone] > best:
        n = put(rows, n, ts, LEVEL, sign, sign * ladder[0].key[side, gone], 0)
        gone += 1
    for i in range(levels - gone):
        ladder[0].key[side, i] = ladder[0].key[side, i + gone]
        ladder[0].lots[side, i] = ladder[0].lots[side, i + gone]
    ladder[0].levels[side] = levels - gone
    return n


@kernel
def set_best(ladder: Any, side: int, best: int, gap: float, jitter: float, rows: Any, n: int, ts: int) -> int:
    """Make `best` the best level (nothing is better already), filling the hole behind it."""
    sign = 1 - 2 * side
    price = float(sign * best)
    size = size_within(ladder, 0.0, 0.5 * gap, price, jitter)
    if ladder[0].levels[side] > 0 and ladder[0].key[side, 0] == best:
        if size == ladder[0].lots[side, 0]:
            size += 1
        ladder[0].lots[side, 0] = size
        return put(rows, n, ts, LEVEL, sign, sign * best, size)
    if (
        ladder[0].levels[side] > 0 and float(best - ladder[0].key[side, 0]) < 0.5 * gap
    ):  # the quote moves along
        n = put(rows, n, ts, LEVEL, sign, sign * ladder[0].key[side, 0], 0)
        ladder[0].key[side, 0] = best
        ladder[0].lots[side, 0] = size
        return put(rows, n, ts, LEVEL, sign, sign * best, size)
    if ladder[0].levels[side] > 0:
        hole = float(best - ladder[0].key[side, 0])
        fills = min(FILLS, int(hole / (1.5 * gap)))
        for j in range(fills):
            distance = hole * (fills - j) / (fills + 1)
            key = best - int(distance)
            if ladder[0].key[side, 0] < key < best:
                far = distance + 0.5 * hole / (fills + 1)
                lots = size_within(
                    ladder, distance - 0.5 * hole / (fills + 1), far, price, (jitter * 7.0 + j * 0.37) % 1.0
                )
                insert(ladder, side, 0, key, lots)
                n = put(rows, n, ts, LEVEL, sign, sign * key, lots)
    insert(ladder, side, 0, best, size)
    return put(rows, n, ts, LEVEL, sign, sign * best, size)


@kernel
def keep_length(ladder: Any, side: int, gap: float, jitter: float, rows: Any, n: int, ts: int) -> int:
    """Cut a ladder of more than MOST levels; grow one of fewer than LEAST."""
    sign = 1 - 2 * side
    while ladder[0].levels[side] > MOST:
        worst = ladder[0].levels[side] - 1
        n = put(rows, n, ts, LEVEL, sign, sign * ladder[0].key[side, worst], 0)
        ladder[0].levels[side] = worst
    if ladder[0].levels[side] >= LEAST:
        return n
    best = ladder[0].key[side, 0]
    while ladder[0].levels[side] < LEAST + 3:
        levels = ladder[0].levels[side]
        last = ladder[0].key[side, levels - 1]
        reach = float(best - last)
        width = max(1.0, gap, GROWTH * reach)
        key = last - int(width + 0.5)
        if sign * key <= 0:
            return n
        jitter = (jitter * 7.0 + 0.123) % 1.0
        distance = float(best - key)
        near, far = 0.5 * (reach + distance), distance + 0.5 * max(gap, GROWTH * distance)
        lots = size_within(ladder, near, far, float(sign * best), jitter)
        insert(ladder, side, levels, key, lots)
        n = put(rows, n, ts, LEVEL, sign, sign * key, lots)
    return n


@kernel
def move_book(
    ladder: Any,
    bid: int,
    ask: int,
    gap: float,
    bid_size: float,
    ask_size: float,
    rows: Any,
    n: int,
    ts: int,
    fresh: bool,
) -> int:
    """One frame that takes the best prices to `bid` and `ask` (ticks); `fresh` restarts the book. Returns the next row.

    `gap`: ticks between levels near the best. `bid_size`, `ask_size` in [0, 1): from three quarters to five quarters of the usual.
    """
    first = n
    if fresh:
        ladder[0].levels[0] = 0
        ladder[0].levels[1] = 0
        n = put(rows, n, ts, SNAPSHOT, 0, 0, 0)
    n = clear_beyond(ladder, 0, bid, rows, n, ts)
    n = clear_beyond(ladder, 1, -ask, rows, n, ts)
    n = set_best(ladder, 0, bid, gap, bid_size, rows, n, ts)
    n = set_best(ladder, 1, -ask, gap, ask_size, rows, n, ts)
    n = keep_length(ladder, 0, gap, bid_size, rows, n, ts)
    n = keep_length(ladder, 1, gap, ask_size, rows, n, ts)
    rows[first].kind = rows[first].kind | FIRST
    rows[n - 1].kind = rows[n - 1].kind | LAST
    return n


__all__ = ["CAP", "LADDER", "move_book", "put", "size_within"]
