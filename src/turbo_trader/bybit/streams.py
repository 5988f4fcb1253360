"""Websocket connections to the venue: authenticate, subscribe and see it confirmed, ping, notice silence, come back."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, WebSocketException
from websockets.protocol import State

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.sockets import DirectConnection

PING_S = 20.0
CONFIRM_S = 10.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
STEADY_S = 30.0  # a connection that held so long resets the back-off
AUTH_AHEAD_MS = 10_000
_MAX_FRAME = 2**22
# its debug lines carry frames, the authentication too
logging.getLogger("websockets.client").setLevel(logging.WARNING)


class StreamFailed(Exception):
    """The connection cannot be used any more; the text says why. It is made anew."""


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """One connection. `silence_s`: longest time without any data message (0: no limit).

    Without topics nothing is subscribed to, and every frame counts as data, answers to pings too.
    """

    url: str
    topics: tuple[str, ...]
    silence_s: float = 0.0
    keys: Keys | None = None  # authenticate first
    auth_ahead_ms: int = AUTH_AHEAD_MS  # the venue's time for which the authentication is good


class Stream:
    """Keeps one connection up for as long as `run` runs.

    `on_up` is called after the subscription was confirmed, `on_down(reason)` after a connection that was up is lost,
    `on_refused(reason)` after an attempt that did not get so far, `on_frame(raw)` with every data message, in order and as it comes
    off the socket. `now_ms`: the venue's time, for signing.
    """

    def __init__(
        self,
        config: StreamConfig,
        *,
        on_frame: Callable[[bytes], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        now_ms: Callable[[], int],
        on_refused: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.config = config
        self.connections = 0
        self._on_frame = on_frame
        self._on_up = on_up
        self._on_down = on_down
        self._on_refused = on_refused
        self._now_ms = now_ms
        self._random = random.Random()  # noqa: S311 - spreads reconnects, nothing secret
        self._socket: ClientConnection | None = None
        self._last_data = 0.0
        self._renew = ""
        self._asked = ""  # the operation whose reply is waited for
        self._replied: asyncio.Future[dict[str, Any]]

    @property
    def socket(self) -> ClientConnection | None:
        """The connection; None where nothing can be written to one at this moment."""
        socket = self._socket
        if socket is None or socket.state is not State.OPEN or socket.transport.is_closing():
            return None
        return socket

    def renew(self, reason: str) -> None:
        """Drop the connection and make a new one (a gap, a slow consumer, silence of a topic)."""
        self._renew = reason
        if self._socket is not None:
            self._socket.transport.abort()

    async def run(self) -> None:
        """Connect, and connect again, until cancelled."""
        attempt = 0
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            up = [False]
            try:
                await self._connection(up)
                reason = "closed by the venue"
            except StreamFailed as error:
                reason = str(error)
            except (OSError, TimeoutError, WebSocketException) as error:
                reason = self._renew or f"{type(error).__name__}: {_brief(error)}"
            self._renew = ""
            told = self._on_down if up[0] else self._on_refused
            told(reason)
            attempt = 0 if up[0] and loop.time() - began > STEADY_S else attempt + 1
            pause = BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]
            await asyncio.sleep(pause * self._random.uniform(0.5, 1.0))

    async def _connection(self, up: list[bool]) -> None:
        async with connect(
            self.config.url, ping_interval=None, max_size=_MAX_FRAME, open_timeout=CONFIRM_S, close_timeout=1, proxy=None,
            compression=None,
            create_connection=partial(DirectConnection, self._take),  # type: ignore[arg-type]  # whatever makes one will do
        ) as socket:  # fmt: skip
            self._socket = socket
            self.connections += 1
            try:
                await self._session(socket, up)
            finally:
                self._socket = None
        if self._renew:
            raise StreamFailed(self._renew)
        if isinstance(socket.protocol.close_exc, ConnectionClosedError):
            raise socket.protocol.close_exc

    async def _session(self, socket: ClientConnection, up: list[bool]) -> None:
        """From the first word to the end of the connection."""
        assert isinstance(socket, DirectConnection)
        try:
            await self._login(socket)
            if self.config.topics:
                await self._subscribe(socket)
            up[0] = True
            self._on_up()
            self._last_data = asyncio.get_running_loop().time()
            pinger = asyncio.create_task(self._ping(socket))
            try:
                await socket.wait_closed()
            finally:
                pinger.cancel()
        except WebSocketException:
            if socket.error is None:
                raise
        if socket.error is not None:
            raise socket.error

    def _take(self, data: bytes) -> None:
        if self.config.topics and b'"topic"' not in data[:400]:
            self._take_reply(data)
        elif not self._asked or self._take_reply(data) is None:
            self._last_data = asyncio.get_running_loop().time()
            self._on_frame(data)

    def _take_reply(self, data: bytes) -> dict[str, Any] | None:
        """The reply that is waited for, where `data` is it."""
        if not self._asked:
            return None
        try:
            message = msgspec.json.decode(data)
        except msgspec.DecodeError:
            return None
        if not isinstance(message, dict) or message.get("op") != self._asked:
            return None
        self._asked = ""
        self._replied.set_result(message)
        return message

    async def _login(self, socket: ClientConnection) -> None:
        keys = self.config.keys
        if keys is None:
            return
        expires = self._now_ms() + self.config.auth_ahead_ms
        sign = hmac.new(keys.secret.encode(), f"GET/realtime{expires}".encode(), hashlib.sha256).hexdigest()
        reply = await self._ask(socket, {"req_id": "auth", "op": "auth", "args": [keys.key, expires, sign]})
        if reply.get("success") is not True and reply.get("retCode", -1) != 0:
            said = str(reply.get("ret_msg") or reply.get("retMsg", ""))
            raise StreamFailed(f"authentication refused: {keys.redact(said)}")

    async def _subscribe(self, socket: ClientConnection) -> None:
        reply = await self._ask(
            socket, {"req_id": "subscribe", "op": "subscribe", "args": list(self.config.topics)}
        )
        if reply.get("success") is not True:
            said = str(reply.get("ret_msg", ""))
            keys = self.config.keys
            raise StreamFailed(f"subscription refused: {keys.redact(said) if keys else said}")

    async def _ask(self, socket: ClientConnection, message: dict[str, Any]) -> dict[str, Any]:
        """Send an operation and wait for its reply; TimeoutError without one, ConnectionClosed when there will be none."""
        self._asked = message["op"]
        self._replied = asyncio.get_running_loop().create_future()
        closed = asyncio.ensure_future(socket.wait_closed())
        either: set[asyncio.Future[Any]] = {self._replied, closed}
        try:
            await _send(socket, message)
            await asyncio.wait(either, timeout=CONFIRM_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._asked = ""
            closed.cancel()
        if self._replied.done():
            return self._replied.result()
        if socket.state is State.CLOSED and (lost := socket.protocol.close_exc) is not None:
            raise lost
        raise TimeoutError(f"no reply to {message['op']}")

    async def _ping(self, socket: ClientConnection) -> None:
        """Ping every 20 s; a connection whose data fell silent is dropped though it answers pings."""
        loop = asyncio.get_running_loop()
        limit = self.config.silence_s
        next_ping = loop.time() + PING_S
        while True:
            await asyncio.sleep(min(PING_S, limit / 4) if limit else PING_S)
            if limit and loop.time() - self._last_data > limit:
                self.renew(f"no data for {limit:g} s")
                return
            if loop.time() >= next_ping:
                next_ping = loop.time() + PING_S
                try:
                    await _send(socket, {"req_id": "ping", "op": "ping"})
                except (OSError, WebSocketException):
                    return


def public_topics(symbols: Sequence[str], depth: int) -> tuple[str, ...]:
    """The topics of one symbol group: book, prints, ticker."""
    return tuple(
        f"{topic}.{symbol}"
        for symbol in symbols
        for topic in (f"orderbook.{depth}", "publicTrade", "tickers")
    )


PRIVATE_TOPICS = ("order", "execution", "position", "wallet")


def _send(socket: ClientConnection, message: dict[str, Any]) -> Awaitable[None]:
    return socket.send(msgspec.json.encode(message).decode())


def _brief(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else "no reason given"
