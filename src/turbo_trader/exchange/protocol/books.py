"""Order books as they are shown: `orderbook.{1,50,200,1000}`, and the REST book, which is that of the 1000-level stream.

A frame is the difference between the levels last shown and those of now, so pushes merge by themselves when they are rarer than the
book's changes (a slow cadence, or a speed above 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.exchange.protocol.wire import encode

if TYPE_CHECKING:
    from turbo_trader.exchange.protocol.market_data import MarketData, Print

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
    """The best `depth` levels of a symbol as last shown, price in ticks to lots, best first. `update` (`u`) grows by one with each
    change shown."""

    def __init__(self, data: MarketData, s: int, depth: int) -> None:
        self.bids: dict[int, int] = {}
        self.asks: dict[int, int] = {}
        self.update = 1  # which itself is never shown: it would mean a restart of the service
        self._shown_ts = 0
        self._matched_ms = 0
        self._data, self._s, self._depth = data, s, depth

    def look(self, now: int) -> bool:
        """Take the book of now; did it change? A void book is not shown."""
        bids, asks = self._data.levels(self._s, self._depth)
        if not bids or (bids == self.bids and asks == self.asks):
            return False
        self.bids, self.asks = bids, asks
        self.update += 1
        self._shown_ts, self._matched_ms = now, self.matched_ms()
        return True

    def forget(self) -> None:
        """Nothing was shown: prices and lots count in other units from now on."""
        self.bids, self.asks = {}, {}

    def body(self, bids: dict[int, int], asks: dict[int, int], now: int) -> dict[str, Any]:
        """Levels under the numbers of now: of the whole book, or of what changed."""
        data, s = self._data, self._s
        sides = (
            [[data.price(s, price), data.size(s, lots) if lots else "0"] for price, lots in side.items()]
            for side in (bids, asks)
        )
        symbol = data.exchange.instruments[s].symbol
        return {"s": symbol, **dict(zip("ba", sides, strict=True)), "u": self.update, "seq": now // 1_000}

    def matched_ms(self) -> int:
        """When the matching engine last changed the book (`cts`)."""
        return int(self._data.exchange.states[self._s]["book_ts"]) // _MS

    def answer(self, depth: int, now: int) -> dict[str, Any]:
        """The best `depth` levels as REST tells them: as last shown."""
        if not self.bids:
            self.look(now)
        bids, asks = (dict(islice(side.items(), depth)) for side in (self.bids, self.asks))
        body = self.body(bids, asks, self._shown_ts)
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
        self._bids: dict[int, int] = {}
        self._asks: dict[int, int] = {}
        self._sent = 0

    def snapshot(self, now: int) -> list[bytes]:
        """The levels last shown, or those of now when none were."""
        if not self._book.bids:
            self._book.look(now)
        return [self._whole(now)] if self._book.bids else []

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """The changes; the whole at depth 1, or after a book that was void."""
        del prints
        book, before, asks = self._book, self._bids, self._asks
        if not self._shared:
            book.look(now)
        if book.update == self._told or not book.bids:
            repeats = self._depth == 1 and book.bids and now - self._sent >= _REPEAT
            return [self._whole(now)] if repeats else []
        if not before or self._depth == 1:
            return [self._whole(now)]
        return [self._frame("delta", _changes(before, book.bids, -1), _changes(asks, book.asks, 1), now)]

    def _whole(self, now: int) -> bytes:
        return self._frame("snapshot", self._book.bids, self._book.asks, now)

    def _frame(self, kind: str, bids: dict[int, int], asks: dict[int, int], now: int) -> bytes:
        book = self._book
        self._told, self._bids, self._asks, self._sent = book.update, book.bids, book.asks, now
        data = book.body(bids, asks, now)
        return encode(
            {"topic": self._topic, "type": kind, "ts": now // _MS, "data": data, "cts": book.matched_ms()}
        )


def _changes(before: dict[int, int], after: dict[int, int], order: int) -> dict[int, int]:
    """Levels that are new or differ, and 0 for those that are gone, best first."""
    changed = {price: lots for price, lots in after.items() if before.get(price) != lots}
    changed |= {price: 0 for price in before if price not in after}
    return dict(sorted(changed.items(), key=lambda item: order * item[0]))
