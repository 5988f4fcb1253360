"""`python -m benchmarks.venue_load`: the simulated exchange with 15 symbols and many clients that only listen.

The venue runs in a process of its own. On the `dense` market its book changes every 10 ms in every symbol, so that each topic is
pushed as often as it may be; the `synthetic` one is the built-in market at its own cadence. Clients do no more than count: they
take frames off their sockets, compare each `ts` with the clock the venue goes by, and look whether each book's `u` follows.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import json
import multiprocessing
import resource
import time
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from multiprocessing.connection import Connection
from typing import Any, Final, cast

import numpy as np

from benchmarks.dense import dense_rows
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import MarketSource
from turbo_trader.exchange_server.server import serve
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import BAR, MINUTE, SECOND, Rows
from turbo_trader.simulation.synthetic import SyntheticMarket

START: Final = 1_767_603_600 * SECOND
SYMBOLS: Final = 15
WEEK: Final = 10_080  # minutes
EVERYTHING: Final = (
    "orderbook.1",
    "orderbook.50",
    "orderbook.200",
    "orderbook.1000",
    "tickers",
    "publicTrade",
    "kline.1",
)
BOT: Final = ("orderbook.50", "tickers", "publicTrade", "kline.1")
DENSE, SYNTHETIC = "dense", "synthetic"
_WARM_S: Final = 3.0  # not counted: connections open, code is compiled
_PAUSE_S: Final = 0.1  # between two requests


class DenseMarket:
    """Busy made-up books of the first instruments of the universe, `seconds` long."""

    start = START
    label = "dense"

    def __init__(self, seconds: float) -> None:
        self.instruments: tuple[Instrument, ...] = tuple(universe()[:SYMBOLS])
        count = int(seconds * 800)
        self._rows = [dense_rows(count, START, seed, busy=True) for seed in range(SYMBOLS)]
        self._at = [0] * SYMBOLS

    def history(self, symbol: str) -> Rows:
        """A week of flat minutes."""
        tick = next(float(i.tick) for i in self.instruments if i.symbol == symbol)
        bars = np.zeros(WEEK, BAR)
        bars["ts"] = START - MINUTE * np.arange(WEEK, 0, -1)
        for name in ("open", "high", "low", "close"):
            bars[name] = 100_000 * tick
        return cast("Rows", bars)

    def read(self, s: int, until: int) -> Rows:
        """The rows that have come."""
        first, rows = self._at[s], self._rows[s]
        self._at[s] = int(np.searchsorted(rows["ts"], until))
        return rows[first : self._at[s]]

    def ended(self, now: int) -> bool:
        """Not within the measurement."""
        del now
        return False


def market_of(name: str, seconds: float) -> MarketSource:
    """The dense or the built-in market, with 15 symbols."""
    return DenseMarket(seconds) if name == DENSE else SyntheticMarket(universe()[:SYMBOLS], 1, START)


def serve_load(pipe: Connection, seconds: float, market: str) -> None:
    """The other process: tell its port; from a message of the parent on, that it answers with when its clock began, to the next
    count CPU and tell it."""

    async def main() -> None:
        venue = Venue(market_of(market, seconds), VenueConfig("key", "secret", Decimal(10_000), limits=False))
        async with serve(venue) as port:
            await asyncio.sleep(0.1)
            pipe.send(port)
            await asyncio.to_thread(pipe.recv)
            pipe.send(venue.clock.began)
            before, slipped = time.process_time(), venue.clock.slipped_ns
            await asyncio.to_thread(pipe.recv)
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
            pipe.send((time.process_time() - before, (venue.clock.slipped_ns - slipped) / 1e9, peak))

    asyncio.run(main())


@dataclass
class Count:
    """What the clients saw while `open`: frames, bytes, books whose `u` did not follow, and how late each frame was (us) by a clock
    that began at `began` (ns)."""

    open: bool = False
    began: int = 0
    frames: Counter[str] = field(default_factory=Counter)
    size: int = 0
    gaps: int = 0
    late: list[float] = field(default_factory=list)
    answers: list[float] = field(default_factory=list)  # ms from a request to its answer


class Client(asyncio.Protocol):
    """A websocket client that only counts."""

    def __init__(self, topics: list[str], count: Count) -> None:
        self._topics, self._count = topics, count
        self._waiting = b""
        self._shaken = False
        self._updates: dict[bytes, int] = {}  # the last `u` of each book

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self._transport = cast("asyncio.Transport", transport)
        key = base64.b64encode(bytes(16)).decode()
        self._transport.write(
            f"GET /v5/public/linear HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        """Walk over the whole frames that have come."""
        data = self._waiting + data
        if not self._shaken:
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._waiting = head
                return
            self._shaken = True
            self._say({"op": "subscribe", "args": self._topics})
        at, now = 0, time.time_ns() - self._count.began
        while (found := _frame(data, at)) is not None:
            first, at = found
            frame = data[first:at]
            self._follow(frame)
            if self._count.open:
                self._note(frame, now)
        self._waiting = data[at:]

    def _say(self, message: dict[str, Any]) -> None:
        raw = json.dumps(message).encode()
        self._transport.write(b"\x81\xfe" + len(raw).to_bytes(2, "big") + bytes(4) + raw)  # masked with zeros

    def _follow(self, frame: bytes) -> None:
        """A difference of a book carries the next `u`."""
        if not frame.startswith(b'{"topic":"orderbook'):
            return
        topic, at = frame[10 : frame.index(b'"', 10)], frame.rfind(b'"u":') + 4
        update = int(frame[at : frame.index(b",", at)])
        if b'"type":"delta"' in frame[:100] and update != self._updates[topic] + 1:
            self._count.gaps += 1
        self._updates[topic] = update

    def _note(self, frame: bytes, now: int) -> None:
        count = self._count
        count.frames[frame[10:22].decode().partition(".")[0]] += 1
        count.size += len(frame)
        at = frame.find(b'"ts":') + 5
        count.late.append((now - int(frame[at : at + 13]) * 1_000_000 + START) / 1e3)


def _frame(data: bytes, at: int) -> tuple[int, int] | None:
    """(first byte, end) of the payload of the frame that begins at `at`; None while it is not whole."""
    if len(data) < at + 10 and len(data) < at + 2 + (data[at + 1] if len(data) > at + 1 else 200):
        return None
    size, first = data[at + 1], at + 2
    if size == 126:
        size, first = int.from_bytes(data[at + 2 : at + 4], "big"), at + 4
    elif size == 127:
        size, first = int.from_bytes(data[at + 2 : at + 10], "big"), at + 10
    return (first, first + size) if len(data) >= first + size else None


async def ask(port: int, count: Count) -> None:
    """A request every tenth of a second over one connection."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    while True:
        began = time.perf_counter()
        writer.write(b"GET /v5/market/tickers?category=linear&symbol=BTCUSDT HTTP/1.1\r\nHost: a\r\n\r\n")
        head = await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]))
        if count.open:
            count.answers.append((time.perf_counter() - began) * 1e3)
        await asyncio.sleep(_PAUSE_S)


