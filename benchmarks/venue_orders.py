"""`python -m benchmarks.venue_orders`: a thousand idle sockets, and a thousand orders in a second, several times.

The exchange is `turbo-trader exchange` on the built-in market, a process of its own. While the sockets stand by, workers send
market orders, limit orders, cancels and requests that have to be refused, evenly over a second, each over a connection of its own.
Every answer is compared with the one that is due, and at the end the books with what was asked.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import hmac
import json
import resource
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
from websockets.asyncio.client import ClientConnection, connect

WORKERS: Final = 50
PAUSE_S: Final = 2.0  # between two seconds of orders
KEY, SECRET = "key", "secret"
Answer = tuple[int, str, str]  # code, text, the order's link id
#: The requests of a worker in turn: operation, what of the order is its own, the code that is due.
TURNS: Final[tuple[tuple[str, dict[str, str], int], ...]] = (
    ("order.create", {"side": "Buy", "orderType": "Market", "qty": "0.001"}, 0),
    ("order.create", {"side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "80000", "timeInForce": "PostOnly"}, 0),
    ("order.cancel", {}, 0),
    ("order.create", {"side": "Sell", "orderType": "Market", "qty": "0.001"}, 0),
    ("order.cancel", {}, 110001),
)  # fmt: skip


@dataclass
class Found:
    """What came of the seconds: requests, wrong answers by what they were, ms from each request to its answer, CPU (s) and memory
    (MB): before the sockets, with them, after each second."""

    requests: int = 0
    wrong: Counter[str] = field(default_factory=Counter)
    took: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    books: list[str] = field(default_factory=list)  # what is not as it has to be at the end

    def __str__(self) -> str:
        took, rate = np.percentile(self.took, [50, 99]), self.requests / sum(self.seconds)
        before, idle, *after = self.memory
        each = ", ".join(f"{mb:.0f}" for mb in after)
        return (
            f"requests           {self.requests}, {rate:,.0f} /s, the slowest second {max(self.seconds):.2f} s\n"
            f"wrong answers      {sum(self.wrong.values())} {dict(self.wrong) or ''}\n"
            f"books at the end   {'; '.join(self.books) or 'as asked'}\n"
            f"answers            p50 {took[0]:.2f} ms   p99 {took[1]:.2f} ms   at most {max(self.took):.1f} ms\n"
            f"CPU                {sum(self.cpu) / len(self.cpu):.2f} s of one core for such a second\n"
            f"memory             {before:.0f} MB, with the sockets {idle:.0f}, after each second {each}"
        )


@contextmanager
def running() -> Iterator[tuple[int, int]]:
    """An exchange: its process id and its port."""
    command = [sys.executable, "-m", "turbo_trader.console", "exchange", "--port", "0", "--no-limits", "--control", "--json",
               "--balance", "1000000"]  # fmt: skip
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(json.dumps({"key": KEY, "secret": SECRET}) + "\n")
        process.stdin.flush()
        port = int(json.loads(process.stdout.readline())["port"])
        try:
            yield process.pid, port
        finally:
            process.stdin.close()  # which ends it


@asynccontextmanager
async def idle_sockets(port: int, count: int) -> AsyncIterator[None]:
    """So many public websockets that say nothing."""
    asked = (
        b"GET /v5/public/linear HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
    )
    writers = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked)
        await reader.readuntil(b"\r\n\r\n")
        writers.append(writer)
    yield
    for writer in writers:
        writer.close()
    for writer in writers:
        with suppress(OSError):
            await writer.wait_closed()


class Rest:
    """One connection of REST, one request at a time."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    @classmethod
    async def connect(cls, port: int) -> Rest:
        """A connection."""
        return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def order(self, operation: str, order: Mapping[str, str]) -> Answer:
        """Send an order, or cancel it."""
        body = json.dumps(order)
        answer = await self.ask("POST", f"/v5/{operation.replace('.', '/')}", body)
        return answer["retCode"], answer["retMsg"], answer["result"].get("orderLinkId", "")

    async def ask(self, method: str, path: str, body: str = "") -> dict[str, Any]:
        """The answer's JSON object."""
        stamp = str(time.time_ns() // 1_000_000)
        self._writer.write(
            f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
            f"X-BAPI-API-KEY: {KEY}\r\nX-BAPI-TIMESTAMP: {stamp}\r\nX-BAPI-RECV-WINDOW: 5000\r\n"
            f"X-BAPI-SIGN: {signed(stamp + KEY + '5000' + body)}\r\n\r\n{body}".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        answer: dict[str, Any] = json.loads(await self._reader.readexactly(length))
        return answer


class Socket:
    """One trade socket, one operation at a time."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket

    @classmethod
    async def connect(cls, port: int) -> Socket:
        """A connection that may trade."""
        socket = await connect(f"ws://127.0.0.1:{port}/v5/trade", proxy=None)
        expires = str(time.time_ns() // 1_000_000 + 10_000)
        await socket.send(
            json.dumps({"op": "auth", "args": [KEY, int(expires), signed(f"GET/realtime{expires}")]})
        )
        assert json.loads(await socket.recv())["retCode"] == 0
        return cls(socket)

    async def order(self, operation: str, order: Mapping[str, str]) -> Answer:
        """Send an order, or cancel it."""
        stamp = str(time.time_ns() // 1_000_000)
        await self._socket.send(
            json.dumps({"op": operation, "args": [order], "header": {"X-BAPI-TIMESTAMP": stamp}})
        )
        answer = json.loads(await self._socket.recv())
        return answer["retCode"], answer["retMsg"], (answer.get("data") or {}).get("orderLinkId", "")


def signed(text: str) -> str:
    """The signature of a text."""
    return hmac.new(SECRET.encode(), text.encode(), hashlib.sha256).hexdigest()


async def worker(caller: Rest | Socket, name: str, requests: int, starts: float, found: Found) -> None:
    """Its share of the orders of a second, evenly spread."""
    for n in range(requests):
        await asyncio.sleep(max(0.0, starts + n / requests - time.monotonic()))
        operation, own, due = TURNS[n % len(TURNS)]
        link = (
            f"{name}-{n if own else n - 1}"  # a cancel: of the order before; the second one finds it filled
        )
        order = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": link, **own}
        began = time.perf_counter()
        code, text, said = await caller.order(operation, order)
        found.took.append((time.perf_counter() - began) * 1e3)
        found.requests += 1
        if code != due or (not due and said != link):
            found.wrong[f"{operation}: {code} {text}"] += 1


async def look_at_books(port: int, found: Found) -> None:
    """Every buy was sold again, every limit order cancelled, and each order was made once."""
    account = (await (await Rest.connect(port)).ask("GET", "/control/accounts"))["accounts"][0]
    turns = [TURNS[n % len(TURNS)][0] for n in range(found.requests)]
    made = turns.count("order.create")
    if account["positions"] or account["orders"]:
        found.books.append(f"positions {account['positions']}, orders {account['orders']}")
    if account["created"] != made:
        found.books.append(f"{account['created']} orders were made, {made} were asked for")
    if account["trades"] < made * 2 // 3:
        found.books.append(f"{account['trades']} trades of {made * 2 // 3} market orders")


async def measure(process: int, port: int, sockets: int, orders: int, seconds: int, *, rest: bool) -> Found:
    """So many sockets that stand by, and so many seconds with so many orders each, by trade socket or by REST."""
    found, each = Found(), orders // WORKERS
    callers = [await (Rest if rest else Socket).connect(port) for _ in range(WORKERS)]
    found.memory.append(resident_mb(process))
    async with idle_sockets(port, sockets):
        found.memory.append(resident_mb(process))
        for second in range(seconds):
            cpu, starts = cpu_s(process), time.monotonic() + 0.1
            names = (f"{second}-{n}" for n in range(WORKERS))
            await asyncio.gather(
                *(worker(c, name, each, starts, found) for c, name in zip(callers, names, strict=True))
            )
            found.seconds.append(max(1.0, time.monotonic() - starts))
            found.cpu.append(cpu_s(process) - cpu)
            found.memory.append(resident_mb(process))
            await asyncio.sleep(PAUSE_S)
        await look_at_books(port, found)
    return found


def resident_mb(process: int) -> float:
    """Memory of a process that is in use, MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def cpu_s(process: int) -> float:
    """CPU that a process has used, s."""
    times = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(times[11]) + int(times[12])) / 100


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    options.add_argument("--sockets", type=int, default=1_000)
    options.add_argument("--orders", type=int, default=1_000, help="requests a second")
    options.add_argument("--rest", action="store_true", help="by REST; else by trade socket")
    options.add_argument("--seconds", type=int, default=10)
    given = options.parse_args()
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with running() as (process, port):
        print(
            asyncio.run(measure(process, port, given.sockets, given.orders, given.seconds, rest=given.rest))
        )


if __name__ == "__main__":
    main()
