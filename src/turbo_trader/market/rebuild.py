"""One-minute bars turned into a tape of book frames and trades. Its results are always marked `rebuilt`.

The path inside a bar is drawn from `market.bridge`: looked at eight times a bar, at moments that do not
depend on it. At each the book moves to the path and a trade prints with the move, at the same time. Extremes
of the path between two looks are printed (new ones of the bar only, so a print says nothing about later
ones): last prices touch the bar's high and low exactly. The book moves about the path with the symbol's
recorded spread and depth (`market.depth`).
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.bridge import KNOTS, Shapes, seen_continuously, shapes
from turbo_trader.market.depth import depth_of
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.ladder import LADDER
from turbo_trader.market.rebuild_kernel import COLUMNS, PLAN, ROWS_A_BAR, write_bars
from turbo_trader.market.rows import MINUTE, RATE, ROW, Rows

#: Which extreme of a bar comes first: as a Brownian path would have it, or always the same.
Order: TypeAlias = Literal["random", "high-first", "low-first"]
#: Settlement time (ns UTC) and rate (fraction per interval) of each funding, oldest first.
FUNDING_RATE = np.dtype([("ts", "<i8"), ("rate", "f8")])

HOUR = 60 * MINUTE
_BATCH = 1440
_AROUND = 20  # bars before and after that a bar's range is compared with
_GAP = 0.25  # of the usual range of a bar lies between book levels


def rebuild(
    bars: Rows,
    instrument: Instrument,
    *,
    seed: int,
    funding: NDArray[np.void] | None = None,
    order: Order = "random",
) -> Rows:
    """The rows of `bars` (market.rows.BAR, oldest first): book frames, never more than 4.5 s apart, and
    trades; at least 35 rows a bar (about 60). A bar without volume has frames and no trades.

    Times lie strictly within their bar; traded lots sum to the bar's volume; the mid after a bar is its close
    within the spread. Deterministic in `seed`, symbol and bar times. A slice of the bars gives the same rows
    as the whole up to 20 bars from its ends, but for the book levels behind the best, which start again.
    `funding` (FUNDING_RATE) adds the rate in force each hour: it runs linearly from the last settled rate to
    the coming one, which it reaches in the last hour. No mark price: none is recorded.
    """
    n = len(bars)
    if n == 0:
        return np.zeros(0, ROW)
    library = shapes()
    plan = _plan(bars, instrument, library, seed, order)
    _add_funding(plan, funding)
    depth = depth_of(instrument.symbol)
    ladder = np.zeros(1, LADDER)
    ladder["scale"] = depth.scale / (float(instrument.tick) * float(instrument.step))
    ladder["power"] = depth.power
    ladder["spread"] = depth.spread
    parts: list[Rows] = []
    buffer = np.empty(_BATCH * ROWS_A_BAR, ROW)
    for first in range(0, n, _BATCH):
        chunk = plan[first : first + _BATCH]
        draws = _uniforms(seed, instrument.symbol, chunk["ts"], COLUMNS)
        count = write_bars(
            buffer, ladder, chunk, draws, library.opens, library.closes, library.knots, library.highs, library.lows,
            library.high_first,
        )  # fmt: skip
        parts.append(buffer[:count].copy())
    return np.concatenate(parts).view(ROW)


def _plan(bars: Rows, instrument: Instrument, library: Shapes, seed: int, order: Order) -> NDArray[np.void]:
    """What the kernel needs of each bar: prices in ticks, volume in lots, the path it drew."""
    plan = np.zeros(len(bars), PLAN)
    tick = float(instrument.tick)
    plan["ts"] = bars["ts"]
    for name in ("open", "high", "low", "close"):
        plan[name] = np.rint(bars[name] / tick)
    plan["volume"] = np.rint(bars["volume"] / float(instrument.step))
    spans = (plan["high"] - plan["low"]).astype(np.float64)
    moves = spans > 0
    safe = np.where(moves, spans, 1.0)
    opens = np.where(moves, (plan["open"] - plan["low"]) / safe, 0.5)
    closes = np.where(moves, (plan["close"] - plan["low"]) / safe, 0.5)
    draws = _uniforms(seed, instrument.symbol + "/path", plan["ts"], 2)
    usual = _around(spans)
    continuous = seen_continuously(opens, closes, usual, _AROUND, draws[:, 1])
    plan["gap"] = np.maximum(1.0, _GAP * _before(spans))
    plan["path"] = library.draw(order, opens, closes, spans / usual, continuous, draws[:, 0])
    return plan


def _around(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square of the ranges of the bars around each bar; 1 where all are 0."""
    total = np.concatenate(([0.0], np.cumsum(np.square(spans))))
    index = np.arange(len(spans))
    low, high = np.maximum(index - _AROUND, 0), np.minimum(index + _AROUND + 1, len(spans))
    mean = (total[high] - total[low]) / (high - low)
    return np.sqrt(np.where(mean > 0, mean, 1.0))


def _before(spans: NDArray[np.float64]) -> NDArray[np.float64]:
    """Root mean square of the ranges of the bars before each bar; its own for the first."""
    total = np.concatenate(([0.0], np.cumsum(np.square(spans))))
    index = np.arange(len(spans))
    low = np.maximum(index - _AROUND, 0)
    low[0], index[0] = 0, 1
    return np.sqrt((total[index] - total[low]) / (index - low))


def _add_funding(plan: NDArray[np.void], funding: NDArray[np.void] | None) -> None:
    """Mark the bars that begin an hour with the funding rate in force."""
    if funding is None or len(funding) < 2:
        return
    hour = plan["ts"] % HOUR == 0
    if len(plan):
        hour[0] = True
    coming = np.searchsorted(funding["ts"], plan["ts"], side="right")
    known = hour & (coming > 0) & (coming < len(funding))
    after = coming[known]
    start, end = funding["ts"][after - 1], funding["ts"][after]
    # settlement times carry a few milliseconds of the venue's clock: whole hours are meant
    hours = np.maximum(np.rint((end - start) / HOUR), 1.0)
    done = np.clip((np.floor((plan["ts"][known] - start) / HOUR + 0.01) + 1.0) / hours, 0.0, 1.0)
    before, rate = funding["rate"][after - 1], funding["rate"][after]
    plan["funding"][known] = np.rint((before + (rate - before) * done) * RATE)
    plan["interval"][known] = (hours * 60).astype(np.int64)


def _uniforms(seed: int, name: str, ts: NDArray[np.int64], columns: int) -> NDArray[np.float64]:
    """Uniforms in [0, 1), a row per time, hashed (splitmix64) from seed, name, time, column: order is no matter."""
    key = np.array([seed & 0xFFFF_FFFF_FFFF_FFFF], np.uint64)
    for byte in name.encode():
        key = _mix(key ^ np.uint64(byte))
    rows = _mix((ts // 1_000_000).astype(np.uint64) ^ key)
    hashes = _mix(rows[:, None] + _GOLDEN * np.arange(1, columns + 1, dtype=np.uint64))
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53


_GOLDEN = np.uint64(0x9E37_79B9_7F4A_7C15)


def _mix(z: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """The finaliser of splitmix64 (Steele, Lea & Flood 2014)."""
    z = z + _GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58_476D_1CE4_E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D0_49BB_1331_11EB)
    return z ^ (z >> np.uint64(31))


__all__ = ["FUNDING_RATE", "KNOTS", "Order", "rebuild"]
