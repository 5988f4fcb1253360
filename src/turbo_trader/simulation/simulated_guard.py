"""The guard beside the process in simulated time: the looks of `runtime.guard_looks`, its own requests, its own deaths.

While a daemon renews its lease a look only reads: those are left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

from turbo_trader.bybit.rest import Request
from turbo_trader.exchange.protocol.rest_face import HttpReply
from turbo_trader.journal.lease import GUARD, Lease, LeaseWatch
from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.runtime.guard_looks import GuardLooks
from turbo_trader.runtime.venue_requests import Requests
from turbo_trader.simulation.epochs_in_memory import Hand
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.jobs import Jobs
from turbo_trader.simulation.journal_in_memory import BesideInMemory
from turbo_trader.simulation.kept_lease import LEASE
from turbo_trader.simulation.loop import Action, Loop
from turbo_trader.simulation.network import Network
from turbo_trader.simulation.process import Process
from turbo_trader.simulation.venue import WireVenue
from turbo_trader.trader.commands import WireCommand
from turbo_trader.trader.guard_interventions import GuardRules
from turbo_trader.trader.ids import Ids

SHARE: Final = 0.2  # of the venue's limits, as the guard's process takes


class GuardsDoor:
    """Where the guard's requests arrive. `answered`: sees each with its reply."""

    def __init__(self, handle: Callable[[int, str, Request], HttpReply], venue: WireVenue) -> None:
        self.answered: Callable[[Request, HttpReply], None] = lambda _request, _reply: None
        self._handle, self._venue = handle, venue

    def handle(self, now: int, symbol: str, request: Request) -> HttpReply:
        """The answer to a request that arrives now."""
        reply = self._handle(now, symbol, request)
        self.answered(request, reply)
        return reply

    def faulty(self, now: int, fault: str) -> HttpReply:
        """The answer of a gateway."""
        return self._venue.faulty(now, fault)


class SimulatedGuard:
    """Lives from the process's first start on; one that died is started again by a process that runs."""

    def __init__(
        self,
        loop: Loop,
        venue: WireVenue,
        process: Process,
        network: Network,
        door: GuardsDoor,
        *,
        faults: Faults,
        rules: GuardRules,
    ) -> None:
        self.alive = False
        self.lives = 0
        self.doomed = False  # it dies with its next write
        self.looking_since: int | None = None  # since when it looks without a pause: the process is away
        self.on_emit: Callable[[str, dict[str, Any]], None] = lambda _name, _fields: None
        self.network, self.door = network, door
        self._loop, self._venue, self._process = loop, venue, process
        self._faults, self._rules = faults, rules

    def begin(self) -> None:
        """A new life, where there is none."""
        if self.alive:
            return
        self.alive, self.doomed = True, False
        self.lives += 1
        boot = f"g{self.lives:x}"
        clock = MeasuredClock(self._machine_time, self._machine_time)
        self._hand = Hand(self._process.lease.epochs)
        lease = Lease(self._hand, GUARD, LEASE, self._now)
        watch = LeaseWatch(self._hand, LEASE, self._now)
        requests = Requests(clock, self, share=SHARE)
        signer = self._venue.signer(clock, lambda: lease.held)
        self._jobs = Jobs(self._loop, self.network, clock=clock, signer=signer, later=self._later)
        journal = _Doom(self._process.journal, boot, self._now, self._written)
        self._looks = GuardLooks(
            requests=requests, lease=lease, watch=watch, journal=journal, ids=Ids(boot), rules=self._rules, emit=self.emit,
        )  # fmt: skip
        watch.gone_ns()  # the process renews its lease
        self.watch()

    def die(self) -> None:
        """It is killed: nothing it held is given back. A process that runs soon starts another."""
        if self.alive:
            self.alive, self.looking_since = False, None
            self._hand.dead = self._jobs.over = True
        self._loop.post(self._loop.now + self._faults.between(2.0, 4.0), self.keep)

    def keep(self) -> None:
        """The process sees to it that there is one."""
        if self._process.trader is not None:
            self.begin()

    def watch(self) -> None:
        """The process is away from now on: looks count."""
        if self.alive and self.looking_since is None and self._process.lease.renews_since is None:
            self.looking_since = self._loop.now
            self._later(self._loop.now + self._faults.between(0.0, self._rules.look_ns / 1e9), self._look)

    def _look(self) -> None:
        self._process.lease.keep()
        self._jobs.run(self._looks.round(), self._looked)

    def _looked(self, idle: bool) -> None:  # noqa: ARG002 - what a round found
        if self._process.lease.renews_since is not None:
            self.looking_since = None
        else:
            self._later(self._loop.now + self._rules.look_ns, self._look)

    def _written(self) -> bool:
        """An intent is about to be written. Does it live on? Dying, it may have written and sent it."""
        if not self.doomed:
            return True
        after = self._faults.choose(3)
        if after < 2:
            self.die()
        else:
            self._later(self._loop.now + self._faults.between(0.0, 0.1), self.die)
        self.doomed = False
        return after > 0

    # -- time

    def _now(self) -> int:
        return self._loop.now

    def _machine_time(self) -> int:
        return self._loop.now + self._process.skew

    def _later(self, time: int, action: Action) -> None:
        self._loop.post(time, partial(self._if_alive, self.lives, action))

    def _if_alive(self, life: int, action: Action) -> None:
        if self.alive and life == self.lives:
            action()

    # -- hooks of its requests

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:  # noqa: ARG002 - hooks' signature
        """What it says."""
        self.on_emit(name, fields)

    def on_fatal(self, why: str) -> None:
        """The key cannot trade: it looks on."""

    def on_stale(self) -> None:
        """It knows no terms that could be stale."""


class _Doom(BesideInMemory):
    """The journal, and the death that may come with what is written to it. `lives`: asked before."""

    def __init__(self, journal: Any, boot: str, now: Callable[[], int], lives: Callable[[], bool]) -> None:
        super().__init__(journal, boot, now)
        self._lives = lives

    def intent(self, command: WireCommand) -> bool:
        """On disk when it returns True."""
        return self._lives() and super().intent(command)
