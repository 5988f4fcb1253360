"""Routes events to the Trader, and its commands to journal, venue and observer."""

from __future__ import annotations

import asyncio
import contextlib
import time
import traceback
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.recorder import Recorder
from turbo_trader.journal.store import Journal
from turbo_trader.live.daemon_settings import Observer
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.meter import Meter
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.rows import Rows
from turbo_trader.runtime.durability import Act, refused_without_journal, steps
from turbo_trader.signals.noise import fit_noise
from turbo_trader.trader.commands import (
    CancelOrder,
    Command,
    FitNoise,
    Note,
    Persist,
    PlaceOrder,
    Read,
    Regridded,
    Resolved,
    Scanned,
    SetLeverage,
    SetStops,
    Stopped,
    WireCommand,
    WriteCommand,
)
from turbo_trader.trader.events import Backfill, Clock, CommandResult, Event, MarketRows, NoiseFitted

REST_S: Final = 0.02  # how long frames wait to be read together


class Machine(Protocol):
    """What the shell needs of trader.machine.Trader."""

    @property
    def states(self) -> Any: ...
    def handle(self, event: Event) -> Sequence[Command]: ...
    def next_time(self) -> int: ...
    def idle_until(self, symbols: Sequence[int]) -> int: ...
    def take_rows(self, ts: int, s: int, rows: Rows) -> bool: ...
    def view(self) -> Any: ...
    def summary(self) -> Mapping[str, Any]: ...


def _scans_first(command: Command) -> bool:
    """A scan is shown before its outcome."""
    return not isinstance(command, Scanned)


