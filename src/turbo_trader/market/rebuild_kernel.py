"""The kernel behind `market.rebuild`: bars and the shapes they drew, written out as rows."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from turbo_trader.market.bridge import KNOTS
from turbo_trader.market.compiled import kernel
from turbo_trader.market.ladder import move_book, put
from turbo_trader.market.rows import FUNDING, LAST, LEVEL, MINUTE, TRADE, WHOLE

#: What is known of a bar before it is written: prices in ticks, volume in lots, index of its path,
#: funding (interval 0: no row).
PLAN: Final = np.dtype(
    (
        np.record,
        [
            ("ts", "<i8"),
            ("open", "<i8"),
            ("high", "<i8"),
            ("low", "<i8"),
            ("close", "<i8"),
            ("volume", "<i8"),
            ("path", "<i8"),
            (
                "gap",
                "f8",
            ),  # ticks between book levels, from the bars before: this bar's range is not known yet
            ("funding", "<i8"),
            ("interval", "<i8"),
        ],
    )
)
ROWS_A_BAR: Final = 512  # room: nine frames of at most 50 rows, and the beats between them
PRINTS: Final = 3 * (KNOTS + 1)
COLUMNS: Final = 1 + 4 * (KNOTS + 1)  # uniforms a bar
SLOT: Final = MINUTE // KNOTS
MILLISECOND: Final = 1_000_000
BEAT: Final = (
    4_500 * MILLISECOND
)  # the longest time between two book frames: a real book is never silent for so long


@kernel
def warp(x: float, start: float, end: float, opens: float, closes: float, t: float) -> float:
    """Place `x` of a path from `start` to `end` moved to one from `opens` to `closes`; 0 and 1 stay where
    they are.
    """
    middle = min(max(start + (end - start) * t, 1e-3), 1.0 - 1e-3)
    wanted = min(max(opens + (closes - opens) * t, 0.0), 1.0)
    if x < middle:
        return x * wanted / middle
    return 1.0 - (1.0 - x) * (1.0 - wanted) / (1.0 - middle)


@kernel
def walk(plan: Any, b: int, knots: Any, highs: Any, lows: Any, starts: Any, ends: Any, out: Any) -> None:
    """Fill `out` [3, KNOTS + 1] with the bar's path in ticks: at each knot (0 = open), and its highest and
    lowest before it.
    """
    bar = plan[b]
    low = bar.low
    span = float(bar.high - low)
    out[0, 0] = bar.open
    out[1, 0] = bar.open
    out[2, 0] = bar.open
    opens = (bar.open - low) / span if span > 0.0 else 0.0
    closes = (bar.close - low) / span if span > 0.0 else 0.0
    m = bar.path
    for k in range(KNOTS):
        t = (k + 1.0) / KNOTS
        start, end = float(starts[m]), float(ends[m])
        out[0, k + 1] = low + int(span * warp(float(knots[m, k]), start, end, opens, closes, t) + 0.5)
        out[1, k + 1] = low + int(span * warp(float(highs[m, k]), start, end, opens, closes, t) + 0.5)
        out[2, k + 1] = low + int(span * warp(float(lows[m, k]), start, end, opens, closes, t) + 0.5)
    out[0, KNOTS] = bar.close


@kernel
def plan_prints(
    plan: Any, b: int, path: Any, flags: Any, bounce: int, draws: Any, prints: Any, weights: Any
) -> int:
    """Prints of the bar in order: (knot, price, side), and their weights. New extremes of the bar, then the
    print at each knot.
    """
    bar = plan[b]
    top, bottom = bar.open, bar.open
    n = 0
    for k in range(KNOTS + 1):
        price = path[0, k]
        move = price - path[0, k - 1] if k > 0 else 0
        up_first = k > 0 and flags[bar.path, k - 1]
        for turn in range(2):
            if (turn == 0) == up_first:
                if path[1, k] > top:
                    top = path[1, k]
                    prints[n, 0], prints[n, 1], prints[n, 2] = k, top, 1
                    weights[n] = 0.2
                    n += 1
            elif path[2, k] < bottom:
                bottom = path[2, k]
                prints[n, 0], prints[n, 1], prints[n, 2] = k, bottom, -1
                weights[n] = 0.2
                n += 1
        side = 1 if move > 0 or (move == 0 and draws[b, 1 + 4 * k] < 0.5) else -1
        if 0 < k < KNOTS:
            price = min(max(price + (bounce if side > 0 else 0), bottom), top)
        prints[n, 0], prints[n, 1], prints[n, 2] = k, price, side
        weights[n] = -math.log(1.0 - draws[b, 2 + 4 * k]) * (0.5 + 0.5 * abs(move) / bar.gap)
        n += 1
    return n


@kernel
def share_out(volume: int, count: int, prints: Any, weights: Any, high: int, low: int, lots: Any) -> None:
    """Share the bar's lots over its prints: one each, the rest by weight; with too few, the extremes and
    the close go first.
    """
    for i in range(count):
        lots[i] = 1 if volume >= count else 0
    left = volume - count
    if volume < count:
        left = volume
        for rank in range(3):
            for i in range(count - 1, -1, -1):
                price = prints[i, 1]
                wanted = (rank == 0 and (price in (high, low))) or (rank == 1 and i == count - 1) or rank == 2
                fresh = lots[i] == 0 and (rank > 0 or not _printed(prints, lots, count, price))
                if wanted and fresh and left > 0:
                    lots[i] = 1
                    left -= 1
        return
    total = 0.0
    for i in range(count):
        total += weights[i]
    given = 0
    reached = 0.0
    for i in range(count):
        reached += weights[i]
        until = left if i == count - 1 or total <= 0.0 else int(left * (reached / total))
        lots[i] += until - given
        given = until


@kernel
def _printed(prints: Any, lots: Any, count: int, price: int) -> bool:
    for i in range(count):  # noqa: SIM110 - numba knows no any()
        if lots[i] > 0 and prints[i, 1] == price:
            return True
    return False


@kernel
def write_bars(
    rows: Any,
    ladder: Any,
    plan: Any,
    draws: Any,
    starts: Any,
    ends: Any,
    knots: Any,
    highs: Any,
    lows: Any,
    flags: Any,
) -> int:
    """Write the rows of all bars of `plan`, going on from the book in `ladder`; returns how many."""
    path = np.zeros((3, KNOTS + 1), np.int64)
    prints = np.zeros((PRINTS, 3), np.int64)
    weights = np.zeros(PRINTS, np.float64)
    lots = np.zeros(PRINTS, np.int64)
    n = 0
    for b in range(len(plan)):
        bar = plan[b]
        walk(plan, b, knots, highs, lows, starts, ends, path)
        spread = max(1, int(ladder[0].spread * bar.close + 0.5))
        count = plan_prints(plan, b, path, flags, spread - spread // 2, draws, prints, weights)
        share_out(bar.volume, count, prints, weights, bar.high, bar.low, lots)
        fresh = bar.ts - ladder[0].last_ts // MINUTE * MINUTE != MINUTE
        if not fresh:
            n = _beat(ladder, rows, n, bar.ts)
        n = _funding(bar, rows, n)
        i = 0
        for k in range(KNOTS + 1):
            ts = bar.ts + _time_of(k, draws[b, 3 + 4 * k])
            if k > 0 or not fresh:
                n = _beat(ladder, rows, n, ts)
            # The book moves before its prints: a stop that a print fires must meet the book as the path left it, whose mean
            # is the stop (a martingale stopped there), not the kinder one from before the move.
            bid = max(1, path[0, k] - spread // 2)
            if k > 0 or fresh or abs(path[0, 0] - ladder[0].last_price) > spread:
                first = n
                size = draws[b, 4 + 4 * k]
                other = (size * 13.0 + 0.311) % 1.0
                n = move_book(ladder, bid, bid + spread, bar.gap, size, other, rows, n, ts, fresh and k == 0)
                n = _pad(ladder, rows, first, n, ts)
                ladder[0].last_ts = ts
            while i < count and prints[i, 0] == k:
                if lots[i] > 0:
                    n = put(rows, n, ts, TRADE | WHOLE, prints[i, 2], prints[i, 1], lots[i])
                i += 1
        ladder[0].last_price = bar.close
    return n


@kernel
def _funding(bar: Any, rows: Any, n: int) -> int:
    """The row of the bar's funding, where it has one."""
    if bar.interval > 0:
        n = put(rows, n, bar.ts + MILLISECOND, FUNDING | WHOLE, 0, 0, bar.funding)
        rows[n - 1].spare = bar.interval
    return n


