"""A small HTTP server on the daemon's own event loop: GET and HEAD, an answer, the end.

Not uvicorn, whose ticks would be events of the made-up market's simulated time; h11 does the protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final

import h11

from turbo_trader.live.async_contexts import wall_timeout
from turbo_trader.live.same_site import names_address
from turbo_trader.market.errors import InputError

_PATIENCE_S: Final = 5.0  # of a connection, wall seconds
_MOST: Final = 16  # connections at a time
_BYTES: Final = 8_192  # of a request


@dataclass(frozen=True, slots=True)
class Answer:
    """What a path is answered with."""

    status: int
    content_type: str
    body: bytes


Answering = Callable[[str, str], Awaitable[Answer | None]]  # path, Accept; None: there is no such path


@contextlib.asynccontextmanager
async def serving(host: str, port: int, answer: Answering, *, public: bool) -> AsyncIterator[None]:
    """Serve while entered; InputError where the address cannot be had.

    Unless `public`, a request whose Host is no address is refused: a web page may point a name of its own at this machine.
    """
    server = _Server(answer, public=public)
    with _had(host, port):
        listening = await asyncio.start_server(server.serve, host, port, limit=_BYTES)
    try:
        yield
    finally:
        listening.close()
        server.close()


def require_address(host: str, port: int) -> None:
    """Refuse now (InputError) what could not be served later: a start prepares for some seconds before it serves."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as tried, _had(host, port):
        tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        tried.bind((host, port))


@contextlib.contextmanager
def _had(host: str, port: int) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"METRICS {host}:{port}: {error.strerror}; choose another address") from None


class _Server:
    def __init__(self, answer: Answering, *, public: bool) -> None:
        self._answer = answer
        self._public = public
        self._open: set[asyncio.StreamWriter] = set()

    def close(self) -> None:
        """End what is still open."""
        for writer in self._open:
            writer.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: one request."""
        self._open.add(writer)
        try:
            if len(self._open) <= _MOST:
                async with wall_timeout(_PATIENCE_S):
                    await self._one(reader, writer)
        except (OSError, TimeoutError, h11.ProtocolError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection, bare = h11.Connection(h11.SERVER, max_incomplete_event_size=_BYTES), False
        try:
            request = await _request(connection, reader)
            bare = request is not None and request.method == b"HEAD"
            found = _plain(400, "not a request") if request is None else await self._reply(request)
        except h11.RemoteProtocolError as error:
            found = _plain(error.error_status_hint, "not a request")
        head = h11.Response(
            status_code=found.status,
            headers=[
                ("Content-Type", found.content_type), ("Content-Length", str(len(found.body))), ("Connection", "close"),
                ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
            ],
        )  # fmt: skip
        writer.write(connection.send(head) or b"")
        if not bare:
            writer.write(connection.send(h11.Data(found.body)) or b"")
        writer.write(connection.send(h11.EndOfMessage()) or b"")
        await writer.drain()

    async def _reply(self, request: h11.Request) -> Answer:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in request.headers}
        if not self._public and not names_address(headers.get("host", "")):
            return _plain(403, "ask by address or as localhost")
        if request.method not in (b"GET", b"HEAD"):
            return _plain(405, "GET or HEAD")
        path = request.target.decode("latin-1").partition("?")[0]
        return await self._answer(path, headers.get("accept", "")) or _plain(
            404, "/metrics, /health or /ready"
        )


async def _request(connection: h11.Connection, reader: asyncio.StreamReader) -> h11.Request | None:
    """The head of a request; None where the other end goes away before."""
    while (event := connection.next_event()) is h11.NEED_DATA:
        connection.receive_data(await reader.read(_BYTES))
    return event if isinstance(event, h11.Request) else None


def _plain(status: int, text: str) -> Answer:
    return Answer(status, "text/plain; charset=utf-8", text.encode() + b"\n")
