"""Messages are handed over as they come off the socket: in order, whole, and an error of ours is not lost."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial

import pytest
from tests.canned_servers import listening
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection

from turbo_trader.bybit.direct_connection import DirectConnection
from turbo_trader.bybit.streams import Stream, StreamConfig


@asynccontextmanager
async def connected(
    handler: Callable[[ServerConnection], Awaitable[None]], on_message: Callable[[bytes], None]
) -> AsyncIterator[DirectConnection]:
    async with listening(handler) as url:
        make = partial(DirectConnection, on_message)
        async with connect(url, create_connection=make, proxy=None) as client:  # type: ignore[arg-type]
            assert isinstance(client, DirectConnection)
            yield client


async def test_messages_come_whole_and_in_order_however_they_are_cut() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.send("one")
        await socket.send(["t", "w", "o"])  # three frames
        await socket.send(b"three")
        await socket.send("")

    heard: list[bytes] = []
    async with connected(handler, heard.append) as client:
        await client.wait_closed()
    assert heard == [b"one", b"two", b"three", b""]


async def test_each_message_is_handed_over_before_the_next_is_looked_at() -> None:
    async def handler(socket: ServerConnection) -> None:
        for n in range(50):
            await socket.send(str(n))

    client_of: list[DirectConnection] = []
    waiting: list[int] = []

    def take(_: bytes) -> None:
        waiting.append(len(client_of[0].recv_messages.frames) if client_of else 0)

    async with connected(handler, take) as client:
        client_of.append(client)
        await client.wait_closed()
    assert waiting == [0] * 50  # no queue was ever used


async def test_an_error_of_ours_ends_the_connection_and_what_comes_after_it_is_not_taken() -> None:
    async def handler(socket: ServerConnection) -> None:
        for text in ("good", "bad", "late"):
            await socket.send(text)
        await socket.wait_closed()

    heard: list[bytes] = []

    def take(message: bytes) -> None:
        heard.append(message)
        if message == b"bad":
            raise RuntimeError("ours")

    async with connected(handler, take) as client:
        await client.wait_closed()
    assert heard == [b"good", b"bad"]
    assert isinstance(client.error, RuntimeError)


async def test_a_stream_ends_with_an_error_of_ours_instead_of_coming_back() -> None:
    async def handler(socket: ServerConnection) -> None:
        await socket.recv()
        await socket.send('{"success":true,"op":"subscribe"}')
        await socket.send('{"topic":"x"}')
        await socket.wait_closed()

    def take(_: bytes) -> None:
        raise LookupError("ours")

    async with listening(handler) as url:
        stream = Stream(
            StreamConfig(url, ("x",)), on_frame=take, on_up=lambda: None, on_down=lambda _: None, now_ms=lambda: 0
        )  # fmt: skip
        with pytest.raises(LookupError, match="ours"):
            async with asyncio.timeout(5):
                await stream.run()