async def listen(pipe: Connection, clients: int, topics: tuple[str, ...], seconds: float) -> Count:
    """Let the clients count for `seconds`."""
    port = await asyncio.to_thread(pipe.recv)
    loop, count = asyncio.get_running_loop(), Count()
    wanted = [f"{topic}.{i.symbol}" for topic in topics for i in universe()[:SYMBOLS]]
    asking = asyncio.create_task(ask(port, count))
    for _ in range(clients):
        await loop.create_connection(lambda: Client(wanted, count), "127.0.0.1", port)
    await asyncio.sleep(_WARM_S)
    pipe.send("begin")
    count.began = await asyncio.to_thread(pipe.recv)
    count.open = True
    await asyncio.sleep(seconds)
    count.open = False
    pipe.send("end")
    asking.cancel()
    return count


@dataclass(frozen=True, slots=True)
class Measured:
    """What the clients counted in `seconds`, and what the venue spent: CPU and clock time lost (s), most memory (MB)."""

    clients: int
    seconds: float
    count: Count
    cpu_s: float
    slipped_s: float
    peak_mb: float

    def __str__(self) -> str:
        count, seconds = self.count, self.seconds
        total = sum(count.frames.values()) / seconds
        each = ", ".join(
            f"{name} {n / seconds / self.clients:,.0f}" for name, n in count.frames.most_common()
        )
        late, answers = np.percentile(count.late, [50, 99]) / 1e3, np.percentile(count.answers, [50, 99])
        return (
            f"CPU                {self.cpu_s / seconds:8.0%} of one core\n"
            f"frames             {total:8,.0f} /s to {self.clients} clients, {count.size / seconds / 1e6:.1f} MB/s\n"
            f"frames of a client {total / self.clients:8,.0f} /s: {each}\n"
            f"lateness of frames p50 {late[0]:.2f} ms   p99 {late[1]:.2f} ms   gaps in books {count.gaps}\n"
            f"answers to GET     p50 {answers[0]:.2f} ms   p99 {answers[1]:.2f} ms\n"
            f"clock lost         {self.slipped_s:8.3f} s   memory at most {self.peak_mb:.0f} MB"
        )


def measure(
    clients: int = 10, topics: tuple[str, ...] = EVERYTHING, seconds: float = 20.0, market: str = DENSE
) -> Measured:
    """Serve, listen and count."""
    pipe, other = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=serve_load, args=(other, seconds + _WARM_S + 10, market), daemon=True
    )
    process.start()
    count = asyncio.run(listen(pipe, clients, topics, seconds))
    spent: tuple[float, float, float] = pipe.recv()
    process.join(10)
    return Measured(clients, seconds, count, *spent)


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(
        description="CPU, frames and lateness of the simulated exchange at full cadence"
    )
    options.add_argument("--clients", type=int, default=10)
    options.add_argument("--seconds", type=float, default=20.0)
    options.add_argument("--bot", action="store_true", help="only the topics a bot listens to")
    options.add_argument("--topics", help="others, such as orderbook.50,tickers,publicTrade")
    options.add_argument("--market", choices=(DENSE, SYNTHETIC), default=DENSE)
    given = options.parse_args()
    topics = tuple(given.topics.split(",")) if given.topics else BOT if given.bot else EVERYTHING
    print(measure(given.clients, topics, given.seconds, given.market))


if __name__ == "__main__":
    main()
