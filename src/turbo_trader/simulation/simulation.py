"""One discrete-event loop around the two machines: a process with its Trader, the Exchange, a network and a market between them."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from functools import partial
from typing import Any, Final, Protocol

from turbo_trader.bybit.rest import Request
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.messages import Message
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.rows import NEVER, SECOND, Rows
from turbo_trader.simulation.cursors import Cursors, Viewer
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.loop import Action, Loop
from turbo_trader.simulation.minutes import Bars
from turbo_trader.simulation.network import Latency, Network
from turbo_trader.simulation.notices import Notices
from turbo_trader.simulation.process import Machine, Make, Process
from turbo_trader.simulation.simulated_guard import GuardsDoor, SimulatedGuard
from turbo_trader.simulation.simulated_streams import PrivateStream, PublicStream
from turbo_trader.simulation.sinks import Sink
from turbo_trader.simulation.venue import WireVenue
from turbo_trader.trader.events import (
    Backfill,
    Clock,
    ClockOffset,
    Event,
    FeeRates,
    StreamKind,
    StreamStatus,
    Transfer,
    Transferred,
    Watched,
)
from turbo_trader.trader.guard_interventions import GuardRules
from turbo_trader.trader.scan_groups import ALONE, Workers

RETRY: Final = 5 * SECOND  # a start that does not reach the venue is tried again


class Onlooker(Protocol):
    """Sees the venue's messages, and the state of everything after each step of the loop."""

    def message(self, message: Message) -> None:
        """The venue has sent a message, whether or not it is received."""

    def answered(self, request: Request, reply: HttpReply) -> None:
        """The venue has carried out or refused a request, whether or not the answer is received."""

    def step(self) -> None:
        """The loop has made a step."""


