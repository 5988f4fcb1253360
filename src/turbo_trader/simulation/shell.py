"""The simulation shell: one discrete-event loop around the two machines.

Messages live in a heap ordered by time, then by registration. Market rows never enter it: each side has its own cursor on the
tape, the Exchange's at t, the Trader's at t - feed latency, and both are moved in long kernel calls between the moments when
something can happen. A symbol with an open position is moved with a watch; should the venue speak before the watched moment, its
market state is put back (states are a function of the tape alone) and moved to the time of the message instead.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np

from turbo_trader.exchange.machine import Exchange
from turbo_trader.market.events import ROW, SECOND, Rows
from turbo_trader.market.kernel import advance
from turbo_trader.market.state import States
from turbo_trader.runtime.arrivals import Arrivals
from turbo_trader.signals.noise import fit_noise
from turbo_trader.simulation import adapter
from turbo_trader.simulation.network import Latency
from turbo_trader.trader.commands import (
    CancelOrder,
    Command,
    FitNoise,
    PlaceOrder,
    Read,
    SetLeverage,
    SetStops,
    Stopped,
    WireCommand,
)
from turbo_trader.trader.events import (
    Clock,
    CommandResult,
    Event,
    NoiseFitted,
    ReadResult,
    Report,
    Watched,
)

FIT_DELAY = SECOND  # a noise fit runs beside the loop; its result is known this much later


class Sink(Protocol):
    """Where everything the Trader did goes, in order."""

    def event(self, event: Event) -> None:
        """An event as the Trader got it (market rows excepted)."""

    def command(self, command: Command) -> None:
        """A command as the Trader gave it."""


class Machine(Protocol):
    """What the loop needs of trader.machine.Trader."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """In the order of `states`."""

    @property
    def states(self) -> States:
        """Market states, advanced by the loop."""

    def handle(self, event: Event) -> Sequence[Command]:
        """Take one event."""

    def next_time(self) -> int:
        """When a Clock is wanted."""


class Simulation:
    """Connects one Trader to one account of the Exchange over a tape; deterministic."""

    def __init__(
        self,
        trader: Machine,
        exchange: Exchange,
        rows: Sequence[Rows],
        *,
        uid: str,
        latency: Latency,
        sink: Sink,
        start: int,
    ) -> None:
        self.trader = trader
        self.exchange = exchange
        self.uid = uid
        self.latency = latency
        self.sink = sink
        self.now = start
        self._arrivals = Arrivals("simulation", lambda *_: None)
        self.stopped = ""
        self._rows = list(rows)
        count = len(self._rows)
        self._feed = [latency.feed] * count
        self._seen = [0] * count  # the Trader's cursors
        self._traded = [0] * count  # the Exchange's
        self._hits: dict[
            int, int
        ] = {}  # symbol -> arrival time of its watch hit, while its state waits there
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._registered = 0

    # -- the loop

    def run(self, until: int) -> None:
        """Go on until nothing is due before `until` (ns) or the Trader has stopped."""
        while not self.stopped:
            due = self._next_boundary()
            if due > until:
                break
            self._step(due)
        if not self.stopped:
            self._move_trader(until)
            self._move_exchange(until)
            self.now = max(self.now, until)

    def deliver(self, event: Event) -> None:
        """Hand an event to the Trader now and carry out what it commands."""
        event = self._arrivals.event(event, self.now)
        self.sink.event(event)
        for command in self.trader.handle(event):
            self.sink.command(command)
            self._carry_out(command)

    def _next_boundary(self) -> int:
        due = min(self.trader.next_time(), self.exchange.next_time())
        if self._heap:
            due = min(due, self._heap[0][0])
        return max(due, self.now)

    def _step(self, due: int) -> None:
        watched = np.flatnonzero(self.trader.states["watch_side"])
        saved = [(int(s), self.trader.states[s : s + 1].copy(), self._seen[s]) for s in watched]
        for s in watched:
            self._advance(int(s), due)
        at = min([due, *self._hits.values()])
        self._move_exchange(at)
        first = self._heap[0][0] if self._heap else due
        if first < at:  # the venue spoke before: the market is known only up to then
            self._put_back(saved, first)
            at = first
        self.now = max(self.now, at)
        self._act(at)

    def _act(self, at: int) -> None:
        """Everything due at `at`: messages first, then watched prices, then the clock."""
        while self._heap and self._heap[0][0] <= at:
            heapq.heappop(self._heap)[2]()
            self._drain()
        for s in sorted(s for s, time in self._hits.items() if time <= at):
            del self._hits[s]
            self.deliver(Watched(at, s))
        if self.trader.next_time() <= at and not self.stopped:
            self._move_trader(at)
            self.deliver(Clock(at))

    # -- market rows

    def extend(self, s: int, rows: Rows) -> None:
        """The tape of a symbol goes on with these rows; what both cursors have behind them is let go. Between two `run`s only."""
        self._catch_up(self.trader.symbols[s])
        done = min(self._seen[s], self._traded[s])
        self._seen[s] -= done
        self._traded[s] -= done
        self._rows[s] = np.concatenate([self._rows[s][done:], rows]).view(ROW)

    def _advance(self, s: int, now: int) -> None:
        """Move the Trader's cursor of one symbol to what it knows at `now`."""
        if s in self._hits:
            return
        self._seen[s], reason = advance(
            self.trader.states, s, self._rows[s], self._seen[s], self._known(s, now)
        )
        if reason:
            arrival = int(self.trader.states["ts"][s]) + self._feed[s]
            self._hits[s] = max(arrival, self.now)

    def _known(self, s: int, now: int) -> int:
        """Up to which time of the tape the Trader knows a symbol at `now`."""
        return now - self._feed[s]

    def _put_back(self, saved: list[tuple[int, Any, int]], until: int) -> None:
        for s, state, seen in saved:
            hit = self._hits.get(s)
            if hit is not None and hit <= until:
                continue
            self._hits.pop(s, None)
            self.trader.states[s : s + 1] = state
            self._seen[s] = seen
            self._advance(s, until)

    def _move_trader(self, now: int) -> None:
        for s in range(len(self._rows)):
            self._advance(s, now)

    def _move_exchange(self, now: int) -> None:
        for s in self.exchange.busy():
            self._traded[s] = self.exchange.advance(s, self._rows[s], self._traded[s], now)
        self.exchange.settle(now)
        self._drain()

    def _catch_up(self, symbol: str) -> None:
        s = self.trader.symbols.index(symbol)
        self._traded[s] = self.exchange.advance(s, self._rows[s], self._traded[s], self.now)

    # -- messages

    def _post(self, time: int, action: Callable[[], None]) -> None:
        self._registered += 1
        heapq.heappush(self._heap, (time, self._registered, action))

    def _drain(self) -> None:
        for _, message in self.exchange.drain():
            self._report(adapter.to_event(message))

    def _report(self, report: Report) -> None:
        """A private message leaves the venue."""
        self._tell(max(report.ts + self.latency.stream, self.now), report)

    def _tell(self, time: int, event: Event) -> None:
        """Let the Trader have an event at `time`."""
        self._post(time, partial(self.deliver, event))

    def _carry_out(self, command: Command) -> None:
        match command:
            case PlaceOrder() | CancelOrder() | SetStops() | SetLeverage() | Read():
                self._send(command)
            case FitNoise():
                noise = fit_noise(command.seconds, command.y)
                fitted = NoiseFitted(self.now + FIT_DELAY, command.symbol, noise)
                self._tell(fitted.ts, fitted)
            case Stopped():
                self.stopped = command.reason
            case _:
                pass

    def _send(self, command: WireCommand) -> None:
        """A request leaves for the venue."""
        self._post(self.now + self.latency.request, lambda: self._at_venue(command))

    def _at_venue(self, command: WireCommand) -> None:
        answer = self._execute(command)
        self._tell(answer.ts, answer)

    def _execute(self, command: WireCommand) -> CommandResult | ReadResult:
        """Carry a request out at the venue now; the answer bears the time at which it arrives."""
        if command.symbol:
            self._catch_up(command.symbol)
        answer = adapter.execute(self.exchange, self.uid, command, self.now, self.latency.reply)
        self._drain()
        return answer
