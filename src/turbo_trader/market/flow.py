"""Order flow: imbalance of book frames and of prints over a window of whole seconds, in lots.

Order-flow imbalance after Cont, Kukanov & Stoikov (2014), "The price impact of order book events", eq. (2)-(4), here at each of the
best TOP levels and summed: one contribution per book frame, from the levels before to the levels after it. Buckets of one second
enter a running total and leave it exactly (integers), so the window does not depend on how the rows were batched.
"""

from __future__ import annotations

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import FLOW, State


@kernel
def level_imbalance(st: State, i: int, m: int) -> int:
    """Contribution of rank `m` of side `i` (0 bids, 1 asks) between the last frame and this one, lots; + = buying pressure.

    With key = side * price one rule serves both sides: a better price adds its size, a worse one takes the old size away.
    """
    n = np.int64(st.levels[i])
    has_now = m < n
    has_before = m < st.prev_levels[i]
    now_key = st.key[i, n - 1 - m] if has_now else 0
    now_lots = st.lots[i, n - 1 - m] if has_now else 0
    change: int = 0
    if has_now and (not has_before or now_key >= st.prev_key[i, m]):
        change += now_lots
    if has_before and (not has_now or now_key <= st.prev_key[i, m]):
        change -= st.prev_lots[i, m]
    return change if i == 0 else -change


@kernel
def compare_books(st: State) -> None:
    """Add the contribution of the frame that ended: of the ranks it may have changed, those of all others are 0."""
    total: int = 0
    best: int = 0
    for i in range(2):
        for m in range(st.changed_from[i], st.changed_to[i]):
            change = level_imbalance(st, i, m)
            total += change
            if m == 0:
                best += change
    add_frame(st, total, best)


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