class Simulation:
    """Connects one Trader to one account of the Exchange over a tape; deterministic.

    `viewer` is a Trader that never runs: it lends its symbols and market states until the first start.
    """

    def __init__(
        self,
        viewer: Viewer,
        exchange: Exchange,
        rows: Sequence[Rows],
        *,
        uid: str,
        latency: Latency,
        sink: Sink,
        start: int,
        faults: Faults | None = None,
        onlooker: Onlooker | None = None,
        workers: Workers = ALONE,
        page: int = 0,
    ) -> None:
        """`faults` None: a network on which nothing goes wrong, and a process that never dies. `workers`: see `Process`.

        `page`: see `WireVenue`.
        """
        self.exchange = exchange
        self.uid = uid
        self.faults = faults
        self.loop = Loop(start)
        self.cursors = Cursors(self.loop, viewer, exchange, rows, latency.feed)
        self.venue = WireVenue(exchange, uid, page=page)
        self.network = Network(self.loop, self, latency, faults)
        self.process = Process(self.loop, self.venue, self.network, sink, faults, workers)
        later, deliver = self.process.later, self.process.deliver
        self.private = PrivateStream(
            self.loop, self.venue, self.network, faults, later=later, deliver=deliver,
            take=self.process.take,
        )  # fmt: skip
        self.public = PublicStream(
            self.loop, self.cursors, exchange, self.network, later=later, deliver=deliver
        )
        self.process.on_death = self.die
        self.notices = Notices(self.loop, self.process, exchange)
        self.process.on_stale = self.notices.read_terms
        self._onlooker = onlooker
        self._lone = faults is None and onlooker is None  # nobody but the Trader sees or moves the Exchange
        self._restart: Action = lambda: None
        self.guard: SimulatedGuard | None = None

    def put_guard(self, rules: GuardRules) -> None:
        """A guard lives beside the process."""
        assert self.faults is not None
        door = GuardsDoor(self._serve, self.venue)
        network = Network(self.loop, door, self.network.latency, self.faults, self.network.reach)
        self.guard = SimulatedGuard(
            self.loop, self.venue, self.process, network, door, faults=self.faults, rules=rules
        )

    @property
    def now(self) -> int:
        """Simulated time, ns UTC."""
        return self.loop.now

    @property
    def trader(self) -> Machine | None:
        """The Trader; None while the process is dead or stands still."""
        return self.process.trader

    def deliver(self, event: Event) -> None:
        """Hand an event to the Trader now, where there is one."""
        self.process.deliver(event)

    # -- the loop

    def run(self, until: int) -> None:
        """Go on until nothing is due before `until` (ns) or the Trader has stopped."""
        while not self.process.stopped:
            while self._scan_ahead(until):
                pass
            due = self._next_boundary()
            if due > until and self.now >= until:
                break
            self._step(min(due, until))
        if not self.process.stopped:
            self.cursors.advance_all(until)
            self._move_exchange(until)
            self.loop.now = max(self.now, until)

    def _scan_ahead(self, until: int) -> bool:
        """Let the Trader take the scans in one go that nothing can come between; are there more, on the next piece of the tape?"""
        trader = self.trader
        if trader is None or not self._lone or self.cursors.hits:
            return False
        due = trader.next_time()
        quiet = min(until + 1, self.loop.next_time or NEVER, self.cursors.settles)
        if quiet > due:
            quiet = min(quiet, trader.quiet_until())
        piece = self.cursors.near(quiet) if quiet > due else quiet
        if piece > due:
            piece = self.cursors.untouched(piece)
        if piece <= due:
            return False
        market = self.cursors.ahead(piece)
        self.deliver(market)
        self.cursors.moved(market)
        return piece < quiet and trader.next_time() > due

    def _next_boundary(self) -> int:
        due = self.cursors.settles if self._lone else self.exchange.next_time()
        due = min(due, self.process.due())
        if self.loop.next_time is not None:
            due = min(due, self.loop.next_time)
        return max(due, self.now)

    def _step(self, due: int) -> None:
        saved = self.cursors.watched()
        for s, _ in saved:
            self.cursors.advance(s, due)
        at = min([due, *self.cursors.hits.values()])
        self._move_exchange(at)
        first = self.loop.next_time
        if first is not None:
            at = min(at, first)
        if at < due:  # a message or another symbol's watch comes before: the market is known only up to then
            self.cursors.put_back(saved, at)
        self.loop.now = max(self.now, at)
        self._act(at)
        if self._onlooker is not None:
            self._onlooker.step()

    def _act(self, at: int) -> None:
        """Everything due at `at`: messages first, then watched prices, then the clock."""
        while (action := self.loop.pop(at)) is not None:
            action()
            self._send_messages()
        hits = self.cursors.hits
        for s in sorted(s for s, time in hits.items() if time <= at):
            if hits.pop(s, None) is not None:
                self.deliver(Watched(at, s))
        if self.process.due() <= at and not self.process.stopped:
            self.cursors.advance_all(at)
            self.deliver(Clock(at))

    def _move_exchange(self, now: int) -> None:
        if not self._lone or not self.cursors.calm(now):
            self.cursors.move_exchange(now)
        self._send_messages()

    def _send_messages(self) -> None:
        for uid, message in self.exchange.drain():
            if uid != self.uid:
                continue
            if self._onlooker is not None:
                self._onlooker.message(message)
            self.private.send(message)

    # -- the venue

    def handle(self, now: int, symbol: str, request: Request) -> HttpReply:
        """A request arrives at the venue."""
        reply = self._serve(now, symbol, request)
        if self._onlooker is not None:
            self._onlooker.answered(request, reply)
        self._send_messages()
        return reply

    def _serve(self, now: int, symbol: str, request: Request) -> HttpReply:
        if self._lone:
            self.cursors.move_exchange(now)
        self.catch_up(symbol)
        return self.venue.handle(now, request)

    def faulty(self, now: int, fault: str) -> HttpReply:
        """A gateway answers in the venue's place."""
        return self.venue.faulty(now, fault)

    def transfer(self, amount: Decimal) -> None:
        """Bring USDT into the account now, or take it out; the Trader learns of it as early as of the wallet."""
        if self.exchange.transfer(self.uid, amount, self.now).code:
            return
        self.cursors.stir()
        line = self.exchange.accounts[self.uid].log[-1]
        learned = self.now + self.network.latency.stream
        transfer = Transfer(line.ts, line.id, line.coin, line.change, line.kind)
        self.process.later(learned, partial(self.deliver, Transferred(learned, transfer)))

    def catch_up(self, symbol: str) -> None:
        """Bring the Exchange's market of `symbol` ("" = none) to this moment."""
        if symbol in self.exchange.index:
            self.cursors.catch_up(self.exchange.index[symbol])

    # -- the life of the process

    def start(self, make: Make) -> Machine:
        """The process starts, its streams are up and its fee rates are known at once."""
        trader = self._make_trader(make)
        self.deliver(StreamStatus(self.now, StreamKind.PUBLIC, up=True))
        self.private.connecting()()
        return trader

    def start_slowly(self, make: Make, bars: Bars) -> None:
        """The process starts as on a real machine; while the venue cannot be reached it does so in vain, and again.

        After a death it is started again.
        """
        assert self.faults is not None
        if self.network.down or not self.process.lease.may_begin():
            self.loop.post(self.now + RETRY, partial(self.start_slowly, make, bars))
            return
        self._restart = partial(self.start_slowly, make, bars)
        self.cursors.begin()
        self._make_trader(make)
        if self.guard is not None:
            self.guard.begin()
        if self.faults.rates.clock_jump:
            self.process.keep_clock()
        self.deliver(ClockOffset(self.now, -self.process.skew))
        self.notices.repeat()
        between, later = self.faults.between, self.process.later
        later(self.now + between(0.1, 2.0), self.private.connecting())
        later(self.now + between(0.1, 2.0), self.public.connecting())
        for s in range(self.cursors.count):
            later(self.now + between(0.1, 3.0), partial(self._backfill, bars, s))

    def _make_trader(self, make: Make) -> Machine:
        trader = self.process.start(make)
        self.cursors.see(trader)
        for symbol in trader.symbols:
            self.deliver(FeeRates(self.now, symbol, *self.exchange.fee_rates(self.uid, symbol)))
        return trader

    def _backfill(self, bars: Bars, s: int) -> None:
        rows = bars.before(s, self.now)
        if len(rows):
            self.deliver(Backfill(self.now, s, rows))

    def die(self, *, power: bool = False, away: int = 0) -> None:
        """The process is killed, and started again some time later (`away`, ns). `power`: the whole machine is."""
        if not self.process.alive:
            return
        if power:
            self.process.journal.lose_power(self.now)
        assert self.faults is not None
        self.process.die()
        self.private.drop()
        self.public.drop()
        self._look_away()
        self.loop.post(self.now + (away or self.faults.between(0.5, 30.0)), self._restart)
        if self.guard is not None:
            if power:
                self.guard.die()
            self.guard.watch()

    def freeze(self, length: int) -> None:
        """The process stands still for `length` ns."""
        trader = self.process.freeze(length)
        if trader is None:
            return
        watches = trader.states["watch_side"].copy()
        self._look_away()
        self.loop.post(self.now + length, partial(self._thaw, self.process.lives, trader, watches))
        if self.guard is not None:
            self.guard.watch()

    def _thaw(self, life: int, trader: Machine, watches: Any) -> None:
        if self.process.alive and life == self.process.lives:
            trader.states["watch_side"] = watches
            self.process.thaw(trader)
            if self.guard is not None:
                self.guard.keep()

    def _look_away(self) -> None:
        """Nobody watches prices any more."""
        self.cursors.viewer.states["watch_side"] = 0
        self.cursors.hits.clear()
