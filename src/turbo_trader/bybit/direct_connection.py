"""A websocket client whose messages are handed over as they come off the socket: no queue and no task in between.

Those that came together are handed over together. What waits in no queue is decided on at once, and a consumer that falls behind
leaves the rest to the socket's own flow control: nothing grows here.

Nearly everything a venue sends is a text message in one frame. Such frames are cut out of the bytes here, at a tenth of the cost
of `websockets`' parser. That gets everything else, always as whole frames: the opening, control frames, messages in parts, and
whatever is wrong with a frame.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event, State

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)
_TEXT: Final = 0x81  # first byte of a text message that is one frame
_IN_TWO, _IN_EIGHT = (
    126,
    127,
)  # second byte: so many bytes follow that hold the length; more: masked, which no server's frame is
_HEAD_END: Final = b"\r\n\r\n"  # of the answer that opens the connection
_LONGEST_HEAD: Final = 2**16
LONGEST: Final = 2**22  # bytes of a message (`max_size`)


class DirectConnection(ClientConnection):
    """`websockets`' connection, for `connect(create_connection=...)`; `recv` is not used."""

    def __init__(self, on_messages: Callable[[list[bytes]], None], *args: Any, **options: Any) -> None:
        """`on_messages` gets the messages that end in each read; what it raises ends the connection and stands in `error`."""
        super().__init__(*args, **options)
        self.error: Exception | None = None
        self._on_messages = on_messages
        self._parts: list[Any] = []
        self._whole: list[bytes] = []
        self._rest = b""  # what came after the last whole frame
        self._opened = False
        self._cutting = False  # are frames cut here?
        self._resting: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that end in `data`."""
        if self._rest:
            data, self._rest = self._rest + data, b""
        if not self._opened:
            data = self._open(data)
        self._cut(data)
        if self._whole:
            messages, self._whole = self._whole, []
            self._hand_over(messages)

    def rest(self, seconds: float) -> None:
        """Read nothing until so many seconds of the loop's clock have passed again, or until `read_on`. What comes meanwhile is
        handed over together; all connections that rest so are read at the same times."""
        if self._resting is None and not self.transport.is_closing():
            self.transport.pause_reading()
            self._resting = self.loop.call_at((self.loop.time() // seconds + 1) * seconds, self.read_on)

    def read_on(self) -> None:
        """Rest no more."""
        if self._resting is not None:
            self._resting.cancel()
            self._resting = None
            if not self.transport.is_closing():
                self.transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to read."""
        if self._resting is not None:
            self._resting.cancel()
        super().connection_lost(exc)

    def process_event(self, event: Event) -> None:
        """A message is whole when its last frame is there."""
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
            return
        self._parts.append(event.data)
        if not event.fin:
            return
        self._whole.append(b"".join(self._parts))
        self._parts.clear()

    def _open(self, data: bytes) -> bytes:
        """What follows the answer that opens the connection, which `websockets` gets alone."""
        head, end, after = data.partition(_HEAD_END)
        if not end and len(data) < _LONGEST_HEAD:
            self._rest = data
            return b""
        super().data_received(head + end)
        self._opened, self._cutting = True, self.protocol.state is State.OPEN
        return after

    def _cut(self, data: bytes) -> None:
        """Take whole frames; the rest waits for more."""
        at, size = 0, len(data)
        while self._cutting and size - at > 1:
            length, start = data[at + 1], at + 2
            if length >= _IN_TWO:
                start += 2 if length == _IN_TWO else 8
                length = int.from_bytes(data[at + 2 : start], "big") if length <= _IN_EIGHT else LONGEST + 1
            end = start + length
            if length > LONGEST:
                self._cutting = False
            elif end > size:
                break
            elif data[at] == _TEXT and not self._parts:
                self._whole.append(data[start:end])
                at = end
            else:
                self._pass_on(data[at:end])
                at = end
        if self._cutting:
            self._rest = data[at:]
        elif at < size:
            super().data_received(data[at:])

    def _pass_on(self, frame: bytes) -> None:
        """To `websockets`. Once that has ended the connection, or refused a frame, it gets whatever comes."""
        super().data_received(frame)
        self._cutting = self.protocol.state is State.OPEN

    def _hand_over(self, messages: list[bytes]) -> None:
        if self.error is not None:
            return
        try:
            self._on_messages(messages)
        except Exception as error:  # an error of ours: it must not be lost in the event loop's callbacks
            self.error = error
            self.transport.abort()
