"""Frames cut from the bytes, against `websockets`' own parser: the same messages, answers and ends however the bytes are cut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri
from websockets.utils import accept_key

from turbo_trader.bybit.direct_connection import LONGEST, DirectConnection

SIZES = (0, 1, 125, 126, 127, 400, 65_535, 65_536, 70_000)
ENDS = (
    b"",
    b"\x88\x02\x03\xe8" + b"\x81\x02no",  # closed, and more text: not to be heard
    b"\x81\x82\x00\x00\x00\x00ab",  # masked
    b"\xc1\x02ab",  # a reserved bit
    b"\x83\x02ab",  # no such frame
    b"\x80\x02ab",  # goes on with what was never begun
    b"\x01\x02ab\x81\x02cd",  # a new message within another
    b"\x81\x7f" + (LONGEST + 1).to_bytes(8, "big") + b"abc",
)


class Written(asyncio.Transport):
    """A transport that keeps what is written."""

    def __init__(self) -> None:
        super().__init__()
        self.size = 0
        self.ended = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.size += len(data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.ended = True

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def is_closing(self) -> bool:
        return False

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Parsed(DirectConnection):
    """Everything through `websockets`' parser."""

    def data_received(self, data: bytes) -> None:
        ClientConnection.data_received(self, data)
        self._on_messages(self._whole)
        self._whole = []


def random_frames(draw: random.Random) -> bytes:
    frames: list[bytes] = []

    def put(opcode: Opcode, data: bytes, *, fin: bool = True) -> None:
        frames.append(Frame(opcode, data, fin).serialize(mask=False))

    for _ in range(draw.randrange(1, 12)):
        kind, data = draw.randrange(8), draw.randbytes(draw.choice(SIZES))
        if kind == 0:
            put(Opcode.BINARY, data)
        elif kind == 1:
            put(Opcode.PING, data[:100])
        elif kind == 2:
            put(Opcode.TEXT, data, fin=False)
            put(Opcode.PING, b"between")
            put(Opcode.CONT, data[:3], fin=False)
            put(Opcode.CONT, data[:5])
        else:
            put(Opcode.TEXT, data)
    return b"".join(frames)


def pieces(data: bytes, draw: random.Random) -> list[bytes]:
    found, at = [], 0
    while at < len(data):
        size = draw.choice((1, 2, 3, 50, 1000, 100_000))
        found.append(data[at : at + size])
        at += size
    return found


def heard_by(
    make: Callable[..., DirectConnection], after_head: bytes, cut: Callable[[bytes], list[bytes]]
) -> tuple[Any, ...]:
    protocol, heard, written = (
        ClientProtocol(parse_uri("ws://venue/"), max_size=LONGEST),
        list[bytes](),
        Written(),
    )
    connection = make(heard.extend, protocol, ping_interval=None)
    connection.connection_made(written)
    protocol.send_request(protocol.connect())
    head = (
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Accept: {accept_key(protocol.key)}\r\n\r\n"
    ).encode()
    for each in cut(head + after_head):
        connection.data_received(each)
    return heard, written.size, written.ended, protocol.state, protocol.close_code, type(protocol.parser_exc)


@pytest.mark.parametrize("seed", range(40))
async def test_cut_frames_are_what_the_websocket_library_makes_of_them(seed: int) -> None:
    draw = random.Random(seed)
    data = random_frames(draw) + ENDS[seed % len(ENDS)]
    whole = heard_by(Parsed, data, lambda all_of_it: [all_of_it])
    assert heard_by(DirectConnection, data, lambda all_of_it: pieces(all_of_it, draw)) == whole
    assert heard_by(DirectConnection, data, lambda all_of_it: [all_of_it]) == whole
