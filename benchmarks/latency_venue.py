"""A hand-made venue in a process of its own, for `benchmarks.latency` and `benchmarks.load`: a given number of public frames a
second, one position held, and now and then a frame that moves the held symbol's best bid past its first zone. It notes when that
frame was handed to its socket and when the stop change came in, in ns of the machine's monotonic clock.

The simulated exchange is not used here: it pushes frames at steps of 10 ms, where this needs thousands a second, evenly spread; it
refuses a stop that is already in place, where the same stop change is measured again and again; and its own work would be measured.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import ssl
import time
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed
from websockets.protocol import State

from turbo_trader.exchange.protocol.render_market import instrument
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe

ENTRY = 60_000  # USDT, of the position held in the universe's first symbol
QTY = "0.010"
LOW, HIGH = "60300.00", "60700.00"  # best bids below and beyond the first zone of a target 2 % away
PROBE = b'"probe":1'  # in the frame that moves the stop
LIMIT = {
    "X-Bapi-Limit": "1000",
    "X-Bapi-Limit-Status": "999",
}  # the measurement asks for more than 10 a second
_QUIET_S = (0.015, 0.035)  # between two stop changes
_LOST_S = 2.0  # a stop change that did not come by then is counted as lost
_LEVELS = 50


@dataclass(slots=True)
class Book:
    """One symbol's topics: where its updates stand."""

    instrument: Instrument
    price: int  # ticks of the best bid
    socket: ServerConnection | None = None
    update: int = 1
    bids: list[str] = field(default_factory=list)
    asks: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        first = (
            self.price if self.instrument.symbol != "BTCUSDT" else 607_010
        )  # best ask of the held symbol: above HIGH
        self.bids = [str(self.instrument.price(self.price - n)) for n in range(_LEVELS)]
        self.asks = [str(self.instrument.price(first + 1 + n)) for n in range(_LEVELS)]

    def snapshot(self) -> bytes:
        """The whole book."""
        self.update = 1
        bids = [[price, "1"] for price in self.bids]
        asks = [[price, "1"] for price in self.asks]
        return self._book("snapshot", json.dumps(bids), json.dumps(asks))

    def delta(self, n: int, extra: str = "") -> bytes:
        """Five new sizes on each side, about 400 bytes; `extra`: one more bid level, as JSON."""
        self.update += 1
        size = 1 + n % 89
        at = range(1 + n % 40, 6 + n % 40)
        bids = ",".join([f'["{self.bids[i]}","{size}.{i}"]' for i in at])
        asks = ",".join([f'["{self.asks[i]}","{size}.{i}"]' for i in at])
        return self._book("delta", f"[{extra},{bids}]" if extra else f"[{bids}]", f"[{asks}]")

    def print(self, n: int) -> bytes:
        """One public trade."""
        ms, side = time.time_ns() // 1_000_000, ("Buy", "Sell")[n & 1]
        return framed(
            f'{{"topic":"publicTrade.{self.instrument.symbol}","type":"snapshot","ts":{ms},"data":[{{"T":{ms},'
            f'"s":"{self.instrument.symbol}","S":"{side}","v":"1","p":"{self.bids[0]}","L":"PlusTick","i":"{n}","BT":false}}]}}'
        )

    def ticker(self) -> bytes:
        """Mark and index price."""
        ms = time.time_ns() // 1_000_000
        return framed(
            f'{{"topic":"tickers.{self.instrument.symbol}","type":"delta","ts":{ms},"cs":1,"data":{{'
            f'"symbol":"{self.instrument.symbol}","markPrice":"{self.bids[0]}","indexPrice":"{self.bids[0]}"}}}}'
        )

    def _book(self, kind: str, bids: str, asks: str) -> bytes:
        ms = time.time_ns() // 1_000_000
        probe = ',"probe":1' if HIGH in bids and f'"{HIGH}","0"' not in bids else ""
        return framed(
            f'{{"topic":"orderbook.50.{self.instrument.symbol}","type":"{kind}","ts":{ms}{probe},"data":{{'
            f'"s":"{self.instrument.symbol}","b":{bids},"a":{asks},"u":{self.update},"seq":{self.update}}},"cts":{ms}}}'
        )


