"""The connections of a process in simulated time: the account's private stream and the market's public one.

Private messages belong to a connection: what an old one still carried is lost. A connection may be cut unnoticed for a while.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, cast

import numpy as np

from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.rows import FINE, FIRST, GAP, LAST, LEVEL, MARK, ROW, SNAPSHOT, WHOLE, Rows
from turbo_trader.simulation import tampering
from turbo_trader.simulation.cursors import Cursors
from turbo_trader.simulation.faults import NO_MESSAGE_FAULT, Faults, MessageFault
from turbo_trader.simulation.loop import Loop
from turbo_trader.simulation.network import Later, Network
from turbo_trader.simulation.venue import WireVenue
from turbo_trader.trader.events import Event, MarketRows, StreamKind, StreamStatus

Deliver = Callable[[Event], None]


class PrivateStream:
    """The account's messages on their way to the process."""

    def __init__(
        self,
        loop: Loop,
        venue: WireVenue,
        network: Network,
        faults: Faults | None,
        *,
        later: Later,
        deliver: Deliver,
        take: Callable[[bytes], None],
    ) -> None:
        """`take`: where the process reads a message."""
        self.up_since: int | None = None  # None: nothing is heard
        self._loop = loop
        self._venue = venue
        self._network = network
        self._faults = faults
        self._later = later
        self._deliver = deliver
        self._take = take
        self._connection = 0

    def send(self, message: Message) -> None:
        """A message leaves the venue now."""
        if self.up_since is None:
            self._lost()
            return
        leaves = max(message.ts + self._network.latency.stream, self._loop.now)
        fault = NO_MESSAGE_FAULT if self._faults is None else self._faults.message()
        for frame in self._venue.frames(max(message.ts, self._loop.now), message):
            arrives = self._tampered(frame, fault)
            for extra in fault.delays_ns:
                self._later(leaves + extra, partial(self._receive, self._connection, arrives))

    def _tampered(self, frame: bytes, fault: MessageFault) -> bytes:
        if self._faults is None or not fault.tampering:
            return frame
        if fault.tampering == Fault.FUTURE:
            return tampering.future(frame, self._faults.ahead())
        return tampering.odd(frame, self._faults.choose)

    def _receive(self, connection: int, frame: bytes) -> None:
        if connection != self._connection or self.up_since is None:
            self._lost()
            return
        self._take(frame)

    def _lost(self) -> None:
        if self._faults is not None:
            self._faults.counts["message_lost"] += 1

    def drop(self) -> None:
        """The process is gone: whatever is under way is lost."""
        self._connection += 1
        self.up_since = None

    def cut(self, noticed_ns: int, up_ns: int) -> None:
        """The stream is lost now; the Trader learns it `noticed_ns` later, and has it again `up_ns` after that."""
        self.drop()
        down = StreamStatus(self._loop.now + noticed_ns, StreamKind.PRIVATE, up=False, reason="lost")
        self._later(down.ts, partial(self._deliver, down))
        self._later(down.ts + up_ns, self.connecting())

    def connecting(self) -> Callable[[], None]:
        """An attempt to connect, void once the stream is cut again."""
        return partial(self._connect, self._connection)

    def _connect(self, connection: int) -> None:
        if connection != self._connection:
            return
        if self._network.down:
            self._later(self._network.reach.down_until, partial(self._connect, connection))
            return
        self.up_since = self._loop.now
        self._venue.subscribe(self._loop.now)
        self._deliver(StreamStatus(self._loop.now, StreamKind.PRIVATE, up=True))


class PublicStream:
    """The market data of all symbols on their way to the process."""

    def __init__(
        self,
        loop: Loop,
        cursors: Cursors,
        exchange: Exchange,
        network: Network,
        *,
        later: Later,
        deliver: Deliver,
    ) -> None:
        self._loop = loop
        self._cursors = cursors
        self._exchange = exchange
        self._network = network
        self._later = later
        self._deliver = deliver
        self._connection = 0

    def drop(self) -> None:
        """The process is gone."""
        self._connection += 1

    def cut(self, symbols: range, noticed_ns: int, up_ns: int) -> None:
        """These symbols fall silent now; the connection is given up `noticed_ns` later, and there again `up_ns` after that."""
        self._connection += 1
        for s in symbols:
            self._cursors.cut(s)
        self._later(self._loop.now + noticed_ns, partial(self._lose, self._connection, up_ns))

    def _lose(self, connection: int, up_ns: int) -> None:
        if connection != self._connection:
            return
        now = self._loop.now
        for s in range(self._cursors.count):
            self._cursors.cut(s)
            self._deliver(MarketRows(now, s, _gap(int(self._cursors.viewer.states["ts"][s]))))
        self._deliver(StreamStatus(now, StreamKind.PUBLIC, up=False, reason="lost"))
        self._later(now + up_ns, self.connecting())

    def connecting(self) -> Callable[[], None]:
        """An attempt to connect, void once the stream is cut again."""
        return partial(self._connect, self._connection)

    def _connect(self, connection: int) -> None:
        """Market data come again: of each symbol the whole book as the venue has it, then what follows."""
        if connection != self._connection:
            return
        now = self._loop.now
        if self._network.down:
            self._later(self._network.reach.down_until, partial(self._connect, connection))
            return
        self._deliver(StreamStatus(now, StreamKind.PUBLIC, up=True))
        for s in range(self._cursors.count):
            following = self._cursors.catch_up(s)
            rows = snapshot(self._exchange.states, s, now)
            arrives = now + self._cursors.feed_ns(s)
            self._later(arrives, partial(self._resume, connection, s, rows, following))

    def _resume(self, connection: int, s: int, rows: Rows, following: int) -> None:
        if connection != self._connection:
            return
        self._cursors.resume(s, following)
        self._deliver(MarketRows(self._loop.now, s, rows))


def _gap(ts: int) -> Rows:
    row = np.zeros(1, ROW)
    row["ts"], row["kind"] = ts, GAP | WHOLE
    return row


def snapshot(states: Any, s: int, ts: int) -> Rows:
    """The book of a market state as one frame of rows, and its mark price: what a subscription begins with."""
    state = states[s]
    counts = [int(n) for n in state["levels"]]
    rows = cast("Rows", np.zeros(1 + sum(counts) + (1 if state["mark"] > 0 else 0), ROW))
    rows["ts"] = ts
    rows["kind"][0] = SNAPSHOT
    at = 1
    for i, side in enumerate((1, -1)):
        part = slice(at, at + counts[i])
        rows["kind"][part], rows["side"][part] = LEVEL, side
        rows["price"][part] = side * state["key"][i][: counts[i]]
        rows["lots"][part] = state["lots"][i][: counts[i]]
        at += counts[i]
    rows["kind"][0] |= FIRST
    rows["kind"][at - 1] |= LAST
    if state["mark"] > 0:
        rows["kind"][at] = MARK | WHOLE
        rows["lots"][at] = round(float(state["mark"]) / float(state["tick"]) * FINE)
        rows["price"][at] = rows["lots"][at] // FINE
    return rows
