"""The control port: verbs reach the daemon with the token of the registry, and with nothing else."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.live.control_client import ask
from turbo_trader.live.control_server import ControlServer
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.errors import InputError


async def test_verbs_reach_the_daemon_with_the_token_only(tmp_path: Path) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []

    def answer(verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        heard.append((verb, args))
        return {"equity": "18.5"}

    registry = Registry(Kind.DAEMON, tmp_path)
    with registry.claim("live", tmp_path) as registration:
        starting = registration.running
        with pytest.raises(InputError, match=r"daemon live .*: it is still starting"):
            ask(starting, "status")
        async with ControlServer(registration, answer):
            (daemon,) = registry.running()
            assert daemon.token not in repr(daemon)
            reply = await asyncio.to_thread(ask, daemon, "stop", {"leave": True})
            assert reply == {"equity": "18.5"}
            with pytest.raises(InputError, match="unknown verb"):
                await asyncio.to_thread(ask, daemon, "buy")
            with pytest.raises(InputError, match="wrong token"):
                await asyncio.to_thread(ask, replace(daemon, token="guess"), "status")
        assert heard == [("stop", {"leave": True})]
        with pytest.raises(InputError, match="does not answer"):
            ask(daemon, "status")


async def raw(port: int, line: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(line)
    await writer.drain()
    try:
        return await asyncio.wait_for(reader.read(), 5)
    except ConnectionResetError:  # more was sent than is ever read
        return b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "line",
    [
        b"[" * 60_000 + b"\n",
        b'{"token":' * 6_000 + b"\n",
        b'{"a":' * 10_000 + b"1" + b"}" * 10_000 + b"\n",
        b"x" * 200_000 + b"\n",
        b"\xff\xfe\n",
        b"\n",
        b"null\n",
        b"[]\n",
        b'"x"\n',
        b"1e999\n",
        b'{"token":1}\n',
        b'{"token":"\\ud800","verb":"status"}\n',
        b'{"token":"x","verb":"status","args":3}\n',
        b'{"token":"x","verb":"status","args":"ab"}\n',
        b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://evil.example\r\n\r\n",
    ],
)
async def test_garbage_at_the_control_port_is_answered_and_the_daemon_goes_on(
    tmp_path: Path, line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[str] = []

    def answer(verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        heard.append(verb)
        return {}

    registry = Registry(Kind.DAEMON, tmp_path)
    with registry.claim("live", tmp_path) as registration:
        async with ControlServer(registration, answer):
            (daemon,) = registry.running()
            assert await raw(daemon.port, line) in (b"", b'{"ok":false,"error":"not a request"}\n')
            assert not caplog.records
            await asyncio.to_thread(ask, daemon, "status")
    assert heard == ["status"]
