"""A process in simulated time: one Trader, its requests, its journal, its streams; it dies, starts again, or stands still.

Steps become durable and requests leave by the code of `runtime`, as in the asyncio shell. After a death only the journal is left.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from turbo_trader.bybit.answers import Answer, read_answer
from turbo_trader.bybit.errors import FENCED, NO_ANSWER, classify
from turbo_trader.bybit.rest import Fenced
from turbo_trader.exchange.protocol.rest import HttpReply
from turbo_trader.journal.encoding import encode
from turbo_trader.market.events import SECOND
from turbo_trader.market.state import States
from turbo_trader.runtime.arrivals import Arrivals
from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.runtime.durability import Act, refused_without_journal, steps
from turbo_trader.runtime.requests import REQUEST_TIMEOUT_S, Job, Requests, Sleep, Transmit
from turbo_trader.signals.noise import fit_noise
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.loop import Action, Loop
from turbo_trader.simulation.network import Network
from turbo_trader.simulation.venue import WireVenue
from turbo_trader.trader.commands import (
    CancelOrder,
    Command,
    FitNoise,
    Persist,
    PlaceOrder,
    Read,
    SetLeverage,
    SetStops,
    Stopped,
    WireCommand,
)
from turbo_trader.trader.events import CommandResult, Control, Event, MarketAhead, NoiseFitted, Outcome, Woken
from turbo_trader.trader.persisted import BOOTS, INTENTS
from turbo_trader.trader.recovery import YOUNG
from turbo_trader.trader.view import View

FIT_DELAY: Final = SECOND  # a noise fit runs beside the loop; its result is known this much later
LEASE: Final = 5 * SECOND  # a process that stood still for longer has lost its right to write, and learns so
NEVER: Final = 2**63 - 1
T = TypeVar("T")


class Machine(Protocol):
    """A Trader, as far as the simulation and its invariants look into it."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """In the order of `states`."""

    @property
    def states(self) -> States:
        """Market states, advanced by the simulation."""

    def handle(self, event: Event) -> Sequence[Command]:
        """Take one event."""

    def next_time(self) -> int:
        """When a Clock is wanted."""

    def quiet_until(self) -> int:
        """Until when nothing but scans is due."""

    def view(self) -> View:
        """What a person is shown."""

    def summary(self) -> dict[str, Any]:
        """The figures of the whole run."""


Make = Callable[[str, int, dict[str, Any] | None], Machine]  # boot nonce, start (ns), what was restored


class Sink(Protocol):
    """Where everything the Trader did goes, in order."""

    def event(self, event: Event) -> None:
        """An event as the Trader got it (market rows excepted)."""

    def command(self, command: Command) -> None:
        """A command as it was recorded or left."""


class JournalInMemory:
    """What a process has written, and what of it is on disk."""

    def __init__(self) -> None:
        self.boots: list[str] = []
        self._state: dict[str, bytes] = {}
        self._intents: dict[str, tuple[int, str, WireCommand]] = {}  # id -> time, boot, command
        self._settled: set[str] = set()
        self._unwritten: list[Callable[[], None]] = []
        self.failed = ""  # why nothing can be written at present

    def persist(self, command: Persist) -> None:
        """State that must survive, as it is now."""
        key, value = command.key, encode(command.value)
        self._unwritten.append(lambda: self._state.__setitem__(key, value))

    def intent(self, now: int, command: WireCommand) -> None:
        """A request that is about to leave."""
        entry = (now, self.boots[-1], command)
        self._unwritten.append(lambda: self._intents.__setitem__(command.id, entry))

    def outcome(self, result: CommandResult) -> None:
        """What became of a request."""
        if result.outcome is not Outcome.UNKNOWN:
            self._settled.add(result.id)

    def has(self, name: str) -> bool:
        """Is the intent of this id on disk?"""
        return name in self._intents

    def write(self) -> None:
        """Bring everything to disk, where it can be."""
        if self.failed:
            return
        for each in self._unwritten:
            each()
        self._unwritten.clear()

    def mend(self) -> None:
        """It can be written again: what waits is."""
        self.failed = ""
        self.write()

    def restored(self, now: int) -> dict[str, Any]:
        """What a start reads, after a death lost the rest."""
        self._unwritten.clear()
        young = {
            name: entry
            for name, entry in self._intents.items()
            if name not in self._settled and entry[0] >= now - YOUNG
        }
        self._intents = young
        unresolved = [
            {
                "id": name,
                "ts": ts,
                "kind": type(command).__name__,
                "symbol": command.symbol,
                "command": json.loads(encode(command)),
            }
            for name, (ts, _, command) in young.items()
        ]
        state = {key: json.loads(value) for key, value in self._state.items()}
        return {**state, BOOTS: {"nonces": list(self.boots)}, INTENTS: {"unresolved": unresolved}}


class Process:
    """The Trader's side of the network. `trader` is None while it is dead or stands still."""

    def __init__(
        self,
        loop: Loop,
        venue: WireVenue,
        network: Network,
        sink: Sink,
        faults: Faults | None,
    ) -> None:
        self.trader: Machine | None = None
        self.on_death: Action = lambda: None  # a step ended in death: the simulation takes the process away
        self.alive = False
        self.lives = 0
        self.stopped = ""
        self.requests: Requests
        self._loop = loop
        self._venue = venue
        self._network = network
        self._sink = sink
        self._faults = faults
        self.journal = JournalInMemory()
        self._arrivals = Arrivals("simulation", self.emit)
        self._thaw = 0  # the process stands still until then

    # -- life

    def start(self, make: Make) -> Machine:
        """A new life with what the journal has."""
        self.lives += 1
        self.alive = True
        boot = f"c{self.lives:x}"
        restored = self.journal.restored(self._loop.now) if self.lives > 1 else None
        self.journal.boots.append(boot)
        clock = MeasuredClock(lambda: self._loop.now, lambda: self._loop.now)
        self.requests = Requests(clock, self)
        self._signer = self._venue.signer(clock, lambda: True)
        self.trader = make(boot, self._loop.now, restored)
        return self.trader

    def die(self) -> None:
        """The process is killed: what was under way inside it is gone, what had left is not."""
        self.alive = False
        self.trader = None
        self._thaw = 0

    def freeze(self, length: int) -> Machine | None:
        """The process stands still for `length` ns; what came meanwhile comes then. The Trader, where there is one."""
        trader, self.trader = self.trader, None
        if trader is not None:
            self._thaw = self._loop.now + length
        return trader

    def thaw(self, trader: Machine, length: int) -> None:
        """It goes on after having stood still for `length` ns."""
        self.trader = trader
        if length > LEASE:
            self.deliver(Woken(self._loop.now, self.lives))

    def later(self, time: int, action: Action) -> None:
        """Something happens inside this life at `time`, or once it does not stand still any more."""
        self._loop.post(time, partial(self._if_alive, self.lives, action))

    def _if_alive(self, life: int, action: Action) -> None:
        if not self.alive or life != self.lives:
            return
        if self.trader is None:
            self._loop.post(self._thaw, partial(self._if_alive, life, action))
        else:
            action()

    # -- steps

    def deliver(self, event: Event) -> None:
        """Hand an event to the Trader; make the step durable and send, unless death comes between two acts."""
        if self.trader is None:
            return
        event = self._arrivals.event(event, self._loop.now)
        if not isinstance(event, MarketAhead):
            self._sink.event(event)
        acts = steps(self.trader.handle(event))
        last = self._last_act(acts)
        for number, (act, command) in enumerate(acts):
            if number == last:
                break
            self._do(act, command)
        if last is not None:
            self.on_death()

    def _last_act(self, acts: Sequence[tuple[Act, Command | None]]) -> int | None:
        writes = (PlaceOrder, CancelOrder, SetStops, SetLeverage)
        sends = any(act is Act.SEND and isinstance(command, writes) for act, command in acts)
        return self._faults.crash_in_step(len(acts)) if self._faults is not None and sends else None

    def _do(self, act: Act, command: Command | None) -> None:
        match act, command:
            case ((Act.COMMIT | Act.FLUSH), _):
                self.journal.write()
            case Act.RECORD, (PlaceOrder() | CancelOrder() | SetStops() | SetLeverage()):
                self.journal.intent(self._loop.now, command)
            case Act.RECORD, Read():
                pass
            case Act.RECORD, _ if command is not None:
                self._sink.command(command)
                self._record(command)
            case Act.SEND, Read():
                self._sink.command(command)
                self.run(self.requests.execute_read(command), self.deliver)
            case Act.SEND, (PlaceOrder() | CancelOrder() | SetStops() | SetLeverage()):
                refused = refused_without_journal(command, self.journal.failed, self._loop.now)
                if refused is not None:
                    self.later(self._loop.now, partial(self._on_result, refused))
                    return
                self._sink.command(command)
                self.run(self.requests.send(command), self._on_result)
            case _:
                pass

    def _record(self, command: Command) -> None:
        match command:
            case Persist():
                self.journal.persist(command)
            case FitNoise():
                noise = fit_noise(command.seconds, command.y)
                fitted = NoiseFitted(max(self._loop.now, command.ts) + FIT_DELAY, command.symbol, noise)
                self.later(fitted.ts, partial(self.deliver, fitted))
            case Stopped():
                self.stopped = command.reason
            case _:
                pass

    def _on_result(self, result: CommandResult) -> None:
        self.journal.outcome(result)
        self.deliver(result)

    # -- requests

    def run(self, job: Job[T], then: Callable[[T], None], found: Any = None) -> None:
        """Carry a job out; its result reaches `then`."""
        try:
            effect = job.send(found)
        except StopIteration as end:
            then(end.value)
            return
        if isinstance(effect, Sleep):
            self.later(self._loop.now + round(effect.seconds * SECOND), partial(self.run, job, then))
        else:
            self._transmit(effect, partial(self.run, job, then))

    def _transmit(self, effect: Transmit, then: Callable[[Answer], None]) -> None:
        """Let a call leave; its answer, or that none came in time, reaches `then` once."""
        sent, waiting = self.requests.clock.now(), [True]
        try:
            request = self._signer.request(effect.call)
        except Fenced:
            then(Answer(classify(FENCED), FENCED, "not sent: the lease to write is not held", sent))
            return

        def answer(found: Answer) -> None:
            if waiting:
                waiting.clear()
                then(found)

        def on_reply(reply: HttpReply) -> None:
            answer(read_answer(effect.call, reply.status, reply.headers, reply.body, sent, str))

        unanswered = Answer(classify(NO_ANSWER), NO_ANSWER, "no answer from the venue", sent)
        symbol = str(effect.call.params.get("symbol") or "")
        self._network.carry(request, symbol, self.later, on_reply)
        if self._network.answers_within(round(REQUEST_TIMEOUT_S * SECOND)):
            return
        self.later(self._loop.now + round(REQUEST_TIMEOUT_S * SECOND), partial(answer, unanswered))

    # -- hooks of the requests

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:
        """An event of the requests themselves; nobody reads it here."""

    def on_fatal(self, why: str) -> None:
        """The key or account cannot trade: as the asyncio shell, halt."""
        self.deliver(Control(self._loop.now, "halt", f"the venue: {why}"))

    def on_stale(self) -> None:
        """The venue's terms changed; this market's instruments do not."""
