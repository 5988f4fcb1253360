"""Routes of orders: batches, pages, filters, pre-check."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.signed import SignedRoutes
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.market.rows import LEVEL, ROW, TRADE, WHOLE

Face = Any  # conftest.Face
SECOND = 1_000_000_000
MS = 1_000_000


def items(*prices: str) -> list[dict[str, str]]:
    base = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001"}
    return [{**base, "price": price, "orderLinkId": f"b-{n}"} for n, price in enumerate(prices)]


def test_a_batch_answers_item_by_item_under_code_0(face: Face) -> None:
    answer = face.ask(
        "POST", "/v5/order/create-batch", category="linear", request=items("50000", "1.05", "51000")
    )
    assert answer["retCode"] == 0
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 10001, 0]
    rows = answer["result"]["list"]
    assert [bool(row["orderId"]) for row in rows] == [True, False, True]
    assert [bool(row["createAt"]) for row in rows] == [True, False, True]
    amended = [
        {"symbol": "BTCUSDT", "orderId": rows[0]["orderId"], "qty": "0.002"},
        {"symbol": "BTCUSDT", "orderId": "x"},
    ]
    answer = face.ask("POST", "/v5/order/amend-batch", category="linear", request=amended)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 110001]
    cancelled = [{"symbol": "BTCUSDT", "orderLinkId": "b-0"}, {"symbol": "BTCUSDT", "orderLinkId": "b-2"}]
    answer = face.ask("POST", "/v5/order/cancel-batch", category="linear", request=cancelled)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 0]
    assert not face.ask("GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT")["result"]["list"]


def test_a_batch_above_the_limit_passes_its_first_ones(make_face: Callable[..., Face]) -> None:
    face = make_face(RateLimits())
    answer = face.ask("POST", "/v5/order/create-batch", category="linear", request=items(*["50000"] * 12))
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0] * 10 + [10006] * 2


@pytest.mark.parametrize("request_", [None, [], "x", [1], [{}] * 21])
def test_a_batch_that_is_none_is_refused_as_a_whole(face: Face, request_: Any) -> None:
    answer = face.ask("POST", "/v5/order/create-batch", category="linear", request=request_)
    assert answer["retCode"] == 10001


def test_pages_hold_every_order_once_even_when_new_ones_come(face: Face) -> None:
    for n in range(25):
        assert face.limit_order(f"p-{n}")["retCode"] == 0
    seen, cursor = [], ""
    while True:
        page = face.ask(
            "GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT", limit=10, cursor=cursor
        )["result"]
        seen += [row["orderLinkId"] for row in page["list"]]
        cursor = page["nextPageCursor"]
        if not cursor:
            break
        assert "%3A" in cursor
        face.limit_order(f"new-{len(seen)}")
    assert sorted(seen) == sorted(f"p-{n}" for n in range(25))


@pytest.mark.parametrize("asked", [{}, {"limit": 50}, {"limit": 1}])
def test_a_venue_with_short_pages_gives_no_more_whatever_is_asked_for(
    face: Face, asked: dict[str, int]
) -> None:
    for n in range(5):
        face.limit_order(f"p-{n}")
    signed = SignedRoutes(face.data, None, page=2)
    reply, _ = signed.call(
        Key(key="k", secret="s", uid="1"), "order/realtime", {"category": "linear", "symbol": "BTCUSDT", **asked},
        face.now, face.now // MS, "",
    )  # fmt: skip
    assert len(reply.result["list"]) == min(2, asked.get("limit", 2))
    assert reply.result["nextPageCursor"]


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("/v5/order/history", {"orderStatus": "New"}),
        ("/v5/execution/list", {"startTime": 1, "endTime": 10**12}),
    ],
)
def test_filters_that_make_no_sense_are_refused(face: Face, path: str, params: dict[str, Any]) -> None:
    answer = face.ask("GET", path, category="linear", **params)
    assert answer["retCode"] == (181017 if "orderStatus" in params else 10001)


def test_an_order_reports_when_it_changed_last(face: Face) -> None:
    made = face.limit_order("then")["result"]["orderId"]
    face.now += 5 * SECOND
    face.ask("POST", "/v5/order/amend", category="linear", symbol="BTCUSDT", orderId=made, qty="0.002")
    changed = face.now // MS
    face.now += 5 * SECOND
    (row,) = face.ask("GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (int(row["createdTime"]), int(row["updatedTime"])) == (changed - 5_000, changed)


def margin_mode(face: Face, mode: str) -> dict[str, Any]:
    return dict(face.ask("POST", "/v5/account/set-margin-mode", setMarginMode=mode))


def totals(face: Face) -> dict[str, Any]:
    return dict(face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0])


def pre_check(face: Face, **params: Any) -> dict[str, Any]:
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    return dict(face.ask("POST", "/v5/order/pre-check", **{**order, **params}))


def rates(face: Face) -> list[int]:
    shown = totals(face)
    return [round(float(shown[name]) * 10_000) for name in ("accountIMRate", "accountMMRate")]


def test_pre_check_reports_the_rates_that_the_order_then_makes(face: Face) -> None:
    assert pre_check(face)["retCode"] == 10001  # isolated margin
    margin_mode(face, "REGULAR_MARGIN")
    face.trade("Buy", "0.01")
    reported = pre_check(face, qty="0.02")["result"]
    assert [reported["preImrE4"], reported["preMmrE4"]] == rates(face)
    assert reported["postImrE4"] > 2 * reported["preImrE4"] > 0
    assert len(face.positions(symbol="BTCUSDT")) == 1
    assert face.positions(symbol="BTCUSDT")[0]["size"] == "0.01"  # nothing was placed
    face.trade("Buy", "0.02")
    for made, foreseen in zip(rates(face), (reported["postImrE4"], reported["postMmrE4"]), strict=True):
        assert abs(made - foreseen) <= 1
    closing = pre_check(face, side="Sell", qty="0.03", reduceOnly=True)["result"]
    assert (closing["postImrE4"], closing["postMmrE4"]) == (0, 0)


@pytest.mark.parametrize(
    ("params", "code"), [({"qty": "50"}, 110007), ({"qty": "0.0001"}, 10001), ({"symbol": "FOO"}, 10001)]
)
def test_pre_check_refuses_what_create_would(face: Face, params: dict[str, Any], code: int) -> None:
    margin_mode(face, "REGULAR_MARGIN")
    assert pre_check(face, **params)["retCode"] == code


def test_the_last_orders_that_ended_are_read_with_open_only_1_alone(face: Face) -> None:
    for name in ("rests", "ends"):
        face.limit_order(name)
    face.ask("POST", "/v5/order/cancel", category="linear", symbol="BTCUSDT", orderLinkId="ends")

    def links(**params: Any) -> list[str]:
        answer = face.ask("GET", "/v5/order/realtime", category="linear", **params)
        return [row["orderLinkId"] for row in answer["result"]["list"]]

    assert links(symbol="BTCUSDT") == links(settleCoin="USDT", openOnly="0") == ["rests"]
    assert links(symbol="BTCUSDT", openOnly="1") == ["ends"]
    assert links(orderLinkId="rests", openOnly="1") == ["rests"]
    assert links(orderLinkId="ends") == ["ends"]


@pytest.mark.parametrize(
    "params", [{}, {"qty": "0.001"}, {"price": "50000"}, {"qty": "0.0010", "price": "50000.0"}, {"takeProfit": "0"}]
)  # fmt: skip
def test_an_amendment_that_changes_nothing_is_refused(face: Face, params: dict[str, Any]) -> None:
    face.limit_order("a")
    order = {"category": "linear", "symbol": "BTCUSDT", "orderLinkId": "a"}
    answer = face.ask("POST", "/v5/order/amend", **order, **params)
    assert (answer["retCode"], "remains unchanged" in answer["retMsg"]) == (10001, True)


@pytest.mark.parametrize("what", ["amend", "cancel"])
def test_an_order_must_be_named(face: Face, what: str) -> None:
    answer = face.ask(
        "POST", f"/v5/order/{what}", category="linear", symbol="BTCUSDT", orderId="", qty="0.002"
    )
    assert (answer["retCode"], "required" in answer["retMsg"]) == (10001, True)


def test_a_conditional_order_that_rests_is_an_order_like_others(face: Face) -> None:
    far = str(int(face.exchange.last(0)) + 500)
    face.limit_order("waits", triggerPrice=far, triggerDirection=1)

    def links(kind: str) -> list[str]:
        asked = {"category": "linear", "symbol": "BTCUSDT", "orderFilter": kind}
        return [
            row["orderLinkId"] for row in face.ask("GET", "/v5/order/realtime", **asked)["result"]["list"]
        ]

    assert (links("StopOrder"), links("Order")) == (["waits"], [])
    tick = face.exchange.instruments[0].tick
    price, frame = int((int(far) + 1) / tick), (face.now, 0, 1, LEVEL | WHOLE, 1, 0)
    rows = np.array([(face.now, 5, price, TRADE | WHOLE, 1, 0), frame], ROW)
    face.exchange.advance(0, rows, 0, face.now + 1)
    assert (links("StopOrder"), links("Order")) == ([], ["waits"])
