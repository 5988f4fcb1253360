"""The oracle: observes one simulation and passes what it sees to its checks."""

from __future__ import annotations

import hashlib
from collections import Counter, deque
from typing import Any, Final

from turbo_trader.bybit.rest import Request
from turbo_trader.chaos.books_check import Books
from turbo_trader.chaos.bracket_check import Brackets
from turbo_trader.chaos.candidates_check import Candidates
from turbo_trader.chaos.check import Check
from turbo_trader.chaos.evidence_check import EvidenceSizes
from turbo_trader.chaos.guard_check import BesideTheDaemon
from turbo_trader.chaos.notes_check import Notes
from turbo_trader.chaos.protection_check import Protection
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.restart_check import Restarts
from turbo_trader.chaos.rhythm_check import Rhythm
from turbo_trader.chaos.session_check import SessionLimits
from turbo_trader.chaos.session_rows_check import SessionRows
from turbo_trader.chaos.size_check import Sizes
from turbo_trader.chaos.wire_requests import read_request
from turbo_trader.chaos.world import World
from turbo_trader.exchange.messages import ExecutionMessage, Message
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.market.order_terms import ExecKind
from turbo_trader.market.rows import DAY
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.minutes import Minutes
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.trader.commands import Command, Note, Persist, Resolved, Scanned
from turbo_trader.trader.events import Backfill, Clock, Event, MarketRows

KEPT: Final = 80  # events and commands reported with a violation


class Oracle:
    """Sees what crosses the wire, what the journal holds, and the market; asks the Trader nothing."""

    def __init__(self, policy: Policy, *, quiet: bool, least_entries: float | None) -> None:
        """`quiet`: no fault keeps the process from acting in time. `least_entries`: in each hour; None where any number will do."""
        self.world = World(policy, quiet=quiet)
        self.last: deque[tuple[int, object]] = deque(maxlen=KEPT)
        self.counts: Counter[str] = Counter()  # notes of the journal by name
        self.met: Counter[str] = Counter()  # what the account met that no rate of a fault says
        self._trace = hashlib.sha256()
        self.requests = Requests(self.world, self._recorded)
        session = SessionLimits(self.world)
        self.beside = BesideTheDaemon(self.world)
        self.checks: tuple[Check, ...] = (
            self.requests, Protection(self.world), session, SessionRows(self.world, self.requests), Candidates(self.world, session),
            Sizes(self.world, session), EvidenceSizes(self.world),
            Brackets(self.world, self.requests), Books(self.world, self.requests), Notes(self.world, self.requests),
            Restarts(self.world),
            Rhythm(self.world, self.requests, least_entries), self.beside,
        )  # fmt: skip

    def watch(self, simulation: Simulation, bars: Minutes) -> None:
        """Look at this simulation, whose market has these `bars`, from now on."""
        self.world.simulation, self.world.bars = simulation, bars
        simulation.network.on_carry = self._sent
        simulation.network.on_receive = self.world.received
        self.beside.attach()

    def _recorded(self, name: str) -> bool:
        journal = self.world.simulation.process.journal
        return journal.has(name) or bool(journal.failed)

    @property
    def trace(self) -> str:
        """A hash of every request that left, in order (I11)."""
        return self._trace.hexdigest()

    # -- the process's side

    def event(self, event: Event) -> None:
        """The process was sent something."""
        self.world.tick()
        self.world.event(event)
        if not isinstance(event, Clock | MarketRows | Backfill):
            self.last.append((self.world.now, event))
        for check in self.checks:
            check.event(event)

    def command(self, command: Command) -> None:
        """The process has recorded something, or is about to send it."""
        self.world.tick()
        self.world.command(command)
        if isinstance(command, Note):
            self.counts[command.name] += 1
        if not isinstance(command, Scanned | Resolved | Persist):
            self.last.append((self.world.now, command))
        for check in self.checks:
            check.command(command)

    def _sent(self, request: Request) -> None:
        self.world.tick()
        sent = read_request(request)
        if sent is not None:
            self.beside.wrote(request)
        self.requests.asked(request)
        self._trace.update(f"{self.world.now} {request.target} ".encode() + request.body)
        for check in self.checks:
            if sent is None:
                check.read(request)
            else:
                check.sent(sent)

    # -- the venue's side

    def answered(self, request: Request, reply: HttpReply) -> None:
        """The venue has carried out or refused a request."""
        sent = read_request(request)
        if sent is not None:
            self.beside.handled(request, reply)
            for check in self.checks:
                check.answered(sent, reply)

    def message(self, message: Message) -> None:
        """The venue has said something, whether or not it arrives."""
        if self.world.of_others(message):
            return
        self.world.message(message)
        if isinstance(message, ExecutionMessage):
            self.met["funding"] += message.kind == ExecKind.FUNDING
            self.met["liquidated"] += message.kind == ExecKind.LIQUIDATION
            self.met["split_fill"] += message.leaves > 0
        for check in self.checks:
            check.message(message)

    def step(self) -> None:
        """Look at everything, once a simulated second."""
        self.world.tick()
        if self.world.money.look():
            for check in self.checks:
                check.step()

    def calm(self) -> None:
        """Nothing goes wrong any more."""
        for check in self.checks:
            check.calm()

    def finish(self) -> None:
        """The run is over."""
        for check in self.checks:
            check.finish()

    def counted(self, begin: int) -> dict[str, int]:
        """The account's funding, liquidations and fills in parts, and midnights since `begin`, as far as there were any."""
        done = {f"guard_{what}": count for what, count in self.world.guarded.items()}
        met = {**self.met, **done, "midnight": self.world.now // DAY - begin // DAY}
        return {name: count for name, count in met.items() if count}

    def reported(self, limit: int = KEPT) -> list[str]:
        """The last events and commands."""
        return [f"{ts} {what}" for ts, what in list(self.last)[-limit:]]

    def figures(self) -> dict[str, Any]:
        """What the run had."""
        return {"entries": len(self.requests.entries), "trades": self.counts["trade"]}
