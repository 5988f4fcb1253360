"""Periodic work of the daemon: bring the journal to the disk and keep it small; ask the venue for its clock, its terms and
its notices."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.journal.trimming import Trimming
from turbo_trader.live.admission import KeyWatch, NoticeWatch
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.gateway import Gateway
from turbo_trader.live.router import Router
from turbo_trader.live.startup import refresh_instrument
from turbo_trader.market.instruments import Instrument
from turbo_trader.trader.events import ClockOffset, InstrumentUpdate

FLUSH_S = 1.0
CHECKPOINT_S = 60.0
PROBE_S = 5.0  # between two tries to write a journal that failed
CLOCK_S = 15.0
QUIET_NS = (
    50_000_000  # of the venue's time: upkeep of the journal waits until the Trader wants nothing for so long
)


class Upkeep:
    """The jobs of one run. `terms`: the instruments as they are known now; `offset`: the venue's clock - ours, ns.

    `listed` is called with each instrument as it is read.
    """

    def __init__(
        self,
        settings: DaemonSettings,
        gateway: Gateway,
        router: Router,
        terms: Callable[[], tuple[Instrument, ...]],
        offset: Callable[[], int],
        listed: Callable[[Instrument], None],
    ) -> None:
        self._settings = settings
        self._gateway = gateway
        self._router = router
        self._terms = terms
        self._offset = offset
        self._listed = listed

        self._trimming = Trimming(settings.journal, settings.journal_days)

    def jobs(self) -> list[Awaitable[None]]:
        """Each of them runs until it is cancelled."""
        return [self._keep_journal(), self._keep_clock(), self._keep_terms(), self._hear_notices()]

    async def _keep_journal(self) -> None:
        loop = asyncio.get_running_loop()
        journal = self._router.journal
        checked = probed = loop.time()
        synced = 0.0
        while True:
            await asyncio.sleep(FLUSH_S)
            if time.monotonic() - synced < FLUSH_S:
                continue  # simulated time runs faster than a disk loses power
            synced = time.monotonic()
            if not journal.failed:
                self._router.flush()
                await asyncio.to_thread(journal.sync)
                await self._trim()
                if loop.time() - checked >= CHECKPOINT_S:
                    checked = loop.time()
                    await asyncio.to_thread(journal.checkpoint)
            elif loop.time() - probed >= PROBE_S:
                probed = loop.time()
                await asyncio.to_thread(journal.revive)
                if journal.probe():
                    self._router.emit("journal-works", "info", {})

    async def _trim(self) -> None:
        """One small step, where the Trader wants nothing at this moment; else it is the next second's."""
        group = await asyncio.to_thread(self._trimming.gather)
        clock = self._gateway.clock
        if self._router.trader.next_time() - clock.now() >= QUIET_NS:
            self._router.journal.tend(lambda db: self._trimming.step(db, clock.now(), group))

    async def _keep_clock(self) -> None:
        while True:
            await asyncio.sleep(CLOCK_S)
            if await self._gateway.sync_clock():
                self._router.deliver(ClockOffset(self._gateway.clock.now(), self._offset()))

    async def _keep_terms(self) -> None:
        key = KeyWatch(self._gateway, self._router.emit)
        while True:
            if self._settings.mode != Mode.PAPER and (expiry := await key.read()):
                self._router.deliver(expiry)
            await self._gateway.until_stale(self._settings.refresh_s)
            for known in self._terms():
                found = await refresh_instrument(self._gateway, known)
                if found is None:
                    self._router.emit("instruments-unread", "warning", {"symbol": known.symbol})
                else:
                    self._router.deliver(InstrumentUpdate(self._gateway.clock.now(), found))
                    self._listed(found)

    async def _hear_notices(self) -> None:
        watch = NoticeWatch(self._gateway, self._router.emit)
        while True:
            if notice := await watch.read():
                self._router.deliver(notice)
            await asyncio.sleep(self._settings.notices_s)
