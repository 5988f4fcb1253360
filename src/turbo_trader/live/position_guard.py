"""The guard: a small process that protects positions while no daemon runs. One process writes at a time.

While a daemon holds the lease it only looks. Once the lease has run out, and two reads agree, it takes the next epoch, does what
`trader.guard_interventions` asks, each intent in the journal first, and gives the lease back, so that a daemon that
starts need not wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.reads import ReadFailed
from turbo_trader.journal.intents import Beside
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.lease import GUARD, Lease, LeaseRules, LeaseWatch
from turbo_trader.journal.marker import MARKER
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.journal.readers import boots, state_by_row
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.startup import read_instruments
from turbo_trader.live.systemd import Systemd
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import CommandResult, Outcome, ReadResult
from turbo_trader.trader.guard_interventions import (
    Action,
    GuardRules,
    Intervention,
    Kept,
    Remedy,
    command,
    damaged,
    interventions,
    opened_by_us,
    unprotected,
)
from turbo_trader.trader.ids import Ids

SHARE: Final = 0.2  # of the venue's limits, which daemon and guard share
CONNECTIONS: Final[Mapping[str, int]] = {"exits": 2, "orders": 1, "reads": 1, "history": 1}
CLOCK_S: Final = 60.0
_LOCK = "guard.lock"
_DAY_NS: Final = 86_400_000_000_000  # fills are looked at so far back where the journal cannot be read
_THROUGH: Final = frozenset({110092, 110093})  # the price has passed the stop

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields


@dataclass(kw_only=True, frozen=True, slots=True)
class GuardSettings:
    """`until_idle`: end by itself once nothing is open, no lease is held and `daemon_lives` says no (as started by `run`).

    `daemon_lives`: is there a daemon process of this journal, also one that is starting or stopped?
    """

    endpoints: Endpoints
    keys: Keys
    journal: Path
    until_idle: bool = False
    daemon_lives: Callable[[], bool] = lambda: False
    rules: GuardRules = field(default_factory=GuardRules)
    lease: LeaseRules = field(default_factory=LeaseRules)
    request_timeout_s: float = 5.0
    systemd: Systemd = field(default_factory=Systemd)


@contextmanager
def only_one(journal: Path) -> Iterator[None]:
    """Be the journal's only guard; InputError while another one is."""
    try:
        private_folder(journal)
        handle = private_opener(str(journal / _LOCK), os.O_RDWR | os.O_CREAT)
    except OSError:  # a disk without room for an empty file: guarding unasked is better than none
        yield
        return
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise InputError(f"{journal}: another guard watches it already") from None
    try:
        yield
    finally:
        os.close(handle)


