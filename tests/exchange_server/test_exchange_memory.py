"""A venue that runs for long takes no more memory: what is over is forgotten, what is shown is bounded."""

from __future__ import annotations

import gc
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange import retention
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.rest_face import HttpRequest
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.market.rows import SECOND

TOPICS = ("orderbook.1", "orderbook.50", "orderbook.200", "tickers", "publicTrade", "kline.1")


class Customer:
    """Lets a venue's time pass, second by second, and asks for much in each: an order that rests and is cancelled, one that fills;
    listens to all there is of three symbols."""

    def __init__(self, venue: Venue) -> None:
        self.venue = venue
        self.key = venue.keys["key"]
        self.client = PublicClient(venue.feed, "one")
        self.seconds = 1
        venue.advance(venue.source.start + SECOND)
        topics = [f"{topic}.{i.symbol}" for i in venue.source.instruments for topic in TOPICS]
        self.client.take(json.dumps({"op": "subscribe", "args": topics}).encode(), venue.now)

    def ask(self, path: str, **params: str) -> None:
        body = json.dumps({"category": "linear", "symbol": "BTCUSDT", **params}).encode()
        stamp = str(self.venue.now // 1_000_000)
        headers = {
            "x-bapi-api-key": "key", "x-bapi-timestamp": stamp, "x-bapi-recv-window": "5000",
            "x-bapi-sign": self.key.sign(f"{stamp}key5000".encode() + body),
        }  # fmt: skip
        asked = HttpRequest("POST", f"/v5/order/{path}", b"", headers, body)
        assert json.loads(self.venue.rest.handle(self.venue.now, asked).body)["retCode"] == 0

    def second(self) -> None:
        self.seconds += 1
        n = self.seconds
        self.client.push(self.venue.advance(self.venue.source.start + n * SECOND))
        price = str(int(float(self.venue.exchange.last(0)) * 0.97))
        self.ask("create", side="Buy", orderType="Limit", qty="0.001", price=price, orderLinkId=f"l{n}")
        self.ask("cancel", orderLinkId=f"l{n}")
        self.ask("create", side="Buy" if n % 2 else "Sell", orderType="Market", qty="0.001")

    def hours(self, hours: float) -> float:
        """Memory in use after so many hours, MB."""
        for _ in range(int(hours * 3_600)):
            self.second()
        gc.collect()
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4_096 / 1e6

    def kept(self) -> list[int]:
        account: Any = self.venue.exchange.accounts["1"]
        return [len(held) for held in (account.orders, account.executions, account.log, account.links)]


@pytest.mark.long
def test_a_venue_keeps_so_many_orders_and_no_more(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST", 50)
    customer = Customer(make_venue(limits=False))
    for _ in range(200):
        customer.second()
    assert all(count <= 2 * 50 + 1 for count in customer.kept())


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="memory is read from /proc")
def test_memory_is_flat_over_a_simulated_day(make_venue: Callable[..., Venue]) -> None:
    customer = Customer(make_venue(limits=False))
    used = [customer.hours(2) for _ in range(12)]
    print("MB in use, every two hours:", [round(mb) for mb in used], "kept:", customer.kept())
    assert used[11] - used[4] < 3.0, used  # after ten hours the most that is kept is there
