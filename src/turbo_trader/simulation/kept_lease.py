"""The lease to write of a process in simulated time, renewed as its timer would: each second while it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from turbo_trader.journal.lease import LeaseRules
from turbo_trader.market.rows import SECOND
from turbo_trader.runtime.fencing import Fence
from turbo_trader.simulation.epochs_in_memory import EpochsInMemory
from turbo_trader.simulation.loop import Loop

LEASE: Final = LeaseRules()


class KeptLease:
    """Of one process, life after life; `epochs` are shared with the guard. `woken`, `fenced`: as of `runtime.fencing`."""

    def __init__(
        self,
        loop: Loop,
        emit: Callable[[str, str, dict[str, Any]], None],
        woken: Callable[[int], None],
        fenced: Callable[[str], None],
    ) -> None:
        self.epochs = EpochsInMemory()
        self.renews_since: int | None = None  # None: this life is over or stands still
        self.fence: Fence | None = None  # None: nobody else writes
        self._loop, self._emit, self._woken, self._fenced = loop, emit, woken, fenced
        self.beaten = 0  # up to when it was renewed

    def may_begin(self) -> bool:
        """A new life takes it first. False: what a guard signed last may still arrive."""
        if self.fence is None:
            self.goes_on()
            self.fence = Fence(self.epochs, LEASE, self._emit, self._woken, self._fenced, lambda: self.beaten)
            self.fence.begin()
        return self.permits()

    def keep(self) -> None:
        """Renew it as the timer has done since the last look."""
        while (
            self.fence is not None
            and self.renews_since is not None
            and self.beaten + SECOND <= self._loop.now
        ):
            self.beaten += SECOND
            self.fence.beat()

    def permits(self) -> bool:
        """May this process write now?"""
        self.keep()
        return self.fence is None or self.fence.permit()

    def stands_still(self) -> None:
        """It is not renewed from now on."""
        self.keep()
        self.renews_since = None

    def goes_on(self) -> None:
        """It is renewed again, if it has not run out."""
        self.renews_since = self.beaten = self._loop.now

    def ends(self) -> None:
        """The life is over; nothing is given back."""
        self.stands_still()
        self.fence = None
