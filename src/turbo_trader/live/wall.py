"""The wall clock, for what people wait for, on event loops whose own time may be simulated."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def wall_timeout(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, in wall seconds on any loop."""
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as limit:

        def expire() -> None:
            with contextlib.suppress(RuntimeError):  # the context, or the loop, has ended
                loop.call_soon_threadsafe(limit_now)

        def limit_now() -> None:
            if not ended.is_set():
                limit.reschedule(loop.time())

        ended = threading.Event()
        timer = threading.Timer(seconds, expire)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            ended.set()
            timer.cancel()
