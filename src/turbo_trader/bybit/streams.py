"""Websocket connections to the venue: authenticate, subscribe and await confirmation, keep alive, notice silence, reconnect.

A connection is alive while its pings are answered. One that swallows what is sent (a half-open connection) is noticed within
PING_S + PONG_S, ended and made again.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import hmac
import logging
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import msgspec
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosedError, WebSocketException
from websockets.protocol import State

from turbo_trader.bybit.dialing import dial
from turbo_trader.bybit.direct_connection import LONGEST, DirectConnection
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.topics import RefusedTopic, Subscription

PING_S = 5.0  # from an answer to the next ping
PONG_S = 5.0  # within which a ping is answered
_PONG_LOOKS = 5  # a process that stood still has used up one of them, not all its patience
CONFIRM_S = 10.0
BACKOFF_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0)
STEADY_S = 30.0  # a connection that held so long resets the back-off
AUTH_AHEAD_MS = 10_000
_DATA = b'{"topic"'  # how every public data message begins
_PONGS = ("pong", "ping")  # public streams answer with the operation itself
# its debug lines carry frames, the authentication too
logging.getLogger("websockets.client").setLevel(logging.WARNING)


class StreamFailed(Exception):
    """The connection cannot be used any more; the text says why. It is made again."""


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """One connection. `silence_s`: longest time without any data message (0: no limit). Without topics nothing is subscribed to.

    `all_needed`: one refused topic makes the connection useless. Otherwise the others continue.
    """

    url: str
    topics: tuple[str, ...]
    silence_s: float = 0.0
    keys: Keys | None = None  # authenticate first
    auth_ahead_ms: int = AUTH_AHEAD_MS  # the venue's time for which the authentication is good
    all_needed: bool = False


class Stream:
    """Keeps one connection up for as long as `run` runs.

    `on_up` is called after the subscription was confirmed, `on_down(reason)` after a connection that was up is lost,
    `on_refused(reason)` after an attempt that did not get so far, `on_frames(raws)` with the data messages that came together, in
    order and as they come off the socket. `on_topic_refused` is called for each topic the venue does not give. `now_ms`: the
    venue's time, for signing. `rest_s`: after messages, how long the next ones may wait in the socket.
    """

    def __init__(
        self,
        config: StreamConfig,
        *,
        on_frames: Callable[[list[bytes]], None],
        on_up: Callable[[], None],
        on_down: Callable[[str], None],
        now_ms: Callable[[], int],
        on_refused: Callable[[str], None] = lambda _: None,
        on_topic_refused: Callable[[RefusedTopic], None] = lambda _: None,
        rest_s: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.config = config
        self.connections = 0
        self._on_frames = on_frames
        self._on_up = on_up
        self._on_down = on_down
        self._on_refused = on_refused
        self._on_topic_refused = on_topic_refused
        self._now_ms = now_ms
        self._rest_s = rest_s
        self._socket: DirectConnection | None = None
        self._last_data = 0.0
        self._pong = asyncio.Event()
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

    def read_on(self) -> None:
        """What waits in the socket is wanted now."""
        if self._socket is not None:
            self._socket.read_on()

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
            reported = self._on_down if up[0] else self._on_refused
            reported(reason)
            attempt = 0 if up[0] and loop.time() - began > STEADY_S else attempt + 1
            pause = BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)]
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311 - spreads reconnects

    async def _connection(self, up: list[bool]) -> None:
        async with connect(
            self.config.url, ping_interval=None, max_size=LONGEST, open_timeout=CONFIRM_S, close_timeout=1, proxy=None,
            compression=None, sock=await self._dialled(),
            create_connection=partial(DirectConnection, self._take),  # type: ignore[arg-type]  # whatever makes one will do
        ) as socket:  # fmt: skip
            assert isinstance(socket, DirectConnection)
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

    async def _dialled(self) -> Any:
        parts = urlsplit(self.config.url)
        async with asyncio.timeout(CONFIRM_S):
            return await dial(parts.hostname or "", parts.port or (443 if parts.scheme == "wss" else 80))

    async def _session(self, socket: DirectConnection, up: list[bool]) -> None:
        """From the first message to the end of the connection."""
        try:
            await self._login(socket)
            if self.config.topics:
                await self._subscribe(socket)
            up[0] = True
            self._on_up()
            self._last_data = asyncio.get_running_loop().time()
            watches = [
                asyncio.create_task(self._prove_alive(socket)),
                asyncio.create_task(self._watch_silence()),
            ]
            try:
                await socket.wait_closed()
            finally:
                for watch in watches:
                    watch.cancel()
        except WebSocketException:
            if socket.error is None:
                raise
        if socket.error is not None:
            raise socket.error

    def _take(self, messages: list[bytes]) -> None:
        frames = [
            each
            for each in messages
            if each.startswith(_DATA) or b'"topic"' in each[:400] or not self._take_reply(each)
        ]
        if frames:
            self._last_data = asyncio.get_running_loop().time()
            self._on_frames(frames)
            if self._socket is not None and (rest_s := self._rest_s()):
                self._socket.rest(rest_s)

    def _take_reply(self, data: bytes) -> bool:
        """Is it the answer to a ping, or to the operation that is waited for?

        Anything else is passed on as data: an order's answer, a message whose topic comes last, bytes that cannot be read.
        """
        try:
            message = msgspec.json.decode(data)
        except Exception:  # whatever a decoder of bytes from outside raises: not a reply
            return False
        if not isinstance(message, dict) or "topic" in message:
            return False
        if message.get("op") in _PONGS:
            self._pong.set()
            return True
        if self._asked and message.get("op") == self._asked:
            self._asked = ""
            self._replied.set_result(message)
            return True
        return False

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
        """Until every topic is confirmed or refused; StreamFailed where none, or not all that are needed, are given."""
        subscription, keys = Subscription(self.config.topics), self.config.keys
        while topics := subscription.request():
            reply = await self._ask(socket, {"req_id": "subscribe", "op": "subscribe", "args": list(topics)})
            said = str(reply.get("ret_msg", ""))[:300]
            said = keys.redact(said) if keys else said
            subscription.answered(success=reply.get("success") is True, said=said)
            if subscription.refused and self.config.all_needed:
                break
        refused = subscription.refused
        if refused and (self.config.all_needed or not subscription.confirmed):
            raise StreamFailed(f"subscription refused: {refused[0].why}")
        for each in refused:
            self._on_topic_refused(each)

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

    async def _prove_alive(self, socket: ClientConnection) -> None:
        """Ping, and drop the connection when a ping is not answered, whatever else arrives."""
        while True:
            await asyncio.sleep(PING_S)
            self._pong.clear()
            try:
                async with asyncio.timeout(PONG_S):
                    await _send(socket, {"req_id": "ping", "op": "ping"})
            except TimeoutError:
                pass  # nothing leaves any more: no answer comes either
            except (OSError, WebSocketException):
                return
            if not await self._answered():
                self.renew(f"a ping was not answered within {PONG_S:g} s")
                return

    async def _answered(self) -> bool:
        for _ in range(_PONG_LOOKS):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(PONG_S / _PONG_LOOKS):
                    await self._pong.wait()
                    return True
        return self._pong.is_set()

    async def _watch_silence(self) -> None:
        """Drop a connection whose data fell silent though it answers pings."""
        limit = self.config.silence_s
        while limit:
            await asyncio.sleep(min(5.0, limit / 4))
            if asyncio.get_running_loop().time() - self._last_data > limit:
                self.renew(f"no data for {limit:g} s")
                return


def _send(socket: ClientConnection, message: dict[str, Any]) -> Awaitable[None]:
    return socket.send(msgspec.json.encode(message).decode())


def _brief(error: BaseException) -> str:
    return str(error).splitlines()[0][:120] if str(error) else "no reason given"
