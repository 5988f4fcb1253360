"""Routes of positions: both modes, leverage, margin, closed results."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

Face = Any  # conftest.Face
SECOND = 1_000_000_000


def switch(face: Face, mode: Any, **chosen: Any) -> int:
    return int(
        face.ask("POST", "/v5/position/switch-mode", category="linear", mode=mode, **chosen)["retCode"]
    )


def test_hedge_mode_lists_two_rows_and_orders_name_their_side(face: Face) -> None:
    assert switch(face, 3, symbol="BTCUSDT") == 0
    assert [(row["positionIdx"], row["size"], row["side"]) for row in face.positions(symbol="BTCUSDT")] == [
        (1, "0", ""), (2, "0", ""),
    ]  # fmt: skip
    face.trade("Buy", "0.02", positionIdx=1)
    face.trade("Sell", "0.01", positionIdx=2)
    rows = face.positions(settleCoin="USDT")
    assert [(row["positionIdx"], row["size"], row["side"]) for row in rows] == [
        (1, "0.02", "Buy"), (2, "0.01", "Sell"),
    ]  # fmt: skip
    orders = face.ask("GET", "/v5/order/history", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert [order["positionIdx"] for order in orders] == [2, 1]
    log = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED", type="TRADE")["result"]
    assert [row["size"] for row in log["list"]] == ["-0.01", "0.02"]
    face.trade("Sell", "0.02", positionIdx=1)
    rows = face.ask("GET", "/v5/position/closed-pnl", category="linear")["result"]["list"]
    assert [(row["side"], row["closedSize"]) for row in rows] == [("Sell", "0.02")]


def test_the_mode_of_a_symbol_goes_before_that_of_a_coin(face: Face) -> None:
    assert switch(face, 3, symbol="BTCUSDT", coin="USDT") == 0
    assert len(face.positions(symbol="ETHUSDT")) == 1
    assert switch(face, 3, coin="USDT") == 0
    assert len(face.positions(symbol="ETHUSDT")) == 2
    assert switch(face, 0, coin="USDT") == 0


def test_a_coin_is_switched_to_the_mode_in_force_without_a_refusal(face: Face) -> None:
    assert switch(face, 0, coin="USDT") == 0
    assert switch(face, 3, coin="USDT") == 0
    assert switch(face, 3, coin="USDT") == 0
    assert switch(face, 3, symbol="BTCUSDT") == 110025


@pytest.mark.parametrize(
    ("mode", "chosen"),
    [(3, {}), (1, {"symbol": "BTCUSDT"}), ("x", {"symbol": "BTCUSDT"}), (3, {"symbol": "FOO"}), (3, {"coin": "BTC"})],
)  # fmt: skip
def test_a_mode_switch_needs_a_mode_and_a_symbol_or_coin(
    face: Face, mode: Any, chosen: dict[str, Any]
) -> None:
    assert switch(face, mode, **chosen) == 10001


def test_leverage_may_differ_by_side_in_hedge_mode_alone(face: Face) -> None:
    unequal = {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "5", "sellLeverage": "8"}
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 10001
    assert switch(face, 3, symbol="BTCUSDT") == 0
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 0
    assert [row["leverage"] for row in face.positions(symbol="BTCUSDT")] == ["5", "8"]
    assert face.ask("POST", "/v5/position/set-leverage", **unequal)["retCode"] == 110043


def test_added_margin_is_shown_with_the_position(face: Face) -> None:
    face.trade("Buy", "0.02")
    (before,) = face.positions(symbol="BTCUSDT")
    asked = {"category": "linear", "symbol": "BTCUSDT"}
    answer = face.ask("POST", "/v5/position/add-margin", **asked, margin="12.5", positionIdx=0)
    assert answer["retCode"] == 0
    (row,) = face.positions(symbol="BTCUSDT")
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
        assert face.positions(symbol="BTCUSDT")[0]["autoAddMargin"] == value
    assert face.ask("POST", "/v5/position/set-auto-add-margin", **asked)["retCode"] == 10001


def test_closed_pnl_has_one_row_per_closing_order_with_both_fees(face: Face) -> None:
    face.trade("Buy", "0.03")
    face.trade("Sell", "0.01")
    face.trade("Sell", "0.02")
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
    face.trade("Buy", "0.03")
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
