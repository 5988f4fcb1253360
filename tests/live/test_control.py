"""The control port: verbs reach the daemon with the token of the registry, and with nothing else."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.live.control import ControlServer, ask
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
