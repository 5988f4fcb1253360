"""A connection may leave what comes in its socket for a while, plain or over TLS, on either event loop."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uvloop
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from turbo_trader.bybit.direct_connection import DirectConnection

LOOPS: list[Any] = [asyncio.new_event_loop, uvloop.new_event_loop]
LONG_S = 30.0


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path | None:
    """Of this machine, with its key; None where openssl is absent."""
    if shutil.which("openssl") is None:
        return None
    folder = tmp_path_factory.mktemp("certificate")
    made = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=localhost",
    ]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "venue.key", "-out", "venue.pem"]
    subprocess.run([*made, *files], cwd=folder, check=True, capture_output=True)
    return folder / "venue.pem"


@asynccontextmanager
async def connected(
    handler: Callable[[ServerConnection], Awaitable[None]], heard: list[list[bytes]], certificate: Path | None
) -> AsyncIterator[DirectConnection]:
    theirs = ours = None
    if certificate is not None:
        theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        theirs.load_cert_chain(certificate, certificate.with_suffix(".key"))
        ours = ssl.create_default_context(cafile=str(certificate))
    async with serve(handler, "127.0.0.1", 0, compression=None, ssl=theirs) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        make: Any = partial(DirectConnection, heard.append)
        url = f"{'wss' if ours else 'ws'}://127.0.0.1:{port}"
        async with connect(url, create_connection=make, proxy=None, compression=None, ssl=ours) as client:
            assert isinstance(client, DirectConnection)
            yield client


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(5):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def on_demand(socket: ServerConnection) -> None:
    """Sends so many messages as it is asked for, apart from each other, and an end."""
    async for asked in socket:
        for n in range(int(asked)):
            await socket.send(str(n))
            await asyncio.sleep(0.005)
        if asked == "0":
            await socket.close()


def run(loop: Any, work: Awaitable[None]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)  # type: ignore[arg-type]


@pytest.fixture(params=[False, True], ids=["plain", "tls"])
def key(request: pytest.FixtureRequest, certificate: Path | None) -> Path | None:
    """With a certificate, and without."""
    if request.param and certificate is None:
        pytest.skip("needs openssl to make a certificate")
    return certificate if request.param else None


@pytest.mark.parametrize("loop", LOOPS)
def test_messages_wait_while_a_connection_rests_and_come_together(loop: Any, key: Path | None) -> None:
    async def scene() -> None:
        heard: list[list[bytes]] = []
        async with connected(on_demand, heard, key) as client:
            client.rest(LONG_S)
            await client.send("6")
            await asyncio.sleep(0.15)
            assert heard == []
            client.read_on()
            await until(lambda: bool(heard))
            assert heard == [[b"%d" % n for n in range(6)]]
            client.rest(0.05)
            await client.send("1")
            await until(lambda: len(heard) == 2)  # by itself
            await client.send("2")
            await until(lambda: sum(map(len, heard)) == 9)  # it rests no more

    run(loop, scene())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_resting_connection_that_the_venue_closes_ends_after_its_rest(loop: Any, key: Path | None) -> None:
    async def scene() -> None:
        heard: list[list[bytes]] = []
        async with connected(on_demand, heard, key) as client:
            await client.send("0")
            client.rest(0.1)
            async with asyncio.timeout(3):
                await client.wait_closed()
            client.read_on()
            client.rest(0.1)  # there is nothing to rest from
            assert client.close_code == 1000
        assert heard == []

    run(loop, scene())