class Router:
    """Owns the way in and out of one Trader. `changed` is set when an event has changed the Trader's next due time.

    `trader` and `gateway` are set by the shell before the first `deliver`.
    """

    trader: Machine
    gateway: Gateway

    def __init__(self, journal: Journal, clock: VenueClock, keys: Keys, observer: Observer | None) -> None:
        self.journal = journal
        self.recorder: Recorder | None = None  # the shell's, where something is recorded
        self.ended = asyncio.Event()
        self.changed = asyncio.Event()
        self.reason = ""
        self.failed = False
        self.events = 0
        self.meter = Meter()
        self._due = 0
        self.requests: set[asyncio.Task[None]] = set()
        self._clock = clock
        self._keys = keys
        self._observer = observer
        self.regridded: Callable[[Regridded], None] = lambda _: (
            None
        )  # the shell's: rows in the new units from now on
        self.read_on: Callable[[], None] = lambda: None  # the public feeds': no frame waits any longer
        self.catch_up: Callable[[], None] = lambda: (
            None
        )  # the fence's: an absence is noticed before anything else
        self._fits = ThreadPoolExecutor(1, thread_name_prefix="noise")

    def deliver(self, event: Event) -> None:
        """Hand one event to the Trader and carry out what it commands; a bug in there ends the process, not the stops."""
        self.catch_up()
        if self.failed:
            return
        self.events += 1
        if not isinstance(event, MarketRows):
            self.read_on()  # what it leads to may be watched for
            if not isinstance(event, Clock | Backfill):
                self.journal.event(event)
        try:
            commands = self.trader.handle(event)
        except Exception as error:
            if self.recorder is not None:
                self.recorder.step(event, (), f"{type(error).__name__}: {error}")
            self.fail("the trader failed", error)
            return
        if commands:
            self._carry_out(commands)
        if self.recorder is not None:  # after what had to leave; nothing was delivered meanwhile
            self.recorder.step(event, commands)
        if (due := self.trader.next_time()) != self._due:
            self._due = due
            self.changed.set()

    def take_rows(self, symbol: int, rows: Rows) -> None:
        """Rows of public frames. No event is made of them where the symbol has no watch and nothing is recorded: they change its
        market state, and lead to nothing else."""
        now = self._clock.now()
        if self.recorder is not None or self.trader.states["watch_side"][symbol]:
            self.deliver(MarketRows(now, symbol, rows))
            return
        self.catch_up()
        if self.failed:
            return
        self.events += 1
        try:
            self.trader.take_rows(now, symbol, rows)
        except Exception as error:
            self.fail("the trader failed", error)

    def rest_s(self, symbols: Sequence[int]) -> float:
        """How long frames of these may wait to be read together, s: 0 while one may lead to something, or something is soon due."""
        if self._clock.speed != 1.0:  # a moment would be long for a venue that runs faster
            return 0.0
        left = self._clock.wall_seconds(self.trader.idle_until(symbols))
        return REST_S if left > 2 * REST_S else 0.0

    def _carry_out(self, commands: Sequence[Command]) -> None:
        """One step in the order of `runtime.durability`. People are shown last."""
        for act, command in steps(commands):
            match act:
                case Act.RECORD:
                    assert command is not None
                    self._record(command)
                case Act.COMMIT:
                    began = time.perf_counter()
                    self._written(self.journal.commit)
                    self.meter.commits.observe(time.perf_counter() - began)
                case Act.FLUSH:
                    self.flush()
                case Act.SEND:
                    assert isinstance(command, WireCommand)
                    self._send(command)
        for command in sorted(commands, key=_scans_first):
            self._show(command)

    def _record(self, command: Command) -> None:
        match command:
            case PlaceOrder() | CancelOrder() | SetStops() | SetLeverage():
                self.journal.intent(self._clock.now(), command)
            case Persist():
                self.journal.persist(command)
            case Scanned():
                self.journal.scanned(command)
            case Resolved():
                self.journal.resolved(command)
            case Note():
                self.journal.note(command)
            case FitNoise():
                self.spawn(self._fit(command))
            case Regridded():
                self.regridded(command)
            case Stopped():
                self.end(command.reason)
            case Read():
                pass  # nothing to record

    def _show(self, command: Command) -> None:
        """To people, after what had to leave has left."""
        if isinstance(command, Note):
            self.observe(lambda observer: observer.note(command))
        elif isinstance(command, Scanned):
            self.observe(lambda observer: observer.scanned(command))

    def flush(self) -> None:
        """Write all that the journal was given; as `_written`."""
        self._written(self.journal.flush)

    def _written(self, write: Callable[[], None]) -> None:
        """A journal that cannot be written is reported once and stops entries, nothing else; the end of that is reported too."""
        was = self.journal.failed
        try:
            write()
        except JournalError as error:
            if not was:
                meaning = "no entries until it works"
                self.emit_only("journal-failed", "error", {"error": str(error), "meaning": meaning})
            return
        if was and not self.journal.failed:
            self.emit("journal-works", "info", {})

    def _send(self, command: WireCommand) -> None:
        refused = refused_without_journal(command, self.journal.failed, self._clock.now())
        if refused is not None:
            asyncio.get_running_loop().call_soon(self.deliver, refused)
            return
        if isinstance(command, Read):
            self.spawn(self._read(command))
        else:
            self.spawn(self._heard(command, self.gateway.send(command)))  # it leaves before its task begins

    async def _read(self, command: Read) -> None:
        self.deliver(await self.gateway.execute_read(command))

    async def _heard(self, command: WriteCommand, coming: Coroutine[Any, Any, CommandResult]) -> None:
        result = await coming
        self.meter.answered(command, result.outcome)
        self.journal.outcome(result)
        self.deliver(result)
        self.flush()  # not left to what leaves next

    async def _fit(self, command: FitNoise) -> None:
        loop = asyncio.get_running_loop()
        noise = await loop.run_in_executor(self._fits, fit_noise, command.seconds, command.y)
        self.deliver(NoiseFitted(self._clock.now(), command.symbol, noise))

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Let `work` run beside everything else; an error of ours in it ends the daemon."""
        task = asyncio.get_running_loop().create_task(self.guarded(work))
        self.requests.add(task)
        task.add_done_callback(self.requests.discard)

    # -- ends

    def end(self, reason: str) -> None:
        """The run is over; the first reason stands."""
        self.reason = self.reason or reason
        self.ended.set()

    def fail(self, what: str, error: Exception) -> None:
        """An error of our own: say so in one line and end; positions keep their stops on the venue."""
        if self.failed:
            return
        self.failed = True
        where = traceback.extract_tb(error.__traceback__)[-1] if error.__traceback__ else None
        place = f" at {Path(where.filename).name}:{where.lineno}" if where else ""
        text = self._keys.redact(f"{type(error).__name__}: {error}")
        self.emit(
            "failed",
            "error",
            {
                "what": what,
                "error": text,
                "place": place.strip(),
                "meaning": "positions keep their venue stops",
            },
        )
        self.end(f"{what}{place}: {text}")

    async def guarded(self, job: Awaitable[None]) -> None:
        """Run `job`; an exception in it ends the daemon cleanly instead of reaching the top."""
        try:
            await job
        except Exception as error:
            self.fail("a part of the daemon failed", error)

    async def drain(self, seconds: float) -> None:
        """Let requests under way end, so that their outcomes are written."""
        if self.requests:
            await asyncio.wait(set(self.requests), timeout=seconds)
        for task in set(self.requests):
            task.cancel()
        self._fits.shutdown(wait=False, cancel_futures=True)

    # -- what is reported

    def emit(self, name: str, level: str, fields: dict[str, Any]) -> None:
        """A note of the daemon itself, to journal and observer."""
        note = Note(self._clock.now(), name, level, fields)
        self.journal.note(note)
        self._show(note)

    def emit_only(self, name: str, level: str, fields: dict[str, Any]) -> None:
        """A note for people alone: the journal is what fails."""
        self._show(Note(self._clock.now(), name, level, fields))

    def observe(self, emit: Callable[[Observer], None]) -> None:
        """Tell the observer; what goes wrong in there must not touch trading."""
        if self._observer is None:
            return
        with contextlib.suppress(Exception):
            emit(self._observer)
