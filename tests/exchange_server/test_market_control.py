"""Control routes that move a market, end positions and show the books; the health route."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.market_source import MarketSource
from turbo_trader.exchange_server.sockets import VenueSockets
from turbo_trader.market.order_terms import Side

BTC, SECOND = "BTCUSDT", 1_000_000_000


def call(venue: Venue, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    """Status and JSON of one request to the venue's application, without a socket."""
    sent: list[dict[str, Any]] = []
    headers = [(b"host", b"127.0.0.1"), (b"content-type", b"application/json")]
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": headers,
        "client": None,
    }

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": json.dumps(body).encode(), "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(VenueSockets(venue).app()(scope, receive, send))
    return sent[0]["status"], json.loads(sent[1]["body"])


class Scene:
    """A venue whose time moves when it is asked to, and its control routes."""

    def __init__(self, make_venue: Callable[..., Venue]) -> None:
        self.wall = 0
        venue = make_venue(control=True, keys=(Key(key="second", secret="s", uid="2"),))
        self.venue = Venue(venue.source, venue.config, wall=lambda: self.wall)
        self.venue.open()
        self.venue.start_clock()

    def pass_time(self, seconds: float) -> None:
        for _ in range(round(seconds * 10)):
            self.wall += SECOND // 10
            self.venue.step()

    def post(self, route: str, **body: Any) -> Any:
        status, answer = call(self.venue, "POST", f"/control/{route}", body)
        assert status == 200, answer
        return answer

    def refused(self, route: str, **body: Any) -> str:
        status, answer = call(self.venue, "POST", f"/control/{route}", body)
        assert status == 400, answer
        return str(answer["error"])

    @property
    def last(self) -> Decimal:
        return self.venue.exchange.last(0)

    def order(self, side: int, qty: str, uid: str = "1", **more: Any) -> int:
        kind = "Limit" if "price" in more else "Market"
        asked = ask.CreateOrder(symbol=BTC, side=Side(side), order_type=kind, qty=Decimal(qty), **more)
        return self.venue.exchange.handle(self.venue.catch_up(), uid, asked).code

    def books(self, uid: str = "1") -> dict[str, Any]:
        rows: list[dict[str, Any]] = call(self.venue, "GET", "/control/accounts")[1]["accounts"]
        return next(row for row in rows if row["uid"] == uid)


@pytest.fixture
def scene(make_venue: Callable[..., Venue]) -> Scene:
    found = Scene(make_venue)
    found.pass_time(2)
    return found


def tick(price: Decimal) -> Decimal:
    return price.quantize(Decimal("0.1"))


def test_a_jump_moves_book_mark_and_last_price_and_all_that_follows(scene: Scene) -> None:
    before, mark = scene.last, scene.venue.exchange.mark(0)
    scene.post("market", symbol=BTC, move="jump", percent="-5")
    scene.pass_time(0.2)
    exchange = scene.venue.exchange
    assert abs(scene.last / before - Decimal("0.95")) < Decimal("0.001")
    assert abs(exchange.mark(0) / mark - Decimal("0.95")) < Decimal("0.001")
    assert int(exchange.states["bid"][0]) < int(exchange.states["ask"][0])
    scene.pass_time(20)
    assert abs(scene.last / before - Decimal("0.95")) < Decimal("0.01")


def test_a_jump_fills_what_it_goes_through_and_fires_stops(scene: Scene) -> None:
    assert scene.order(1, "0.01", uid="2", price=tick(scene.last * Decimal("0.99"))) == 0
    assert scene.order(1, "0.01", stop_loss=tick(scene.last * Decimal("0.98"))) == 0
    assert scene.books()["positions"] == [{"symbol": BTC, "positionIdx": 0, "size": "0.01"}]
    scene.post("market", symbol=BTC, move="jump", percent=-3)
    scene.pass_time(1)
    assert scene.books()["positions"] == []
    assert scene.books("2")["positions"] == [{"symbol": BTC, "positionIdx": 0, "size": "0.01"}]


def test_a_gap_has_no_book_and_no_trade_and_ends_at_another_price(scene: Scene) -> None:
    before = scene.last
    scene.post("market", symbol=BTC, move="gap", percent="2", seconds=10)
    scene.pass_time(5)
    assert scene.venue.data.levels(0, 1) == ({}, {})
    assert scene.last == before
    assert scene.order(1, "0.01") == 0
    assert scene.books()["positions"] == []  # ended unfilled
    scene.pass_time(30)
    assert abs(scene.last / before - Decimal("1.02")) < Decimal("0.01")
    assert all(scene.venue.data.levels(0, 1))