def framed(text: str) -> bytes:
    """A text frame of a websocket server, not masked."""
    data = text.encode()
    size = len(data)
    head = bytes([0x81, size]) if size < 126 else b"\x81\x7e" + size.to_bytes(2, "big")
    return head + data


class Market:
    """Everything the venue knows."""

    def __init__(self, per_second: int, *, moving: bool, held: bool) -> None:
        """`moving`: now and then a frame moves the stop, and two of ten are prints; else all but one of fifty are book frames.
        `held`: the position is there."""
        self.per_second = per_second
        self._moving = moving
        self._held = held
        self.books = {
            i.symbol: Book(i, 603_000 if i.symbol == "BTCUSDT" else 100_000 + 7 * n)
            for n, i in enumerate(universe())
        }
        self.stop = "58800"  # the venue's stop of the position
        self.sent: list[int] = []  # when the frame that moves the stop was handed to its socket
        self.arrived: list[int] = []  # when the stop change came in
        self.frames = 0
        self.lost = 0
        self.running = True
        self._waiting = 0.0  # since when a stop change is waited for; 0: none is
        self._random = random.Random(1)  # noqa: S311 - spreads the changes, nothing secret

    # -- public frames

    async def pace(self) -> None:
        """Once all are subscribed to: send frames at the rate given, the next stop change when the last one is through."""
        while self.running and not all(  # noqa: ASYNC110 - nobody tells
            book.socket for book in self.books.values()
        ):
            await asyncio.sleep(0.05)
        order = list(self.books.values())
        held = self.books["BTCUSDT"]
        began, sent, quiet = time.monotonic(), 0, time.monotonic() + 1.0
        high = False
        while self.running:
            now = time.monotonic()
            while sent < (now - began) * self.per_second:
                sent += 1
                self._send(order[sent % len(order)], sent)
            if self._waiting and now - self._waiting > _LOST_S:
                self._waiting, self.lost = 0.0, self.lost + 1
            elif self._moving and not self._waiting and now > quiet:
                quiet = now + self._random.uniform(*_QUIET_S)
                sent += 1
                level, high = (f'["{HIGH}","0"]', False) if high else (f'["{HIGH}","1"]', True)
                frame = held.delta(sent, level)
                if high:
                    self._waiting = now
                    self.sent.append(time.monotonic_ns())
                self._write(held, frame)
            await asyncio.sleep(0.0005)
        self.frames = sent

    def _send(self, book: Book, n: int) -> None:
        kind = n // len(self.books) % (10 if self._moving else 50)
        printed = self._moving and kind in (3, 7)
        self._write(book, book.ticker() if kind == 0 else book.print(n) if printed else book.delta(n))

    @staticmethod
    def _write(book: Book, frame: bytes) -> None:
        if (
            book.socket is not None
            and book.socket.state is State.OPEN
            and not book.socket.transport.is_closing()
        ):
            book.socket.transport.write(frame)

    async def stream(self, socket: ServerConnection) -> None:
        """A public or private connection: replies to what is asked, then frames."""
        with contextlib.suppress(ConnectionClosed):
            await self._listen(socket)

    async def _listen(self, socket: ServerConnection) -> None:
        async for raw in socket:
            asked = json.loads(raw)
            reply = {
                "success": True, "ret_msg": "", "op": asked["op"], "req_id": asked.get("req_id", ""), "conn_id": "1",
            }  # fmt: skip
            await socket.send(json.dumps(reply))
            for topic in asked.get("args", ()) if asked["op"] == "subscribe" else ():
                kind, _, symbol = str(topic).rpartition(".")
                if kind.startswith("orderbook"):
                    self.books[symbol].socket = socket
                    self._write(self.books[symbol], self.books[symbol].snapshot())

    # -- requests

    def answer(self, path: str, query: str, body: bytes, at: int) -> bytes:
        """The answer to a request whose first byte came at `at`."""
        if path == "/v5/position/trading-stop":
            if self._waiting:
                self.arrived.append(at)
                self._waiting = 0.0
            self.stop = json.loads(body).get("stopLoss", self.stop)
        result = self._result(path, query)
        now = time.time_ns()
        data = json.dumps(
            {
                "retCode": 0,
                "retMsg": "OK",
                "result": result,
                "retExtInfo": {},
                "time": now // 1_000_000,
            }
        ).encode()
        head = "".join(f"{name}: {value}\r\n" for name, value in LIMIT.items())
        return (
            f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(data)}\r\n{head}\r\n".encode()
            + data
        )

    def _result(self, path: str, query: str) -> dict[str, Any]:
        match path.removeprefix("/v5/"):
            case "market/time":
                return {"timeNano": str(time.time_ns())}
            case "market/instruments-info":
                return {
                    "list": [
                        instrument(book.instrument)
                        for symbol, book in self.books.items()
                        if f"symbol={symbol}" in query
                    ]
                }
            case "account/info":
                return {"marginMode": "ISOLATED_MARGIN"}
            case "account/wallet-balance":
                coin = {
                    "coin": "USDT",
                    "walletBalance": "1000",
                    "totalPositionIM": "120" if self._held else "0",
                    "totalOrderIM": "0",
                }
                return {"list": [{"accountType": "UNIFIED", "coin": [coin]}]}
            case "position/list" if self._held:
                item = {
                    "symbol": "BTCUSDT", "side": "Buy", "size": QTY, "avgPrice": str(ENTRY), "leverage": "5", "positionIdx": 0,
                    "stopLoss": self.stop, "takeProfit": "61500", "liqPrice": "49000", "markPrice": LOW, "seq": 1,
                }  # fmt: skip
                return {"list": [item]}
        return {"list": []}


