"""Every method of pybit's HTTP class that a bot of linear perpetuals uses, once."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from pybit.unified_trading import HTTP

LINEAR = {"category": "linear", "symbol": "SOLUSDT"}
UNIFIED = {"accountType": "UNIFIED"}


@pytest.fixture
def last(client: HTTP) -> Decimal:
    answer: Any = client.get_tickers(**LINEAR)
    return Decimal(answer["result"]["list"][0]["lastPrice"])


@pytest.fixture(scope="module", autouse=True)
def traded(client: HTTP) -> Iterator[None]:
    """One trade opened and closed, so that every list has a row."""
    order = {**LINEAR, "orderType": "Market", "qty": "1"}
    client.place_order(side="Buy", orderLinkId="methods-1", **order)
    client.place_order(side="Sell", reduceOnly=True, **order)
    yield
    client.cancel_all_orders(**LINEAR)


def result(answer: Any) -> dict[str, Any]:
    assert answer["retCode"] == 0
    return dict(answer["result"])


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("get_instruments_info", LINEAR), ("get_tickers", LINEAR), ("get_public_trade_history", LINEAR),
        ("get_kline", {**LINEAR, "interval": "5"}), ("get_mark_price_kline", {**LINEAR, "interval": "5"}),
        ("get_index_price_kline", {**LINEAR, "interval": "60"}),
        ("get_premium_index_price_kline", {**LINEAR, "interval": "D"}), ("get_risk_limit", LINEAR),
        ("get_positions", LINEAR), ("get_executions", LINEAR), ("get_closed_pnl", LINEAR), ("get_order_history", LINEAR),
        ("get_open_orders", {**LINEAR, "openOnly": 1}), ("get_wallet_balance", UNIFIED), ("get_fee_rates", LINEAR),
        ("get_transaction_log", {**UNIFIED, "category": "linear"}),
    ],
)  # fmt: skip
def test_lists_have_rows(client: HTTP, method: str, params: dict[str, Any]) -> None:
    assert result(getattr(client, method)(**params))["list"]


@pytest.mark.parametrize(
    ("method", "params", "names"),
    [
        ("get_server_time", {}, {"timeSecond", "timeNano"}),
        ("get_orderbook", LINEAR, {"s", "b", "a", "ts", "u", "seq", "cts"}),
        ("get_price_limit", LINEAR, {"symbol", "buyLmt", "sellLmt", "ts"}),
        ("get_funding_rate_history", LINEAR, {"category", "list"}),
        ("get_open_interest", {**LINEAR, "intervalTime": "5min"}, {"symbol", "category", "list", "nextPageCursor"}),
        ("get_adl_alert", {}, {"updatedTime", "list"}), ("get_system_status", {}, {"list"}),
        ("get_user_setting_config", {}, {"lpaSpot", "lpaPerp", "deltaEnable", "smsef", "fmsef"}),
        ("query_dcp_info", {}, {"dcpInfos"}),
    ],
)  # fmt: skip
def test_answers_have_their_fields(
    client: HTTP, method: str, params: dict[str, Any], names: set[str]
) -> None:
    assert set(result(getattr(client, method)(**params))) == names


def test_the_account_and_its_key_are_reported(client: HTTP) -> None:
    assert result(client.get_account_info())["unifiedMarginStatus"] == 5
    reported = result(client.get_api_key_information())
    assert (reported["readOnly"], reported["permissions"]["ContractTrade"]) == (0, ["Order", "Position"])


def test_orders_in_batches(client: HTTP, last: Decimal) -> None:
    price = str((last * Decimal("0.98")).quantize(Decimal("0.01")))
    items = [
        {"symbol": "SOLUSDT", "side": "Buy", "orderType": "Limit", "qty": "1", "price": price}
        for _ in range(3)
    ]
    made = result(client.place_batch_order(category="linear", request=items))["list"]
    chosen = [{"symbol": "SOLUSDT", "orderId": row["orderId"]} for row in made]
    larger = [{**item, "qty": "2"} for item in chosen]
    answer: Any = client.amend_batch_order(category="linear", request=larger)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 0, 0]
    rows = result(client.get_open_orders(**LINEAR))["list"]
    assert {row["orderId"]: row["qty"] for row in rows} == {row["orderId"]: "2" for row in made}
    answer = client.cancel_batch_order(category="linear", request=chosen)
    assert [row["code"] for row in answer["retExtInfo"]["list"]] == [0, 0, 0]
    assert not result(client.get_open_orders(**LINEAR))["list"]


def test_one_order_amended_cancelled_and_all_of_them(client: HTTP, last: Decimal) -> None:
    price = str((last * Decimal("0.98")).quantize(Decimal("0.01")))
    order = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "1", "price": price}
    made = result(client.place_order(**order))["orderId"]
    assert result(client.amend_order(**LINEAR, orderId=made, qty="2"))["orderId"] == made
    assert result(client.cancel_order(**LINEAR, orderId=made))["orderId"] == made
    client.place_order(**order)
    conditional = {"triggerPrice": str((last * 2).quantize(Decimal("0.01"))), "triggerDirection": 1}
    client.place_order(**{**LINEAR, "side": "Buy", "orderType": "Market", "qty": "1"}, **conditional)
    ended = result(client.cancel_all_orders(**LINEAR))
    assert (len(ended["list"]), ended["success"]) == (2, "1")


@pytest.mark.parametrize(("tif", "reason"), [("IOC", "EC_NoImmediateQtyToFill"), ("FOK", "EC_NoEnoughQtyToFill"),
                                             ("PostOnly", "EC_PostOnlyWillTakeLiquidity")])  # fmt: skip
def test_orders_that_must_not_rest_or_take_say_why_they_ended(
    client: HTTP, last: Decimal, tif: str, reason: str
) -> None:
    share = Decimal("1.01") if tif == "PostOnly" else Decimal("0.98")
    price = str((last * share).quantize(Decimal("0.01")))
    order = {**LINEAR, "side": "Buy", "orderType": "Limit", "qty": "1", "price": price, "timeInForce": tif}
    made = result(client.place_order(**order))["orderId"]
    (row,) = result(client.get_order_history(**LINEAR, orderId=made))["list"]
    assert (row["orderStatus"], row["rejectReason"], row["cumExecQty"]) == ("Cancelled", reason, "0")


def test_settings_are_made_and_reported(client: HTTP) -> None:
    result(client.set_limit_price_action(category="linear", modifyEnable=False))
    assert result(client.get_user_setting_config())["lpaPerp"] is True
    result(client.set_limit_price_action(category="linear", modifyEnable=True))
    client.set_dcp(product="DERIVATIVES", timeWindow=40)
    assert [row["timeWindow"] for row in result(client.query_dcp_info())["dcpInfos"]] == ["40"]
    result(client.confirm_new_risk_limit(**LINEAR))
    result(client.set_margin_mode(setMarginMode="REGULAR_MARGIN"))
    try:
        rates = result(client.pre_check_order(**LINEAR, side="Buy", orderType="Market", qty="1"))
        assert rates["postImrE4"] >= rates["preImrE4"]
    finally:
        result(client.set_margin_mode(setMarginMode="ISOLATED_MARGIN"))
