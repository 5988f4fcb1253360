"""A process in simulated time: one Trader, its requests, its journal, its streams; it crashes, restarts, or freezes.

Steps become durable and requests leave by the code of `runtime`, as in the asyncio shell. After a death only the journal is left.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, Protocol, TypeVar

from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import States
from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.runtime.durability import Act, refused_without_journal, steps
from turbo_trader.runtime.private_messages import PrivateMessages
from turbo_trader.runtime.venue_requests import Job, Requests
from turbo_trader.signals.noise import Noise, fit_noise
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.jobs import Jobs
from turbo_trader.simulation.journal_in_memory import JournalInMemory
from turbo_trader.simulation.kept_lease import KeptLease
from turbo_trader.simulation.loop import Action, Loop
from turbo_trader.simulation.network import Network
from turbo_trader.simulation.sinks import Sink
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
)
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import (
    ClockOffset,
    CommandResult,
    Control,
    Event,
    Fill,
    MarketAhead,
    NoiseFitted,
    OrderReport,
    PositionReport,
    ReadResult,
    Unread,
    WalletReport,
    Woken,
)
from turbo_trader.trader.scan_groups import ALONE, Workers
from turbo_trader.trader.view import View

FIT_DELAY: Final = SECOND  # a noise fit runs beside the loop; its result is known this much later
CLOCK: Final = 15 * SECOND  # between two measurements of the venue's clock, where clocks are wrong
WAKE: Final = 0.25  # seconds after standing still in which the timer looks at the lease
NEVER: Final = 2**63 - 1
T = TypeVar("T")
#: Reports carry the venue's time, results that of the requests' clock, NoiseFitted the Trader's own.
DATED_BY_OTHERS: Final = (
    OrderReport, Fill, PositionReport, WalletReport, CommandResult, ReadResult, Unread, NoiseFitted, MarketAhead,
)  # fmt: skip


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


@dataclass(slots=True)
class _Fit:
    ts: int  # when its result is known
    asked: FitNoise
    noise: Noise | None = None


def _make(fits: Sequence[_Fit]) -> None:
    for fit in fits:
        fit.noise = fit_noise(fit.asked.seconds, fit.asked.y)


class Process:
    """The Trader's side of the network. `trader` is None while it is dead or stands still."""

    def __init__(
        self,
        loop: Loop,
        venue: WireVenue,
        network: Network,
        sink: Sink,
        faults: Faults | None,
        workers: Workers = ALONE,
    ) -> None:
        """`workers`: who share what is due to be fitted at once."""
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
        self.journal = JournalInMemory(restarts=faults is not None)
        self.messages: PrivateMessages
        self.emitted: Counter[str] = Counter()  # events of requests and messages, by name
        self.skew = 0  # how far this machine's clocks are ahead of the venue's, ns
        self.on_stale: Callable[[], None] = lambda: None  # the venue's terms are not the ones it knows
        self.died_ns = 0  # when it died last
        self._thaw = 0  # the process stands still until then
        self.lease = KeptLease(loop, self.emit, self._woken, self._fenced)
        self._workers = workers
        self._fits: list[_Fit] = []  # asked for and not made yet

    # -- life

    def start(self, make: Make) -> Machine:
        """A new life with what the journal has."""
        self.lives += 1
        self.alive = True
        boot = f"c{self.lives:x}"
        restored = self.journal.restored(self._loop.now) if self.lives > 1 else None
        self.journal.begin(boot)
        self._fits = []
        clock = MeasuredClock(self._machine_time, self._machine_time)
        if self.skew:
            clock.measured(self._loop.now, clock.steady(), clock.steady(), 1.0)  # a start waits for that
        self.requests = Requests(clock, self)
        self.messages = PrivateMessages(clock, self.deliver, self.emit)
        signer = self._venue.signer(clock, self.lease.permits)
        self._jobs = Jobs(self._loop, self._network, clock=clock, signer=signer, later=self.later)
        self.trader = make(boot, self._loop.now, restored)
        return self.trader

    def die(self) -> None:
        """The process is killed: what was under way inside it is gone, what had left is not."""
        self.lease.ends()
        self.alive, self.died_ns = False, self._loop.now
        self.trader = None
        self._thaw = 0

    def freeze(self, length: int) -> Machine | None:
        """The process stands still for `length` ns; what came meanwhile comes then. The Trader, where there is one."""
        trader, self.trader = self.trader, None
        if trader is not None:
            self.lease.stands_still()
            self._thaw = self._loop.now + length
        return trader

    def thaw(self, trader: Machine) -> None:
        """It continues after standing still: its timer looks at the lease soon, other events may come before."""
        self.trader = trader
        self.lease.goes_on()
        if self.lease.fence is not None and self._faults is not None:
            self.later(self._loop.now + self._faults.between(0.0, WAKE), self.lease.fence.beat)

    def _woken(self, epoch: int) -> None:
        self.deliver(Woken(self._loop.now, epoch, tuple(self.journal.boots)))

    def _fenced(self, why: str) -> None:  # noqa: ARG002 - the hook of the fence
        """Another process has written: this one ends, and a new start recovers."""
        assert self._faults is not None
        self._faults.count("fenced")
        self.on_death()

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

    def take(self, frame: bytes) -> None:
        """A message of the private stream."""
        self.messages.take(frame)

    # -- clocks

    def _machine_time(self) -> int:
        return self._loop.now + self.skew

    @property
    def clock_error(self) -> int:
        """How far the process's time is from the venue's, ns."""
        if self._faults is None:
            return 0
        return self.requests.clock.now() - self._loop.now

    def due(self) -> int:
        """When the Trader wants the time, by the venue's clock; NEVER while it is dead or stands still."""
        if self.trader is None:
            return NEVER
        due = self.trader.next_time()
        if self._faults is None:
            return due
        clock = self.requests.clock
        if due <= clock.now():
            return min(due, self._loop.now)
        return due - (clock.stamp() - self._loop.now)

    def keep_clock(self) -> None:
        """Measure the venue's clock now and again and again, as the asyncio shell does."""

        def measured(found: bool) -> None:
            if found:
                self.deliver(ClockOffset(self._loop.now, self.requests.clock.offset))
            self.later(self._loop.now + CLOCK, self.keep_clock)

        self.run(self.requests.sync_clock(), measured)

    def _stamped(self, event: Event) -> Event:
        """What this process dates itself has the time of its clock."""
        error = self.clock_error
        if not error or isinstance(event, DATED_BY_OTHERS):
            return event
        return replace(event, ts=event.ts + error)

    # -- steps

    def deliver(self, event: Event) -> None:
        """Hand an event to the Trader; make the step durable and send, unless death comes between two acts."""
        if self.lease.fence is not None and self.trader is not None:
            self.lease.fence.catch_up()
        if self.trader is None:
            return
        event = self._stamped(event)
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
            case Act.COMMIT, _:
                self.journal.commit(self._loop.now)
            case Act.FLUSH, _:
                self.journal.flush(self._loop.now)
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
                fit = _Fit(max(self._loop.now, command.ts) + FIT_DELAY, command)
                self._fits.append(fit)
                self.later(fit.ts, partial(self._fitted, fit))
            case Stopped():
                self.stopped = command.reason
            case _:
                pass

    def _fitted(self, fit: _Fit) -> None:
        if self._fits:  # made together where the first of them is wanted
            count = self._workers.count
            self._workers.run([partial(_make, self._fits[n::count]) for n in range(count)])
            self._fits = []
        self.deliver(NoiseFitted(fit.ts, fit.asked.symbol, fit.noise))

    def _on_result(self, result: CommandResult) -> None:
        self.journal.outcome(result)
        self.deliver(result)

    # -- requests

    def run(self, job: Job[T], then: Callable[[T], None]) -> None:
        """Carry a job out; its result reaches `then`."""
        self._jobs.run(job, then)

    # -- hooks of the requests

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:  # noqa: ARG002 - hooks' signature
        """An event of requests and messages."""
        self.emitted[name] += 1

    def on_fatal(self, why: str) -> None:
        """The key or account cannot trade: as the asyncio shell, halt."""
        self.deliver(Control(self._loop.now, ControlVerb.HALT, f"the venue: {why}"))