@kernel
def _time_of(k: int, jitter: float) -> int:
    """When the path reaches knot `k`, ns after the bar's beginning; `jitter` from 0 to 1."""
    if k > 0:
        return (k - 1) * SLOT + int((0.1 + 0.85 * jitter) * SLOT)
    return 2 * MILLISECOND + int(jitter * SLOT * 0.05)


@kernel
def _beat(ladder: Any, rows: Any, n: int, until: int) -> int:
    """Frames before `until` so that no two are farther apart than BEAT: each changes the size of the farthest level alone.

    A venue's book changes many times a second while its price stands. A beat says only that: it touches no price, and none of the
    levels that order flow is counted on.
    """
    while ladder[0].last_ts + BEAT < until:
        ts = ladder[0].last_ts + BEAT
        side = int(ts // MILLISECOND) & 1
        worst = ladder[0].levels[side] - 1
        sign = 1 - 2 * side
        ladder[0].lots[side, worst] += 1
        n = put(
            rows, n, ts, LEVEL | WHOLE, sign, sign * ladder[0].key[side, worst], ladder[0].lots[side, worst]
        )
        ladder[0].last_ts = ts
    return n


@kernel
def _pad(ladder: Any, rows: Any, first: int, n: int, ts: int) -> int:
    """A frame of fewer than three rows also refreshes the second bid or ask: a quiet market still shows life."""
    if n - first >= 3:
        return n
    side = int(ts // MILLISECOND) & 1
    if ladder[0].levels[side] < 2:
        return n
    sign = 1 - 2 * side
    ladder[0].lots[side, 1] += 1
    rows[n - 1].kind = LEVEL
    return put(rows, n, ts, LEVEL | (LAST), sign, sign * ladder[0].key[side, 1], ladder[0].lots[side, 1])