def test_a_halt_stands_still_refuses_orders_and_ends_with_resume(scene: Scene) -> None:
    price = tick(scene.last * Decimal("0.97"))
    assert scene.order(1, "0.01", price=price) == 0
    scene.post("market", symbol=BTC, move="halt")
    scene.pass_time(0.1)
    before, book = scene.last, scene.venue.data.levels(0, 5)
    scene.pass_time(30)
    assert (scene.last, scene.venue.data.levels(0, 5)) == (before, book)
    assert scene.order(1, "0.01") == 110066
    cancel = ask.CancelAll(symbol=BTC)
    assert scene.venue.exchange.handle(scene.venue.catch_up(), "1", cancel).code == 0
    scene.post("market", symbol=BTC, move="resume")
    scene.pass_time(20)
    assert scene.venue.data.levels(0, 5) != book
    assert scene.order(1, "0.01") == 0


def test_a_halt_may_end_by_itself(scene: Scene) -> None:
    scene.post("market", symbol=BTC, move="halt", seconds="3")
    scene.pass_time(2)
    assert scene.order(1, "0.01") == 110066
    scene.pass_time(2)
    assert scene.order(1, "0.01") == 0


def test_moves_that_cannot_be_are_one_line(scene: Scene) -> None:
    assert "percent" in scene.refused("market", symbol=BTC, move="jump")
    assert "percent" in scene.refused("market", symbol=BTC, move="jump", percent=-95)
    assert "send" in scene.refused("market", symbol=BTC, move="sideways")
    assert "send" in scene.refused("market", symbol="NONE", move="halt")
    scene.post("market", symbol=BTC, move="halt")
    assert "resume" in scene.refused("market", symbol=BTC, move="jump", percent=1)
    assert "resume" in scene.refused("instrument", symbol=BTC, tick="0.05")


def test_a_market_whose_frames_are_passed_on_cannot_be_moved(scene: Scene) -> None:
    class Passed:
        topics = ()

        def said(self, until: int) -> list[bytes]:
            return []

    source: MarketSource = scene.venue.source
    venue = Venue(source, scene.venue.config, frames=Passed())
    status, answer = call(venue, "POST", "/control/market", {"symbol": BTC, "move": "halt"})
    assert (status, "passed on" in answer["error"]) == (400, True)


def test_prices_moved_before_a_finer_tick_stay_moved(scene: Scene) -> None:
    before = scene.last
    scene.post("market", symbol=BTC, move="jump", percent=4)
    scene.pass_time(1)
    scene.post("instrument", symbol=BTC, tick="0.05")
    scene.pass_time(5)
    assert abs(scene.last / before - Decimal("1.04")) < Decimal("0.01")


@pytest.mark.parametrize("cross", [False, True])
def test_a_position_is_liquidated_on_demand(make_venue: Callable[..., Venue], cross: bool) -> None:
    scene = Scene(make_venue)
    scene.pass_time(1)
    if cross:
        scene.venue.exchange.handle(scene.venue.now, "1", ask.SetMarginMode(cross=True))
    assert scene.order(1, "0.05") == 0
    held = scene.venue.exchange.accounts["1"]
    before = held.balance
    assert scene.post("liquidate", symbol=BTC) == {"closed": "0.05"}
    assert scene.books()["positions"] == []
    assert held.executions[-1].kind == "BustTrade"
    assert 0 <= held.balance < before
    assert scene.post("liquidate", symbol=BTC) == {"closed": "0"}


def test_a_contract_is_delisted_after_some_seconds(scene: Scene) -> None:
    assert scene.order(1, "0.01") == 0
    scene.post("delist", symbol=BTC, seconds=5)
    assert scene.order(1, "0.01") == 30228
    scene.pass_time(6)
    assert scene.books()["positions"] == []
    assert scene.order(-1, "0.01") == 110074
    assert "closed already" in scene.refused("delist", symbol=BTC)


def test_the_books_of_every_account_are_shown(scene: Scene) -> None:
    price = tick(scene.last * Decimal("0.97"))
    scene.order(-1, "0.02", uid="2")
    scene.order(1, "0.01", uid="2", price=price)
    found = scene.books("2")
    (order,) = found["orders"]
    assert (order["symbol"], order["side"], order["qty"], order["orderStatus"]) == (BTC, "Buy", "0.01", "New")
    assert found["positions"] == [{"symbol": BTC, "positionIdx": 0, "size": "-0.02"}]
    assert (found["created"], found["trades"]) == (2, 1)
    assert Decimal(found["balance"]) < 10_000
    assert scene.books("1")["created"] == 0


def test_health_says_what_is_served_without_control_routes(make_venue: Callable[..., Venue]) -> None:
    venue = make_venue()
    _, found = call(venue, "GET", "/health")
    assert (found["status"], found["symbols"][0], found["accounts"], found["streams"]) == ("ok", BTC, 1, 0)
    assert call(venue, "GET", "/control/accounts")[0] == 404
