"""The venue's time, measured against this machine's clocks."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from turbo_trader.runtime.clock import MeasuredClock


class VenueClock(MeasuredClock):
    """A `MeasuredClock` over the system's clocks."""

    def __init__(
        self, steady: Callable[[], int] = time.monotonic_ns, wall: Callable[[], int] = time.time_ns
    ) -> None:
        super().__init__(steady, wall)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of the venue's time."""
        await asyncio.sleep(seconds / self.speed)
