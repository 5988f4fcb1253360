"""An event loop in simulated time: timers fire as soon as nothing else is left to do, and time jumps to the next one.

Everything that runs on it sees one clock, so a busy machine changes how long a run takes and nothing else. Work for other threads
is done in place. Connections to addresses of `network` are made in memory; all others are real, and so are signals.
"""

from __future__ import annotations

import asyncio
import heapq
import math
import selectors
import socket
import time
from collections.abc import Callable, Mapping
from contextvars import Context
from typing import Any, Final

from turbo_trader.exchange_server.memory_network import MemoryNetwork

_AHEAD_S: Final = 0.004  # wall seconds by which simulated time may run ahead of its speed: shorter waits cost more than they give
_BEHIND_S: Final = 0.25  # wall seconds of delay that are made up for; what is beyond stays lost
_MEASURED_S: Final = 5.0  # of wall time: how often the speed is measured


class Pace:
    """Simulated seconds a wall second: at most `speed`, and how many it really are."""

    def __init__(self, speed: float = math.inf, wall: Callable[[], float] = time.monotonic) -> None:
        self.speed = speed
        self._wall = wall
        self.begin(0.0)

    def begin(self, now: float) -> None:
        """Simulated time, at `now`, begins to run at this moment."""
        self._due = self._wall()  # wall second at which the present moment of simulated time falls
        self._marks = [(self._due, now)] * 2  # (wall, simulated): since when the speed is measured

    def ahead(self, step: float) -> float:
        """Wall seconds to wait before simulated time may move on by `step` seconds; 0: none worth a wait."""
        early = self._due + step / self.speed - self._wall()
        return early if early > _AHEAD_S else 0.0

    def moved(self, step: float, now: float) -> None:
        """Simulated time has moved on by `step` seconds, to `now`."""
        wall = self._wall()
        self._due = max(self._due + step / self.speed, wall - _BEHIND_S)
        if wall - self._marks[1][0] >= _MEASURED_S:
            self._marks = [self._marks[1], (wall, now)]

    def reached(self, now: float) -> float:
        """Simulated seconds a wall second over the last five to ten seconds, with simulated time at `now`."""
        since, then = self._marks[0]
        passed = self._wall() - since
        return (now - then) / passed if passed > 0 else 0.0


class SimulatedLoop(asyncio.SelectorEventLoop):
    """The loop. `start_ns` (UTC) is where its time begins; `seed` decides the latencies of its network."""

    def __init__(self, start_ns: int = 0, seed: int = 0, speed: float = math.inf) -> None:
        self._now = 0.0  # seconds since the start
        self._start_ns = start_ns
        self._timers = 0
        self._dialled: dict[socket.socket, Any] = {}
        self.pace = Pace(speed)
        self.network = MemoryNetwork(self, seed)
        super().__init__(_Selector(self))

    # -- time

    def time(self) -> float:
        """Seconds of simulated time since the start."""
        return self._now

    def time_ns(self) -> int:
        """Simulated time, ns UTC."""
        return self._start_ns + round(self._now * 1e9)

    def advance(self, seconds: float) -> None:
        """Move time on; called by the selector, once nothing is left to do at this moment."""
        self._now += seconds
        self.pace.moved(seconds, self._now)

    def call_at(  # type: ignore[override]
        self, when: float, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """As asyncio's; timers of one moment fire in the order in which they were set."""
        self._check_closed()  # type: ignore[attr-defined]
        self._timers += 1
        timer = _Timer(when, callback, args, self, context)
        timer.turn = (when, self._timers)
        heapq.heappush(self._scheduled, timer)  # type: ignore[attr-defined]
        timer._scheduled = True  # type: ignore[attr-defined]  # noqa: SLF001 - as asyncio's own does
        return timer

    # -- threads and sockets

    def run_in_executor(  # type: ignore[override]
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """Do it now, while time stands still: a thread would end at a moment that the machine decides."""
        del executor
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:
            done.set_exception(error)
        return done

    async def sock_connect(self, sock: socket.socket, address: Any) -> None:
        """As asyncio's; a socket to an address of `network` stays unconnected and stands for a connection in memory."""
        if address not in self.network:
            await super().sock_connect(sock, address)
            return
        await self.network.travel(address)
        self._dialled[sock] = address

    async def create_connection(  # type: ignore[override]
        self, protocol_factory: Callable[[], Any], *args: Any, **options: Any
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """As asyncio's; in memory where `sock` was connected there."""
        sock = options.get("sock")
        address = None if sock is None else self._dialled.pop(sock, None)
        if sock is None or address is None:
            return await super().create_connection(protocol_factory, *args, **options)
        sock.close()
        return self.network.connect(address, protocol_factory)


class _Timer(asyncio.TimerHandle):
    """Ordered by time, then by number."""

    __slots__ = ("turn",)
    turn: tuple[float, int]

    def __lt__(self, other: Any) -> bool:
        return bool(self.turn < other.turn)


class _Selector(selectors.DefaultSelector):
    """Sockets and signals are looked at without waiting; the wait for a timer is a jump, paced to the speed asked for."""

    def __init__(self, loop: SimulatedLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """What can be read or written; time has moved by `timeout` where nothing can."""
        if timeout is None:
            found: list[tuple[selectors.SelectorKey, int]] = super().select(None)
            return found
        found = super().select(self._loop.pace.ahead(timeout) if timeout > 0 else 0)
        if timeout > 0 and not found and not self._loop.pace.ahead(timeout):
            self._loop.advance(timeout)
        return found

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """As the selector's."""
        known: Mapping[Any, selectors.SelectorKey] = super().get_map()
        return known
