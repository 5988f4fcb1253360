"""Two cursors on one tape: the Exchange's at t, the Trader's at t minus the latency of its feed.

Market rows never enter the loop: long kernel calls move both cursors between the moments when something can happen. A symbol with
an open position is moved with a watch; should the venue speak before the watched moment, its market state is put back (states
are a function of the tape alone) and moved to the time of the message instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.market.kernel import advance
from turbo_trader.market.record_copies import joined, laid_together
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.market.state import States
from turbo_trader.market.tape_pages import Behind
from turbo_trader.simulation.loop import Loop
from turbo_trader.trader.events import MarketAhead

FAR: Final = 2**62

Saved = list[tuple[int, int]]  # symbols and the Trader's cursors; their states are kept beside


_PIECE: Final = 2**19  # rows of a symbol that are read at once, at most: more would need as much memory
_HORIZON: Final = 60 * SECOND  # how far it is looked ahead for what the market does at the Exchange


def _bytes(states: States) -> NDArray[np.uint8]:
    """The records as bytes, a line each: copied so, a record costs a tenth of what it costs field by field."""
    return states.view(np.uint8).reshape(len(states), -1)


class Viewer(Protocol):
    """Who sees the market: a Trader, as far as the cursors look into it."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """In the order of `states`."""

    @property
    def states(self) -> States:
        """Market states, advanced by the cursors."""


class Cursors:
    """Where on the tape the Trader (`viewer`, replaced at a restart) and the Exchange are."""

    def __init__(
        self, loop: Loop, viewer: Viewer, exchange: Exchange, rows: Sequence[Rows], feed_ns: int
    ) -> None:
        """`feed_ns`: how long market data take to the Trader."""
        self._loop = loop
        self.hits: dict[int, int] = {}  # symbol -> arrival time of its watch hit, while its state waits there
        self._exchange = exchange
        self._rows = list(rows)
        count = len(self._rows)
        self._feed = [feed_ns] * count
        self._cut = [FAR] * count  # up to which time a symbol's market data came through
        self._since = [loop.now] * count  # since when without a hole
        self._seen = [0] * count  # the Trader's cursors
        self._traded = [0] * count  # the Exchange's
        self._gone = [0] * count  # rows that both had behind them and were let go
        self._kept = _bytes(np.zeros_like(viewer.states))  # of watched symbols as they were before a step
        self._read, self._matched = Behind(count), Behind(count)  # by the Trader, by the Exchange
        self._tape: Rows | None = None  # the rows of all symbols, one after the other
        self._calm = 0  # up to when (ns) nothing moves at the Exchange by itself
        self._settles = 0  # when it is due next
        self.see(viewer)

    def see(self, viewer: Viewer) -> None:
        """From now on the market is seen by `viewer`, whose states the Trader's cursors move."""
        self.viewer = viewer
        self._records = _bytes(viewer.states)
        self._sides = viewer.states["watch_side"]

    @property
    def count(self) -> int:
        """How many symbols there are."""
        return len(self._rows)

    # -- both

    def extend(self, s: int, rows: Rows) -> None:
        """The tape of a symbol goes on with these rows; what both cursors have behind them is let go. Between two runs only."""
        self.catch_up(s)
        self.stir()
        done = min(self._seen[s], self._traded[s])
        self._seen[s] -= done
        self._traded[s] -= done
        self._gone[s] += done
        self._rows[s] = joined([self._rows[s][done:], rows])
        self._read, self._matched = Behind(self.count), Behind(self.count)
        self._tape = None

    # -- the Trader's

    def watched(self) -> Saved:
        """The states of watched symbols, to be put back where the venue speaks first."""
        watched: list[int] = self._sides.nonzero()[0].tolist()
        for s in watched:
            self._kept[s] = self._records[s]
        return [(s, self._seen[s]) for s in watched]

    def advance(self, s: int, now: int) -> None:
        """Move the Trader's cursor of one symbol to what it knows at `now`, or to where its watch is hit."""
        if s in self.hits:
            return
        until = min(now - self._feed[s], self._cut[s])
        self._seen[s], reason = advance(self.viewer.states, s, self._rows[s], self._seen[s], until)
        if reason:
            self.hits[s] = max(int(self.viewer.states["ts"][s]) + self._feed[s], self._loop.now)

    def near(self, until: int) -> int:
        """`until` (ns), or a time before it up to which a piece of each symbol's tape is read."""
        for rows, seen, feed in zip(self._rows, self._seen, self._feed, strict=True):
            if seen + _PIECE < len(rows):
                until = min(until, int(rows["ts"][seen + _PIECE]) + feed)
        return until

    def ahead(self, until: int) -> MarketAhead:
        """The market as it will be known before `until`; `moved` is to be called when it was read."""
        if self._tape is None:
            self._rows = laid_together(self._rows)
            self._tape = joined(self._rows)
            self._ends = np.cumsum([len(rows) for rows in self._rows])
        begins = self._ends - [len(rows) for rows in self._rows]
        cursors = np.stack([begins + self._seen, self._ends], axis=1)
        return MarketAhead(self._loop.now, until, self._tape, cursors, np.array(self._feed))

    def moved(self, market: MarketAhead) -> None:
        """The Trader's cursors are where it has read `market` to."""
        for s, rows in enumerate(self._rows):
            self._seen[s] = int(market.cursors[s, 0] - market.cursors[s, 1]) + len(rows)
        self._read.at(self._rows, self._seen)

    def put_back(self, saved: Saved, until: int) -> None:
        """The market of these symbols is known up to `until` only."""
        for s, seen in saved:
            hit = self.hits.get(s)
            if hit is not None and hit <= until:
                continue
            self.hits.pop(s, None)
            self._records[s] = self._kept[s]
            self._seen[s] = seen
            self.advance(s, until)

    def advance_all(self, now: int) -> None:
        """Move the Trader's cursors of all symbols to `now`."""
        for s in range(len(self._rows)):
            self.advance(s, now)

    def begin(self) -> None:
        """A process starts: of what came before it knows nothing, and nothing comes yet."""
        for s in range(len(self._rows)):
            self.cut(s)
            self._seen[s] = int(np.searchsorted(self._rows[s]["ts"], self._cut[s]))

    def cut(self, s: int) -> None:
        """A symbol's market data end now."""
        self._cut[s] = min(self._cut[s], self._loop.now - self._feed[s])

    def resume(self, s: int, following: int) -> None:
        """A symbol's market data come again, from row `following` of the whole tape on."""
        self.hits.pop(s, None)
        self._seen[s], self._cut[s], self._since[s] = following - self._gone[s], FAR, self._loop.now

    def delay(self, s: int, by_ns: int) -> None:
        """A symbol's market data come so much later (or, below 0, earlier) than before."""
        self._feed[s] += by_ns

    def feed_ns(self, s: int) -> int:
        """How long a symbol's market data take now."""
        return self._feed[s]

    # -- for those who look on

    def came_through(self, s: int) -> tuple[int, int]:
        """Between which times a symbol's market data have come through without a hole, ns."""
        return self._since[s], min(self._loop.now - self._feed[s], self._cut[s])

    def between(self, s: int, after: int, until: int) -> Rows:
        """A symbol's rows with `after` < ts <= `until`, as far as they are kept."""
        rows = self._rows[s]
        first, end = np.searchsorted(rows["ts"], (after, until), side="right")
        return rows[first:end]

    # -- the Exchange's

    @property
    def settles(self) -> int:
        """When the Exchange is due next, whatever the market does (ns)."""
        self._look_ahead()
        return self._settles

    def calm(self, until: int) -> bool:
        """Does nothing happen by itself at the Exchange up to `until` (ns)? Then it need not be moved before that."""
        self._look_ahead()
        return until <= self._calm

    def stir(self) -> None:
        """Something else than the market has moved an account, or may have."""
        self._calm = 0

    def move_exchange(self, now: int) -> None:
        """Move the Exchange to `now` where something is at stake there."""
        for s in self._exchange.busy():
            self._traded[s] = self._exchange.advance(s, self._rows[s], self._traded[s], now)
        self._matched.at(self._rows, self._traded)
        self._exchange.settle(now)
        self.stir()

    def untouched(self, until: int) -> int:
        """Up to which time (ns, at most `until`) the market leaves every account at the Exchange as it is."""
        for s in self._exchange.busy():
            until = self._exchange.untouched(s, self._rows[s], self._traded[s], until)
        return until

    def catch_up(self, s: int) -> int:
        """Move the Exchange's cursor of one symbol to now; returns the row of the whole tape that follows."""
        rows, now = self._rows[s], self._loop.now
        while (piece := self._traded[s] + _PIECE) < len(rows):
            until = int(rows["ts"][piece])
            if not rows["ts"][self._traded[s]] < until < now:
                break
            self._traded[s] = self._exchange.advance(s, rows, self._traded[s], until)
            self._matched.at(self._rows, self._traded)
        self._traded[s] = self._exchange.advance(s, rows, self._traded[s], now)
        return self._gone[s] + self._traded[s]

    def _look_ahead(self) -> None:
        if not self._calm:
            self._settles = self._exchange.next_time()
            self._calm = self.untouched(min(self._settles - 1, self._loop.now + _HORIZON))
