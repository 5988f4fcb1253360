"""Order flow: imbalance of book frames and of prints over a window of whole seconds, in lots.

Order-flow imbalance after Cont, Kukanov & Stoikov (2014), "The price impact of order book events", eq. (2)-(4), here at each of the
best TOP levels and summed: one contribution per book frame, from the levels before to the levels after it. Buckets of one second
enter a running total and leave it exactly (integers), so the window does not depend on how the rows were batched.
"""

from __future__ import annotations

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import FLOW, NO_LEVEL, TOP, State


@kernel
def end_frame(st: State) -> None:
    """Add the contribution of the frame that ended, lots, + = buying pressure; its best TOP levels are the next one's past.

    With key = side * price one rule serves both sides: a better or equal price adds its size, a worse or equal one takes the old
    size away. (Measured: comparing all ten, as vectors, takes a quarter of the time of keeping account of the ranks that changed.)
    """
    total: int = 0
    best: int = 0
    for i in range(2):
        _look(st, i)
        side: int = 0
        change: int = 0
        for j in range(TOP):
            key, was = st.top_key[i, j], st.prev_key[i, j]
            now, before = st.top_lots[i, j], st.prev_lots[i, j]
            change = (now if key >= was else 0) - (before if key <= was else 0)
            side += change
        for j in range(TOP):
            st.prev_key[i, j] = st.top_key[i, j]
            st.prev_lots[i, j] = st.top_lots[i, j]
        total += side if i == 0 else -side
        best += change if i == 0 else -change
    if st.prev_valid:
        add_frame(st, total, best)
    st.prev_valid = 1


@kernel
def _look(st: State, i: int) -> None:
    """Copy the best TOP levels of side `i`, the best last; ranks there are not are worse than any price and empty."""
    n = np.int64(st.levels[i])
    if n >= TOP:
        first = np.uint64(n - TOP)  # unsigned: no negative index to be looked out for
        for j in range(np.uint64(TOP)):
            st.top_key[i, j] = st.key[i, first + j]
            st.top_lots[i, j] = st.lots[i, first + j]
        return
    for j in range(TOP):
        at = n - TOP + j
        st.top_key[i, j] = st.key[i, at] if at >= 0 else NO_LEVEL
        st.top_lots[i, j] = st.lots[i, at] if at >= 0 else 0


@kernel
def bucket(st: State) -> int:
    """The slot of the second being filled; emptied when it still holds an older second."""
    slot: int = st.second & (FLOW - 1)
    if st.flow_second[slot] != st.second:
        st.flow_second[slot] = st.second
        for k in range(6):
            st.flow[slot, k] = 0
    return slot


@kernel
def add_frame(st: State, imbalance: int, best: int) -> None:
    """Add one book frame's contribution: all levels and best level."""
    slot = bucket(st)
    st.flow[slot, 0] += imbalance
    st.flow[slot, 1] += abs(imbalance)
    st.flow[slot, 2] += best
    st.flow[slot, 3] += abs(best)
    st.ofi += imbalance
    st.ofi_abs += abs(imbalance)
    st.ofi_best += best
    st.ofi_best_abs += abs(best)


@kernel
def add_print(st: State, signed: int) -> None:
    """Add one print, lots signed by the taker's side."""
    slot = bucket(st)
    st.flow[slot, 4] += signed
    st.flow[slot, 5] += abs(signed)
    st.taker += signed
    st.taker_abs += abs(signed)


@kernel
def expire(st: State, new_second: int) -> None:
    """Take the buckets out of the totals that leave the window when the second becomes `new_second`."""
    window = st.flow_window
    first = st.second - window + 1
    for old in range(first, min(new_second - window + 1, st.second + 1)):
        slot = old & (FLOW - 1)
        if old >= 0 and st.flow_second[slot] == old:
            st.ofi -= st.flow[slot, 0]
            st.ofi_abs -= st.flow[slot, 1]
            st.ofi_best -= st.flow[slot, 2]
            st.ofi_best_abs -= st.flow[slot, 3]
            st.taker -= st.flow[slot, 4]
            st.taker_abs -= st.flow[slot, 5]
