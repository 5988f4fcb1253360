"""Order entry over the venue's trade socket (ORDER_ENTRY=websocket): one connection, answers matched by reqId, no thread.

What was not handed to the socket is said to have never left, and goes by REST. What was, and has no answer, is unknown: it is
looked up by its orderLinkId and never sent again.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from websockets.exceptions import WebSocketException

from turbo_trader.bybit import trade_socket
from turbo_trader.bybit.answers import Answer
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.rest import Permit
from turbo_trader.bybit.streams import AUTH_AHEAD_MS, Stream, StreamConfig
from turbo_trader.bybit.venue_errors import FENCED, NOT_SENT, Kind, classify
from turbo_trader.live.venue_clock import VenueClock

Emit = Callable[[str, str, dict[str, Any]], None]  # name, level, fields
_Waiting = asyncio.Future[Mapping[str, Any] | None]


class TradeSocket:
    """Carries orders while its connection is up and authenticated. `permit` is asked as each request is handed over."""

    def __init__(
        self,
        url: str,
        keys: Keys,
        clock: VenueClock,
        emit: Emit,
        timeout: float,
        permit: Permit = lambda: True,
    ) -> None:
        """`timeout`: seconds for which an answer is waited for."""
        self._url = url
        self._keys = keys
        self._clock = clock
        self._emit = emit
        self._timeout = timeout
        self._permit = permit
        self._stream: Stream | None = None
        self._up = False
        self._reported = ""
        self._waiting: dict[str, _Waiting] = {}
        self._session = secrets.token_hex(8)
        self._numbers = itertools.count(1)

    @property
    def up(self) -> bool:
        """Would a request leave by it now?"""
        return self._up and self._stream is not None and self._stream.socket is not None

    async def run(self) -> None:
        """Keep the connection up until cancelled: then nothing new is taken, and what is under way may still be answered."""
        ahead = round(AUTH_AHEAD_MS * max(1.0, self._clock.speed))
        self._stream = Stream(
            StreamConfig(self._url, (), keys=self._keys, auth_ahead_ms=ahead),
            on_frames=self._on_frames,
            on_up=self._on_up,
            on_down=self._on_down,
            now_ms=lambda: self._clock.stamp() // 1_000_000,
            on_refused=self._by_rest,
        )
        connection = asyncio.create_task(self._stream.run())
        try:
            await asyncio.shield(connection)
        finally:
            self._stream = None
            if self._waiting:
                await asyncio.wait(set(self._waiting.values()), timeout=self._timeout)
            connection.cancel()
            await asyncio.gather(connection, return_exceptions=True)

    async def call(self, call: Call) -> Answer:
        """Carry out one call; never raises for what the venue or the network does. NOT_SENT: certainly not handed over."""
        stream, sent = self._stream, self._clock.stamp()
        socket = stream.socket if stream is not None and self._up else None
        if stream is None or socket is None:
            return Answer(classify(NOT_SENT), NOT_SENT, "the trade socket is not up", sent)
        # asked after the stamp is taken, as in bybit.rest; from here to the socket nothing waits
        if not self._permit():
            return Answer(classify(FENCED), FENCED, "not sent: the lease to write is not held", sent)
        name = f"{self._session}-{next(self._numbers)}"
        waiting: _Waiting = asyncio.get_running_loop().create_future()
        self._waiting[name] = waiting
        try:
            async with asyncio.timeout(self._timeout):
                await socket.send(trade_socket.request(call, name, sent // 1_000_000))
                message = await waiting
        except TimeoutError:
            stream.renew("an order was not answered in time")
            return trade_socket.unanswered("no answer in time", sent)
        except (OSError, WebSocketException):
            message = None
        finally:
            del self._waiting[name]
        if message is None:
            return trade_socket.unanswered("the connection was lost before the answer", sent)
        answer = trade_socket.answer(call, message, sent)
        if answer.code == trade_socket.RESTARTING or answer.verdict.kind is Kind.FATAL:
            stream.renew(f"the trade socket said {answer.code}")
        return replace(answer, message=self._keys.redact(answer.message))

    def _on_frames(self, raws: list[bytes]) -> None:
        for name, message in map(trade_socket.read, raws):
            waiting = self._waiting.get(name)
            if waiting is not None and not waiting.done():
                waiting.set_result(message)

    def _on_up(self) -> None:
        self._up = True
        self._emits("websocket", "")

    def _on_down(self, reason: str) -> None:
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_result(None)
        self._up = False
        self._by_rest(reason)

    def _by_rest(self, reason: str) -> None:
        self._emits("rest", reason)

    def _emits(self, way: str, why: str) -> None:
        """Say which way orders take, when it has changed."""
        if way != self._reported:
            self._reported = way
            level = "info" if way == "websocket" else "warning"
            self._emit("order-entry", level, {"way": way, "why": self._keys.redact(why)})
