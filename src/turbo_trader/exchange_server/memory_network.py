"""Connections in memory: bytes arrive in order, each write after a delay drawn from the seed.

A connection is a pair of transports. Its ends speak as they would over TCP: nothing above knows the difference.
"""

from __future__ import annotations

import asyncio
import random
import socket
from collections.abc import Callable
from typing import Any, Final

TO_SERVER_S: Final = (0.015, 0.045)  # shortest and longest way of a write
TO_CLIENT_S: Final = (0.010, 0.030)


class MemoryNetwork:
    """Servers by address, and the connections to them. Addresses are as sockets have them: (host, port)."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seed: int) -> None:
        self._loop = loop
        self._seed = seed
        self._servers: dict[Any, Callable[[], asyncio.BaseProtocol]] = {}
        self._made = 0

    def __contains__(self, address: object) -> bool:
        return address in self._servers

    def listen(self, address: tuple[str, int], protocol: Callable[[], asyncio.BaseProtocol]) -> None:
        """Serve at `address` from now on: a protocol for each connection."""
        self._servers[address] = protocol

    def close(self, address: tuple[str, int]) -> None:
        """Serve there no more; connections that were made stay."""
        del self._servers[address]

    async def travel(self, address: tuple[str, int]) -> None:
        """There and back once, as before a TCP connection is made; ConnectionRefusedError where nobody serves by then."""
        way = random.Random(f"{self._seed}:{self._made}:dial")  # noqa: S311 - latencies
        await asyncio.sleep(way.uniform(*TO_SERVER_S) + way.uniform(*TO_CLIENT_S))
        if address not in self._servers:
            raise ConnectionRefusedError(f"nobody serves at {address}")

    def connect(
        self, address: tuple[str, int], protocol: Callable[[], asyncio.BaseProtocol]
    ) -> tuple[asyncio.Transport, asyncio.BaseProtocol]:
        """A connection to `address`: the client's end."""
        self._made += 1
        near, far = (
            socket.socketpair()
        )  # carry nothing: a client asks its socket whether the server has closed
        names = (address[0], 50_000 + self._made)
        client, server = protocol(), self._servers[address]()
        here = MemoryTransport(self._loop, client, self._way("out", TO_SERVER_S), near)
        there = MemoryTransport(self._loop, server, self._way("back", TO_CLIENT_S), far)
        here.extra = {"socket": near, "sockname": names, "peername": address}
        there.extra = {"sockname": address, "peername": names}
        here.peer, there.peer = there, here
        server.connection_made(there)
        client.connection_made(here)
        return here, client

    def _way(self, name: str, bounds: tuple[float, float]) -> Callable[[], float]:
        draws = random.Random(f"{self._seed}:{self._made}:{name}")  # noqa: S311 - latencies
        return lambda: draws.uniform(*bounds)


class MemoryTransport(asyncio.Transport):
    """One end of a connection. What is written reaches the other end's protocol after the time of `way`, in order."""

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol: asyncio.BaseProtocol,
        way: Callable[[], float],
        descriptor: socket.socket,
    ) -> None:
        super().__init__()
        self.peer: MemoryTransport
        self.extra: dict[str, Any] = {}
        self._loop = loop
        self._protocol: Any = protocol
        self._way = way
        self._descriptor = descriptor
        self._latest = 0.0  # when what was written last arrives
        self._closing = False
        self._paused = False
        self._held: list[bytes | None] = []  # what came while reading was paused; None: the end

    # -- writing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Let bytes leave."""
        if data and not self._closing:
            self._send(bytes(data))

    def can_write_eof(self) -> bool:
        """True: the other end may still speak after this one has ended."""
        return True

    def write_eof(self) -> None:
        """Say no more."""
        if not self._closing:
            self._send(None)

    def close(self) -> None:
        """End the connection once what was written has left, which is at once."""
        self._end(None)

    def abort(self) -> None:
        """End the connection."""
        self._end(None)

    def _end(self, error: Exception | None) -> None:
        if self._closing:
            return
        self._send(None)
        self._closing = True
        self._descriptor.close()
        self._loop.call_soon(self._protocol.connection_lost, error)

    def _send(self, data: bytes | None) -> None:
        self._latest = max(self._latest, self._loop.time() + self._way())
        self._loop.call_at(self._latest, self.peer.arrive, data)

    def arrive(self, data: bytes | None) -> None:
        """Bytes of the other end are here; None: its end."""
        if self._closing:
            return
        if self._paused:
            self._held.append(data)
        elif data is not None:
            self._protocol.data_received(data)
        elif not self._protocol.eof_received():
            self.close()

    # -- what else a transport can do

    def is_closing(self) -> bool:
        """Has it ended here?"""
        return self._closing

    def is_reading(self) -> bool:
        """Does what arrives reach the protocol?"""
        return not self._paused and not self._closing

    def pause_reading(self) -> None:
        """Hold what arrives."""
        self._paused = True

    def resume_reading(self) -> None:
        """Hand over what was held, together as a socket does, and what arrives from now on."""
        self._paused = False
        held, self._held = self._held, []
        if data := b"".join(each for each in held if each is not None):
            self._loop.call_soon(self.arrive, data)
        if None in held:
            self._loop.call_soon(self.arrive, None)

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Addresses, and the client's socket."""
        return self.extra.get(name, default)

    def set_protocol(self, protocol: asyncio.BaseProtocol) -> None:
        """Hand over to another protocol."""
        self._protocol = protocol

    def get_protocol(self) -> asyncio.BaseProtocol:
        """The protocol in force."""
        protocol: asyncio.BaseProtocol = self._protocol
        return protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing is buffered: what is written has left."""

    def get_write_buffer_size(self) -> int:
        """0: what is written has left."""
        return 0
