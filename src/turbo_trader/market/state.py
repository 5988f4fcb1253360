"""The market state: one fixed-size record per symbol, advanced row by row by `market.kernel`.

Sums that enter and leave windows are integers (lots), so a window is exact however the rows were batched. Field names must not
be attributes of `np.void`. From Python pass `states` and an index to kernels, never `states[s]` (boxing a record costs
microseconds); among kernels pass `st = states[s]`: a pointer, half the time of an array and an index.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import record_dtype

DEPTH: Final = 256  # book levels kept per side
TOP: Final = 10  # levels of the order-flow imbalance
NO_LEVEL: Final = -(1 << 40)  # a key worse than any price's
FLOW: Final = 64  # one-second flow buckets kept (the window is at most FLOW - 1 seconds)
SECONDS: Final = 2048  # samples of the one-second grid kept (only seconds with data are samples)
MINUTES: Final = 2048  # one-minute closes kept

STATE: Final = record_dtype(
    [
        # constants of the symbol, set once by `new_states`
        ("tick", "f8"),  # USDT
        ("lot", "f8"),  # base coin
        ("flow_window", "<i8"),  # seconds of the order-flow window
        ("vol_decay", "f8"),  # EWMA weight of the old variance per one-minute return
        ("slow_vol_decay", "f8"),  # the same of the slow average
        ("jump_sigmas", "f8"),  # a one-minute move beyond this many sigma is a jump
        ("jump_fraction", "f8"),  # a one-minute move beyond this fraction is a big move
        # the watch: `advance` stops after a frame that leaves the closable price (bid for side +1, ask for -1)
        # at or below watch_low or at or above watch_high, in ticks; side 0: no watch
        ("watch_side", "i1"),
        ("watch_low", "<i8"),
        ("watch_high", "<i8"),
        ("watch_mark_low", "f8"),  # the same of the mark price, USDT, whichever side
        ("watch_mark_high", "f8"),
        # where we are
        ("ts", "<i8"),  # time of the last row consumed, ns
        ("second", "<i8"),  # the second being filled (ts // SECOND); -1 before the first row
        ("second_end", "<i8"),  # its end, ns; 0 before the first row
        ("has_book", "u1"),  # a book frame was ever seen
        ("book_valid", "u1"),  # both sides present, not crossed, no gap since the last snapshot
        ("bad_rows", "<i8"),  # rows refused: non-positive price or size, time going back, ...
        # the book: key = side * price in ticks, ascending, best level last; lots beside it
        ("levels", "<i4", (2,)),  # row 0 bids, row 1 asks
        ("key", "<i8", (2, DEPTH)),
        ("lots", "<i8", (2, DEPTH)),
        ("in_frame", "u1"),  # within a book frame of several rows
        ("prev_key", "<i8", (2, TOP)),  # best ten levels before it, best last; NO_LEVEL where there is none
        ("prev_lots", "<i8", (2, TOP)),
        ("prev_valid", "u1"),  # the book before the latest frame was valid
        ("bid", "<i8"),  # best prices after the last whole frame, ticks; 0 = none
        ("ask", "<i8"),
        ("last", "<i8"),  # last trade price, ticks; 0 = none
        ("mark", "f8"),  # USDT; 0 = none
        ("index", "f8"),
        ("funding_rate", "f8"),  # fraction per interval
        ("funding_minutes", "<i4"),
        ("book_ts", "<i8"),
        ("trade_ts", "<i8"),
        ("mark_ts", "<i8"),
        ("funding_ts", "<i8"),
        # order flow of the last `flow_window` seconds, lots: multi-level, best level, prints
        ("ofi", "<i8"),
        ("ofi_abs", "<i8"),
        ("ofi_best", "<i8"),
        ("ofi_best_abs", "<i8"),
        ("taker", "<i8"),  # taker buys - sells
        ("taker_abs", "<i8"),
        ("flow_second", "<i8", (FLOW,)),
        ("flow", "<i8", (FLOW, 6)),
        # VWAP since 00:00 UTC: offsets from the day's first price, so that the sums stay small
        ("day", "<i8"),  # ts // DAY
        ("vwap_start", "<i8"),  # time the day's sums begin, ns
        ("vwap_base", "f8"),
        ("vwap_volume", "f8"),
        ("vwap_sum", "f8"),
        ("vwap_square", "f8"),
        # samples: ln(mid) at the last row of each second with data; index = count & (SECONDS - 1)
        ("samples", "<i8"),  # how many ever
        ("sample_second", "<i8", (SECONDS,)),
        ("sample_y", "f8", (SECONDS,)),
        # one-minute closes of ln(mid) and ranges (high - low) / close; index = count & (MINUTES - 1)
        ("minutes", "<i8"),
        ("minute_index", "<i8", (MINUTES,)),
        ("minute_y", "f8", (MINUTES,)),
        ("minute_range", "f8", (MINUTES,)),
        ("minute_high", "<i8"),  # of the minute being filled: bid + ask, ticks; 0 = no price yet
        ("minute_low", "<i8"),
        ("touched", "u1"),  # the second being filled has data
        # volatility: EWMA of squared one-minute log returns, and the last violent moves
        ("variance", "f8"),  # per minute
        ("slow_variance", "f8"),  # per minute, over a day or so
        ("returns", "<i8"),  # one-minute returns seen
        ("jump_ts", "<i8"),  # last move beyond jump_sigmas; 0 = never
        ("big_move_ts", "<i8"),  # last move beyond jump_fraction; 0 = never
    ]
)

States: TypeAlias = NDArray[np.record]
State: TypeAlias = Any  # one np.record of them


def new_states(
    instruments: Sequence[Instrument],
    *,
    flow_window_s: int,
    vol_half_life_min: float,
    slow_vol_half_life_min: float,
    jump_sigmas: float,
    jump_fraction: float,
) -> States:
    """Empty states, one per instrument, in order. All figures come from the policy."""
    states = np.zeros(len(instruments), STATE)
    for state, instrument in zip(states, instruments, strict=True):
        state["tick"] = float(instrument.tick)
        state["lot"] = float(instrument.step)
        state["flow_window"] = flow_window_s
        state["vol_decay"] = 0.5 ** (1.0 / vol_half_life_min)
        state["slow_vol_decay"] = 0.5 ** (1.0 / slow_vol_half_life_min)
        state["jump_sigmas"] = jump_sigmas
        state["jump_fraction"] = jump_fraction
        state["second"] = -1
        state["day"] = -1
        state["flow_second"] = -1
        state["watch_mark_high"] = np.inf
    return states
