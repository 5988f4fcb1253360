"""Order books as they are shown: `orderbook.{1,50,200,1000}`, and the REST book, which is that of the 1000-level stream.

A frame is the difference between the levels last shown and those of now, so pushes merge by themselves when they are rarer than the
book's changes (a slow cadence, or a speed above 1).
"""

from __future__ import annotations

from itertools import islice
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.protocol.decimals import Figures
from turbo_trader.market.state import States

Sides: TypeAlias = tuple[dict[int, int], dict[int, int]]
#: Keys (side x price in ticks) and lots of the bids, then of the asks, the best last.
Standing: TypeAlias = tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

_MS: Final = 1_000_000
BOOK_CADENCE: Final = {
    1: 10 * _MS,
    50: 20 * _MS,
    200: 100 * _MS,
    1000: 200 * _MS,
}  # ns between frames, by depth
DEEPEST: Final = 1000


class ShownBook:
    """The best `depth` levels of a symbol as last shown. `update` (`u`) grows by one with each change shown."""

    def __init__(self, state: State, figures: Figures, s: int, depth: int) -> None:
        self.update = 1  # which itself is shown after a restart of the service alone
        self._state, self._figures, self._s, self._depth = state, figures, s, depth
        self._standing: Standing | None = None
        self._sides: Sides | None = None  # made of it when they are asked for
        self._shown_ts = 0
        self._matched_ms = 0

    @property
    def sides(self) -> Sides:
        """Bids and asks, price in ticks to lots, best first; empty when nothing was shown."""
        if self._sides is None:
            self._sides = as_levels(self._standing)
        return self._sides

    def look(self, now: int) -> bool:
        """Take the book of now; did it change? A void book is not shown."""
        found, before = standing(self._state.states, self._s, self._depth), self._standing
        if found is None or (before is not None and _same(found, before)):
            return False
        self._standing, self._sides = found, None
        self.update += 1
        self._shown_ts, self._matched_ms = now, self.matched_ms()
        return True

    def forget(self) -> None:
        """Nothing was shown: prices and lots count in other units from now on."""
        self._standing = self._sides = None

    def restart(self) -> None:
        """The service restarts: the next showing has number 1."""
        self.update = 0
        self.forget()

    def body(self, levels: Sides, now: int) -> dict[str, Any]:
        """Levels under the numbers of now: of the whole book, or of what changed."""
        figures, s = self._figures, self._s
        sides = (
            [
                [figures.price(s, price), figures.size(s, lots) if lots else "0"]
                for price, lots in side.items()
            ]
            for side in levels
        )
        symbol = self._state.instruments[s].symbol
        return {"s": symbol, **dict(zip("ba", sides, strict=True)), "u": self.update, "seq": now // 1_000}

    def matched_ms(self) -> int:
        """When the matching engine last changed the book (`cts`)."""
        return int(self._state.states[self._s]["book_ts"]) // _MS

    def answer(self, depth: int, now: int) -> dict[str, Any]:
        """The best `depth` levels as REST tells them: as last shown."""
        if self._standing is None:
            self.look(now)
        bids, asks = (dict(islice(side.items(), depth)) for side in self.sides)
        body = self.body((bids, asks), self._shown_ts)
        numbers = {"ts": self._shown_ts // _MS, "u": body.pop("u"), "seq": body.pop("seq")}
        return {**body, **numbers, "cts": self._matched_ms}


def _same(one: Standing, other: Standing) -> bool:
    return all(a.tobytes() == b.tobytes() for a, b in zip(one, other, strict=True))


def as_levels(standing: Standing | None) -> Sides:
    """Bids and asks, price in ticks to lots, best first."""
    if standing is None:
        return {}, {}
    keys, lots, ask_keys, ask_lots = standing
    bids = dict(zip(keys[::-1].tolist(), lots[::-1].tolist(), strict=True))
    asks = dict(zip((-ask_keys[::-1]).tolist(), ask_lots[::-1].tolist(), strict=True))
    return bids, asks


def standing(states: States, s: int, depth: int) -> Standing | None:
    """The best `depth` levels of each side of symbol `s`; None while the book is void."""
    if not states["book_valid"][s]:
        return None
    keys, lots, sides = states["key"][s], states["lots"][s], []
    for i, n in enumerate(states["levels"][s].tolist()):
        chosen = slice(max(0, n - depth), n)
        sides += [keys[i, chosen].copy(), lots[i, chosen].copy()]
    return sides[0], sides[1], sides[2], sides[3]
