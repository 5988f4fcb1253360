"""Contexts of asynchronous code: jobs that run beside it, and a time limit on the wall's clock."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any


@asynccontextmanager
async def beside(*jobs: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Let `jobs` run while the context lasts. The first error of one cancels the context, which then raises it as it is."""
    owner = asyncio.current_task()
    assert owner is not None
    failed: list[BaseException] = []

    def ended(task: asyncio.Task[None]) -> None:
        error = None if task.cancelled() else task.exception()
        if error is not None and not failed:
            failed.append(error)
            owner.cancel()

    tasks = [asyncio.create_task(job) for job in jobs]
    for task in tasks:
        task.add_done_callback(ended)
    try:
        yield
    finally:
        for task in tasks:
            task.remove_done_callback(ended)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if failed:
            owner.uncancel()
            raise failed[0]


@asynccontextmanager
async def wall_timeout(seconds: float) -> AsyncIterator[None]:
    """As `asyncio.timeout`, in seconds that people wait, also on a loop whose own time is simulated."""
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
