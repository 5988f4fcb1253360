"""Slopes of ln(mid) over several horizons, and the tail of one-minute ranges: figures that change with a minute close.

Ordinary least squares on minute closes, t = slope / standard error (a rough measure: on a random walk |t| > 1 is common; the
rules use it as a filter of flat horizons, not as a test). The running sums are integers in quanta of 1e-7 of ln(mid), so that
what enters and leaves a window cancels exactly.
"""

from __future__ import annotations

import math
from typing import Any, Final

from turbo_trader.market.compiled import inlined, kernel
from turbo_trader.market.state import MINUTES

HORIZONS: Final = 5  # slope horizons
TAILS: Final = 4  # largest one-minute ranges kept: the 99.9 % quantile of 2,048 is the third

_MASK = MINUTES - 1
_QUANTUM = 1e-7
_FAR = 10_000_000  # quanta from the base, and ...
_LONG = 100_000  # ... minutes from the origin: the sums restart long before an int64 overflows
_MOST = 1e6  # |t| of a straight line


@inlined
def _quanta(y: float) -> int:
    if not -1e3 < y < 1e3:  # no price: also what is not a number
        return 0
    return math.floor(y / _QUANTUM + 0.5)


@inlined
def _enter(f: Any, h: int, t: int, y: int, sign: int) -> None:
    sums = f.slope_sums
    sums[h, 0] += sign
    sums[h, 1] += sign * t
    sums[h, 2] += sign * t * t
    sums[h, 3] += sign * y
    sums[h, 4] += sign * t * y
    sums[h, 5] += sign * y * y


@inlined
def _begin(state: Any, f: Any, count: int) -> None:
    """Empty sums, with the close number `count` as the new base and origin."""
    f.slope_base = _quanta(state.minute_y[count & _MASK])
    f.slope_origin = state.minute_index[count & _MASK]
    for h in range(HORIZONS):
        f.slope_oldest[h] = f.slope_minutes
        for k in range(6):
            f.slope_sums[h, k] = 0


@inlined
def _slope(f: Any, h: int, horizon: int, min_share: float) -> None:
    f.slope_valid[h], f.slope[h], f.slope_t[h] = 0, 0.0, 0.0
    n, t, tt = f.slope_sums[h, 0], f.slope_sums[h, 1], f.slope_sums[h, 2]
    y, ty, yy = f.slope_sums[h, 3], f.slope_sums[h, 4], f.slope_sums[h, 5]
    sxx = n * tt - t * t
    if n < 3 or n < min_share * horizon or sxx <= 0:
        return
    slope = float(n * ty - t * y) / float(sxx)
    residual = float(yy) - float(y) * float(y) / float(n) - slope * slope * float(sxx) / float(n)
    error2 = max(residual, 0.0) / float(n - 2) * float(n) / float(sxx)
    f.slope_valid[h] = 1
    f.slope[h] = slope * _QUANTUM
    if abs(slope) >= _MOST * math.sqrt(error2):
        f.slope_t[h] = 0.0 if slope == 0.0 else math.copysign(_MOST, slope)
    else:
        f.slope_t[h] = slope / math.sqrt(error2)


@kernel
def slopes(states: Any, filters: Any, s: int, params: Any) -> None:
    """Bring the slopes of `s` up to the newest minute close."""
    state, f, p = states[s], filters[s], params[0]
    if f.slope_minutes == state.minutes:
        return
    oldest = max(0, state.minutes - MINUTES // 2 - MINUTES // 4)
    newest_y = _quanta(state.minute_y[(state.minutes - 1) & _MASK])
    newest_t = state.minute_index[(state.minutes - 1) & _MASK]
    restart = f.slope_minutes < oldest or f.slope_minutes > state.minutes or f.slope_minutes == 0
    restart = restart or abs(newest_y - f.slope_base) > _FAR or newest_t - f.slope_origin > _LONG
    for h in range(HORIZONS):  # what must leave may have left the ring
        restart = restart or f.slope_oldest[h] < state.minutes - (MINUTES - 1)
    if restart:
        f.slope_minutes = oldest
        _begin(state, f, state.minutes - 1)
    for count in range(f.slope_minutes, state.minutes):
        t = state.minute_index[count & _MASK]
        y = _quanta(state.minute_y[count & _MASK]) - f.slope_base
        for h in range(HORIZONS):
            _enter(f, h, t - f.slope_origin, y, 1)
            gone = f.slope_oldest[h]
            while gone < count and state.minute_index[gone & _MASK] <= t - p.slope_horizons[h]:
                left = _quanta(state.minute_y[gone & _MASK]) - f.slope_base
                _enter(f, h, state.minute_index[gone & _MASK] - f.slope_origin, left, -1)
                gone += 1
            f.slope_oldest[h] = gone
    f.slope_minutes = state.minutes
    for h in range(HORIZONS):
        _slope(f, h, p.slope_horizons[h], p.slope_min_share)


@inlined
def _insert(f: Any, value: float, count: int) -> None:
    """Put a range among the largest, if it is one of them."""
    k = TAILS - 1
    if value <= f.tail_range[k] or not math.isfinite(value):
        return
    while k > 0 and f.tail_range[k - 1] < value:
        f.tail_range[k], f.tail_count[k] = f.tail_range[k - 1], f.tail_count[k - 1]
        k -= 1
    f.tail_range[k], f.tail_count[k] = value, count


@kernel
def tails(states: Any, filters: Any, s: int) -> None:
    """Keep the largest one-minute ranges of the minute ring."""
    state, f = states[s], filters[s]
    if f.tail_minutes == state.minutes:
        return
    oldest = max(0, state.minutes - (MINUTES - 1))
    expired = f.tail_minutes < oldest or f.tail_minutes > state.minutes
    for k in range(TAILS):
        expired = expired or (f.tail_range[k] > 0.0 and f.tail_count[k] < oldest)
    if expired:
        f.tail_minutes = oldest
        for k in range(TAILS):
            f.tail_range[k] = 0.0
    for count in range(f.tail_minutes, state.minutes):
        _insert(f, state.minute_range[count & _MASK], count)
    f.tail_minutes = state.minutes


@kernel
def range_tail(states: Any, filters: Any, s: int) -> float:
    """99.9 % quantile of the one-minute ranges kept: the order statistic of rank ceil(0.999 n)."""
    kept = min(states[s].minutes, MINUTES - 1)
    return float(filters[s].tail_range[min(kept // 1000, TAILS - 1)])
