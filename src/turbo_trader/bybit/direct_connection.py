"""A websocket client whose messages are handed over as they come off the socket: no queue and no task in between.

A message that waits in no queue is decided on at once, and a consumer that falls behind leaves the rest to the socket's own flow
control: nothing grows here.
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

    def __init__(self, on_message: Callable[[bytes], None], *args: Any, **options: Any) -> None:
        """`on_message` is called with each whole message; what it raises ends the connection and stands in `error`."""
        super().__init__(*args, **options)
        self.error: Exception | None = None
        self._on_message = on_message
        self._parts: list[Any] = []

    def process_event(self, event: Event) -> None:
        """Hand a message over when its last frame is there."""
        if not isinstance(event, Frame) or event.opcode not in _DATA:
            super().process_event(event)
            return
        self._parts.append(event.data)
        if not event.fin:
            return
        message = b"".join(self._parts)
        self._parts.clear()
        if self.error is None:
            self._hand_over(message)

    def _hand_over(self, message: bytes) -> None:
        try:
            self._on_message(message)
        except Exception as error:  # an error of ours: it must not be lost in the event loop's callbacks
            self.error = error
            self.transport.abort()
