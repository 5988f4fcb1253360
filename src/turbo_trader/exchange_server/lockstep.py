"""A simulated venue and its daemon in lockstep: one process, one simulated time, a network in memory.

Time stands still while either of them works and moves on when both wait, so the market cannot run ahead of the daemon: a slow
machine takes longer and trades the same. Everything above the network is what trades on a real venue.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Final, TypeVar

from uvicorn.server import ServerState

from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import Frames, MarketSource
from turbo_trader.exchange_server.server import server_config
from turbo_trader.exchange_server.simulated_loop import SimulatedLoop
from turbo_trader.exchange_server.sockets import Connection
from turbo_trader.live.async_contexts import beside
from turbo_trader.live.daemon_settings import Clocks

PUSH_NS: Final = 250_000_000  # between two pushes of a book: Bybit's, of 20 ms, merged so that time runs fast
PORT: Final = 9000
_CLOSING_S: Final = 1.0  # simulated: connections end at both ends

T = TypeVar("T")


class Lockstep:
    """Runs a daemon and its venue. `clocks` are for the daemon."""

    def __init__(self, runner: asyncio.Runner, venue: Callable[[SimulatedLoop], Venue]) -> None:
        loop = runner.get_loop()
        assert isinstance(loop, SimulatedLoop)
        self._runner, self._loop = runner, loop
        self.venue = venue(loop)
        self.clocks = Clocks(loop.time_ns, loop.time_ns, lambda: loop.pace.reached(loop.time()))

    def run(self, daemon: Coroutine[Any, Any, T]) -> T:
        """Run the daemon to its end, with its venue beside it."""
        return self._runner.run(self._beside_venue(daemon))

    async def _beside_venue(self, daemon: Coroutine[Any, Any, T]) -> T:
        venue, network = self.venue, self._loop.network
        address = (venue.config.host, venue.config.port)
        config, state = server_config(venue), ServerState()
        config.load()
        network.listen(address, lambda: Connection(config, state, {}))
        venue.open()
        self._loop.pace.begin(self._loop.time())
        async with beside(venue.run()):
            done = await daemon
            network.close(address)
            await asyncio.sleep(_CLOSING_S)
        return done


@contextmanager
def lockstep(
    source: MarketSource, config: VenueConfig, *, seed: int, speed: float, frames: Frames | None = None
) -> Iterator[Lockstep]:
    """A venue of this market, for one daemon. `seed` decides the latencies; `speed`: simulated seconds a wall second at most.

    The venue's own speed is 1: its time is the time of everything around it.
    """
    random.seed(seed)  # how reconnects are spread
    config = replace(config, speed=1.0, port=PORT, push_ns=PUSH_NS)
    with asyncio.Runner(loop_factory=lambda: SimulatedLoop(source.start, seed, speed)) as runner:
        yield Lockstep(runner, lambda loop: Venue(source, config, frames=frames, wall=loop.time_ns))
