"""A websocket client whose messages are handed over as they come off the socket: no queue and no task in between.

Those that came together are handed over together. What waits in no queue is decided on at once, and a consumer that falls behind
leaves the rest to the socket's own flow control: nothing grows here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import Event

_DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class DirectConnection(ClientConnection):
    """`websockets`' connection, for `connect(create_connection=...)`; `recv` is not used."""

    def __init__(self, on_messages: Callable[[list[bytes]], None], *args: Any, **options: Any) -> None:
        """`on_messages` gets the messages that end in each read; what it raises ends the connection and stands in `error`."""
        super().__init__(*args, **options)
        self.error: Exception | None = None
        self._on_messages = on_messages
        self._parts: list[Any] = []
        self._whole: list[bytes] = []

    def data_received(self, data: bytes) -> None:
        """Hand over the messages that end in `data`."""
        super().data_received(data)
        if self._whole:
            messages, self._whole = self._whole, []
            self._hand_over(messages)

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

    def _hand_over(self, messages: list[bytes]) -> None:
        if self.error is not None:
            return
        try:
            self._on_messages(messages)
        except Exception as error:  # an error of ours: it must not be lost in the event loop's callbacks
            self.error = error
            self.transport.abort()
