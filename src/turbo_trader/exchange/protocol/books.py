"""Order books as they are shown: `orderbook.{1,50,200,1000}`, and the REST book, which is that of the 1000-level stream.

A frame is the difference between the levels last shown and those of now, so pushes merge by themselves when they are rarer than the
book's changes (a slow cadence, or a speed above 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.exchange.protocol.wire import encode

if TYPE_CHECKING:
    from turbo_trader.exchange.protocol.market_data import MarketData
    from turbo_trader.exchange.protocol.symbol_market import Print

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
_REPEAT: Final = 3_000 * _MS  # depth 1 is sent again after so long without a change


class ShownBook:
    """The best `depth` levels of a symbol as last shown. `update` (`u`) grows by one with each change shown."""

    def __init__(self, data: MarketData, s: int, depth: int) -> None:
        self.update = 1  # which itself is shown after a restart of the service alone
        self._data, self._s, self._depth = data, s, depth
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
        found, before = self._data.standing(self._s, self._depth), self._standing
        if found is None or (before is not None and all(map(np.array_equal, found, before))):
            return False
        self._standing, self._sides = found, None
        self.update += 1
        self._shown_ts, self._matched_ms = now, self.matched_ms()
        return True

    def forget(self) -> None:
        """Nothing was shown: prices and lots count in other units from now on."""
        self._standing = self._sides = None

    def restart(self) -> None:
        """The service begins anew: the next showing has number 1."""
        self.update = 0
        self.forget()

    def body(self, levels: Sides, now: int) -> dict[str, Any]:
        """Levels under the numbers of now: of the whole book, or of what changed."""
        data, s = self._data, self._s
        sides = (
            [[data.price(s, price), data.size(s, lots) if lots else "0"] for price, lots in side.items()]
            for side in levels
        )
        symbol = data.exchange.instruments[s].symbol
        return {"s": symbol, **dict(zip("ba", sides, strict=True)), "u": self.update, "seq": now // 1_000}

    def matched_ms(self) -> int:
        """When the matching engine last changed the book (`cts`)."""
        return int(self._data.exchange.states[self._s]["book_ts"]) // _MS

    def answer(self, depth: int, now: int) -> dict[str, Any]:
        """The best `depth` levels as REST tells them: as last shown."""
        if self._standing is None:
            self.look(now)
        bids, asks = (dict(islice(side.items(), depth)) for side in self.sides)
        body = self.body((bids, asks), self._shown_ts)
        numbers = {"ts": self._shown_ts // _MS, "u": body.pop("u"), "seq": body.pop("seq")}
        return {**body, **numbers, "cts": self._matched_ms}


class BookChannel:
    """orderbook.{1,50,200,1000}. The deepest one is looked at by the market data itself, as REST shows it too."""

    def __init__(self, data: MarketData, s: int, depth: int) -> None:
        self._shared = depth == DEEPEST
        self.cadence = 0 if self._shared else BOOK_CADENCE[depth]
        self._book = data.books[s] if self._shared else ShownBook(data, s, depth)
        self._topic = f"orderbook.{depth}.{data.exchange.instruments[s].symbol}"
        self._depth = depth
        self._told = 0  # `u` of the last frame
        self._before: Sides = ({}, {})  # what it left
        self._sent = 0

    def snapshot(self, now: int) -> list[bytes]:
        """The levels last shown, or those of now when none were."""
        if not self._book.sides[0]:
            self._book.look(now)
        if not self._book.sides[0]:
            return []
        sent = self._sent
        frame = self._whole(now)
        self._sent = sent or now  # it goes to one alone: the others' next one is due when it was
        return [frame]

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """The changes; the whole at depth 1, or after a book that was void."""
        del prints
        book = self._book
        if not self._shared:
            book.look(now)
        if book.update == self._told:
            repeats = self._depth == 1 and self._before[0] and now - self._sent >= _REPEAT
            return [self._whole(now)] if repeats else []
        if not book.sides[0]:
            return []
        if not self._before[0] or self._depth == 1:
            return [self._whole(now)]
        bids, asks = map(_changes, self._before, book.sides, (-1, 1))
        return [self._frame("delta", (bids, asks), now)]

    def restart(self) -> None:
        """The service begins anew: the next frame is a snapshot with `u` 1."""
        self._told, self._before = -1, ({}, {})
        if not self._shared:
            self._book.restart()

    def _whole(self, now: int) -> bytes:
        return self._frame("snapshot", self._book.sides, now)

    def _frame(self, kind: str, levels: Sides, now: int) -> bytes:
        book = self._book
        self._told, self._before, self._sent = book.update, book.sides, now
        data = book.body(levels, now)
        return encode(
            {"topic": self._topic, "type": kind, "ts": now // _MS, "data": data, "cts": book.matched_ms()}
        )


def as_levels(standing: Standing | None) -> Sides:
    """Bids and asks, price in ticks to lots, best first."""
    if standing is None:
        return {}, {}
    keys, lots, ask_keys, ask_lots = standing
    bids = dict(zip(keys[::-1].tolist(), lots[::-1].tolist(), strict=True))
    asks = dict(zip((-ask_keys[::-1]).tolist(), ask_lots[::-1].tolist(), strict=True))
    return bids, asks


def _changes(before: dict[int, int], after: dict[int, int], order: int) -> dict[int, int]:
    """Levels that are new or differ, and 0 for those that are gone, best first."""
    changed = {price: lots for price, lots in after.items() if before.get(price) != lots}
    changed |= {price: 0 for price in before if price not in after}
    return dict(sorted(changed.items(), key=lambda item: order * item[0]))
