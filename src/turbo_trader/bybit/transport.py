"""HTTP/1.1 connections for the requests: kept alive, on the event loop, with h11 for the protocol.

A thread that waits for an answer gets its turn late exactly when many frames arrive, and a stop change with it: so there is none.
"""

from __future__ import annotations

import asyncio
import select
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import cast
from urllib.parse import urlsplit

import h11
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH

from turbo_trader.bybit.dialing import dial

_HEADERS = ("Accept: application/json", "User-Agent: turbo-trader")
_ASKED = h11.Request(
    method="POST", target="/", headers=[("Host", "venue")]
)  # all it must know to read the answer
_MOST_HEAD = 64 * 1024  # bytes of an answer's head
_MOST_BODY = 16 * 1024 * 1024  # bytes of its body; the longest list the venue gives has two million
_IDLE_S = 30.0  # a connection idle for longer may be gone silently: it is not trusted with a request


class NotSent(Exception):
    """The request certainly never left: no connection could be had, or it cannot be written as HTTP."""


class NoAnswer(Exception):
    """The request left, or may have; nothing that can be read came back."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer. Names of headers in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Connection(asyncio.Protocol):
    """One connection: one request after another."""

    def __init__(self, host: str) -> None:
        """`host` as the Host header has it."""
        self._host = host
        self._http = h11.Connection(h11.CLIENT, max_incomplete_event_size=_MOST_HEAD)
        self._transport: asyncio.Transport
        self._answer: asyncio.Future[Response] | None = None
        self._head: h11.Response | None = None
        self._body = bytearray()
        self._idle_since = asyncio.get_running_loop().time()

    @property
    def usable(self) -> bool:
        """May a request be sent? Between two of them only the end of the connection can be read."""
        rested = asyncio.get_running_loop().time() - self._idle_since
        return rested < _IDLE_S and not self._transport.is_closing() and not self._readable()

    def exchange(
        self, method: str, target: str, headers: Mapping[str, str], body: bytes, seconds: float
    ) -> asyncio.Future[Response]:
        """Send now; the answer, or NoAnswer after `seconds`. NotSent is raised at once: nothing of it left.

        However it ends, also when cancelled: unless the answer was whole, the connection is dropped with it.
        """
        self.write(self._head_of(method, target, headers, len(body)) + body)
        # after the fact: checking and encoding by h11 takes longer than everything else on the way
        self._http.send(_ASKED)
        self._http.send(h11.EndOfMessage())
        loop = asyncio.get_running_loop()
        timer = loop.call_later(seconds, self._fail, f"none in {seconds:g} s")
        self._answer = loop.create_future()
        self._answer.add_done_callback(lambda answer: self._ended(answer, timer))
        return self._answer

    def write(self, data: bytes) -> None:
        """Let bytes leave; NotSent where the connection has ended since it was had."""
        if self._transport.is_closing():
            raise NotSent("the connection was closed")
        self._transport.write(data)

    def drop(self) -> None:
        """Let the connection go at once, with all that is under way on it."""
        self._transport.abort()

    # -- what the event loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """There is a connection."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._arrivals = select.poll()
        self._arrivals.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """A part of an answer; whatever comes unasked ends the connection."""
        if self._answer is None:
            self.drop()
        else:
            self._take(data)

    def eof_received(self) -> None:
        """The venue says no more; an answer without a length is whole now."""
        if self._answer is not None and self._http.their_state is h11.SEND_RESPONSE:
            self._fail("the connection was closed without an answer")
        elif self._answer is not None:
            self._take(b"")

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._fail(f"the connection was lost ({type(exc).__name__})" if exc else "the connection was closed")

    # -- inside

    def _ended(self, answer: asyncio.Future[Response], timer: asyncio.TimerHandle) -> None:
        timer.cancel()
        if not answer.cancelled():
            answer.exception()  # looked at, whether or not somebody still waits for it
        self._answer = None
        self._idle_since = asyncio.get_running_loop().time()
        if not self._ready():
            self.drop()

    def _head_of(self, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
        lines = [f"{method} {target} HTTP/1.1", f"Host: {self._host}", *_HEADERS]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        lines.append(f"Content-Length: {length}")
        text = "".join(lines)
        if not (text.isascii() and text.isprintable()) or " " in target:
            raise NotSent("it cannot be written as HTTP")  # nothing of it is shown: it holds the key
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def _take(self, data: bytes) -> None:
        try:
            self._http.receive_data(data)
            while isinstance(event := self._http.next_event(), h11.Event):
                self._on(event)
                if isinstance(event, h11.EndOfMessage | h11.ConnectionClosed):
                    return
        except h11.RemoteProtocolError as error:
            self._fail(f"not HTTP ({error})")
            self.drop()

    def _on(self, event: h11.Event) -> None:
        if isinstance(event, h11.Response):
            self._head = event
        elif isinstance(event, h11.Data):
            self._body += event.data
            if len(self._body) > _MOST_BODY:
                self._fail(f"more than {_MOST_BODY} bytes")
                self.drop()
        elif isinstance(event, h11.EndOfMessage):
            self._complete()

    def _complete(self) -> None:
        head, body = self._head, bytes(self._body)
        self._head, self._body = None, bytearray()
        if head is None or self._answer is None or self._answer.done():
            return
        headers: CaseInsensitiveDict[str] = CaseInsensitiveDict(
            (name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers
        )
        self._answer.set_result(Response(head.status_code, headers, body))

    def _fail(self, why: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(NoAnswer(why))

    def _readable(self) -> bool:
        return bool(self._arrivals.poll(0))

    def _ready(self) -> bool:
        """Start again after an answer; False where the connection cannot be used again."""
        states = self._http.our_state, self._http.their_state
        if states != (h11.DONE, h11.DONE) or self._http.trailing_data[0]:
            return False
        self._http.start_next_cycle()
        return True


class Pool:
    """So many connections to one host at most; whoever finds them all in use waits for its turn."""

    def __init__(self, base: str, size: int) -> None:
        """`base`: scheme, host and port of every request. Redirects are not followed, proxies and cookies not used."""
        parts = urlsplit(base)
        self._host, self._secure = parts.hostname or "", parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._named = parts.netloc
        self._size = size
        self._free: asyncio.LifoQueue[Connection | None] = asyncio.LifoQueue()  # None: not made yet
        for _ in range(size):
            self._free.put_nowait(None)
        self._closed = False

    def ready(self) -> Connection | None:
        """A connection that can be used at once, to be given back; None where one must be made or waited for."""
        if self._free.empty():
            return None
        known = self._free.get_nowait()
        if known is not None and known.usable:
            return known
        self.give(known)
        return None

    async def take(self, seconds: float) -> Connection:
        """A connection to be given back; NotSent where none can be had within `seconds` of its turn, or after `close`."""
        known = await self._free.get()
        if known is not None:
            if known.usable:
                return known
            known.drop()
        try:
            return await self._connected(seconds)
        except BaseException:
            self.give(None)
            raise

    def give(self, connection: Connection | None) -> None:
        """Give back what was taken; one that cannot be used again is dropped."""
        if connection is not None and not connection.usable:
            connection.drop()
            connection = None
        self._free.put_nowait(connection)

    async def close(self) -> None:
        """Wait for requests under way, then close all connections; nothing leaves any more."""
        self._closed = True
        for connection in [await self._free.get() for _ in range(self._size)]:
            if connection is not None:
                connection.drop()
            self._free.put_nowait(None)

    async def _connected(self, seconds: float) -> Connection:
        if self._closed:
            raise NotSent("the connections are closed")
        context = _trusted() if self._secure else None
        try:
            async with asyncio.timeout(seconds):
                _, made = await asyncio.get_running_loop().create_connection(
                    lambda: Connection(self._named), sock=await dial(self._host, self._port), ssl=context,
                    server_hostname=self._host if context else None,
                )  # fmt: skip
        except (OSError, TimeoutError, UnicodeError) as error:  # UnicodeError: not a host's name
            raise NotSent(type(error).__name__) from None
        return made


@cache
def _trusted() -> ssl.SSLContext:
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)
