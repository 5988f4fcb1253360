"""What came of a forecast: the shadow of a scan, followed on the one-second grid to its horizon and to its first barrier.

Rules of the shadow:
- A candidate (data gate passed, valid forecast) opens a shadow at its mid; a symbol has one open shadow at most, and the next
  candidate scan after it has ended opens the next. So the paths of a symbol's outcomes never overlap.
- It ends when its return at h is known and its barriers are decided: target or stop touched first, or T reached (timeout).
- Barriers are fixed at TP and SL from the entry mid. They are looked at on the one-second grid (last mid of each second), the
  step `p_tp` is computed for at MONITOR_INTERVAL=1: what touches and comes back within a second is no touch.
- The return at h is that of the last whole second before it, so its time is up to one second (and a quiet spell) early.
- A second counts from its end: nothing after ts + h enters the return, nothing after ts + T the barriers, and nothing of either
  before the scan.
- A hole longer than allowed, or samples that left the ring unseen, break a shadow: it has no outcome. Open shadows are not kept
  over a restart: nobody has seen their path to the end.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import SECOND, record_dtype
from turbo_trader.market.state import SECONDS
from turbo_trader.rules import assess

#: Which barrier came first.
TIMEOUT: Final = 0
TARGET: Final = 1
STOP: Final = 2

_chances = assess.chances
_ROUNDING: Final = 1e-12  # of logarithms: a price exactly at a barrier touches it

#: One outcome; times ns, distances and returns fractions of the mid at the scan.
OUTCOME: Final = record_dtype(
    [
        ("ts", "<i8"),  # of the scan
        ("known_ts", "<i8"),  # when return and barriers both were known
        ("symbol", "<i4"),
        ("direction", "i1"),
        ("tier", "u1"),  # trade tier of the scan
        ("first", "u1"),  # TIMEOUT, TARGET, STOP
        ("horizon_s", "f8"),
        ("hold_s", "f8"),
        ("mid", "f8"),  # USDT
        # what each belief claimed (signals.figures.BELIEFS); 0: nothing
        ("forecasts", "f8", (3,)),  # r(h), signed
        ("confidences", "f8", (3,)),
        ("p_targets", "f8", (3,)),  # in the direction
        ("p_sl", "f8"),  # under `weighed`
        ("take_profit", "f8"),
        ("stop_loss", "f8"),
        ("realised", "f8"),  # return of the mid at h, signed
    ]
)

#: A shadow under way, one per symbol.
SHADOW: Final = record_dtype(
    [
        ("open", "u1"),
        ("returned", "u1"),  # the return at h is known
        ("decided_ts", "<i8"),  # when the barriers were decided; 0 = not yet
        ("seen", "<i8"),  # samples of the ring consumed
        ("last", "<i8"),  # second of the newest price
        ("y", "f8"),  # its ln(mid)
        ("entry_y", "f8"),
        ("target_y", "f8"),  # d x move of ln(mid) to the target, > 0
        ("stop_y", "f8"),  # d x move of ln(mid) to the stop, < 0
        ("lost", "<i8"),  # shadows of the symbol that broke
    ]
)


@kernel
def follow(
    states: Any, rows: Any, gate_params: Any, now: int, hole: int, shadows: Any, work: Any, out: Any
) -> int:
    """Bring every symbol's shadow up to `now` (ns), put what has ended into `out`, and open new ones.

    `rows`: the SCAN rows of all symbols at `now`, the states advanced to it; `shadows`, `work`: SHADOW and OUTCOME per symbol,
    kept between calls; `hole`: longest time without a sample, seconds. Returns how many outcomes `out` has now.
    """
    ended = 0
    for s in range(len(states)):
        ended = follow_one(states, s, rows, gate_params, now, hole, shadows, work, out, ended)
    return ended


@kernel
def follow_one(
    states: Any, s: int, rows: Any, gate_params: Any, now: int, hole: int, shadows: Any, work: Any, out: Any, ended: int
) -> int:  # fmt: skip
    """As `follow`, of symbol `s`; `out` has `ended` outcomes before."""
    if shadows[s].open == 1:
        if not _walk(states[s], shadows[s], work[s], now, hole):
            shadows[s].open = 0
            shadows[s].lost += 1
        elif _over(shadows[s]):
            shadows[s].open = 0
            out[ended] = work[s]
            ended += 1
    if shadows[s].open == 0 and rows[s].candidate == 1 and rows[s].take_profit > 0.0:
        _chances(
            gate_params, s if gate_params.shape[0] > 1 else 0, rows, s
        )  # also where no trade tier asked for it
        _open(states[s], s, rows[s], now, shadows[s], work[s])
    return ended


@kernel
def _open(st: Any, s: int, row: Any, now: int, shadow: Any, mine: Any) -> None:
    side = np.int64(row.direction)
    up, down = side * math.log1p(side * row.take_profit), side * math.log1p(-side * row.stop_loss)
    mine.ts, mine.known_ts, mine.symbol, mine.direction, mine.tier = now, 0, s, row.direction, row.tier
    mine.horizon_s, mine.hold_s, mine.mid = row.horizon_s, row.hold_s, row.mid
    mine.take_profit, mine.stop_loss = row.take_profit, row.stop_loss
    mine.first, mine.realised = TIMEOUT, 0.0
    for b in range(3):
        mine.forecasts[b], mine.confidences[b] = row.forecasts[b], row.confidences[b]
        mine.p_targets[b] = row.p_targets[b]
    mine.p_sl = row.p_sl
    shadow.open, shadow.returned, shadow.decided_ts = 1, 0, 0
    shadow.seen, shadow.last = st.samples, now // SECOND
    shadow.entry_y = math.log(row.mid)
    shadow.y = shadow.entry_y
    shadow.target_y, shadow.stop_y = up, down


@kernel
def _over(shadow: Any) -> bool:
    return bool(shadow.returned == 1 and shadow.decided_ts > 0)


@kernel
def _walk(st: Any, shadow: Any, mine: Any, now: int, hole: int) -> bool:
    """Take the samples since the last look; False when the path was lost on the way."""
    if st.samples - shadow.seen > SECONDS:
        return False
    for n in range(shadow.seen, st.samples):
        second = st.sample_second[n & (SECONDS - 1)]
        known = (second + 1) * SECOND
        if not _settle(shadow, mine, known - 1, hole):
            return False
        if _over(shadow):
            return True
        if second - shadow.last > hole:
            return False
        shadow.y, shadow.last = st.sample_y[n & (SECONDS - 1)], second
        move = np.int64(mine.direction) * (shadow.y - shadow.entry_y)
        inside = shadow.stop_y + _ROUNDING < move < shadow.target_y - _ROUNDING
        if shadow.decided_ts == 0 and not inside:
            mine.first = TARGET if move > 0.0 else STOP
            shadow.decided_ts = known
    shadow.seen = st.samples
    return _settle(shadow, mine, now, hole)


@kernel
def _settle(shadow: Any, mine: Any, time: int, hole: int) -> bool:
    """Settle what fell due up to `time` at the newest price taken; False where that price was too old then."""
    at_horizon = mine.ts + np.int64(mine.horizon_s * SECOND)
    at_end = mine.ts + np.int64(mine.hold_s * SECOND)
    if shadow.returned == 0 and time >= at_horizon:
        if at_horizon // SECOND - shadow.last > hole:
            return False
        mine.realised = math.expm1(shadow.y - shadow.entry_y)
        shadow.returned = 1
    if shadow.decided_ts == 0 and time >= at_end:
        if at_end // SECOND - shadow.last > hole:
            return False
        shadow.decided_ts = at_end
    mine.known_ts = max(at_horizon, shadow.decided_ts)
    return True
