"""The REST face in bytes: signatures, keys, limits, batches, pages, candles; and nothing a client sends makes it raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange.protocol.limits import RateLimits
from turbo_trader.exchange.protocol.signing import BARRED, Key

Face = Any  # conftest.Face
SECOND = 1_000_000_000
MS = 1_000_000


# -- keys


@pytest.mark.parametrize(
    ("offset_ms", "code"), [(0, 0), (-5_000, 0), (-5_001, 10002), (999, 0), (1_000, 10002)]
)
def test_the_time_window_has_both_bounds(face: Face, offset_ms: int, code: int) -> None:
    answer = face.ask("GET", "/v5/account/info", stamp_ms=face.now // MS + offset_ms)
    assert answer["retCode"] == code


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"read_only": True}, "/v5/order/create", 10005),
        ({"permissions": {"ContractTrade": ("Position",)}}, "/v5/order/create", 10005),
        ({"permissions": {"ContractTrade": ("Order",)}}, "/v5/position/set-leverage", 10005),
        ({"permissions": {}}, "/v5/position/trading-stop", 10005),
        ({"expires_ms": 1}, "/v5/order/create", 33004),
        ({"addresses": ("10.0.0.1",)}, "/v5/order/create", 10010),
    ],
)
def test_a_key_may_do_what_it_was_given_alone(
    face: Face, change: dict[str, Any], path: str, code: int
) -> None:
    face.keys["k"] = Key("k", "s", "1", **change)
    assert face.ask("POST", path, category="linear", symbol="BTCUSDT")["retCode"] == code


@pytest.mark.parametrize("code", BARRED)
def test_a_barred_key_is_told_why_whatever_it_asks(face: Face, code: int) -> None:
    face.keys["k"] = Key("k", "s", "1", barred=code)
    assert face.ask("GET", "/v5/account/info")["retCode"] == code
    assert face.limit_order("none")["retCode"] == code


def test_a_key_trades_the_symbols_of_its_list_alone(face: Face) -> None:
    face.keys["k"] = Key("k", "s", "1", symbols=("ETHUSDT",))
    assert face.limit_order("none")["retCode"] == 10029
    item = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    batch = face.ask("POST", "/v5/order/create-batch", category="linear", request=[item])
    assert batch["retCode"] == 10029
    assert face.ask("GET", "/v5/position/list", category="linear", symbol="BTCUSDT")["retCode"] == 0
    order = {"side": "Buy", "orderType": "Market", "qty": "0.01"}
    assert face.ask("POST", "/v5/order/create", category="linear", symbol="ETHUSDT", **order)["retCode"] == 0


def test_what_happens_to_prices_out_of_the_band_is_set_and_told(face: Face) -> None:
    assert face.ask("GET", "/v5/account/user-setting-config")["result"]["lpaPerp"] is False
    for category, moves, told in (("linear", False, True), ("spot", True, True), ("inverse", True, False)):
        answer = face.ask("POST", "/v5/account/set-limit-px-action", category=category, modifyEnable=moves)
        assert answer["retCode"] == 0
        assert face.ask("GET", "/v5/account/user-setting-config")["result"]["lpaPerp"] is told
    assert face.ask("POST", "/v5/account/set-limit-px-action", category="linear")["retCode"] == 10001


def test_nothing_of_the_insurance_fund_is_told_and_no_risk_limit_waits(face: Face) -> None:
    answer = json.loads(face.raw("GET", "/v5/market/adlAlert", b"symbol=BTCUSDT").body)["result"]
    assert (int(answer["updatedTime"]) % 60_000, answer["list"]) == (0, [])
    assert json.loads(face.raw("GET", "/v5/market/adlAlert", b"symbol=FOO").body)["retCode"] == 10001
    path = "/v5/position/confirm-pending-mmr"
    assert face.ask("POST", path, category="linear", symbol="BTCUSDT")["retCode"] == 0
    assert face.ask("POST", path, category="linear", symbol="FOO")["retCode"] == 10001


def test_a_read_only_key_reads_and_says_so(face: Face) -> None:
    face.keys["k"] = Key(
        "k", "s", "1", read_only=True, permissions={"Wallet": ("Withdraw",)}, addresses=("127.0.0.1",)
    )
    info = face.ask("GET", "/v5/user/query-api")["result"]
    assert (info["readOnly"], info["permissions"]["Wallet"], info["ips"]) == (1, ["Withdraw"], ["127.0.0.1"])
    assert face.ask("GET", "/v5/account/info")["retCode"] == 0


def test_a_key_tells_when_it_expires(face: Face) -> None:
    face.keys["k"] = Key("k", "s", "1", expires_ms=face.now // MS + 7 * 86_400_000)
    info = face.ask("GET", "/v5/user/query-api")["result"]
    assert (info["deadlineDay"], info["expiredAt"]) == (7, "2026-01-12T09:00:02Z")


@pytest.mark.parametrize("header", ["x-bapi-api-key", "x-bapi-timestamp", "x-bapi-sign"])
def test_a_missing_header_is_named(face: Face, header: str) -> None:
    headers = {"x-bapi-api-key": "k", "x-bapi-timestamp": "1", "x-bapi-sign": "a"}
    headers.pop(header)
    answer = json.loads(face.raw("GET", "/v5/account/info", **headers).body)
    assert answer["retCode"] == 10001
    assert "openapi sign params error" in answer["retMsg"]


def test_an_unknown_key_and_a_get_with_a_body(face: Face) -> None:
    headers = {"x-bapi-api-key": "other", "x-bapi-timestamp": "1", "x-bapi-sign": "a"}
    assert json.loads(face.raw("GET", "/v5/account/info", **headers).body)["retCode"] == 10003
    assert face.raw("GET", "/v5/account/info", body=b"{}", **headers).status == 403


# -- limits


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


# -- batches


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


# -- pages


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


def test_risk_limits_come_15_symbols_a_page(face: Face) -> None:
    first = json.loads(face.raw("GET", "/v5/market/risk-limit", b"category=linear").body)["result"]
    assert len({row["symbol"] for row in first["list"]}) == 15
    cursor = first["nextPageCursor"].encode()
    rest = json.loads(face.raw("GET", "/v5/market/risk-limit", b"category=linear&cursor=" + cursor).body)[
        "result"
    ]
    assert len({row["symbol"] for row in rest["list"]}) == 2
    assert rest["nextPageCursor"] == ""


# -- money


def trade(face: Face, side: str, qty: str, **params: Any) -> None:
    answer = face.ask(
        "POST",
        "/v5/order/create",
        category="linear",
        symbol="BTCUSDT",
        side=side,
        orderType="Market",
        qty=qty,
        **params,
    )
    assert answer["retCode"] == 0, answer


def test_the_transaction_log_explains_the_wallet_and_the_position(face: Face) -> None:
    for side, qty in (("Buy", "0.02"), ("Sell", "0.05"), ("Buy", "0.01")):
        trade(face, side, qty)
    log = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED", category="linear", limit=50)[
        "result"
    ]["list"]
    assert Decimal(log[0]["size"]) == Decimal("-0.02")
    wallet = face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0][
        "coin"
    ][0]
    assert sum(Decimal(row["change"]) for row in log) == Decimal(wallet["walletBalance"])
    for row in log:
        parts = [Decimal(row[name] or 0) for name in ("cashFlow", "funding", "fee")]
        assert parts[0] + parts[1] - parts[2] == Decimal(row["change"])
    only = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED", type="TRADE", limit=50)[
        "result"
    ]["list"]
    assert {row["type"] for row in only} == {"TRADE"}
    assert all(row["feeRate"] == "0.00055" for row in only)


def test_closed_pnl_has_one_row_per_closing_order_with_both_fees(face: Face) -> None:
    trade(face, "Buy", "0.03")
    trade(face, "Sell", "0.01")
    trade(face, "Sell", "0.02")
    rows = face.ask("GET", "/v5/position/closed-pnl", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [row["closedSize"] for row in rows] == ["0.02", "0.01"]
    for row in rows:
        exit_value, entry_value = Decimal(row["cumExitValue"]), Decimal(row["cumEntryValue"])
        fees = Decimal(row["openFee"]) + Decimal(row["closeFee"])
        assert Decimal(row["closedPnl"]) == exit_value - entry_value - fees
        assert abs(fees - (exit_value + entry_value) * Decimal("0.00055")) < Decimal("1e-6")
    wallet = face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0][
        "coin"
    ][0]
    total = sum(Decimal(row["closedPnl"]) for row in rows)
    assert abs(10_000 + total - Decimal(wallet["walletBalance"])) < Decimal("1e-6")


def test_what_a_delivery_closed_has_its_row_too(face: Face) -> None:
    trade(face, "Buy", "0.03")
    known = face.exchange.instruments[0]
    face.exchange.listing.relist(replace(known, delivery_ns=face.now + SECOND))
    face.now += 2 * SECOND
    face.exchange.settle(face.now)
    (row,) = face.ask("GET", "/v5/position/closed-pnl", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (row["closedSize"], row["execType"], row["leverage"], row["closeFee"]) == (
        "0.03",
        "Delivery",
        "10",
        "0",
    )
    assert Decimal(row["openFee"]) > 0


def test_an_order_tells_when_it_changed_last(face: Face) -> None:
    made = face.limit_order("then")["result"]["orderId"]
    face.now += 5 * SECOND
    face.ask("POST", "/v5/order/amend", category="linear", symbol="BTCUSDT", orderId=made, qty="0.002")
    changed = face.now // MS
    face.now += 5 * SECOND
    (row,) = face.ask("GET", "/v5/order/realtime", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (int(row["createdTime"]), int(row["updatedTime"])) == (changed - 5_000, changed)


def test_a_demo_account_is_refused_its_fee_rates(make_face: Callable[..., Face]) -> None:
    assert make_face(demo=True).ask("GET", "/v5/account/fee-rate", category="linear")["retCode"] == 10001


# -- hedge mode


def switch(face: Face, mode: Any, **chosen: Any) -> int:
    return int(
        face.ask("POST", "/v5/position/switch-mode", category="linear", mode=mode, **chosen)["retCode"]
    )


def listed(face: Face, **chosen: Any) -> list[dict[str, Any]]:
    return list(face.ask("GET", "/v5/position/list", category="linear", **chosen)["result"]["list"])


def test_hedge_mode_lists_two_rows_and_orders_name_their_side(face: Face) -> None:
    assert switch(face, 3, symbol="BTCUSDT") == 0
    assert [(row["positionIdx"], row["size"], row["side"]) for row in listed(face, symbol="BTCUSDT")] == [
        (1, "0", ""), (2, "0", ""),
    ]  # fmt: skip
    trade(face, "Buy", "0.02", positionIdx=1)
    trade(face, "Sell", "0.01", positionIdx=2)
    rows = listed(face, settleCoin="USDT")
    assert [(row["positionIdx"], row["size"], row["side"]) for row in rows] == [
        (1, "0.02", "Buy"), (2, "0.01", "Sell"),
    ]  # fmt: skip
    orders = face.ask("GET", "/v5/order/history", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [order["positionIdx"] for order in orders] == [2, 1]
    log = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED", type="TRADE")["result"]
    assert [row["size"] for row in log["list"]] == ["-0.01", "0.02"]
    trade(face, "Sell", "0.02", positionIdx=1)
    rows = face.ask("GET", "/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert [(row["side"], row["closedSize"]) for row in rows] == [("Sell", "0.02")]


def test_the_mode_of_a_symbol_goes_before_that_of_a_coin(face: Face) -> None:
    assert switch(face, 3, symbol="BTCUSDT", coin="USDT") == 0
    assert len(listed(face, symbol="ETHUSDT")) == 1
    assert switch(face, 3, coin="USDT") == 0
    assert len(listed(face, symbol="ETHUSDT")) == 2
    assert switch(face, 0, coin="USDT") == 0
    assert switch(face, 0, coin="USDT") == 110025


@pytest.mark.parametrize(
    ("mode", "chosen"),
    [(3, {}), (1, {"symbol": "BTCUSDT"}), ("x", {"symbol": "BTCUSDT"}), (3, {"symbol": "FOO"}), (3, {"coin": "BTC"})],
)  # fmt: skip
def test_a_mode_switch_needs_a_mode_and_a_symbol_or_coin(
    face: Face, mode: Any, chosen: dict[str, Any]
) -> None:
    assert switch(face, mode, **chosen) == 10001


# -- leverage and margin


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


def test_leverage_may_differ_by_side_in_hedge_mode_alone(face: Face) -> None:
    unequal = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "5", "sellLeverage": "8"}
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 10001
    assert switch(face, 3, symbol="BTCUSDT") == 0
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 0
    assert [row["leverage"] for row in listed(face, symbol="BTCUSDT")] == ["5", "8"]
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 110043


def test_added_margin_is_shown_with_the_position(face: Face) -> None:
    trade(face, "Buy", "0.02")
    (before,) = listed(face, symbol="BTCUSDT")
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    answer = face.ask("POST", "/v5/position/add-margin", **asked, margin="12.5", positionIdx=0)
    assert answer["retCode"] == 0
    (row,) = listed(face, symbol="BTCUSDT")
    assert answer["result"].items() <= {"category": "linear", **row}.items()
    assert Decimal(row["positionIM"]) == Decimal(before["positionIM"]) + Decimal("12.5")
    assert Decimal(row["liqPrice"]) < Decimal(before["liqPrice"])
    assert face.ask("POST", "/v5/position/add-margin", **asked, margin="0.00001")["retCode"] == 10001
    assert face.ask("POST", "/v5/position/add-margin", **asked, margin="100000")["retCode"] == 110014


def test_margin_is_added_of_itself_when_asked_in_either_spelling(face: Face) -> None:
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    for spelling, value in (("autoAddMargin", 1), ("autoAddmargin", 0)):
        answer = face.ask("POST", "/v5/position/set-auto-add-margin", **asked, **{spelling: value})
        assert (answer["retCode"], answer["result"]) == (0, {})
        assert listed(face, symbol="BTCUSDT")[0]["autoAddMargin"] == value
    assert face.ask("POST", "/v5/position/set-auto-add-margin", **asked)["retCode"] == 10001


# -- cross margin


def margin_mode(face: Face, mode: str) -> dict[str, Any]:
    return dict(face.ask("POST", "/v5/account/set-margin-mode", setMarginMode=mode))


def totals(face: Face) -> dict[str, Any]:
    return dict(face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0])


def test_the_margin_mode_is_set_and_told(face: Face) -> None:
    assert face.ask("GET", "/v5/account/info")["result"]["marginMode"] == "ISOLATED_MARGIN"
    assert margin_mode(face, "REGULAR_MARGIN")["result"] == {"reasons": []}
    assert face.ask("GET", "/v5/account/info")["result"]["marginMode"] == "REGULAR_MARGIN"
    refused = margin_mode(face, "PORTFOLIO_MARGIN")
    assert (refused["retCode"], refused["retMsg"]) == (3400045, "Set margin mode failed")
    assert refused["result"]["reasons"]
    assert margin_mode(face, "CROSS")["retCode"] == 10001
    assert margin_mode(face, "ISOLATED_MARGIN")["retCode"] == 0


def test_wallet_totals_are_empty_isolated_and_add_up_cross(face: Face) -> None:
    trade(face, "Buy", "0.02")
    names = ("totalMarginBalance", "totalAvailableBalance", "totalInitialMargin", "totalMaintenanceMargin", "accountIMRate",
             "accountMMRate")  # fmt: skip
    assert {totals(face)[name] for name in names} == {""}
    margin_mode(face, "REGULAR_MARGIN")
    face.limit_order("resting", price="60000")
    shown = totals(face)
    balance, available, initial, maintenance, initial_rate, maintenance_rate = (
        Decimal(shown[name]) for name in names
    )
    (row,), coin = listed(face, symbol="BTCUSDT"), shown["coin"][0]
    assert balance == Decimal(coin["walletBalance"]) + Decimal(row["unrealisedPnl"])
    assert initial == Decimal(row["positionIM"]) + Decimal(coin["totalOrderIM"])
    assert Decimal(coin["totalOrderIM"]) > 0
    assert maintenance == Decimal(row["positionMM"])
    assert available == balance - initial
    assert abs(initial_rate - initial / balance) < Decimal("1e-8")
    assert abs(maintenance_rate - maintenance / balance) < Decimal("1e-8")
    margin_mode(face, "ISOLATED_MARGIN")


def pre_check(face: Face, **params: Any) -> dict[str, Any]:
    order = {"category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Market", "qty": "0.01"}
    return dict(face.ask("POST", "/v5/order/pre-check", **{**order, **params}))


def test_pre_check_tells_the_rates_that_the_order_then_makes(face: Face) -> None:
    assert pre_check(face)["retCode"] == 10001  # isolated margin
    margin_mode(face, "REGULAR_MARGIN")
    trade(face, "Buy", "0.01")
    told = pre_check(face, qty="0.02")["result"]
    assert [told["preImrE4"], told["preMmrE4"]] == rates(face)
    assert told["postImrE4"] > 2 * told["preImrE4"] > 0
    assert len(listed(face, symbol="BTCUSDT")) == 1
    assert listed(face, symbol="BTCUSDT")[0]["size"] == "0.01"  # nothing was placed
    trade(face, "Buy", "0.02")
    for made, foreseen in zip(rates(face), (told["postImrE4"], told["postMmrE4"]), strict=True):
        assert abs(made - foreseen) <= 1
    closing = pre_check(face, side="Sell", qty="0.03", reduceOnly=True)["result"]
    assert (closing["postImrE4"], closing["postMmrE4"]) == (0, 0)


def rates(face: Face) -> list[int]:
    shown = totals(face)
    return [round(float(shown[name]) * 10_000) for name in ("accountIMRate", "accountMMRate")]


@pytest.mark.parametrize(
    ("params", "code"), [({"qty": "50"}, 110007), ({"qty": "0.0001"}, 10001), ({"symbol": "FOO"}, 10001)]
)
def test_pre_check_refuses_what_create_would(face: Face, params: dict[str, Any], code: int) -> None:
    margin_mode(face, "REGULAR_MARGIN")
    assert pre_check(face, **params)["retCode"] == code


# -- candles


@pytest.mark.parametrize(
    "interval", ["1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M"]
)
@pytest.mark.parametrize(
    "kind", ["kline", "mark-price-kline", "index-price-kline", "premium-index-price-kline"]
)
def test_candles_come_newest_first_in_strings(face: Face, interval: str, kind: str) -> None:
    query = f"category=linear&symbol=BTCUSDT&interval={interval}&limit=20".encode()
    rows = json.loads(face.raw("GET", f"/v5/market/{kind}", query).body)["result"]["list"]
    assert rows
    assert all(len(row) == (7 if kind == "kline" else 5) for row in rows)
    assert all(isinstance(figure, str) for row in rows for figure in row)
    times = [int(row[0]) for row in rows]
    assert times == sorted(set(times), reverse=True)
    for _, opened, high, low, close, *_ in rows:
        assert (
            Decimal(low)
            <= min(Decimal(opened), Decimal(close))
            <= max(Decimal(opened), Decimal(close))
            <= Decimal(high)
        )


def test_funding_history_grows_with_each_settlement(face: Face) -> None:
    face.data.note(face.now)
    face.now += 8 * 3_600 * SECOND
    face.data.note(face.now)
    query = b"category=linear&symbol=BTCUSDT"
    rows = json.loads(face.raw("GET", "/v5/market/funding/history", query).body)["result"]["list"]
    assert [row["fundingRateTimestamp"] for row in rows] == ["1767628800000"]
    alone = json.loads(face.raw("GET", "/v5/market/funding/history", query + b"&startTime=1").body)
    assert alone["retCode"] == 10001
