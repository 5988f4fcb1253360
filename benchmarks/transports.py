"""`scripts/bench transports`: what carries a signed request, ours against aiohttp, on an idle loop and on one that is half busy.

Both send what the same Signer makes of the same stop change, over one kept connection to a server in another process that
answers at once. In turns, so that the machine's moods meet both. Busy: half a millisecond of work, half a millisecond without,
again and again.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import time
from collections.abc import Awaitable, Callable
from multiprocessing.connection import Connection as Pipe
from typing import Final, cast

import aiohttp
import numpy as np
import uvloop

from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.bybit.rest import Request, Signer
from turbo_trader.bybit.transport import Connection

COUNT: Final = 2_000  # requests by each, idle and busy
_WARM: Final = 100  # not counted
_ANSWER: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Bapi-Limit: 10\r\nX-Bapi-Limit-Status: 9\r\n"
    b"Content-Length: 69\r\n\r\n" + b'{"retCode":0,"retMsg":"OK","result":{},"retExtInfo":{},"time":177e10}'
)
Send = Callable[[Request], Awaitable[int]]


class Answering(asyncio.Protocol):
    """One connection of the server: an answer for each whole request."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Nothing has come yet."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        self._come = b""

    def data_received(self, data: bytes) -> None:
        """Answer what is whole."""
        self._come += data
        while b"\r\n\r\n" in self._come:
            head, rest = self._come.split(b"\r\n\r\n", 1)
            length = next(
                int(each.split(b":")[1])
                for each in head.split(b"\r\n")
                if each.lower().startswith(b"content-length")
            )
            if len(rest) < length:
                return
            self._come = rest[length:]
            self._transport.write(_ANSWER)


def serve(pipe: Pipe) -> None:
    """In another process: its port into the pipe, then answers until it is ended."""

    async def run() -> None:
        server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0)
        pipe.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    uvloop.run(run())


async def measure(port: int, count: int = COUNT) -> dict[str, list[float]]:
    """Milliseconds from the call to the answer, by way and loop."""
    signer = Signer(Keys("key", "secret"), time.time_ns, lambda: True)
    params = {
        "category": "linear",
        "symbol": "BTCUSDT",
        "stopLoss": "60303",
        "tpslMode": "Full",
        "positionIdx": 0,
    }
    call = Call("set_trading_stop", "position", params)
    loop = asyncio.get_running_loop()
    _, ours = await loop.create_connection(lambda: Connection("127.0.0.1"), "127.0.0.1", port)
    found: dict[str, list[float]] = {}
    async with aiohttp.ClientSession(
        f"http://127.0.0.1:{port}",
        connector=aiohttp.TCPConnector(limit=1),
        timeout=aiohttp.ClientTimeout(total=5),
    ) as session:

        async def by_ours(asked: Request) -> int:
            return (await ours.exchange(asked.method, asked.target, asked.headers, asked.body, 5.0)).status

        async def by_aiohttp(asked: Request) -> int:
            async with session.post(asked.target, data=asked.body, headers=asked.headers) as answer:
                await answer.read()
                return answer.status

        for name in ("idle", "half busy"):
            busy = loop.create_task(_busy()) if name == "half busy" else None
            for i in range(2 * (count + _WARM)):
                way, send = (("ours", by_ours), ("aiohttp", by_aiohttp))[i % 2]
                taken = await _timed(signer, call, send)
                if i >= 2 * _WARM:
                    found.setdefault(f"{way}, {name}", []).append(taken)
            if busy is not None:
                busy.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await busy
    ours.drop()
    return found


async def _timed(signer: Signer, call: Call, send: Send) -> float:
    await asyncio.sleep(0.0007)
    began = time.perf_counter()
    status = await send(signer.request(call))
    taken = 1e3 * (time.perf_counter() - began)
    assert status == 200
    return taken


async def _busy() -> None:
    while True:
        until = time.perf_counter() + 0.0005
        while time.perf_counter() < until:
            pass
        await asyncio.sleep(0.0005)


def main() -> None:
    """Print p50, p90 and p99 of each, ms."""
    here, there = multiprocessing.Pipe()
    server = multiprocessing.get_context("spawn").Process(target=serve, args=(there,), daemon=True)
    server.start()
    try:
        found = uvloop.run(measure(here.recv()))
    finally:
        server.kill()
    for name, taken in found.items():
        p50, p90, p99 = np.percentile(taken, [50, 90, 99])
        print(f"{name:20} p50 {p50:.2f} ms   p90 {p90:.2f} ms   p99 {p99:.2f} ms")


if __name__ == "__main__":
    main()
