"""The addresses of a host are raced: a dead first one costs a quarter of a second, for REST and streams alike."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
import uvloop
from tests.canned_servers import Canned, canned, listening
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit import dialing, transport
from turbo_trader.bybit.command_calls import Call
from turbo_trader.bybit.dialing import dial
from turbo_trader.bybit.endpoints import Endpoints, Keys
from turbo_trader.bybit.rest import Lane
from turbo_trader.bybit.streams import Stream, StreamConfig
from turbo_trader.bybit.transport import NotSent, Pool

LOOPS: list[Any] = [asyncio.new_event_loop, uvloop.new_event_loop]


@contextmanager
def deaf() -> Iterator[int]:
    """A port whose queue of connections is full: what is sent to it is swallowed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        port = listener.getsockname()[1]
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        try:
            yield port
        finally:
            for each in waiting:
                each.close()


def resolve(monkeypatch: pytest.MonkeyPatch, *ports: int) -> None:
    """Every host has these addresses, in this order."""

    async def resolved(*_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)) for port in ports]

    monkeypatch.setattr(dialing, "_resolved", resolved)


def port_of(url: str) -> int:
    return urlsplit(url).port or 0


def run(new_loop: Any, work: Callable[[], Any]) -> Any:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        return runner.run(work())


@pytest.mark.clock
@pytest.mark.parametrize("new_loop", LOOPS)
def test_rest_reaches_the_second_address_when_the_first_swallows_packets(
    new_loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        where = Endpoints("mainnet", "http://venue.test", "", "")
        lane = Lane(1, where, Keys("k", "s"), time.time_ns, 3.0)
        with canned(lambda _: Canned(b'{"retCode":0,"result":{}}')) as url, deaf() as dead:
            resolve(monkeypatch, dead, port_of(url))
            began = time.monotonic()
            found = await lane.call(Call("get_server_time", "market", {}))
            assert found.ok
            assert time.monotonic() - began < 1.0
            await lane.close()

    run(new_loop, work)


@pytest.mark.clock
@pytest.mark.parametrize("new_loop", LOOPS)
def test_stream_reaches_the_second_address_when_the_first_swallows_packets(
    new_loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def handler(connection: ServerConnection) -> None:
        async for raw in connection:
            await connection.send(json.dumps({"success": True, "op": json.loads(raw)["op"]}))

    async def work() -> None:
        up = asyncio.Event()
        async with listening(handler) as url:
            stream = Stream(
                StreamConfig("ws://venue.test/v5/private", ("order",)),
                on_frames=lambda _: None, on_up=up.set, on_down=lambda _: None, now_ms=lambda: 0,
            )  # fmt: skip
            with deaf() as dead:
                resolve(monkeypatch, dead, port_of(url))
                began = time.monotonic()
                running = asyncio.create_task(stream.run())
                async with asyncio.timeout(5):
                    await up.wait()
                assert time.monotonic() - began < 1.0
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    run(new_loop, work)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_host_that_accepts_nowhere_is_an_os_error(new_loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async def work() -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        resolve(monkeypatch, port, port)
        with pytest.raises(OSError, match=r"."):
            await dial("venue.test", 443)

    run(new_loop, work)


async def test_a_host_without_an_address_is_an_error_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    async def nowhere(*_: object) -> list[Any]:
        return []

    monkeypatch.setattr(dialing, "_resolved", nowhere)
    with pytest.raises(OSError, match=r"nowhere\.invalid has no address"):
        await dial("nowhere.invalid", 443)


@pytest.mark.parametrize(
    ("base", "port"), [("https://a.b", 443), ("http://a.b", 80), ("https://a.b:8443", 8443)]
)
async def test_a_host_without_a_port_has_that_of_its_scheme(
    base: str, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialled: list[tuple[str, int]] = []

    async def dial(host: str, to: int) -> socket.socket:
        dialled.append((host, to))
        raise OSError("nobody there")

    monkeypatch.setattr(transport, "dial", dial)
    with pytest.raises(NotSent):
        await Pool(base, 1).take(1.0)
    assert dialled == [("a.b", port)]


async def test_what_is_written_leaves_at_once() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        made = await dial("127.0.0.1", server.getsockname()[1])
    with made:
        assert made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
