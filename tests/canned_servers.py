"""Servers of canned answers: for bytes, codes, silences and dropped connections that the simulated exchange never gives."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, TypeAlias

from websockets.asyncio.server import ServerConnection, serve


@dataclass(frozen=True, slots=True)
class Request:
    """As it came; `target` with its query."""

    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Canned:
    """An answer. `breaks_off`: the connection ends after so many bytes of the body."""

    body: bytes
    status: int = 200
    reason: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    breaks_off: int | None = None


Answer: TypeAlias = Callable[[Request], Canned | None]


@contextmanager
def canned(answer: Answer) -> Iterator[str]:
    """Serve while the context lasts; yields where. An answer of None drops the connection."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            given = answer(Request(self.path, dict(self.headers), body))
            if given is None:
                self.close_connection = True
                self.connection.close()
                return
            self.send_response(given.status, given.reason)
            for name, value in {**given.headers, "Content-Length": str(len(given.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(given.body[: given.breaks_off])
            self.close_connection = given.breaks_off is not None

        do_GET = do_POST  # noqa: N815

        def log_message(self, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()


@asynccontextmanager
async def listening(handler: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    """A websocket server of `handler`, uncompressed, while the context lasts; yields where."""
    async with serve(handler, "127.0.0.1", 0, compression=None) as server:
        yield f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"
