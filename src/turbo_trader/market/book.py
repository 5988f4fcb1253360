"""The order book inside a market state: both sides sorted by key = side * price in ticks, the best level last.

The slot of a level is guessed from its distance to the best in ticks, which is right where levels are dense; otherwise it is looked
for from the best downwards. (Measured against binary search: as fast on sparse books, twice as fast on dense ones.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import DEPTH, TOP, States


@kernel
def clear(states: States, s: int) -> None:
    """Empty both sides."""
    st = states[s]
    st.levels[0] = 0
    st.levels[1] = 0


@kernel
def put(states: States, s: int, side: int, price: int, lots: int) -> None:
    """Set the size of one level; 0 deletes it. Beyond DEPTH levels the worst are dropped."""
    st = states[s]
    i = 0 if side > 0 else 1
    n = np.int64(st.levels[i])
    key: Any = np.int64(side) * np.int64(price)
    at: Any = n - 1
    if n > 0:
        guess = n - 1 - (st.key[i, n - 1] - key)
        if 0 <= guess < n and st.key[i, guess] == key:
            at = guess
        else:
            while at >= 0 and st.key[i, at] > key:
                at -= 1
    if at >= 0 and st.key[i, at] == key:
        if lots > 0:
            st.lots[i, at] = lots
            return
        for j in range(at, n - 1):
            st.key[i, j] = st.key[i, j + 1]
            st.lots[i, j] = st.lots[i, j + 1]
        st.levels[i] = n - 1
        return
    if lots > 0:
        _insert(states, s, i, at, key, lots)


@kernel
def _insert(states: States, s: int, i: int, below: int, key: int, lots: int) -> None:
    """Insert a level above index `below`; when full the worst level makes room, or the new one is the worst and is ignored."""
    st = states[s]
    n = np.int64(st.levels[i])
    if n == DEPTH:
        if below < 0:
            return
        for j in range(below):
            st.key[i, j] = st.key[i, j + 1]
            st.lots[i, j] = st.lots[i, j + 1]
        st.key[i, below] = key
        st.lots[i, below] = lots
        return
    for j in range(n, below + 1, -1):
        st.key[i, j] = st.key[i, j - 1]
        st.lots[i, j] = st.lots[i, j - 1]
    st.key[i, below + 1] = key
    st.lots[i, below + 1] = lots
    st.levels[i] = n + 1


@kernel
def settle(states: States, s: int) -> bool:
    """After a whole frame: set best prices and validity; True when both sides are there and not crossed."""
    st = states[s]
    bids = np.int64(st.levels[0])
    asks = np.int64(st.levels[1])
    st.bid = st.key[0, bids - 1] if bids > 0 else 0
    st.ask = -st.key[1, asks - 1] if asks > 0 else 0
    valid = bool(bids > 0 and asks > 0 and st.bid < st.ask)
    st.book_valid = 1 if valid else 0
    return valid


@kernel
def remember(states: States, s: int) -> None:
    """Keep the best TOP levels of both sides, best first, for the next frame's imbalance; none while the book is not valid."""
    st = states[s]
    for i in range(2):
        n: Any = np.int64(st.levels[i])
        top: Any = min(n, TOP) if st.book_valid else 0
        st.prev_levels[i] = top
        for m in range(top):
            st.prev_key[i, m] = st.key[i, n - 1 - m]
            st.prev_lots[i, m] = st.lots[i, n - 1 - m]
