"""Routes of the account: transaction log, margin mode, wallet, settings, demo accounts."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from turbo_trader.exchange.messages import WalletMessage
from turbo_trader.exchange.protocol import render

Face = Any  # conftest.Face
MS = 1_000_000
SECOND = 1_000 * MS
DAY = 86_400 * SECOND


def test_the_transaction_log_explains_the_wallet_and_the_position(face: Face) -> None:
    for side, qty in (("Buy", "0.02"), ("Sell", "0.05"), ("Buy", "0.01")):
        face.trade(side, qty)
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


def test_a_wallet_names_its_loan_to_value_in_rest_and_stream(face: Face) -> None:
    for cross, reported in (("ISOLATED_MARGIN", ""), ("REGULAR_MARGIN", "0")):
        face.ask("POST", "/v5/account/set-margin-mode", setMarginMode=cross)
        wallet = face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
        assert wallet["accountLTV"] == reported
        assert render.wallet(face.exchange.wallet_message("1", face.now))["accountLTV"] == reported


def test_what_happens_to_prices_out_of_the_band_is_set_and_reported(face: Face) -> None:
    assert face.ask("GET", "/v5/account/user-setting-config")["result"]["lpaPerp"] is False
    for category, moves, reported in (
        ("linear", False, True),
        ("spot", True, True),
        ("inverse", True, False),
    ):
        answer = face.ask("POST", "/v5/account/set-limit-px-action", category=category, modifyEnable=moves)
        assert answer["retCode"] == 0
        assert face.ask("GET", "/v5/account/user-setting-config")["result"]["lpaPerp"] is reported
    assert face.ask("POST", "/v5/account/set-limit-px-action", category="linear")["retCode"] == 10001


def test_a_demo_account_is_refused_its_fee_rates(make_face: Callable[..., Face]) -> None:
    assert make_face(demo=True).ask("GET", "/v5/account/fee-rate", category="linear")["retCode"] == 10001


def margin_mode(face: Face, mode: str) -> dict[str, Any]:
    return dict(face.ask("POST", "/v5/account/set-margin-mode", setMarginMode=mode))


def totals(face: Face) -> dict[str, Any]:
    return dict(face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0])


def test_the_margin_mode_is_set_and_reported(face: Face) -> None:
    assert face.ask("GET", "/v5/account/info")["result"]["marginMode"] == "ISOLATED_MARGIN"
    assert margin_mode(face, "REGULAR_MARGIN")["result"] == {"reasons": []}
    assert face.ask("GET", "/v5/account/info")["result"]["marginMode"] == "REGULAR_MARGIN"
    refused = margin_mode(face, "PORTFOLIO_MARGIN")
    assert (refused["retCode"], refused["retMsg"]) == (3400045, "Set margin mode failed")
    assert refused["result"]["reasons"]
    assert margin_mode(face, "CROSS")["retCode"] == 10001
    assert margin_mode(face, "ISOLATED_MARGIN")["retCode"] == 0


def test_wallet_totals_are_empty_isolated_and_add_up_cross(face: Face) -> None:
    face.trade("Buy", "0.02")
    names = ("totalMarginBalance", "totalAvailableBalance", "totalInitialMargin", "totalMaintenanceMargin", "accountIMRate",
             "accountMMRate")  # fmt: skip
    assert {totals(face)[name] for name in names} == {""}
    margin_mode(face, "REGULAR_MARGIN")
    face.limit_order("resting", price="60000")
    shown = totals(face)
    balance, available, initial, maintenance, initial_rate, maintenance_rate = (
        Decimal(shown[name]) for name in names
    )
    (row,), coin = face.positions(symbol="BTCUSDT"), shown["coin"][0]
    assert balance == Decimal(coin["walletBalance"]) + Decimal(row["unrealisedPnl"])
    assert initial == Decimal(row["positionIM"]) + Decimal(coin["totalOrderIM"])
    assert Decimal(coin["totalOrderIM"]) > 0
    assert maintenance == Decimal(row["positionMM"])
    assert available == balance - initial
    assert abs(initial_rate - initial / balance) < Decimal("1e-8")
    assert abs(maintenance_rate - maintenance / balance) < Decimal("1e-8")
    margin_mode(face, "ISOLATED_MARGIN")


def test_one_bound_of_the_log_reaches_a_day(face: Face) -> None:
    face.now += 3 * DAY
    face.trade("Buy", "0.01")

    def found(**bound: int) -> int:
        return len(face.ask("GET", "/v5/account/transaction-log", **bound)["result"]["list"])

    ms = face.now // MS
    before = DAY // MS
    assert (
        found() == found(startTime=ms - 1) == found(endTime=ms + before - 1) == 2
    )  # with the transfer of time 0
    assert found(startTime=ms - before - 1) == found(endTime=ms - 1) == 1


def apply(face: Face, amount: Any, coin: str = "USDT", **more: Any) -> int:
    wanted = [{"coin": coin, "amountStr": amount}]
    return int(face.ask("POST", "/v5/account/demo-apply-money", utaDemoApplyMoney=wanted, **more)["retCode"])


def test_a_demo_account_gets_money_for_the_asking_once_a_minute(make_face: Callable[..., Face]) -> None:
    assert make_face().reply("POST", "/v5/account/demo-apply-money").status == 404
    face = make_face(demo=True)
    for amount, coin in (("1", "BTC"), ("0", "USDT"), ("-5", "USDT"), ("100001", "USDT"), ([], "USDT")):
        assert apply(face, amount, coin) == 10001
    assert [apply(face, "109.5"), apply(face, "1")] == [0, 10006]
    assert face.exchange.wallet("1") == Decimal("10109.5")
    face.now += 60 * SECOND
    assert apply(face, "20000", adjustType=1) == 110012
    face.now += 60 * SECOND
    assert apply(face, "109.5", adjustType=1) == 0
    assert face.exchange.wallet("1") == Decimal(10_000)
    rows = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED")["result"]["list"]
    assert [(row["type"], row["change"]) for row in rows[:2]] == [
        ("TRANSFER_OUT", "-109.5"),
        ("TRANSFER_IN", "109.5"),
    ]
    wallets = [message for _, message in face.exchange.drain() if isinstance(message, WalletMessage)]
    assert [message.balance for message in wallets] == [Decimal("10109.5"), Decimal(10_000)]
