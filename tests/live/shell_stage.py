"""A daemon around a scripted Trader, against a venue of canned answers: what its tests have in common."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from tests import sent_orders
from tests.canned_servers import Canned, canned, listening
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit.endpoints import Endpoints, Keys, loopback
from turbo_trader.exchange.protocol import render_market
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.exchange_server import exchange_host, server
from turbo_trader.live.daemon_settings import DaemonSettings, Summary
from turbo_trader.live.shell import Shell
from turbo_trader.market.frame_json import Unread, one_by_one
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import ROW, TRADE, WHOLE
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Stopped
from turbo_trader.trader.events import Control, MarketRows

NOW_MS = 1_770_000_000_000
BITCOIN = universe()[0]
INFO = render_market.instrument(BITCOIN)
KEYS = Keys("key-of-test", "secret-of-test")
entry = sent_orders.entry


class Venue:
    """Canned REST answers by path; `seen` are the requests in order.

    The simulated exchange cannot give these tests what they need: a fixed time, answers of codes and shapes that they choose
    request by request, rows of an account that has none, and a start within milliseconds. What it can say, `Simulated` says.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.created: list[dict[str, Any]] = []
        self.on_create: Callable[[], dict[str, Any]] = lambda: {
            "retCode": 0,
            "retMsg": "OK",
            "result": {"orderId": "u"},
        }
        self.sockets: list[ServerConnection] = []

    def answer(self, target: str, body: bytes) -> dict[str, Any]:
        parts = urlsplit(target)
        query = parse_qs(parts.query)
        self.seen.append(parts.path)
        result: dict[str, Any] = {"list": []}
        match parts.path:
            case "/v5/market/time":
                result = {"timeNano": str(NOW_MS * 1_000_000)}
            case "/v5/market/instruments-info" if query["symbol"] == ["BTCUSDT"]:
                result = {"list": [INFO]}
            case "/v5/market/kline":
                end, start = int(query["end"][0]), int(query["start"][0])
                rows = [[str(t), "1", "2", "0.5", "1.5", "10", "15"] for t in range(end, start - 1, -60_000)]
                result = {"list": rows}
            case "/v5/account/info":
                result = {"marginMode": "ISOLATED_MARGIN"}
            case "/v5/order/create":
                self.created.append(json.loads(body))
                return self.on_create()
        return {"retCode": 0, "retMsg": "OK", "result": result, "time": NOW_MS}

    async def stream(self, socket: ServerConnection) -> None:
        self.sockets.append(socket)
        async for raw in socket:
            asked = json.loads(raw)
            await socket.send(json.dumps({"success": True, "ret_msg": "", "op": asked["op"]}))
            if asked["op"] == "subscribe" and "execution" in asked["args"]:
                item = {
                    "symbol": "BTCUSDT",
                    "execId": "e",
                    "side": "Buy",
                    "execQty": "1",
                    "execPrice": "2",
                    "execType": "Trade",
                }
                await socket.send(json.dumps({"topic": "execution", "creationTime": NOW_MS, "data": [item]}))
            elif asked["op"] == "subscribe":
                await socket.send(json.dumps({"topic": "publicTrade.BTCUSDT", "data": []}))

    def http(self) -> AbstractContextManager[str]:
        return canned(lambda asked: Canned(json.dumps(self.answer(asked.target, asked.body)).encode()))

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Endpoints]:
        with self.http() as rest:
            async with listening(self.stream) as url:
                yield Endpoints(
                    "loopback", rest, *(f"{url}/v5/{face}" for face in ("public/linear", "private", "trade"))
                )


class Simulated:
    """The simulated exchange in the place of `Venue`: it lists bitcoin, and a test may change the listing while it is served."""

    def __init__(self, venue: exchange_host.Venue) -> None:
        self._venue = venue
        venue.add_key(Key(key=KEYS.key, secret=KEYS.secret, uid="1"))

    def relist(self, **changed: Any) -> None:
        self._venue.relist(replace(BITCOIN, **changed))

    @asynccontextmanager
    async def up(self) -> AsyncIterator[Endpoints]:
        async with server.serve(self._venue) as port:
            yield loopback(port)


class Scripted:
    """A Trader that does what the test says."""

    def __init__(self, script: Callable[["Scripted", Any], Sequence[Any]]) -> None:
        self.states = np.ones(1, [("ts", "i8"), ("watch_side", "i1")])
        self.events: list[Any] = []
        self.restored: dict[str, Any] | None = None
        self.due = 0
        self._script = script

    def build(self, instruments: Any, policy: Any, boot: str, start_ts: int, restored: Any) -> "Scripted":
        self.boot = boot
        self.restored = restored
        self.due = start_ts + 10**18
        return self

    def handle(self, event: Any) -> Sequence[Any]:
        self.events.append(event)
        if isinstance(event, Control) and event.verb == "stop":
            return [Stopped(event.ts, f"stop by {event.by}")]
        return self._script(self, event)

    def take_rows(self, ts: int, s: int, rows: Any) -> bool:
        return bool(self.handle(MarketRows(ts, s, rows)))

    def idle_until(self, symbols: Sequence[int]) -> int:
        return 0

    def next_time(self) -> int:
        return self.due

    def view(self) -> Any:
        return {}

    def summary(self) -> dict[str, Any]:
        return {"trades": 0}

    def of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


class OneTrade:
    def decode_all(self, raws: Sequence[bytes], unread: Unread) -> Iterable[tuple[int, Any]]:
        return one_by_one(self.decode, raws, unread)

    def decode(self, raw: bytes) -> tuple[int, Any] | None:
        rows = np.zeros(1, ROW)
        rows["kind"] = TRADE | WHOLE
        return 0, rows


def nothing(trader: Scripted, event: Any) -> Sequence[Any]:
    return []


async def run(venue: Venue | Simulated, trader: Scripted, folder: Path, **options: Any) -> Summary:
    policy = options.pop("policy", Policy())
    decoder = options.pop("decoder", lambda instruments: OneTrade())
    async with venue.up() as endpoints:
        symbols = options.pop("symbols", ("BTCUSDT",))
        settings = DaemonSettings(endpoints, KEYS, symbols, folder, **{"duration_s": 0.6, **options})
        shell = Shell(settings, policy, None, build=trader.build, decoder=decoder)
        return await asyncio.wait_for(shell.run(), 20)
