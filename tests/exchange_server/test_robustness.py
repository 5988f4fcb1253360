"""What no client should send, over real sockets: proper errors, and a venue that goes on serving."""

from __future__ import annotations

import asyncio
import json
import resource
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import websockets
from hypothesis import given, settings
from hypothesis import strategies as st
from pybit.unified_trading import HTTP

from turbo_trader.exchange_server import line, server, sockets
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread


@pytest.fixture(scope="module")
def venue(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(limits=False)) as found:
        yield found


@pytest.fixture(autouse=True)
def goes_on(venue: ServedVenue, pybit_of: Callable[..., HTTP]) -> Iterator[None]:
    yield
    answer: Any = pybit_of(venue).get_wallet_balance(accountType="UNIFIED")
    assert answer["retCode"] == 0


def until(wanted: Callable[[], object]) -> None:
    """Wait for what must come to pass."""
    deadline = time.monotonic() + 30
    while not wanted():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.05)


def sent(venue: ServedVenue, raw: bytes) -> bytes:
    """What comes back for raw bytes on a fresh connection."""
    with socket.create_connection(("127.0.0.1", venue.port), timeout=10) as wire:
        with suppress(ConnectionError):
            wire.sendall(raw)
        parts = []
        with suppress(ConnectionError, TimeoutError):
            while part := wire.recv(65_536):
                parts.append(part)
                if b"".join(parts).partition(b"\r\n\r\n")[2]:  # every answer has a body
                    break
        return b"".join(parts)


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"GET /v5/nothing HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"GET /v5/position/list/../../etc HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
        (b"PATCH /v5/order/create HTTP/1.1\r\nHost: a\r\n\r\n", b"405"),
        (b"POST /v5/order/create HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n{", b"200"),
        (b"GET /v5/market/kline?category=%ff HTTP/1.1\r\nHost: a\r\n\r\n", b"200"),
        (b"not http at all\r\n\r\n", b"400"),
        (b"GET /v5/trade HTTP/1.1\r\nHost: a\r\n\r\n", b"404"),
    ],
)
def test_wrong_requests_get_a_status(venue: ServedVenue, raw: bytes, status: bytes) -> None:
    assert sent(venue, raw).split(b" ")[1] == status


TEXTS = st.one_of(
    st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=20),
    st.sampled_from(["[::1", "a:b", "//", "?#@", "\\"]),
)
HEADERS = st.sampled_from(["Host", "X-BAPI-API-KEY", "X-BAPI-SIGN", "X-BAPI-TIMESTAMP", "Content-Type", "Cookie", "Expect",
                           "Upgrade", "Connection", "Transfer-Encoding", "Content-Length", "Sec-WebSocket-Key",
                           "Referer"])  # fmt: skip
PATHS = ["/v5/market/tickers", "/v5/order/create", "/v5/private", "/v5/trade", "/control/faults", "/%2e%2e/x", "//v5//order/create",
         "/v5/\xe9", "http://other/v5/market/time", "*"]  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(
    method=st.sampled_from(["GET", "POST", "HEAD", "OPTIONS", "BREW"]),
    path=st.sampled_from(PATHS),
    headers=st.dictionaries(HEADERS, TEXTS, max_size=4),
    body=st.binary(max_size=20),
)
def test_any_headers_get_a_status(
    venue: ServedVenue, method: str, path: str, headers: dict[str, str], body: bytes
) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in {"Host": "a", **headers}.items())
    answer = sent(
        venue, f"{method} {path} HTTP/1.1\r\n{lines}Connection: close\r\n\r\n".encode("latin-1") + body
    )
    assert answer == b"" or int(answer.split(b" ")[1]) < 500  # nothing: more was announced than came


NAMES = ["symbol", "tick", "step", "min_qty", "max_qty", "max_leverage", "status", "delivery_ms", "uid", "positionIdx", "qty",
         "price", "key", "secret", "read_only", "permissions", "expires_ms", "addresses", "symbols", "barred", "faults", "seed",
         "times", "begin_ms", "end_ms", "title", "move", "percent", "seconds"]  # fmt: skip
WORTHS = st.one_of(
    st.sampled_from(["BTCUSDT", "jump", "gap", "halt", "resume", "key",
                     "1", "0.05", "1e-30", "1e30", "NaN", "Delivering", "drop=1", "x", "", 0, 1, -1, 10007, True,
                     None, [], {}, ["a"], {"ContractTrade": ["Order"]}, {"a": 1}, 10**12, 10**18, 10**40, 1.5]),
    st.integers(), st.text(max_size=5),
)  # fmt: skip


