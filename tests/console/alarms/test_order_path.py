"""The way of an order, with alarms to targets that hang and refuse: as short as without."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.console.alarms.conftest import Receiver
from tests.console.alarms.test_alarms_process import alarms
from tests.sent_orders import entry

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.console.observer import EventObserver, Observers
from turbo_trader.journal.store import Journal
from turbo_trader.live.daemon_settings import Observer
from turbo_trader.live.router import Router
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.trader.commands import Note
from turbo_trader.trader.events import Clock

FIGURES = {f"figure_{i}": 0.123456789 for i in range(30)}


class Entering:
    """A Trader that sends an entry with each event, and says so."""

    def __init__(self) -> None:
        self._sent = 0

    def handle(self, event: Any) -> Sequence[Any]:
        self._sent += 1
        order = entry(f"tt-x-{self._sent}-entry")
        return [order, Note(1, "entry", fields={"symbol": "BTCUSDT", "id": order.id, **FIGURES})]

    def take_rows(self, ts: int, s: int, rows: Any) -> bool:
        return False

    def idle_until(self, symbols: Sequence[int]) -> int:
        return 0

    def next_time(self) -> int:
        return 0


def entries(folder: Path, observer: Observer | None, count: int = 200) -> tuple[float, float]:
    """Median seconds from an event to its order on the wire, and to the end of its turn of the loop."""
    router = Router(Journal(folder, ("BTCUSDT",)), VenueClock(), Keys("", ""), observer)
    router.trader = Entering()  # type: ignore[assignment]
    left: list[float] = []
    ended: list[float] = []
    began = 0.0
    router._send = lambda command: left.append(time.perf_counter() - began)  # type: ignore[method-assign]
    for _ in range(count):
        began = time.perf_counter()
        router.deliver(Clock(1))
        ended.append(time.perf_counter() - began)
    return sorted(left)[count // 2], sorted(ended)[count // 2]


@pytest.mark.long
@pytest.mark.clock
async def test_dead_targets_leave_the_way_of_an_order_as_it_is(
    tmp_path: Path, hanging: Receiver, refusing: Receiver
) -> None:
    plain, plain_turn = entries(tmp_path / "plain", None)
    with alarms(hanging.url, refusing.url) as beside:
        beside.event("unprotected", {"symbol": "BTCUSDT"}, 1)
        await asyncio.sleep(1.0)  # both targets are tried by now
        way, turn = entries(tmp_path / "alarms", Observers(EventObserver(beside.event)))
    assert way < 2 * plain + 0.0005
    assert turn < 2 * plain_turn + 0.001
