"""Topics of a public connection that have fallen silent though it is alive: another topic's data, or an answer to a ping, hides it.

A topic is judged by what it yields: a book that sends deltas of a void book only, or a ticker without a price, says nothing. Prints
are not waited for: a quiet market has none.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from turbo_trader.market.events import FUNDING, GAP, INDEX, MARK, TRADE

BOOK: Final = "book"
TICKER: Final = "ticker"
_TOPICS: Final = {TRADE: "", GAP: "", MARK: TICKER, INDEX: TICKER, FUNDING: TICKER}
LONGEST_S: Final = 600.0


class Silence:
    """Ages of the topics of some symbols. A book is owed from the first moment of a connection, a ticker once it was ever heard:
    not every tape has one.

    `limit_s`: how long a topic may say nothing. One that stays silent over a new connection too is given twice the time after each:
    a market that stands still must not cost its neighbours their connection again and again.
    """

    def __init__(self, symbols: Sequence[int], limit_s: float) -> None:
        self._limit = limit_s
        self._heard: dict[tuple[int, str], float] = {(symbol, BOOK): 0.0 for symbol in symbols}
        self._patience: dict[tuple[int, str], float] = {}

    def begin(self, now: float) -> None:
        """A new connection is up, at `now` (monotonic seconds)."""
        self._heard = dict.fromkeys(self._heard, now)

    def heard(self, symbol: int, kind: int, now: float) -> None:
        """Rows that begin with one of `kind` came."""
        topic = _TOPICS.get(kind, BOOK)
        if topic:
            self._heard[symbol, topic] = now
            self._patience.pop((symbol, topic), None)

    def silent(self, now: float) -> list[tuple[int, str]]:
        """Symbols and topics silent for longer than they may be. Each of them is waited for twice as long from now on."""
        found = [key for key, at in self._heard.items() if now - at > self._patience.get(key, self._limit)]
        for key in found:
            self._patience[key] = min(LONGEST_S, 2 * self._patience.get(key, self._limit))
        return found
