"""Order entry over a socket, in bytes: who may, what the header must say, and which code each mistake gets."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.trade_stream import TradeClient

Face = Any  # conftest.Face
MS = 1_000_000
ORDER = {
    "category": "linear",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "orderType": "Limit",
    "qty": "0.001",
    "price": "50000",
}


class Trader:
    """One client of a face."""

    def __init__(self, face: Face) -> None:
        self.face = face
        self.client = TradeClient(face.rest.signed, face.keys, "sim-1", "127.0.0.1")

    def say(self, message: Any) -> dict[str, Any]:
        """The one answer to a message."""
        (answer,) = self.client.take(json.dumps(message).encode(), self.face.now)
        return dict(json.loads(answer))

    def auth(self, expires_ms: int = 5_000, secret_of: str = "") -> dict[str, Any]:
        expires = self.face.now // MS + expires_ms
        sign = self.face.key.sign(f"GET/realtime{expires}{secret_of}".encode())
        return self.say({"op": "auth", "args": ["k", str(expires), sign]})

    def order(self, req_id: str = "r-1", **change: Any) -> dict[str, Any]:
        header = {"X-BAPI-TIMESTAMP": str(self.face.now // MS), "X-BAPI-RECV-WINDOW": "5000"}
        return self.say({"reqId": req_id, "header": header, "op": "order.create", "args": [ORDER], **change})


@pytest.fixture
def trader(face: Face) -> Trader:
    found = Trader(face)
    assert found.auth()["retCode"] == 0
    return found


def test_nobody_trades_before_the_auth_and_none_is_authenticated_twice(face: Face) -> None:
    trader = Trader(face)
    assert trader.order()["retCode"] == 10005
    assert trader.auth(secret_of="x")["retCode"] == 10004
    assert trader.auth(expires_ms=-1)["retCode"] == 10004
    answer = trader.auth()
    assert (answer["retCode"], answer["op"], answer["connId"]) == (0, "auth", "sim-1")
    assert trader.auth()["retCode"] == 20001
    assert trader.order()["retCode"] == 0


def test_an_answer_has_the_order_of_keys_of_the_venue(trader: Trader) -> None:
    answer = trader.order()
    assert list(answer) == ["reqId", "retCode", "retMsg", "op", "data", "retExtInfo", "header", "connId"]
    assert (answer["reqId"], list(answer["data"])) == ("r-1", ["orderId", "orderLinkId"])


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"op": "order.nothing"}, 10404),
        ({"args": [{**ORDER, "category": "spot"}]}, 10404),
        ({"args": []}, 10001),
        ({"args": [ORDER, ORDER]}, 10001),
        ({"args": {}}, 10001),
        ({"header": {}}, 10001),
        ({"header": "none"}, 10001),
        ({"header": {"X-BAPI-TIMESTAMP": "1"}}, 10002),
        ({"reqId": "r" * 37}, 10001),
        ({"args": [{**ORDER, "qty": "0.0001"}]}, 10001),
    ],
)
def test_each_mistake_has_its_code(trader: Trader, change: dict[str, Any], code: int) -> None:
    assert trader.order(**change)["retCode"] == code


def test_a_stamp_may_be_a_number_as_pybit_sends_it(trader: Trader) -> None:
    assert trader.order(header={"X-BAPI-TIMESTAMP": trader.face.now // MS})["retCode"] == 0


def test_a_request_id_is_good_once(trader: Trader) -> None:
    assert trader.order("same")["retCode"] == 0
    assert trader.order("same")["retCode"] == 20006


def test_the_socket_and_rest_share_the_limit(make_face: Callable[..., Face]) -> None:
    face = make_face(RateLimits())
    trader = Trader(face)
    trader.auth()
    for n in range(5):
        assert face.limit_order(f"rest-{n}")["retCode"] == 0
        header = trader.order(f"r-{n}")["header"]
    assert header["X-Bapi-Limit-Status"] == "0"
    assert trader.order("one more")["retCode"] == 10006


def test_pings_are_answered_in_the_socket_s_own_way(trader: Trader) -> None:
    answer = trader.say({"op": "ping"})
    assert (answer["op"], answer["retCode"]) == ("pong", 0)
    assert answer["data"] == [str(trader.face.now // MS)]
