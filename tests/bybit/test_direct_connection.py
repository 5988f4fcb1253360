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
    handler: Callable[[ServerConnection], Awaitable[None]], on_messages: Callable[[list[bytes]], None]
) -> AsyncIterator[DirectConnection]:
    async with listening(handler) as url:
        make = partial(DirectConnection, on_messages)
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
    async with connected(handler, heard.extend) as client:
        await client.wait_closed()
    assert heard == [b"one", b"two", b"three", b""]


async def test_messages_are_handed_over_at_once_and_wait_in_no_queue() -> None:
    async def handler(socket: ServerConnection) -> None:
        for n in range(50):
            await socket.send(str(n))

    client_of: list[DirectConnection] = []
    waiting: list[int] = []

    def take(messages: list[bytes]) -> None:
        waiting.extend(len(client_of[0].recv_messages.frames) if client_of else 0 for _ in messages)

    async with connected(handler, take) as client:
        client_of.append(client)
        await client.wait_closed()
    assert waiting == [0] * 50  # no queue was ever used


async def test_messages_that_came_together_are_handed_over_together() -> None:
    async def handler(socket: ServerConnection) -> None:
        socket.transport.write(
            b"".join(b"\x81\x01%d" % n for n in range(3)) + b"\x01\x01h"
        )  # and half of another
        await asyncio.sleep(0.1)
        socket.transport.write(b"\x80\x01i")
        await asyncio.sleep(0.1)

    heard: list[list[bytes]] = []
    async with connected(handler, heard.append) as client:
        await client.wait_closed()
    assert heard == [[b"0", b"1", b"2"], [b"hi"]]


async def test_an_error_of_ours_ends_the_connection_and_what_comes_after_it_is_not_taken() -> None:
    async def handler(socket: ServerConnection) -> None:
        for text in ("good", "bad", "late"):
            await socket.send(text)
        await socket.wait_closed()

    heard: list[bytes] = []

    def take(messages: list[bytes]) -> None:
        for message in messages:
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

    def take(_: list[bytes]) -> None:
        raise LookupError("ours")

    async with listening(handler) as url:
        stream = Stream(
            StreamConfig(url, ("x",)), on_frames=take, on_up=lambda: None, on_down=lambda _: None, now_ms=lambda: 0
        )  # fmt: skip
        with pytest.raises(LookupError, match="ours"):
            async with asyncio.timeout(5):
                await stream.run()
