"""The way to the venue: connections and timers for the jobs of `runtime.venue_requests`."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, TypeVar

from turbo_trader.bybit import rest
from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.budget import SHARE
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.rest import Permit
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.meter import Meter
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.runtime.venue_requests import Effect, Job, Lane, Requests, Sleep
from turbo_trader.trader.commands import Read, WriteCommand
from turbo_trader.trader.events import CommandResult, ReadResult

CONNECTIONS: Mapping[str, int] = {Lane.EXITS: 4, Lane.ORDERS: 2, Lane.READS: 4, Lane.HISTORY: 4}

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields
T = TypeVar("T")


class Gateway:
    """Runs jobs; owns the lanes. `emit` hears about bans, fatal answers and clock trouble."""

    def __init__(
        self,
        endpoints: Endpoints,
        keys: Keys,
        clock: VenueClock,
        emit: Emit,
        timeout: float = 5.0,
        *,
        permit: Permit = lambda: True,
        connections: Mapping[str, int] = CONNECTIONS,
        share: float = SHARE,
        socket: TradeSocket | None = None,
        meter: Meter | None = None,
    ) -> None:
        """`permit`: may this process write now? `connections` of each lane; `share` of the venue's limits it may use.

        `socket`: orders other than closes leave by it while it is up, by REST otherwise.
        """
        self.clock = clock
        self.on_fatal: Callable[[str], None] = lambda _: None  # called once, and again by each order
        self.emit = emit
        self.requests = Requests(
            clock,
            self,
            share=share,
            socket_up=None if socket is None else lambda: socket.up,
            simulated=endpoints.local,
        )
        self._meter = Meter() if meter is None else meter
        self._stale = asyncio.Event()  # the venue's terms are not the ones we know
        self._socket = socket
        self._lanes = {
            name: rest.Lane(n, endpoints, keys, clock.stamp, timeout, permit)
            for name, n in connections.items()
        }

    def on_stale(self) -> None:
        """The venue's terms are not the ones we know."""
        self._stale.set()

    # -- jobs

    def run(self, job: Job[T]) -> Coroutine[Any, Any, T]:
        """Carry a job out. What it wants first is begun before this returns: an order leaves in the caller's turn of the loop."""
        try:
            first = next(job)
        except StopIteration as end:
            return _done(end.value)
        return self._go_on(job, self._begin(first))

    async def _go_on(self, job: Job[T], under_way: Coroutine[Any, Any, Any]) -> T:
        while True:
            found = await under_way
            try:
                effect = job.send(found)
            except StopIteration as end:
                done: T = end.value
                return done
            under_way = self._begin(effect)

    def _begin(self, effect: Effect) -> Coroutine[Any, Any, Any]:
        if isinstance(effect, Sleep):
            return asyncio.sleep(effect.seconds)
        began = time.perf_counter()
        if effect.lane is Lane.SOCKET:
            assert self._socket is not None
            return self._timed(effect.lane, began, self._socket.call(effect.call))
        return self._timed(effect.lane, began, self._lanes[effect.lane].call(effect.call, effect.patience_s))

    async def _timed(self, lane: Lane, began: float, coming: Coroutine[Any, Any, Answer]) -> Answer:
        answer = await coming
        self._meter.requested(lane, time.perf_counter() - began)
        return answer

    def request(self, lane: Lane, call: Call, patience_s: float = math.inf) -> Coroutine[Any, Any, Answer]:
        """One call within the budget; see `Requests.request`."""
        return self.run(self.requests.request(lane, call, patience_s))

    def read(self, call: Call) -> Coroutine[Any, Any, Answer]:
        """A read, asked again a few times when the trouble may pass."""
        return self.run(self.requests.read(call))

    def history(self, call: Call) -> Coroutine[Any, Any, Answer]:
        """A read of bulk data, in its own lane behind nobody."""
        return self.run(self.requests.history(call))

    def send(self, command: WriteCommand) -> Coroutine[Any, Any, CommandResult]:
        """Carry out a command of the Trader once; see `Requests.send`."""
        return self.run(self.requests.send(command))

    def execute_read(self, command: Read) -> Coroutine[Any, Any, ReadResult]:
        """Carry out a `Read` of the Trader."""
        return self.run(self.requests.execute_read(command))

    def sync_clock(self) -> Coroutine[Any, Any, bool]:
        """Measure the venue's clock and speed; False when it did not answer."""
        return self.run(self.requests.sync_clock())

    # -- the rest

    @property
    def order_entry(self) -> str:
        """The way an order would take now: websocket or rest."""
        return "websocket" if self._socket is not None and self._socket.up else "rest"

    def jobs(self) -> list[Coroutine[Any, Any, None]]:
        """What must run beside the requests, once the clock has been measured."""
        return [] if self._socket is None else [self._socket.run()]

    async def until_stale(self, seconds: float) -> None:
        """Until an answer has said that the venue's terms are others than we know, `seconds` at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stale.wait()
        self._stale.clear()

    async def close(self) -> None:
        """Wait for requests under way, then close the connections."""
        await asyncio.gather(*(lane.close() for lane in self._lanes.values()))


async def _done(value: T) -> T:
    return value


def open_gateway(
    settings: DaemonSettings, clock: VenueClock, emit: Emit, permit: Permit, meter: Meter
) -> Gateway:
    """The daemon's way to the venue, with the trade socket where its settings ask for it."""
    where, keys, timeout = settings.endpoints, settings.keys, settings.request_timeout_s
    by_socket = settings.order_entry == "websocket"
    socket = TradeSocket(where.trade, keys, clock, emit, timeout, permit) if by_socket else None
    return Gateway(where, keys, clock, emit, timeout, permit=permit, socket=socket, meter=meter)
