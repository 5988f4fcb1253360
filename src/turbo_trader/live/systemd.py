"""Notifies systemd (sd_notify) that the process is ready, alive or ending. Does nothing where nobody listens.

Messages go to the datagram socket of NOTIFY_SOCKET. WATCHDOG_USEC is how long the manager waits for the next sign of life.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections.abc import MutableMapping
from typing import Final, Self

_LOOK_S: Final = 0.5  # of the event loop's time, which may be simulated, between two looks at the wall's


class Systemd:
    """The way to the systemd that started this process. Nothing here raises: a socket that is gone ends no trading."""

    def __init__(self, address: str = "", watchdog_s: float = 0.0) -> None:
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._every_s = watchdog_s / 3  # two may be late before the manager acts

    @classmethod
    def from_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """As the manager set it; taken out of the environment, as it is not for the processes that this one starts."""
        address = environment.pop("NOTIFY_SOCKET", "")
        micros, pid = environment.pop("WATCHDOG_USEC", ""), environment.pop("WATCHDOG_PID", "")
        ours = pid in ("", str(os.getpid())) and micros.isdecimal()
        return cls(address, int(micros) / 1e6 if ours else 0.0)

    def ready(self) -> None:
        """It has recovered and trades."""
        self._say(f"READY=1\nMAINPID={os.getpid()}")

    def stopping(self) -> None:
        """It is about to end."""
        self._say("STOPPING=1")

    async def live(self) -> None:
        """Say again and again that the event loop turns; until cancelled, or at once where nobody wants to hear it."""
        said = 0.0
        while self._address and self._every_s:
            if time.monotonic() - said >= self._every_s:
                said = time.monotonic()
                self._say("WATCHDOG=1")
            await asyncio.sleep(min(_LOOK_S, self._every_s / 4))

    def _say(self, text: str) -> None:
        if not self._address:
            return
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.setblocking(False)
            end.sendto(text.encode(), self._address)
