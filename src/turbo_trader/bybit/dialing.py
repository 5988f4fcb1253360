"""TCP connections to a host with several addresses, raced (RFC 8305): a dead address costs a quarter of a second.

uvloop's `create_connection` has no `happy_eyeballs_delay`; `aiohappyeyeballs` races on any event loop.
"""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

from aiohappyeyeballs import start_connection

DELAY_S: Final = 0.25  # after which the next address is tried beside the ones that have not answered


async def dial(host: str, port: int) -> socket.socket:
    """A connected socket to the first address of `host` that answers, IPv6 and IPv4 in turn.

    OSError when none accepts. The caller limits the time: a host all of whose addresses swallow packets never ends by itself.
    """
    addresses = await _resolved(host, port)
    if not addresses:
        raise OSError(f"{host} has no address")
    try:
        made = await start_connection(addresses, happy_eyeballs_delay=DELAY_S)
    except RuntimeError as error:  # uvloop's, where asyncio raises OSError
        raise OSError(str(error)) from None
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, True)
    return made


async def _resolved(host: str, port: int) -> list[Any]:
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
