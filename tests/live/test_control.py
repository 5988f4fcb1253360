import asyncio
import json
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.live.control import FILE, ControlServer, ask
from turbo_trader.market.errors import InputError


async def test_verbs_reach_the_daemon_with_the_token_only(tmp_path: Path) -> None:
    heard: list[tuple[str, Mapping[str, Any]]] = []

    def answer(verb: str, args: Mapping[str, Any]) -> Mapping[str, Any]:
        heard.append((verb, args))
        return {"equity": "18.5"}

    async with ControlServer(tmp_path, answer):
        assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
        reply = await asyncio.to_thread(ask, tmp_path, "stop", {"leave": True})
        assert reply == {"equity": "18.5"}
        with pytest.raises(InputError, match="unknown verb"):
            await asyncio.to_thread(ask, tmp_path, "buy")
        address = json.loads((tmp_path / FILE).read_text())
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / FILE).write_text(json.dumps({**address, "token": "guess"}))
        with pytest.raises(InputError, match="wrong token"):
            await asyncio.to_thread(ask, tmp_path / "other", "status")
    assert heard == [("stop", {"leave": True})]
    with pytest.raises(InputError, match="no daemon is running here"):
        ask(tmp_path, "status")
