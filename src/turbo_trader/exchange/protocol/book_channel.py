"""`orderbook.{1,50,200,1000,rpi}`: a snapshot, then what changed; of the best level always the whole.

A frame is the difference between the levels last shown and those of now, so pushes merge by themselves when they are rarer than the
book's changes (a slow cadence, or a speed above 1).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.shown_books import BOOK_CADENCE, DEEPEST, ShownBook, Sides
from turbo_trader.exchange.protocol.symbol_market import Print
from turbo_trader.exchange.protocol.wire import encode

_MS: Final = 1_000_000
RPI_DEPTH: Final = 50
_RPI_CADENCE: Final = 100 * _MS
_REPEAT: Final = 3_000 * _MS  # depth 1 is sent again after so long without a change


class BookChannel:
    """One of them. The deepest is looked at by the market data itself, as REST shows it too. `rpi`: with the quotes for retail
    clients, of which there are none here: the third figure of each level."""

    def __init__(self, data: MarketData, s: int, depth: int, *, rpi: bool = False) -> None:
        self._shared, self._rpi = depth == DEEPEST, rpi
        self.cadence = 0 if self._shared else _RPI_CADENCE if rpi else BOOK_CADENCE[depth]
        self._book = data.books[s] if self._shared else ShownBook(data.exchange, data.figures, s, depth)
        self._topic = f"orderbook.{'rpi' if rpi else depth}.{data.exchange.instruments[s].symbol}"
        self._depth = depth
        self._reported = 0  # `u` of the last frame
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
        if book.update == self._reported:
            repeats = self._depth == 1 and self._before[0] and now - self._sent >= _REPEAT
            return [self._whole(now)] if repeats else []
        if not book.sides[0]:
            return []
        if not self._before[0] or self._depth == 1:
            return [self._whole(now)]
        bids, asks = map(_changes, self._before, book.sides, (-1, 1))
        return [self._frame("delta", (bids, asks), now)]

    def restart(self) -> None:
        """The service restarts: the next frame is a snapshot with `u` 1."""
        self._reported, self._before = -1, ({}, {})
        if not self._shared:
            self._book.restart()

    def _whole(self, now: int) -> bytes:
        return self._frame("snapshot", self._book.sides, now)

    def _frame(self, kind: str, levels: Sides, now: int) -> bytes:
        book = self._book
        self._reported, self._before, self._sent = book.update, book.sides, now
        data = book.body(levels, now)
        if self._rpi:
            data |= {side: [[*level, "0"] for level in data[side]] for side in "ba"}
        return encode(
            {"topic": self._topic, "type": kind, "ts": now // _MS, "data": data, "cts": book.matched_ms()}
        )


def _changes(before: dict[int, int], after: dict[int, int], order: int) -> dict[int, int]:
    """Levels that are new or differ, and 0 for those that are gone, best first."""
    changed = {price: lots for price, lots in after.items() if before.get(price) != lots}
    changed |= {price: 0 for price in before if price not in after}
    return dict(sorted(changed.items(), key=lambda item: order * item[0]))
