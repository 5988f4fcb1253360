"""The kernels of the synthetic market: prices of one minute, and the rows that show them."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.ladder import move_book, put
from turbo_trader.market.rows import FINE, FUNDING, INDEX, MARK, MINUTE, TRADE, WHOLE

SLOTS: Final = 120  # moments a minute at which the price moves and a frame may be sent
SLOT: Final = MINUTE // SLOTS
UNIFORMS: Final = 5  # draws a slot and symbol for its rows
ROOM: Final = 16_384  # rows a symbol can have in a minute
MARK_EVERY: Final = 4
INDEX_EVERY: Final = 20
MILLISECOND: Final = 1_000_000

#: What stays the same of a symbol: units, how often a frame is sent, prints, the size of deviations.
SYMBOL: Final = np.dtype(
    (
        np.record,
        [
            ("tick", "f8"),
            ("beta", "f8"),
            ("gap", "f8"),  # fraction of the price between levels near the best
            ("frames", "f8"),  # probability of a frame in a slot at usual volatility
            ("prints", "f8"),  # prints a frame
            ("log_lots", "f8"),  # mean of the log of a print's lots
            ("size_spread", "f8"),
            ("deviation", "f8"),  # standard deviation of z; 0: no edge
            ("interval", "<i8"),  # minutes
        ],
    )
)


@kernel
def walk(
    x: Any,
    z: Any,
    phase: Any,
    symbols: Any,
    factor: float,
    own: Any,
    phases: Any,
    normals: Any,
    uniforms: Any,
    out: Any,
) -> None:
    """Move all symbols through one minute.

    `x` log price, `z` deviation, `phase` (1: reverting), [n], are replaced by their values at the end.
    `factor`, `own` [n]: volatility of this minute. `phases`: decay, start and end probability a slot, calm, noise a slot.
    `normals` [SLOTS, 1 + 2 n], `uniforms` [SLOTS, n].
    `out` [3, n, SLOTS]: log price shown, phase with the sign of the reversion, log price without deviation.
    """
    count = len(x)
    root = math.sqrt(1.0 / SLOTS)
    for t in range(SLOTS):
        common = factor * root * normals[t, 0]
        for s in range(count):
            x[s] += symbols[s].beta * common + own[s] * root * normals[t, 1 + s]
            deviation = symbols[s].deviation
            step = deviation * phases[4] * normals[t, 1 + count + s]
            if deviation > 0.0 and phase[s] > 0.5:
                z[s] += -phases[0] * z[s] + phases[3] * step
                phase[s] = 0.0 if uniforms[t, s] < phases[2] else 1.0
            elif deviation > 0.0:
                z[s] += step
                far = z[s] / deviation
                phase[s] = 1.0 if uniforms[t, s] < phases[1] * far * far else 0.0
            out[0, s, t] = x[s] + z[s]
            out[1, s, t] = 0.0 if phase[s] < 0.5 else (1.0 if z[s] < 0.0 else -1.0)
            out[2, s, t] = x[s]


@kernel
def write_minute(
    rows: Any,
    ends: Any,
    ladders: Any,
    symbols: Any,
    start: int,
    activity: Any,
    rates: Any,
    lean: float,
    paths: Any,
    uniforms: Any,
    normals: Any,
) -> int:
    """Write one minute's rows of all symbols one after the other; `ends` [n] gets where each ends.

    `activity` [n]: volatility now against usual, to the power of trading. `rates` [n]: funding per interval in 1e-12.
    `uniforms` [n, SLOTS, UNIFORMS], `normals` [n, SLOTS].
    """
    n = 0
    for s in range(len(symbols)):
        ladder = ladders[s : s + 1]
        n = put(rows, n, start, FUNDING | WHOLE, 0, 0, rates[s])
        rows[n - 1].spare = symbols[s].interval
        frames = min(0.95, symbols[s].frames * activity[s])
        for t in range(SLOTS):
            price = math.exp(paths[0, s, t]) / symbols[s].tick
            begin = start + t * SLOT
            fresh = ladder[0].last_ts == 0
            if uniforms[s, t, 0] < frames or fresh:
                n = _event(rows, n, ladder, symbols[s].gap * price, price, begin, activity[s], symbols, s, paths[1, s, t] * lean,
                           uniforms, normals, t)  # fmt: skip
            # after the book, and from it: a mark ahead of the book would tell the next frame, and fill stops by mark too kindly
            after = begin + SLOT - MILLISECOND
            if t % MARK_EVERY == 0:
                middle = 0.5 * (ladder[0].key[0, 0] - ladder[0].key[1, 0])
                n = _fine(rows, n, after + 1, MARK, middle * (1.0 + 2e-5 * (uniforms[s, t, 4] - 0.5)))
            if t % INDEX_EVERY == 0:
                n = _fine(rows, n, after + 2, INDEX, math.exp(paths[2, s, t]) / symbols[s].tick)
        ends[s] = n
    return n


@kernel
def _fine(rows: Any, n: int, ts: int, kind: int, price: float) -> int:
    """A mark or index row."""
    return put(rows, n, ts, kind | WHOLE, 0, int(price + 0.5), int(price * FINE + 0.5))


@kernel
def _event(
    rows: Any, n: int, ladder: Any, gap: float, price: float, begin: int, activity: float, symbols: Any, s: int, lean: float,
    uniforms: Any, normals: Any, t: int,
) -> int:  # fmt: skip
    """The prints and the book frame of one moment: the book moves to the price, prints come with it on the same side."""
    spread = max(1, int(ladder[0].spread * price + 0.5))
    bid = max(1, int(price - 0.5 * spread + 0.5))
    ask = bid + spread
    fresh = ladder[0].last_ts == 0
    move = 0 if fresh else bid - ladder[0].last_price
    jitter = uniforms[s, t, 1]
    ts = begin + MILLISECOND + int(jitter * (SLOT - 2 * MILLISECOND))
    buying = 0.5 + lean if move == 0 else (0.85 if move > 0 else 0.15)
    side = 1 if uniforms[s, t, 2] < buying else -1
    printed = 1 if uniforms[s, t, 3] < symbols[s].prints else 0
    if printed > 0:
        size = normals[s, t]
        lots = max(1, int(activity * math.exp(symbols[s].log_lots + symbols[s].size_spread * min(size, 4.0))))
        n = put(rows, n, ts, TRADE | WHOLE, side, ask if side > 0 else bid, lots)
        if symbols[s].prints * 0.5 > uniforms[s, t, 4]:
            n = put(rows, n, ts, TRADE | WHOLE, side, ask if side > 0 else bid, 1 + lots // 3)
    eaten = 0.5 if printed > 0 else 1.0
    bid_size = (jitter * 17.0) % 1.0
    ask_size = (jitter * 29.0) % 1.0
    if side > 0:
        ask_size *= eaten
    else:
        bid_size *= eaten
    bid_size = min(max(bid_size + lean, 0.0), 0.999)
    ask_size = min(max(ask_size - lean, 0.0), 0.999)
    n = move_book(ladder, bid, ask, max(1.0, gap), bid_size, ask_size, rows, n, ts, fresh)
    ladder[0].last_ts = ts
    ladder[0].last_price = bid
    return n
