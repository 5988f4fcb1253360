"""The order book inside a market state: both sides sorted by key = side * price in ticks, the best level last.

The slot of a level is guessed from its distance to the best in ticks, which is right where levels are dense; otherwise it is looked
for from the best downwards. (Measured against binary search: as fast on sparse books, twice as fast on dense ones.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import DEPTH, State, States


@kernel
def clear(st: State) -> None:
    """Empty both sides."""
    for i in range(2):
        st.levels[i] = 0


@kernel
def put(st: State, side: int, price: Any, lots: Any) -> None:
    """Set the size of one level; 0 deletes it. Beyond DEPTH levels the worst are dropped."""
    i = 0 if side > 0 else 1
    key: Any = np.int64(side) * np.int64(price)
    at: Any = find(st, i, key)
    if at >= 0 and st.key[i, at] == key:
        if lots > 0:
            st.lots[i, at] = lots
        else:
            remove(st, i, at)
    elif lots > 0:
        insert(st, i, at, key, lots)


@kernel
def find(st: State, i: int, key: Any) -> Any:
    """The index of the best level of side `i` that is not above `key`; -1 where there is none."""
    at: Any = np.int64(st.levels[i]) - 1
    if at < 0:
        return at
    guess = at - (st.key[i, at] - key)
    if 0 <= guess <= at and st.key[i, guess] == key:
        return guess
    while at >= 0 and st.key[i, at] > key:
        at -= 1
    return at


@kernel
def remove(st: State, i: int, at: int) -> None:
    """Delete the level at `at` of side `i`."""
    n = np.int64(st.levels[i])
    for j in range(at, n - 1):
        st.key[i, j] = st.key[i, j + 1]
        st.lots[i, j] = st.lots[i, j + 1]
    st.levels[i] = n - 1


@kernel
def insert(st: State, i: int, below: int, key: int, lots: int) -> None:
    """Insert a level above index `below`; when full the worst level makes room, or the new one is the worst and is ignored."""
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
def settle(st: State) -> bool:
    """After a whole frame: set best prices and validity; True when both sides are there and not crossed."""
    bids = np.int64(st.levels[0])
    asks = np.int64(st.levels[1])
    st.bid = st.key[0, bids - 1] if bids > 0 else 0
    st.ask = -st.key[1, asks - 1] if asks > 0 else 0
    valid = bool(bids > 0 and asks > 0 and st.bid < st.ask)
    st.book_valid = 1 if valid else 0
    return valid


@kernel
def walk(states: States, s: int, side: int, lots: float, thin: float) -> float:
    """How far beyond the best price the average of `lots` taken now lies, as a fraction of the best price.

    `side`: +1 takes from the bids (selling), -1 from the asks (buying). A side that holds less, or nothing: the distance of its
    last level, but `thin` at least. 0 where no book is recorded.
    """
    st = states[s]
    if st.has_book == 0:
        return 0.0
    i = 0 if side > 0 else 1
    n = np.int64(st.levels[i])
    best, beyond, left = 0.0, 0.0, lots
    for m in range(n):
        price = abs(float(st.key[i, n - 1 - m]))
        if m == 0:
            best = price
        taken = min(left, float(st.lots[i, n - 1 - m]))
        beyond += taken * abs(price - best)
        left -= taken
        if left <= 0.0:
            return beyond / (lots * best) if lots > 0.0 else 0.0
    if n == 0:
        return thin
    return max(thin, abs(abs(float(st.key[i, 0])) - best) / best)
