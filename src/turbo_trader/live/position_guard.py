"""The guard: a small process that protects positions while no daemon runs (`runtime.guard_looks`)."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import secrets
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.intents import Beside
from turbo_trader.journal.lease import GUARD, Lease, LeaseRules, LeaseWatch
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.systemd import Systemd
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.errors import InputError
from turbo_trader.runtime.guard_looks import Emit, GuardLooks
from turbo_trader.trader.guard_interventions import GuardRules
from turbo_trader.trader.ids import Ids

SHARE: Final = 0.2  # of the venue's limits, which daemon and guard share
CONNECTIONS: Final[Mapping[str, int]] = {"exits": 2, "orders": 1, "reads": 1, "history": 1}
_LOCK = "guard.lock"


@dataclass(kw_only=True, frozen=True, slots=True)
class GuardSettings:
    """`until_idle`: end by itself once nothing is open, no lease is held and `daemon_lives` says no (as started by `run`).

    `daemon_lives`: is there a daemon process of this journal, also one that is starting or stopped?
    """

    endpoints: Endpoints
    keys: Keys
    journal: Path
    rules: GuardRules
    until_idle: bool = False
    daemon_lives: Callable[[], bool] = lambda: False
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
    """Looks again and again. `emit` hears what it saw and did."""

    def __init__(self, settings: GuardSettings, emit: Emit) -> None:
        self._settings = settings
        self._emit = emit
        clock, epochs = VenueClock(), EpochFiles(settings.journal)
        lease = Lease(epochs, GUARD, settings.lease)
        self._gateway = Gateway(
            settings.endpoints, settings.keys, clock, emit, settings.request_timeout_s,
            permit=lambda: lease.held, connections=CONNECTIONS, share=SHARE,
        )  # fmt: skip
        boot = f"g{secrets.token_hex(4)}"
        self._looks = GuardLooks(
            requests=self._gateway.requests,
            lease=lease,
            watch=LeaseWatch(epochs, settings.lease),
            journal=Beside(settings.journal, boot, clock.now),
            ids=Ids(boot),
            rules=settings.rules,
            emit=emit,
        )

    async def run(self, ended: asyncio.Event) -> None:
        """Look every few seconds until `ended`; what goes wrong in one look is reported and tried again in the next."""
        self._emit("guarding", "info", {"journal": str(self._settings.journal), "pid": os.getpid()})
        try:
            while not ended.is_set():
                idle = await self._look()
                if idle and self._settings.until_idle and not self._settings.daemon_lives():
                    self._emit("guard-idle", "info", {"meaning": "no daemon, nothing open: the guard ends"})
                    return
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.rules.look_ns / 1e9):
                        await ended.wait()
        finally:
            await self._gateway.close()

    async def _look(self) -> bool:
        """A look that ends no guard, whatever goes wrong in it."""
        try:
            return await self._gateway.run(self._looks.round())
        except Exception as error:
            self._looks.say("guard-failed", f"{type(error).__name__}: {error}", "error")
            return False


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
