"""The small server: what it answers, and what it does with everything else."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from typing import Any

import pytest
from tests.console.metrics.conftest import Looked, ask, get, served

from turbo_trader.console.metrics import http_server as server_module
from turbo_trader.console.metrics.daemon_metrics import Metrics
from turbo_trader.market.errors import InputError
from turbo_trader.trader.events import Control


async def test_metrics_health_and_ready_answer(looked: Looked) -> None:
    async with served(looked) as (_, port):
        status, headers, body = await get(port, "/metrics")
        assert (status, headers["content-type"][:10]) == (200, "text/plain")
        assert b"turbo_trader_equity_usdt 1000.0\n" in body
        assert b"process_cpu_seconds_total" in body
        status, headers, body = await get(port, "/health?x=1")
        assert (status, headers["content-type"]) == (200, "application/json")
        assert json.loads(body) == {"alive": True, "pid": 1, "mode": "paper", "boot": "b1"}
        status, _, body = await get(port, "/ready")
        assert (status, json.loads(body)) == (200, {"ready": True, "reasons": []})


async def test_openmetrics_is_given_to_who_asks_for_it(looked: Looked) -> None:
    async with served(looked) as (_, port):
        _, headers, body = await get(port, "/metrics", accept="application/openmetrics-text; version=1.0.0")
        assert headers["content-type"].startswith("application/openmetrics-text")
        assert body.endswith(b"# EOF\n")


async def test_a_daemon_that_starts_is_alive_and_not_ready() -> None:
    async with served(Looked(None)) as (_, port):
        assert (await get(port, "/health"))[0] == 200
        status, _, body = await get(port, "/ready")
        assert status == 503
        assert json.loads(body)["reasons"] == [
            {"what": "starting", "why": "the venue has not been read yet"}
        ]  # fmt: skip
        assert b"turbo_trader_ready 0.0" in (await get(port, "/metrics"))[2]


async def test_a_halted_daemon_is_not_ready_and_says_why(looked: Looked) -> None:
    assert looked.stage is not None
    looked.stage.deliver(Control(looked.stage.now, "halt", "me"))
    async with served(looked) as (_, port):
        status, _, body = await get(port, "/ready")
        assert status == 503
        assert json.loads(body)["reasons"] == [{"what": "halted", "why": "halted: halted by command"}]
        assert b"turbo_trader_halted 1.0" in (await get(port, "/metrics"))[2]


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (b"GET /metrics/../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET http://localhost/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nHost: 127.0.0.1:1\r\n\r\n", 404),
        (b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n", 405),
        (b"DELETE /ready HTTP/1.1\r\nHost: localhost\r\n\r\n", 405),
        (b"GET /metrics HTTP/1.1\r\nHost: evil.example.com\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.0\r\n\r\n", 403),
        (b"GET /metrics HTTP/1.1\r\n\r\n", 400),
        (b"nonsense\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x00" * 100 + b"\r\n\r\n", 400),
        (b"GET /" + b"x" * 20_000 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 431),
    ],
)
async def test_anything_else_is_one_plain_line(looked: Looked, request_: bytes, status: int) -> None:
    async with served(looked) as (_, port):
        answer = await ask(port, request_, end=True)
        assert answer.startswith(f"HTTP/1.1 {status} ".encode()), answer[:200]
        assert (await get(port, "/health"))[0] == 200


async def test_a_public_address_answers_by_any_name(looked: Looked) -> None:
    async with served(looked, public=True) as (_, port):
        assert (await get(port, "/metrics", host="trader:9108"))[0] == 200


async def test_head_has_no_body(looked: Looked) -> None:
    async with served(looked) as (_, port):
        answer = await ask(port, b"HEAD /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        head, _, body = answer.partition(b"\r\n\r\n")
        assert b" 200 " in head
        assert body == b""


@pytest.mark.clock
async def test_connections_that_say_nothing_are_few_and_end(
    looked: Looked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "_PATIENCE_S", 0.5)
    async with served(looked) as (_, port):
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(16)]
        await asyncio.sleep(0.05)
        assert await ask(port, b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n") == b""  # one too many
        began = time.monotonic()
        for reader, writer in idle:
            assert await asyncio.wait_for(reader.read(), 5) == b""
            writer.close()
        assert time.monotonic() - began < 3
        assert (await get(port, "/health"))[0] == 200


async def test_an_address_in_use_refuses_the_start_with_one_line(looked: Any) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(InputError, match=f"METRICS 127.0.0.1:{port}: "):
            async with Metrics("127.0.0.1", port, public=False).serve(looked):
                pass


async def test_the_lag_of_the_loop_is_measured(looked: Looked) -> None:
    async with served(looked) as (metrics, _):
        await asyncio.sleep(0.1)
        time.sleep(0.4)  # noqa: ASYNC251 - what is measured
        await asyncio.sleep(0.05)
        assert metrics._lag.total > 0.2