class Requests(asyncio.Protocol):
    """HTTP/1.1, kept alive, one request at a time."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._buffer = b""
        self._began = 0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Answer every request that is complete; its time is that of its first byte."""
        if not self._buffer:
            self._began = time.monotonic_ns()
        self._buffer += data
        while True:
            head, found, rest = self._buffer.partition(b"\r\n\r\n")
            _, reported, length = head.lower().partition(b"content-length:")
            size = int(length.split(b"\r\n", 1)[0]) if reported else 0
            if not found or len(rest) < size:
                return
            self._buffer = rest[size:]
            target = urlsplit(head.split(b" ", 2)[1].decode())
            self._transport.write(self._market.answer(target.path, target.query, rest[:size], self._began))


async def _serve(
    pipe: Connection, per_second: int, certificate: Path | None, *, moving: bool, held: bool
) -> None:
    market = Market(per_second, moving=moving, held=held)
    tls = None
    if certificate is not None:
        tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        tls.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()
    rest = await loop.create_server(lambda: Requests(market), "127.0.0.1", 0)
    async with (
        rest,
        serve(market.stream, "127.0.0.1", 0, compression=None, ping_interval=None, ssl=tls) as streams,
    ):
        pipe.send((rest.sockets[0].getsockname()[1], next(iter(streams.sockets)).getsockname()[1]))
        pacing = asyncio.create_task(market.pace())
        await loop.run_in_executor(None, pipe.recv)
        market.running = False
        await pacing
        pipe.send((market.sent, market.arrived, market.frames, market.lost))


def run(
    pipe: Connection,
    per_second: int,
    certificate: Path | None = None,
    *,
    moving: bool = True,
    held: bool = True,
) -> None:
    """The process: sends its ports (REST, streams), runs until anything is sent to it, sends (sent, arrived, frames, lost).

    `certificate`: of its streams, with its key; None: they are not encrypted.
    """
    asyncio.run(_serve(pipe, per_second, certificate, moving=moving, held=held))
