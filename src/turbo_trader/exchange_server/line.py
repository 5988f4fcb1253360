"""One stream connection of a client: its frames meet the faults in force and leave at once.

Frames are written to the transport as the websocket protocol has them (a server's are not masked), all that are due together in one
write: ten clients at full cadence are 30,000 frames a second, and the server's own path from frame to socket takes most of a core.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from typing import Final

from starlette.websockets import WebSocket

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.exchange.protocol.faults_on_demand import Faults, FrameFault, widened
from turbo_trader.exchange.protocol.private_stream import PrivateClient
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.trade_stream import TradeClient

MOST_WAITING: Final = 16 * 1024 * 1024  # bytes not yet taken by a client; a slower one is disconnected
_TEXT: Final = 0x81  # the first byte of a whole text frame

Client = PublicClient | PrivateClient | TradeClient


class Line:
    """A connection that was accepted, or will be before a frame is due."""

    def __init__(self, socket: WebSocket, client: Client, connection: str) -> None:
        self.client = client
        self.connection = connection  # its id
        self.address = socket.client.host if socket.client else ""
        self._transport: asyncio.Transport = socket.scope["state"]["transport"]
        self._silent = False

    def answer(self, frames: Sequence[bytes]) -> None:
        """Send answers to operations; faults leave them alone."""
        if not frames or self._silent or self._transport.is_closing():
            return
        self._transport.write(b"".join([part for frame in frames for part in (_head(len(frame)), frame)]))
        if self._transport.get_write_buffer_size() > MOST_WAITING:
            self.cut()

    def deliver(self, frames: Sequence[bytes], faults: Faults) -> None:
        """Send data frames, each with its fault of `faults`."""
        if not faults.plan.rates:
            self.answer(frames)
            return
        for frame in frames:
            self._through(frame, _fault(faults, frame))

    def end(self) -> None:
        """Say nothing any more: the closing of the connection has begun."""
        self._silent = True

    def cut(self) -> None:
        """Close the connection silently."""
        self._silent = True
        self._transport.abort()

    def _through(self, frame: bytes, fault: FrameFault | None) -> None:
        if fault is None:
            self.answer([frame])
            return
        match fault.name:
            case Fault.DUPLICATE:
                self.answer([frame, frame])
            case Fault.REORDER | Fault.LATE:
                asyncio.get_running_loop().call_later(fault.wait_s, self.answer, [frame])
            case Fault.SILENT:
                self._silent = True
            case Fault.EXTRA:
                self.answer([widened(frame)])
            case Fault.DISCONNECT:
                self.cut()
            case _:  # gap: lost
                pass


class Lines:
    """The connections of a venue by kind, the oldest first: a thousand that stand by cost those of another kind nothing."""

    def __init__(self) -> None:
        self._kinds: dict[type[Client], dict[Line, None]] = {
            PublicClient: {},
            PrivateClient: {},
            TradeClient: {},
        }

    def add(self, line: Line) -> None:
        """A connection that has come."""
        self._kinds[type(line.client)][line] = None

    def remove(self, line: Line) -> None:
        """One that has gone."""
        del self._kinds[type(line.client)][line]

    def of(self, *kinds: type[Client]) -> list[Line]:
        """Those of these kinds."""
        return [line for kind in kinds for line in self._kinds[kind]]

    def __iter__(self) -> Iterator[Line]:
        return iter(self.of(*self._kinds))

    def __len__(self) -> int:
        return sum(map(len, self._kinds.values()))


def _head(size: int) -> bytes:
    """What precedes a text frame of `size` bytes."""
    if size < 126:
        return bytes((_TEXT, size))
    if size < 65_536:
        return bytes((_TEXT, 126, size >> 8, size & 255))
    return bytes((_TEXT, 127)) + size.to_bytes(8, "big")


def _fault(faults: Faults, frame: bytes) -> FrameFault | None:
    """The fault of a data frame, by the topic and kind it begins with."""
    head = frame[:120]
    topic = head.partition(b'"topic":"')[2].partition(b'"')[0].decode()
    return faults.frame(topic, delta=topic.startswith("orderbook.") and b'"type":"delta"' in head)
