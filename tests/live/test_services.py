"""Services beside a daemon look inside it from its first moment on, and can refuse its start."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.live import shell_stage

from turbo_trader.live.inside import Inside
from turbo_trader.market.errors import InputError


async def test_a_service_sees_a_daemon_that_starts_and_one_that_trades(tmp_path: Path) -> None:
    venue, trader = shell_stage.Venue(), shell_stage.Scripted(shell_stage.nothing)
    seen: list[tuple[bool, bool]] = []
    found: dict[str, Any] = {}

    @asynccontextmanager
    async def looking(inside: Inside) -> AsyncIterator[None]:
        seen.append((inside.view() is None, bool(venue.seen)))

        async def look() -> None:
            while True:
                await asyncio.sleep(0.01)
                status, view = inside.status(), inside.view()
                if status["private_up"] and view is not None:
                    found.update(
                        ages=inside.stream_ages(), budget=inside.budget_used(), markets=inside.market_ages()
                    )
                    found.update(lanes=set(inside.meter.requests), summary=inside.summary())

        looked = asyncio.create_task(look())
        yield
        looked.cancel()
        seen.append((inside.view() is None, bool(venue.seen)))

    await shell_stage.run(venue, trader, tmp_path, services=(looking,))
    assert seen == [(True, False), (False, True)]
    assert found["summary"] == {"trades": 0}
    assert set(found["ages"]) <= {"public", "private"}
    assert all(0 <= age < 10 for age in found["ages"].values())
    assert {"reads", "history"} <= found["lanes"]
    assert 0 <= found["budget"]["address"] < 1


async def test_a_service_that_cannot_begin_refuses_the_start_before_the_venue_is_asked(
    tmp_path: Path,
) -> None:
    venue, trader = shell_stage.Venue(), shell_stage.Scripted(shell_stage.nothing)

    class Refusing(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            raise InputError("METRICS 127.0.0.1:1: in use")

        async def __aexit__(self, *_: object) -> None:
            """Nothing was begun."""

    with pytest.raises(InputError, match="in use"):
        await shell_stage.run(venue, trader, tmp_path, services=(lambda _: Refusing(),))
    assert venue.seen == []
