"""Serves a venue on a socket."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator

import uvicorn

from turbo_trader.exchange_server.body import LARGEST_BODY
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.sockets import Connection, VenueSockets
from turbo_trader.live.async_contexts import beside
from turbo_trader.market.errors import InputError

# how long a connection may wait for its next request: clients that ask every few seconds keep theirs
KEEP_ALIVE_S = 75


class _Server(uvicorn.Server):
    """uvicorn, with signals left to whoever runs the loop."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


@contextlib.asynccontextmanager
async def serve(venue: Venue, place: socket.socket | None = None) -> AsyncIterator[int]:
    """Serve `venue` while the context lasts, at `place` or where its configuration says; yields the port. InputError when the
    address cannot be had. Should the venue's time stop for an error, the context is cancelled and raises it: a venue that stands
    still must not keep answering."""
    config = venue.config
    server = _Server(server_config(venue))
    place = place or bound(config.host, config.port)
    with _had(config.host, config.port):  # who bound it too may have been faster
        place.listen(256)
    venue.open()
    job = asyncio.create_task(server.serve(sockets=[place]))
    try:
        async with beside(venue.run()):
            yield int(place.getsockname()[1])
    finally:
        server.should_exit = True
        await job
        place.close()
        if venue.record is not None:
            venue.record.close()


def server_config(venue: Venue) -> uvicorn.Config:
    """How uvicorn speaks for a venue."""
    return uvicorn.Config(
        VenueSockets(venue).app(),
        host=venue.config.host,
        port=venue.config.port,
        log_level="error",
        lifespan="off",
        http=Connection,
        ws="websockets-sansio",
        ws_max_size=LARGEST_BODY,
        ws_per_message_deflate=False,  # 70 KB a connection, and each frame packed for each client: loopback needs neither
        ws_ping_interval=None,
        access_log=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=1,
    )


def bound(host: str, port: int) -> socket.socket:
    """A socket at that address, which nobody can connect to before `serve`. InputError when the address cannot be had."""
    # named as TCP, else asyncio leaves Nagle's algorithm on and the second write of an answer waits 40 ms
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    with contextlib.ExitStack() as failed:
        failed.callback(found.close)
        with _had(host, port):
            found.bind((host, port))
        failed.pop_all()
    return found


@contextlib.contextmanager
def _had(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(
            f"{host}:{port}: {error.strerror}: choose another with --port (0: any) or --host"
        ) from None
