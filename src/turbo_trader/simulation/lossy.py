"""The simulation shell with a bad network between Trader and venue: what the live shell would tell, told in simulated time.

Requests are carried out as live/gateway does: one answer or, after the time-out, none; reads in their parts, each asked again where
the trouble may pass; a request that arrives older than its receive window is refused. Private messages belong to a connection:
what an old one still carried is lost.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final, cast

import numpy as np

from turbo_trader.bybit.errors import NO_ANSWER, Action, Kind, judge
from turbo_trader.market.events import FINE, FIRST, GAP, LAST, LEVEL, MARK, ROW, SECOND, SNAPSHOT, WHOLE, Rows
from turbo_trader.simulation.faults import Fate, Faults
from turbo_trader.simulation.shell import Simulation
from turbo_trader.trader.commands import PlaceOrder, Read, WireCommand
from turbo_trader.trader.events import (
    CommandResult,
    Event,
    MarketRows,
    ReadResult,
    Report,
    StreamStatus,
)

TIMEOUT: Final = 5 * SECOND  # live.settings: request_timeout_s
RECV_WINDOW_MS: Final = 5_000  # of requests that do not say otherwise
PAUSES: Final = (SECOND // 10, 4 * SECOND // 10, SECOND)  # live.gateway: between the tries of a read
FAR: Final = 2**62
_WINDOW: Final = 10002

Answer = CommandResult | ReadResult
Then = Callable[[Answer], None]


class Lossy(Simulation):
    """A Simulation whose network is as bad as `faults` says."""

    def __init__(self, *args: Any, faults: Faults, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.faults = faults
        self.private_since: int | None = None  # since when the private stream has been heard; None: it is not
        self._connection = 0  # of the private stream
        self._cut = [FAR] * len(self._rows)  # up to which time a symbol's market data came through
        self._feeds = 0  # number of the public connection
        self._down_until = 0  # the venue cannot be reached before

    @property
    def venue_down(self) -> bool:
        """Does nothing get through?"""
        return self.now < self._down_until

    # -- requests

    def _later(self, time: int, action: Callable[[], None]) -> None:
        """Something on the Trader's side of the network happens at `time`."""
        self._post(time, action)

    def _tell(self, time: int, event: Event) -> None:
        self._later(time, partial(self.deliver, event))

    def _send(self, command: WireCommand) -> None:
        if isinstance(command, Read):
            self._read(command, self.now, ())
        else:
            self._ask(command, partial(self._answered, command))

    def _answered(self, command: WireCommand, answer: Answer) -> None:
        entry = isinstance(command, PlaceOrder) and not command.reduce_only
        if judge(answer.code).action is Action.RESYNC and not entry:  # signed anew with the clock measured
            self._ask(command, self.deliver)
        else:
            self.deliver(answer)

    def _read(self, command: Read, asked: int, got: tuple[ReadResult, ...], tries: int = 0) -> None:
        """One part after the other: what happens between them is in the later ones only."""
        if len(got) == len(command.what):
            self.deliver(_whole(self.now, asked, got))
            return
        part = replace(command, what=(command.what[len(got)],))
        self._ask(part, partial(self._read_on, command, asked, got, tries))

    def _read_on(
        self, command: Read, asked: int, got: tuple[ReadResult, ...], tries: int, answer: Answer
    ) -> None:
        assert isinstance(answer, ReadResult)
        if answer.code == 0:
            self._read(command, asked, (*got, answer))
        elif judge(answer.code).kind in (Kind.TEMPORARY, Kind.AMBIGUOUS) and tries < len(PAUSES):
            again = partial(self._read, command, asked, got, tries + 1)
            self._later(self.now + PAUSES[tries], again)
        else:
            self.deliver(replace(answer, asked_ts=asked))

    def _ask(self, command: WireCommand, then: Then) -> None:
        """Send one request; its answer, or that none came in time, reaches `then` once."""
        sent, fate = self.now, self.faults.request()
        open_ = [True]

        def hear(answer: Answer) -> None:
            if open_:
                open_.clear()
                then(replace(answer, ts=self.now))

        if fate.arrives:
            self._post(
                sent + self.latency.request + fate.out, partial(self._arrive, command, sent, fate, hear)
            )
        elif fate.code:
            back = sent + self.latency.request + self.latency.reply + fate.back
            self._later(back, partial(hear, _refusal(command, fate.code)))
        self._later(sent + TIMEOUT, partial(hear, _refusal(command, NO_ANSWER)))

    def _arrive(self, command: WireCommand, sent: int, fate: Fate, hear: Then) -> None:
        if self.venue_down:
            return
        window = command.recv_window_ms if isinstance(command, PlaceOrder) else RECV_WINDOW_MS
        if self.now - sent > window * 1_000_000:
            answer: Answer = _refusal(command, _WINDOW)
        else:
            answer = self._execute(command)
        if fate.code:
            answer = _refusal(command, fate.code)
        if fate.answered:
            self._later(self.now + self.latency.reply + fate.back, partial(hear, answer))

    # -- private messages

    def _report(self, report: Report) -> None:
        if self.private_since is None:
            self.faults.counts["message_lost"] += 1
            return
        for extra in self.faults.message():
            at = max(report.ts + self.latency.stream, self.now) + extra
            self._later(at, partial(self._heard, self._connection, report))

    def _heard(self, connection: int, report: Report) -> None:
        if connection == self._connection and self.private_since is not None:
            self.deliver(report)
        else:
            self.faults.counts["message_lost"] += 1

    def cut_private(self, noticed: int, up: int) -> None:
        """The private stream is lost now; the Trader is told `noticed` ns later, and has it again `up` ns after that."""
        self._connection += 1
        self.private_since = None
        down = StreamStatus(self.now + noticed, "private", up=False, reason="lost")
        self._tell(down.ts, down)
        self._later(down.ts + up, partial(self.connect_private, self._connection))

    def connect_private(self, connection: int) -> None:
        """The private stream is there (again), unless it was cut anew meanwhile."""
        if connection != self._connection:
            return
        if self.venue_down:
            self._later(self._down_until, partial(self.connect_private, connection))
            return
        self.private_since = self.now
        self.deliver(StreamStatus(self.now, "private", up=True))

    # -- market data

    def _known(self, s: int, now: int) -> int:
        return min(now - self._feed[s], self._cut[s])

    def cut_public(self, symbols: range, noticed: int, up: int) -> None:
        """These symbols fall silent now; the connection is given up `noticed` ns later, and made anew `up` ns after that."""
        self._feeds += 1
        for s in symbols:
            self._cut[s] = min(self._cut[s], self.now - self._feed[s])
        self._later(self.now + noticed, partial(self._lose_public, self._feeds, up))

    def _lose_public(self, feeds: int, up: int) -> None:
        if feeds != self._feeds:
            return
        for s in range(len(self._rows)):
            self._cut[s] = min(self._cut[s], self.now - self._feed[s])
            self.deliver(MarketRows(self.now, s, _gap(int(self.trader.states["ts"][s]))))
        self.deliver(StreamStatus(self.now, "public", up=False, reason="lost"))
        self._later(self.now + up, partial(self.connect_public, feeds))

    def connect_public(self, feeds: int) -> None:
        """Market data come again: of each symbol the whole book as the venue has it, then what follows."""
        if feeds != self._feeds:
            return
        if self.venue_down:
            self._later(self._down_until, partial(self.connect_public, feeds))
            return
        self.deliver(StreamStatus(self.now, "public", up=True))
        for s, symbol in enumerate(self.trader.symbols):
            self._catch_up(symbol)
            rows, following = snapshot(self.exchange.states, s, self.now), self._traded[s]
            self._later(self.now + self._feed[s], partial(self._resume, feeds, s, rows, following))

    def _resume(self, feeds: int, s: int, rows: Rows, following: int) -> None:
        if feeds != self._feeds:
            return
        self._hits.pop(s, None)
        self._seen[s], self._cut[s] = following, FAR
        self.deliver(MarketRows(self.now, s, rows))

    def lag(self, s: int, by: int, length: int) -> None:
        """A symbol's market data come `by` ns later than usual for a while."""
        self._feed[s] += by
        self._post(self.now + length, partial(self._lag_over, s, by))

    def _lag_over(self, s: int, by: int) -> None:
        self._feed[s] -= by

    def take_venue_down(self, length: int) -> None:
        """For `length` ns nothing reaches the venue and nothing comes from it."""
        self._down_until = max(self._down_until, self.now + length)


def _whole(now: int, asked: int, parts: tuple[ReadResult, ...]) -> ReadResult:
    """The answer to a read from the answers to its parts."""
    last = parts[-1]
    fills = {fill.exec_id: fill for part in parts for fill in part.fills}
    return replace(
        last,
        ts=now,
        asked_ts=asked,
        orders=tuple(order for part in parts for order in part.orders),
        fills=tuple(sorted(fills.values(), key=lambda fill: (fill.ts, fill.seq))),
        positions=tuple(report for part in parts for report in part.positions),
        transfers=tuple(each for part in parts for each in part.transfers),
        wallet=next((part.wallet for part in parts if part.wallet is not None), None),
    )


def _refusal(command: WireCommand, code: int) -> Answer:
    verdict = judge(code)
    if isinstance(command, Read):
        return ReadResult(0, command.id, verdict.outcome, 0, code=code, message=verdict.meaning)
    later = verdict.kind is Kind.TEMPORARY
    return CommandResult(0, command.id, verdict.outcome, code, verdict.meaning, later)


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
