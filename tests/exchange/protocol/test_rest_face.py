"""The REST face: rate limits and what the headers say of them, figures out of bounds."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.signing import Key

Face = Any  # conftest.Face
SECOND = 1_000_000_000
MS = 1_000_000


def test_the_eleventh_order_in_a_second_is_refused_and_the_headers_count(
    make_face: Callable[..., Face],
) -> None:
    face = make_face(RateLimits())
    for n in range(10):
        headers = face.reply(
            "POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId="none"
        ).headers
        assert (headers["X-Bapi-Limit"], headers["X-Bapi-Limit-Status"]) == ("10", str(9 - n))
    refused = face.reply("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId="none")
    assert json.loads(refused.body)["retCode"] == 10006
    assert int(refused.headers["X-Bapi-Limit-Reset-Timestamp"]) == face.now // MS + 1_000
    face.now += SECOND
    assert (
        face.ask("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderId="x")["retCode"]
        == 110001
    )


def test_an_address_above_its_limit_gets_403_without_json(make_face: Callable[..., Face]) -> None:
    face = make_face(RateLimits())
    assert all(face.raw("GET", "/v5/market/time").status == 200 for _ in range(600))
    refused = face.raw("GET", "/v5/market/time")
    assert (refused.status, refused.body) == (403, b"access too frequent")
    face.now += 601 * SECOND
    assert face.raw("GET", "/v5/market/time").status == 200


@pytest.mark.parametrize(
    ("path", "name"),
    [("order/create", "qty"), ("order/create", "price"), ("position/set-leverage", "buyLeverage"),
     ("position/add-margin", "margin")],
)  # fmt: skip
@pytest.mark.parametrize("figure", ["9" * 40, "1e999", "-1e30", "1e-40"])
def test_a_figure_out_of_all_bounds_is_refused(face: Face, path: str, name: str, figure: str) -> None:
    given = {
        "side": "Buy",
        "orderType": "Limit",
        "qty": "0.01",
        "price": "50000",
        "buyLeverage": "3",
        "sellLeverage": "3",
    }
    answer = face.ask("POST", f"/v5/{path}", category="linear", symbol="BTCUSDT", **{**given, name: figure})
    assert answer["retCode"] == 10001


def test_every_signed_answer_shows_the_limit_of_its_route(make_face: Callable[..., Face]) -> None:
    face = make_face(RateLimits())
    face.keys["k"] = Key(key="k", secret="s", uid="1", read_only=True)
    for path, reported in (
        ("order/create", "10"),
        ("order/create-batch", "10"),
        ("position/set-leverage", "10"),
    ):
        refused = face.reply("POST", f"/v5/{path}", category="linear")
        assert json.loads(refused.body)["retCode"] == 10005
        assert (refused.headers["X-Bapi-Limit"], refused.headers["X-Bapi-Limit-Status"]) == (
            reported,
            reported,
        )
        assert refused.headers["X-Bapi-Limit-Reset-Timestamp"] == str(face.now // MS)
        assert refused.headers["Ret_code"] == "10005"


REQUIRED = [
    ("GET", "market/tickers", {}), ("GET", "market/orderbook", {}), ("GET", "market/recent-trade", {}),
    ("GET", "market/instruments-info", {}), ("GET", "market/risk-limit", {}), ("GET", "market/funding/history", {}),
    ("GET", "order/realtime", {}), ("GET", "order/history", {}), ("GET", "execution/list", {}), ("GET", "position/list", {}),
    ("GET", "position/closed-pnl", {}), ("POST", "order/create", {"side": "Buy"}),
    ("POST", "order/amend", {"orderId": "a"}), ("POST", "order/cancel", {"orderId": "a"}), ("POST", "order/cancel-all", {}),
    ("POST", "position/trading-stop", {"stopLoss": "1"}), ("POST", "position/set-leverage", {"buyLeverage": "5"}),
]  # fmt: skip


@pytest.mark.parametrize(("method", "path", "params"), REQUIRED)
def test_the_category_is_required(face: Face, method: str, path: str, params: dict[str, Any]) -> None:
    answer = face.ask(method, f"/v5/{path}", symbol="BTCUSDT", **params)
    assert (answer["retCode"], "ategory is invalid" in answer["retMsg"]) == (10001, True)


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("market/kline", {"interval": "5"}),
        ("market/price-limit", {}),
        ("account/transaction-log", {}),
        ("account/fee-rate", {}),
    ],
)
def test_where_bybit_wants_no_category_none_is_wanted(face: Face, path: str, params: dict[str, Any]) -> None:
    assert face.ask("GET", f"/v5/{path}", symbol="BTCUSDT", **params)["retCode"] == 0


@pytest.mark.parametrize("category", ["spot", "inverse", "option"])
def test_of_other_categories_there_is_nothing(face: Face, category: str) -> None:
    for path in ("market/tickers", "market/instruments-info", "order/realtime", "position/list"):
        assert face.ask("GET", f"/v5/{path}", category=category)["result"]["list"] == [], path
    asked = face.ask("GET", "/v5/market/orderbook", category=category, symbol="BTCUSDT")
    assert asked["retCode"] == 10001
    assert face.limit_order("a", category=category)["retCode"] == 10001


@pytest.mark.parametrize(
    "path",
    ["order/realtime", "order/history", "execution/list", "position/list", "position/closed-pnl", "account/fee-rate"],
)  # fmt: skip
def test_reads_of_a_symbol_there_is_not_are_refused(face: Face, path: str) -> None:
    assert face.ask("GET", f"/v5/{path}", category="linear", symbol="BTCUSDT")["retCode"] == 0
    assert face.ask("GET", f"/v5/{path}", category="linear", symbol="btcusdt")["retCode"] == 10001


def test_lists_are_of_the_coins_asked_for(face: Face) -> None:
    face.trade("Buy", "0.01")
    face.trade("Sell", "0.005")
    face.limit_order("rests")

    def count(path: str, **chosen: str) -> int:
        return len(face.ask("GET", f"/v5/{path}", category="linear", **chosen)["result"]["list"])

    for path, there in (
        ("order/realtime", 1),
        ("order/history", 2),
        ("execution/list", 2),
        ("position/list", 1),
    ):
        assert count(path, settleCoin="USDT") == count(path, baseCoin="BTC") == there, path
        assert count(path, settleCoin="USDC") == count(path, baseCoin="ETH") == 0, path
    assert count("position/closed-pnl") == 1
    answer = face.ask("POST", "/v5/order/cancel-all", category="linear", settleCoin="USDC")
    assert (answer["result"]["list"], count("order/realtime", symbol="BTCUSDT")) == ([], 1)
    assert face.ask("POST", "/v5/order/cancel-all", category="linear", settleCoin="USDT")["result"]["list"]
