"""The daily check of the recording reports what it found, and ends with the daemon."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pytest

from turbo_trader.live.self_check import check_daily

LIFE = {"boot": "b", "steps": 7, "difference": None, "missing": ""}
FIRST = {"event": "Clock", "ts": 5, "step": 3, "recorded": "place qty=1", "replayed": "nothing"}


async def reported(code: str) -> tuple[str, str, dict[str, Any]]:
    """The first event of a check whose command is this program."""
    found: asyncio.Queue[tuple[str, str, dict[str, Any]]] = asyncio.Queue()
    command = (sys.executable, "-c", code)
    job = asyncio.create_task(check_daily(command, lambda *event: found.put_nowait(event), every_s=0.01))
    try:
        return await asyncio.wait_for(found.get(), 30)
    finally:
        job.cancel()


def says(**life: Any) -> str:
    document = {"same": True, "complete": not life.get("missing"), "steps": 7, "lives": [{**LIFE, **life}]}
    return f"print({json.dumps(json.dumps(document))})"


async def test_a_difference_is_an_error_with_both_sides() -> None:
    name, level, fields = await reported(says(difference=FIRST) + "; raise SystemExit(1)")
    assert (name, level) == ("replay-differs", "error")
    expected = {"boot": "b", "event": "Clock", "ts": 5, "recorded": "place qty=1", "replayed": "nothing"}
    assert fields == expected


async def test_no_difference_is_said_and_a_hole_is_no_difference() -> None:
    assert await reported(says()) == ("replay-same", "info", {"events": 7})
    name, level, fields = await reported(says(missing="5 steps were left out"))
    assert (name, level, fields["why"]) == ("replay-incomplete", "warning", "5 steps were left out")


@pytest.mark.parametrize("code", ["raise SystemExit('no recording')", "print('[]')", "print('{}')"])
async def test_a_check_that_fails_is_no_difference(code: str) -> None:
    name, level, fields = await reported(code)
    assert (name, level) == ("replay-failed", "warning")
    assert fields["error"]
