"""A daemon to look inside of: a real Trader on a stage, the rest as a test says."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.trader.conftest import Stage

from turbo_trader.console.metrics.daemon_metrics import Metrics
from turbo_trader.live.meter import Meter

STATUS: dict[str, Any] = {
    "mode": "paper", "pid": 1, "boot": "b1", "speed": 1.0, "may_write": True, "journal_failed": "", "clock_offset_ms": 2.0,
    "public_up": True, "private_up": True, "frames": 10, "unreadable": 0, "gaps": 0, "connections": 3, "requests": 5,
    "in_flight": 0,
}  # fmt: skip


class Looked:
    """What `live.inside.Inside` gives; `status` and `ages` may be changed."""

    def __init__(self, stage: Stage | None) -> None:
        self.stage = stage
        self.meter = Meter()
        self.settings = SimpleNamespace(journal=Path("var/paper"), silence_s=10.0)
        self.given = dict(STATUS)
        self.ages = {"public": 0.5}

    def status(self) -> dict[str, Any]:
        return self.given

    def view(self) -> Any:
        return None if self.stage is None else self.stage.trader.view()

    def summary(self) -> Any:
        return {} if self.stage is None else self.stage.trader.summary()

    def stream_ages(self) -> dict[str, float]:
        return self.ages

    def market_ages(self) -> dict[str, float]:
        return {"BTCUSDT": 0.25}

    def budget_used(self) -> dict[str, float]:
        return {"create": 0.1, "address": 0.2}


@pytest.fixture
def looked() -> Looked:
    """Recovered and ready."""
    stage = Stage()
    stage.recover()
    return Looked(stage)


@asynccontextmanager
async def served(
    looked: Any, *, public: bool = False, host: str = "127.0.0.1"
) -> AsyncIterator[tuple[Metrics, int]]:
    """Metrics of `looked` on a free port."""
    with socket.socket() as free:
        free.bind((host, 0))
        port = free.getsockname()[1]
    metrics = Metrics(host, port, public=public)
    async with metrics.serve(looked):
        yield metrics, port


async def ask(port: int, request: bytes, *, end: bool = False) -> bytes:
    """The raw answer to a raw request; b"" where the connection is closed without one."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(request)
    if end:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 20)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def get(
    port: int, path: str, host: str = "127.0.0.1", accept: str = ""
) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, body."""
    raw = await ask(port, f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept: {accept}\r\n\r\n".encode())
    head, _, body = raw.partition(b"\r\n\r\n")
    first, *lines = head.decode().split("\r\n")
    headers = dict(line.lower().split(": ", 1) for line in lines)
    return int(first.split()[1]), headers, body
