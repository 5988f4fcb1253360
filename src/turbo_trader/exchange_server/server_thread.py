"""A venue on its own loop and thread, for clients that block, such as tests of any V5 bot."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import TypeVar

from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server import serve

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class ServedVenue:
    """A venue that is being served."""

    venue: Venue
    port: int
    loop: asyncio.AbstractEventLoop

    @property
    def url(self) -> str:
        """Where requests go."""
        return f"http://{self.venue.config.host}:{self.port}"

    @property
    def stream(self) -> str:
        """Where streams are, without their path."""
        return f"ws://{self.venue.config.host}:{self.port}"

    def call(self, work: Callable[[Venue], T]) -> T:
        """Do something to the venue on its own thread; returns what it returns."""

        async def done() -> T:
            return work(self.venue)

        return asyncio.run_coroutine_threadsafe(done(), self.loop).result(10)


@contextmanager
def serve_in_thread(given: Venue | AbstractAsyncContextManager[Venue]) -> Iterator[ServedVenue]:
    """Serve a venue, or one that has to be opened first, while the context lasts. InputError when the address cannot be had."""
    loop = asyncio.new_event_loop()
    ready, stop = threading.Event(), asyncio.Event()
    found: list[ServedVenue] = []
    failed: list[BaseException] = []

    async def main() -> None:
        try:
            async with _opened(given) as venue, serve(venue) as port:
                found.append(ServedVenue(venue, port, loop))
                ready.set()
                await stop.wait()
        except BaseException as error:
            failed.append(error)
            raise
        finally:
            ready.set()

    def run() -> None:
        try:
            loop.run_until_complete(main())
        except Exception:  # the caller gets it
            return

    thread = threading.Thread(target=run, name="venue")
    thread.start()
    ready.wait()
    try:
        if failed:
            raise failed[0]
        yield found[0]
    finally:
        if found:
            loop.call_soon_threadsafe(stop.set)
        thread.join(20)
        loop.close()


def _opened(given: Venue | AbstractAsyncContextManager[Venue]) -> AbstractAsyncContextManager[Venue]:
    return nullcontext(given) if isinstance(given, Venue) else given