@pytest.fixture(scope="module")
def controlled(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    with serve_in_thread(make_venue(limits=False, control=True)) as found:
        yield found


@pytest.mark.long
@settings(max_examples=120, deadline=None)
@given(
    route=st.sampled_from(
        [
            "faults",
            "keys",
            "instrument",
            "adl",
            "maintenance",
            "disconnect",
            "restart",
            "market",
            "liquidate",
            "delist",
        ]
    ),
    asked=st.one_of(st.dictionaries(st.sampled_from(NAMES), WORTHS, max_size=6), WORTHS),
)
def test_whatever_is_asked_of_the_control_routes_is_answered(
    controlled: ServedVenue, route: str, asked: Any
) -> None:
    session = requests.Session()
    session.trust_env = False
    answer = session.post(f"{controlled.url}/control/{route}", data=json.dumps(asked), timeout=20)
    assert answer.status_code in (200, 400)
    assert isinstance(answer.json(), dict)
    assert controlled.call(lambda served: served.now) > 0


def test_a_line_without_end_is_cut_short(venue: ServedVenue) -> None:
    assert sent(venue, b"GET /" + b"a" * 5_000_000).split(b" ")[1] == b"400"


def test_a_huge_body_is_answered_before_it_has_come(venue: ServedVenue) -> None:
    head = b"POST /v5/order/create HTTP/1.1\r\nHost: a\r\nContent-Length: 50000000\r\n\r\n"
    answer = sent(venue, head + b"[" * 300_000)
    assert answer.split(b" ")[1] == b"200"
    assert b"10001" in answer


GARBAGE = [
    "", "{", "[]", "null", "1", '"x"', "[" * 50_000, '{"op":1}', '{"op":"subscribe"}', '{"op":"subscribe","args":7}',
    '{"op":"subscribe","args":[null,{},[]]}', '{"op":"auth","args":[1,2]}', '{"op":"auth","args":["key","²","x"]}',
    '{"op":"auth","args":["key",99999999999999,"é"]}', '{"op":"order.create"}', '{"op":"order.create","args":{},"header":5}',
    '{"op":"unsubscribe","args":["tickers.X"]}', json.dumps({"op": "subscribe", "args": ["tickers.BTCUSDT" * 3_000]}),
]  # fmt: skip


@pytest.mark.parametrize("path", ["/v5/public/linear", "/v5/private", "/v5/trade"])
def test_garbage_on_streams_is_answered_and_the_stream_goes_on(venue: ServedVenue, path: str) -> None:
    async def talk() -> None:
        async with websockets.connect(f"{venue.stream}{path}", proxy=None, max_size=None) as stream:
            for text in GARBAGE:
                await stream.send(text)
                answer = json.loads(await asyncio.wait_for(stream.recv(), 5))
                assert answer.get("success") is not None or answer.get("retCode") is not None
            await stream.send(b"\xff\xfe")
            await asyncio.wait_for(stream.recv(), 5)
            await stream.send('{"op":"ping"}')
            assert "pong" in str(await asyncio.wait_for(stream.recv(), 5))

    asyncio.run(talk())


UPGRADE = (
    "GET {} HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: {}==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


@asynccontextmanager
async def crowd(port: int, size: int) -> AsyncIterator[None]:
    """So many idle clients, at every kind of stream: bare sockets, for a library's clients are dearer than the server's side."""
    paths = ["/v5/public/linear", "/v5/private", "/v5/trade", "/v5/public/linear"]

    async def opened(n: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(UPGRADE.format(paths[n % 4], f"{n:022}").encode())
        assert b" 101 " in await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
        return reader, writer

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x88\x80\0\0\0\0")  # a close frame under the mask 0
        await asyncio.wait_for(reader.read(), 30)  # until the server has closed, too
        writer.close()

    streams: list[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = []
    for first in range(0, size, 50):
        streams += await asyncio.gather(*map(opened, range(first, first + 50)))
    try:
        yield
    finally:
        await asyncio.gather(*(closed(*stream) for stream in streams))


def quickest(client: HTTP) -> float:
    """The shortest of sixty requests, seconds: what else the machine does lengthens single ones."""
    took = []
    for _ in range(60):
        began = time.monotonic()
        client.get_wallet_balance(accountType="UNIFIED")
        took.append(time.monotonic() - began)
    return min(took)


@pytest.mark.long
@pytest.mark.clock
def test_a_thousand_idle_sockets_hinder_nobody(venue: ServedVenue, pybit_of: Callable[..., HTTP]) -> None:
    client = pybit_of(venue)

    async def idle() -> tuple[int, float]:
        async with crowd(venue.port, 1_000):
            held = await asyncio.to_thread(venue.call, lambda served: len(served.lines))
            return held, await asyncio.to_thread(quickest, client)

    alone = quickest(client)
    held, crowded = asyncio.run(idle())
    assert held == 1_000
    assert crowded < 5 * alone
    until(lambda: not venue.call(lambda served: served.lines))


@pytest.mark.long
@pytest.mark.skipif(
    not Path("/proc/self/statm").exists(), reason="the memory of another process is read from /proc"
)
@pytest.mark.slow
def test_what_a_thousand_sockets_took_is_given_back() -> None:
    command = [
        sys.executable,
        "-m",
        "turbo_trader.console",
        "exchange",
        "--port",
        "0",
        "--no-limits",
        "--json",
    ]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write('{"key": "key", "secret": "secret"}\n')
        process.stdin.flush()
        port = json.loads(process.stdout.readline())["port"]

        async def come_and_go() -> None:
            async with crowd(port, 1_000):
                pass

        left = [resident_mb(process.pid)]
        for _ in range(3):
            asyncio.run(come_and_go())
            time.sleep(0.5)
            left.append(resident_mb(process.pid))
        process.stdin.close()  # which ends it
    assert left[1] - left[0] < 60.0, left  # Python keeps what it once had for the next
    assert left[-1] - left[1] < 3.0, left  # later crowds take nothing more


def resident_mb(process: int) -> float:
    """Memory of a process that is in use, MB."""
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6


def test_clients_that_vanish_leave_nothing_behind(venue: ServedVenue) -> None:
    async def come_and_go() -> None:
        for _ in range(20):
            stream = await websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None)
            await stream.send(
                json.dumps({"op": "subscribe", "args": ["orderbook.50.BTCUSDT", "tickers.BTCUSDT"]})
            )
            await stream.recv()
            stream.transport.abort()

    asyncio.run(come_and_go())
    until(lambda: venue.call(lambda served: (len(served.lines), served.feed.topics())) == (0, []))


def test_a_client_that_does_not_take_its_frames_is_cut(
    venue: ServedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line, "MOST_WAITING", 1_000_000)

    def send(served: Venue, size: int) -> int:
        for each in served.lines:
            each.answer([b"x" * size])
        return len(served.lines)

    async def idle() -> None:
        stream = await websockets.connect(f"{venue.stream}/v5/public/linear", proxy=None, max_queue=1)
        stream.transport.pause_reading()
        assert await asyncio.to_thread(venue.call, lambda served: send(served, 100_000)) == 1
        await asyncio.sleep(0.1)
        assert await asyncio.to_thread(venue.call, lambda served: send(served, 100_000_000)) == 1
        await asyncio.to_thread(until, lambda: not venue.call(lambda served: served.lines))
        stream.transport.abort()

    asyncio.run(idle())


def test_an_idle_stream_is_cut_and_a_ping_keeps_it(
    venue: ServedVenue, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "IDLE_S", 1.0)

    async def both() -> tuple[int | None, str]:
        url = f"{venue.stream}/v5/public/linear"
        async with websockets.connect(url, proxy=None) as idle, websockets.connect(url, proxy=None) as talks:

            async def ping() -> None:
                while True:
                    await talks.send('{"op":"ping"}')
                    await talks.recv()
                    await asyncio.sleep(0.1)

            pinging = asyncio.create_task(ping())
            await asyncio.wait_for(idle.wait_closed(), 30)
            await asyncio.sleep(0.3)
            assert not pinging.done()
            pinging.cancel()
            return idle.close_code, str(idle.close_reason)

    assert asyncio.run(both()) == (1_000, "idle")


@pytest.mark.parametrize("said", [b"", b"GET /v5/market/time HTTP/1.1\r\n"])
def test_a_connection_that_never_asks_is_cut(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    monkeypatch.setattr(server, "KEEP_ALIVE_S", 0.5)

    async def stays(stream: str) -> bool:
        async with websockets.connect(f"{stream}/v5/public/linear", proxy=None) as open_stream:
            await asyncio.to_thread(until_closed)
            await open_stream.send('{"op":"ping"}')  # a stream is no such connection
            return "pong" in str(await open_stream.recv())

    with serve_in_thread(make_venue()) as fresh:

        def until_closed() -> None:
            with socket.create_connection(("127.0.0.1", fresh.port), timeout=20) as wire:
                wire.sendall(said)
                assert wire.recv(1) == b""

        assert asyncio.run(stays(fresh.stream))


def test_too_many_new_connections_are_refused(make_venue: Callable[..., Venue]) -> None:
    async def opens(stream: str) -> int:
        count = 0
        with suppress(websockets.InvalidStatus):
            while count < 600:
                async with websockets.connect(f"{stream}/v5/public/linear", proxy=None):
                    count += 1
        return count

    with serve_in_thread(make_venue()) as fresh:
        assert fresh.venue.limits is not None
        limits = fresh.venue.limits
        fresh.call(lambda venue: [limits.connects("127.0.0.1", venue.clock.wall()) for _ in range(495)])
        assert asyncio.run(opens(fresh.stream)) == 5
