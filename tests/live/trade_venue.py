"""A scripted trade socket of the venue, and the daemon's side of it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from tests.canned_servers import listening
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.live.order_entry import TradeSocket
from turbo_trader.live.venue_clock import VenueClock

KEYS = Keys("KEYKEYKEYKEYKEY", "SECRETSECRETSECRET")
Asked = dict[str, Any]
OnOrder = Callable[[ServerConnection, Asked], Awaitable[None]]


def reply(asked: Asked, code: int = 0, message: str = "OK", **header: str) -> str:
    return json.dumps(
        {"reqId": asked["reqId"], "retCode": code, "retMsg": message, "op": asked["op"], "data": {}, "header": header}
    )  # fmt: skip


class TradeVenue:
    """A trade socket that authenticates, and answers orders as scripted: out of order, late, twice, or with what is no answer.

    The simulated exchange says none of these; order entry against it, with its faults, is in `test_order_entry_venue`.
    """

    def __init__(self, on_order: OnOrder | None = None) -> None:
        self.orders: list[Asked] = []
        self.pings = 0
        self.auth_code = 0
        self.authenticates = asyncio.Event()
        self.authenticates.set()
        self.silent = False
        self.connections = 0
        self._on_order = on_order or self._accept

    @staticmethod
    async def _accept(socket: ServerConnection, asked: Asked) -> None:
        await socket.send(reply(asked))

    async def handler(self, socket: ServerConnection) -> None:
        self.connections += 1
        async for raw in socket:
            asked = json.loads(raw)
            if asked["op"] == "auth":
                await self.authenticates.wait()
                await socket.send(
                    json.dumps({"retCode": self.auth_code, "retMsg": f"for {asked['args']}", "op": "auth"})
                )
            elif asked["op"] == "ping":
                self.pings += 1
                if not self.silent:
                    await socket.send(json.dumps({"retCode": 0, "op": "pong", "data": ["1"]}))
            else:
                self.orders.append(asked)
                await self._on_order(socket, asked)


class Way:
    """A trade socket of the daemon, and what it reported."""

    def __init__(self, url: str, timeout: float, permit: Callable[[], bool]) -> None:
        self.reported: list[dict[str, Any]] = []
        self.clock = VenueClock()
        self.socket = TradeSocket(
            url, KEYS, self.clock, lambda name, level, fields: self.reported.append({"name": name, **fields}), timeout, permit
        )  # fmt: skip
        self.running = asyncio.create_task(self.socket.run())


@asynccontextmanager
async def connected(
    venue: TradeVenue, answer_s: float = 2.0, permit: Callable[[], bool] = lambda: True, *, wait: bool = True
) -> AsyncIterator[Way]:
    async with listening(venue.handler) as url:
        way = Way(f"{url}/v5/trade", answer_s, permit)
        try:
            if wait:
                await until(lambda: way.socket.up)
            yield way
        finally:
            venue.authenticates.set()
            way.running.cancel()
            await asyncio.gather(way.running, return_exceptions=True)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
