"""Finds silent topics of a live public connection: data of another topic, or an answer to a ping, would hide them.

A topic is judged by what it yields: a book that sends deltas of a void book only, or a ticker without a price, says nothing. Prints
are not waited for: a quiet market has none.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

from turbo_trader.market.rows import FUNDING, GAP, INDEX, MARK, TRADE

BOOK: Final = "book"
TICKER: Final = "ticker"
_TOPICS: Final = {TRADE: "", GAP: "", MARK: TICKER, INDEX: TICKER, FUNDING: TICKER}
LONGEST_S: Final = 600.0


class Silence:
    """Ages of the topics of some symbols. A book is owed from the first moment of a connection, a ticker once it was ever heard:
    not every tape has one.

    `limit_s`: how long a topic may say nothing. Each time it says nothing for longer it is given twice the time, and the first
    again when that has not happened for ten minutes: a market that stands still, or a thin tape, must not cost its neighbours
    their connection again and again.
    """

    def __init__(self, symbols: Sequence[int], limit_s: float) -> None:
        self._limit = limit_s
        self._owed = {(symbol, BOOK) for symbol in symbols}
        self._heard: dict[tuple[int, str], float] = dict.fromkeys(self._owed, 0.0)
        self._patience: dict[tuple[int, str], tuple[float, float]] = {}  # and since when

    def begin(self, now: float, refused: Collection[tuple[int, str]] = ()) -> None:
        """A new connection is up, at `now` (monotonic seconds). Topics that it was `refused` are not waited for."""
        self._heard = {key: now for key in self._owed if key not in refused}

    def heard(self, symbol: int, kind: int, now: float) -> None:
        """A frame with a row of `kind` came."""
        topic = _TOPICS.get(kind, BOOK)
        if topic:
            self._owed.add((symbol, topic))
            self._heard[symbol, topic] = now
            if self._patience and now - self._patience.get((symbol, topic), (0.0, now))[1] > LONGEST_S:
                del self._patience[symbol, topic]

    def silent(self, now: float) -> list[tuple[int, str]]:
        """Symbols and topics silent for longer than they may be. Each of them is waited for twice as long from now on."""
        found = [key for key, at in self._heard.items() if now - at > self._may(key)]
        for key in found:
            self._patience[key] = min(LONGEST_S, 2 * self._may(key)), now
        return found

    def _may(self, key: tuple[int, str]) -> float:
        return self._patience.get(key, (self._limit, 0.0))[0]