class Guard:
    """Looks, and acts when nobody else does. `emit` hears what it saw and did."""

    def __init__(self, settings: GuardSettings, emit: Emit) -> None:
        self._settings = settings
        self._emit = emit
        self._clock = VenueClock()
        self._lease = Lease(settings.journal, GUARD, settings.lease)
        self._watch = LeaseWatch(settings.journal, settings.lease)
        self._gateway = Gateway(
            settings.endpoints, settings.keys, self._clock, emit, settings.request_timeout_s,
            permit=lambda: self._lease.held, connections=CONNECTIONS, share=SHARE,
        )  # fmt: skip
        boot = f"g{secrets.token_hex(4)}"
        self._ids = Ids(boot)
        self._journal = Beside(settings.journal, boot, self._clock.now)
        self._alarmed: set[str] = set()
        self._alone = False
        self._instruments: dict[str, Instrument] = {}
        self._kept: Kept = {}  # what the journal last reported, for when it cannot
        self._boots: list[str] = []
        self._unreadable: list[str] = []  # keys of rows that make no sense
        self._blind = ""  # why the journal cannot be read; "" while it can
        self._refused: dict[str, int] = {}  # stops the venue refused, by symbol
        self._said: dict[str, str] = {}  # the last of what is said on change alone

    async def run(self, ended: asyncio.Event) -> None:
        """Look every few seconds until `ended`; what goes wrong in one look is reported and tried again in the next."""
        loop = asyncio.get_running_loop()
        synced = -CLOCK_S
        self._emit("guarding", "info", {"journal": str(self._settings.journal), "pid": os.getpid()})
        try:
            while not ended.is_set():
                if loop.time() - synced >= CLOCK_S and await self._gateway.sync_clock():
                    synced = loop.time()
                idle = synced >= 0 and await self._safe_look()
                if idle and self._settings.until_idle and not self._settings.daemon_lives():
                    self._emit("guard-idle", "info", {"meaning": "no daemon, nothing open: the guard ends"})
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.rules.look_ns / 1e9):
                        await ended.wait()
        finally:
            await self._gateway.close()

    async def _safe_look(self) -> bool:
        """A look that ends no guard, whatever goes wrong in it."""
        try:
            return await self._look()
        except Exception as error:
            self._say("guard-failed", f"{type(error).__name__}: {error}", "error")
            return False

    def _say(self, name: str, why: str, level: str = "warning", **fields: Any) -> None:
        """Say it once, and again when it changes ("": nothing to say any more)."""
        if self._said.get(name, "") != why:
            self._said[name] = why
            if why:
                self._emit(name, level, {"why": why, **fields})

    async def _look(self) -> bool:
        """One look; True when no daemon lives and nothing is left to guard."""
        gone = self._watch.gone_ns()
        self._recall()
        if bool(gone) != self._alone:
            self._alone = bool(gone)
            if gone:
                self._emit("daemon-gone", "warning", {"ended": self._watch.ended})
            else:
                self._emit("daemon-back", "info", {})
        snapshot = await self._read()
        if snapshot is None:
            return False
        naked = set(unprotected(snapshot.positions))
        for symbol in sorted(naked & self._alarmed):  # twice in a row: not merely on its way
            self._emit("guard-unprotected", "error", {"symbol": symbol, "daemon": not gone})
        self._alarmed = naked
        if not gone:
            return False
        first = await self._interventions(snapshot, gone)
        if not first:
            return not snapshot.unread and not any(position.size for position in snapshot.positions)
        await asyncio.sleep(self._settings.rules.agree_ns / 1e9)
        again, gone = await self._read(), self._watch.gone_ns()
        if again is not None and gone:
            agreed = [
                intervention
                for intervention in await self._interventions(again, gone)
                if intervention in first
            ]
            await self._act(agreed)
        return False

    async def _read(self) -> ReadResult | None:
        result = await self._gateway.execute_read(Read(self._ids.next("read"), ("positions", "orders")))
        if result.outcome is Outcome.CONFIRMED:
            return result
        self._emit("guard-read-failed", "warning", {"code": result.code, "why": result.message})
        return None

    def _recall(self) -> None:
        """Read the journal; what cannot be read is said, and what was read before stands."""
        folder, before = self._settings.journal, self._kept
        try:
            kept, unreadable = state_by_row(folder)
            known = boots(folder)
            expected = bool(self._boots) or (folder / MARKER).exists()
            self._blind = "" if known or not expected else f"journal {folder}: gone or emptied"
        except (InputError, JournalError) as error:
            self._blind = str(error)
        if not self._blind:
            unreadable += damaged(kept)
            self._unreadable = unreadable
            self._boots = known
            self._kept = {
                key: before.get(key, {}) if key in unreadable else value for key, value in kept.items()
            }
        rows = (
            f"journal {folder}: rows that make no sense: {', '.join(self._unreadable)}"
            if self._unreadable
            else ""
        )
        meaning = "what was read before stands; else positions and orders as the venue shows them"
        self._say("guard-journal-unreadable", self._blind or rows, "error", meaning=meaning)

    async def _interventions(self, snapshot: ReadResult, gone: int) -> list[Intervention]:
        opened: dict[str, int] = {}
        ticks: dict[str, Decimal] = {}
        if self._blind or self._unreadable:
            held = [position for position in snapshot.positions if position.size]
            since = self._clock.now() - _DAY_NS
            done = await self._gateway.execute_read(Read(self._ids.next("read"), ("fills",), since=since))
            opened = opened_by_us(held, done.fills) if done.outcome is Outcome.CONFIRMED else {}
            for symbol in unprotected(held):
                if (instrument := await self._instrument(symbol)) is not None:
                    ticks[symbol] = instrument.tick
        return interventions(
            snapshot.positions,
            snapshot.orders,
            self._kept,
            self._boots,
            self._clock.now(),
            gone_ns=gone,
            rules=self._settings.rules,
            left=self._watch.left,
            blind=bool(self._blind),
            unreadable=self._unreadable,
            opened=opened,
            ticks=ticks,
        )

    async def _act(self, agreed: list[Intervention]) -> None:
        """Under an epoch of our own; a daemon that takes the next one ends our right to write at once."""
        if not agreed or not self._take():
            return
        try:
            left = list(agreed)
            while left and self._lease.renew():
                intervention = left.pop(0)
                most = await self._largest(intervention.symbol) if intervention.what is Remedy.CLOSE else None
                action = command(intervention, self._ids, most)
                result = await self._send(action)
                if intervention.what is Remedy.PROTECT and self._must_close(intervention, result):
                    left.append(replace(intervention, what=Remedy.CLOSE, why="its stop was refused"))
                self._emit(
                    "guard-acted", "warning",
                    {"what": intervention.what, "symbol": intervention.symbol, "why": intervention.why, "stop": intervention.stop,
                     "id": action.id, "order": intervention.link_id, "outcome": result.outcome.value, "code": result.code,
                     "message": result.message},
                )  # fmt: skip
        finally:
            self._lease.release()

    def _take(self) -> bool:
        """The lease, written where that is possible; the daemon never writes without a written one, so that memory is enough."""
        try:
            return self._lease.take()
        except OSError as error:
            meaning = "held in memory: no other guard is seen; a daemon that starts ends it"
            self._say("guard-lease-in-memory", str(error.strerror), "error", meaning=meaning)
            self._lease.take_in_memory()
            return True

    def _must_close(self, intervention: Intervention, result: CommandResult) -> bool:
        """Was the stop refused for good? While one stands it is looked at and tried once more; what may not be ours is left."""
        if result.outcome is not Outcome.REJECTED or result.later or result.barred_key:
            self._refused.pop(intervention.symbol, None)
            return False
        refused = self._refused[intervention.symbol] = self._refused.get(intervention.symbol, 0) + 1
        return intervention.ours and (not intervention.standing or refused > 1 or result.code in _THROUGH)

    async def _send(self, action: Action) -> CommandResult:
        """The intent first, as the daemon does; but a journal that cannot be written keeps no position from its protection."""
        if not self._journal.intent(action):
            self._emit("guard-unjournaled", "error", {"id": action.id, "symbol": action.symbol})
        result = await self._gateway.send(action)
        self._journal.outcome(result)
        return result

    async def _largest(self, symbol: str) -> Decimal | None:
        """The largest market order of a symbol; None where it cannot be read: then the whole position is tried."""
        instrument = await self._instrument(symbol)
        return None if instrument is None else instrument.max_market_qty

    async def _instrument(self, symbol: str) -> Instrument | None:
        if symbol not in self._instruments:
            with contextlib.suppress(InputError, ReadFailed):
                (self._instruments[symbol],) = await read_instruments(self._gateway, [symbol], self._emit)
        return self._instruments.get(symbol)


async def watch_over(settings: GuardSettings, emit: Emit) -> None:
    """Guard until SIGTERM or SIGINT, or until idle where that is asked for."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    living = asyncio.create_task(settings.systemd.live())
    settings.systemd.ready()
    try:
        await Guard(settings, emit).run(ended)
    finally:
        settings.systemd.stopping()
        living.cancel()
