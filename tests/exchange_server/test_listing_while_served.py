"""The venue changes its instruments under clients, and the real daemon goes along: a finer tick, a delisting."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests

from turbo_trader.bybit.endpoints import Keys, loopback
from turbo_trader.exchange import requests as ask
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live import control_client
from turbo_trader.live.daemon_settings import DaemonSettings
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.live.shell import Shell
from turbo_trader.market.order_terms import Side
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Note

LOCAL = requests.Session()
LOCAL.trust_env = False


class Notes:
    """What the daemon notes."""

    def __init__(self) -> None:
        self.found: list[Note] = []

    def note(self, note: Note) -> None:
        self.found.append(note)

    def scanned(self, scanned: Any) -> None:
        """Not kept."""

    def view(self, view: Any, daemon: Any) -> None:
        """Not kept."""

    def of(self, name: str, symbol: str | None = None) -> list[dict[str, Any]]:
        return [dict(n.fields) for n in self.found if n.name == name and n.fields.get("symbol") == symbol]

    async def come(self, name: str, symbol: str | None = None) -> dict[str, Any]:
        """The first note of a name, waited for."""
        async with asyncio.timeout(90):
            while not (found := self.of(name, symbol)):  # noqa: ASYNC110 - the daemon tells no one else
                await asyncio.sleep(0.05)
        return found[0]


def change(venue: ServedVenue, symbol: str, **figures: Any) -> dict[str, Any]:
    answer = LOCAL.post(f"{venue.url}/control/instrument", json={"symbol": symbol, **figures}, timeout=5)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


WRONG: tuple[Any, ...] = (
    {"symbol": "NONE"}, {}, {"symbol": "BTCUSDT", "tick": "0.3"}, {"symbol": "BTCUSDT", "tick": "-1"}, [],
    {"symbol": "BTCUSDT", "status": "Closed"}, {"symbol": "BTCUSDT", "max_qty": "x"},
)  # fmt: skip


def test_a_change_that_cannot_be_is_refused(make_venue: Callable[..., Venue]) -> None:
    with serve_in_thread(make_venue(control=True)) as venue:
        for wrong in WRONG:
            answer = LOCAL.post(f"{venue.url}/control/instrument", json=wrong, timeout=5)
            assert (answer.status_code, bool(answer.json()["error"])) == (400, True), wrong


def order(venue: ServedVenue, symbol: str, side: int, qty: str, **more: Any) -> None:
    """An order of the account that is not the daemon's."""

    def place(v: Venue) -> int:
        v.catch_up()
        return v.exchange.handle(
            v.now,
            "1",
            ask.CreateOrder(symbol=symbol, side=Side(side), order_type="Market", qty=Decimal(qty), **more),
        ).code

    assert venue.call(place) == 0


def opened(venue: ServedVenue) -> None:
    """Wait until every symbol has a book."""
    while not venue.call(lambda v: bool(v.exchange.states["book_valid"].all())):
        time.sleep(0.01)


@pytest.mark.long
async def test_the_daemon_goes_along_with_a_finer_tick_and_with_a_delisting(
    make_venue: Callable[..., Venue], tmp_path: Path
) -> None:
    notes, symbols = Notes(), ("BTCUSDT", "ETHUSDT", "SOLUSDT")
    with serve_in_thread(make_venue(symbols, control=True, speed=20.0)) as venue:
        await asyncio.to_thread(opened, venue)
        for symbol, qty in (("BTCUSDT", "0.010"), ("ETHUSDT", "0.10")):
            order(venue, symbol, 1, qty)
        settings = DaemonSettings(
            loopback(venue.port), Keys("key", "secret"), symbols, tmp_path, duration_s=300.0, refresh_s=0.3,
            registration=(registration := Registry(Kind.DAEMON, tmp_path).claim("paper", tmp_path)),
        )  # fmt: skip
        policy = Policy.from_env({"ON_TERM": "flatten"})
        running = asyncio.create_task(Shell(settings, policy, notes).run())
        await notes.come("recovered")
        later = venue.call(lambda v: v.now) // 1_000_000 + 3_600_000
        await asyncio.to_thread(change, venue, "ETHUSDT", delivery_ms=later)
        shown = await asyncio.to_thread(change, venue, "BTCUSDT", tick="0.05", max_qty="900")
        assert (shown["priceFilter"]["tickSize"], shown["lotSizeFilter"]["maxOrderQty"]) == ("0.05", "900")
        await asyncio.to_thread(change, venue, "SOLUSDT", tick="0.001")
        assert (await notes.come("not-trading", "ETHUSDT"))["delivery"] == later * 1_000_000
        assert (await notes.come("grid-changed", "BTCUSDT"))["tick"] == Decimal("0.05")
        await notes.come("grid-taken-up", "SOLUSDT")  # flat: at once
        assert not notes.of("grid-taken-up", "BTCUSDT")  # held: not before it is closed at the end
        ends = venue.call(lambda v: v.now) // 1_000_000 + 10_000
        await asyncio.to_thread(change, venue, "ETHUSDT", delivery_ms=ends)
        await notes.come("fill", "ETHUSDT")
        await asyncio.to_thread(control_client.ask, registration.running, "stop")
        summary = await running
        (settled,) = venue.call(
            lambda v: [e for e in v.exchange.accounts["1"].executions if e.kind == "Delivery"]
        )
    assert not summary.failed, summary.reason
    assert (settled.symbol, settled.ts) == ("ETHUSDT", ends * 1_000_000)
    assert notes.of("grid-taken-up", "BTCUSDT")
    assert (summary.trader["open_positions"], summary.trader["wallet_difference"]) == (0, 0)
    assert (summary.daemon["unreadable"], summary.daemon["gaps"]) == (0, 0)
    errors = {note.name for note in notes.found if note.level == "error"}
    # of the positions that are not its own; and to be flat within 2 s of the venue's time, 0.1 s here, is not this test's promise
    assert errors <= {"frozen", "foreign-fill", "flatten-unconfirmed"}
