"""Clients nobody here wrote, over real loopback sockets: pybit's and ccxt's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from pybit.exceptions import InvalidRequestError
from pybit.unified_trading import HTTP

START = 1_767_603_600_000_000_000
SYMBOL = "BTCUSDT"


def result(answer: Any) -> Any:
    return answer["result"]


def wallet(client: HTTP) -> Decimal:
    coin = result(client.get_wallet_balance(accountType="UNIFIED"))["list"][0]["coin"][0]
    return Decimal(coin["walletBalance"])


def test_pybit_reads_the_market(client: HTTP) -> None:
    assert int(result(client.get_server_time())["timeNano"]) > START
    names = {row["symbol"] for row in result(client.get_instruments_info(category="linear"))["list"]}
    assert SYMBOL in names
    klines = result(client.get_kline(category="linear", symbol=SYMBOL, interval="1", limit=1000))["list"]
    assert len(klines) == 1000
    assert int(klines[0][0]) - int(klines[1][0]) == 60_000
    book = result(client.get_orderbook(category="linear", symbol=SYMBOL, limit=10))
    assert Decimal(book["b"][0][0]) < Decimal(book["a"][0][0])


def test_pybit_opens_guards_moves_the_stop_and_closes(client: HTTP) -> None:
    last = Decimal(result(client.get_tickers(category="linear", symbol=SYMBOL))["list"][0]["lastPrice"])
    stop, target = (
        (last * Decimal("0.95")).quantize(Decimal("0.1")),
        (last * Decimal("1.05")).quantize(Decimal("0.1")),
    )
    assert (
        client.set_leverage(category="linear", symbol=SYMBOL, buyLeverage="7", sellLeverage="7")["retCode"]
        == 0
    )
    before = wallet(client)
    opened = result(client.place_order(
        category="linear", symbol=SYMBOL, side="Buy", orderType="Market", qty="0.01", stopLoss=str(stop), takeProfit=str(target),
        orderLinkId="t-1",
    ))  # fmt: skip
    position = result(client.get_positions(category="linear", symbol=SYMBOL))["list"][0]
    assert (position["side"], position["size"], position["leverage"]) == ("Buy", "0.01", "7")
    assert Decimal(position["stopLoss"]) == stop
    tighter = str(stop + 100)
    client.set_trading_stop(
        category="linear", symbol=SYMBOL, tpslMode="Full", positionIdx=0, stopLoss=tighter
    )
    position = result(client.get_positions(category="linear", symbol=SYMBOL))["list"][0]
    assert Decimal(position["stopLoss"]) == Decimal(tighter)
    children = result(client.get_open_orders(category="linear", symbol=SYMBOL, orderFilter="StopOrder"))[
        "list"
    ]
    assert {row["stopOrderType"] for row in children} == {"TakeProfit", "StopLoss"}
    closed = result(
        client.place_order(
            category="linear", symbol=SYMBOL, side="Sell", orderType="Market", qty="0.01", reduceOnly=True
        )
    )
    assert result(client.get_positions(category="linear", symbol=SYMBOL))["list"][0]["size"] == "0"
    assert not result(client.get_open_orders(category="linear", symbol=SYMBOL))["list"]
    orders = {opened["orderId"], closed["orderId"]}
    executions = result(client.get_executions(category="linear", symbol=SYMBOL))["list"]
    own = [row for row in executions if row["orderId"] in orders]
    assert {row["side"] for row in own} == {"Buy", "Sell"}
    earned = sum(Decimal(row["execPnl"]) - Decimal(row["execFee"]) for row in own)
    assert wallet(client) - before == earned  # other tests trade on the same account


def test_pybit_trails_and_takes_profit_in_parts(client: HTTP) -> None:
    last = Decimal(result(client.get_tickers(category="linear", symbol=SYMBOL))["list"][0]["lastPrice"])
    prices = [str((last * Decimal(part)).quantize(Decimal("0.1"))) for part in ("1.05", "0.95", "1.049")]
    target, stop, limit = prices
    where: dict[str, Any] = {"category": "linear", "symbol": SYMBOL, "positionIdx": 0}
    client.place_order(category="linear", symbol=SYMBOL, side="Buy", orderType="Market", qty="0.03")
    client.set_trading_stop(**where, tpslMode="Full", trailingStop="700", activePrice=target)
    for _ in range(2):
        client.set_trading_stop(
            **where, tpslMode="Partial", takeProfit=target, stopLoss=stop, tpSize="0.01", slSize="0.01", tpOrderType="Limit",
            tpLimitPrice=limit, slOrderType="Market",
        )  # fmt: skip
    position = result(client.get_positions(category="linear", symbol=SYMBOL))["list"][0]
    assert (position["trailingStop"], position["takeProfit"], position["stopLoss"]) == ("700", "", "")
    rows = result(client.get_open_orders(category="linear", symbol=SYMBOL, orderFilter="StopOrder"))["list"]
    shown = sorted(
        (row["stopOrderType"], row["orderType"], row["qty"], row["triggerPrice"], row["tpslMode"])
        for row in rows
    )
    assert [tuple(row) for row in shown] == [
        *[("PartialStopLoss", "Market", "0.01", _plain(stop), "Partial")] * 2,
        *[("PartialTakeProfit", "Limit", "0.01", _plain(target), "Partial")] * 2,
        ("TrailingStop", "Market", "0.03", _plain(target), "Full"),
    ]
    assert {(row["orderLinkId"], row["reduceOnly"], row["orderStatus"]) for row in rows} == {
        ("", True, "Untriggered")
    }
    client.set_trading_stop(**where, tpslMode="Full", trailingStop="0")
    client.place_order(
        category="linear", symbol=SYMBOL, side="Sell", orderType="Market", qty="0.03", reduceOnly=True
    )
    assert not result(client.get_open_orders(category="linear", symbol=SYMBOL))["list"]


def _plain(figure: str) -> str:
    return figure.rstrip("0").rstrip(".")


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"qty": "0.0001"}, 10001),
        ({"qty": "0.001", "price": "1.05"}, 10001),
        ({"qty": "0.001", "price": "100"}, 110094),
        ({"qty": "0.001", "reduceOnly": True, "price": "50000"}, 110017),
        ({"qty": "100", "price": "50000"}, 110007),
        ({"qty": "0.001", "price": "50000", "orderLinkId": "t-1"}, 110072),
    ],
)
def test_pybit_sees_each_refusal_under_its_code(client: HTTP, params: dict[str, Any], code: int) -> None:
    given = {"price": "50000", **params}
    with pytest.raises(InvalidRequestError) as caught:
        client.place_order(
            category="linear", symbol=SYMBOL, side="Buy", orderType="Limit", timeInForce="GTC", **given
        )
    assert caught.value.status_code == code


def test_a_wrong_secret_is_refused(port: int) -> None:
    session = HTTP(api_key="key", api_secret="wrong", retry_codes={-1}, max_retries=1, timeout=5)
    session.endpoint = f"http://127.0.0.1:{port}"
    session.client.trust_env = False
    with pytest.raises(InvalidRequestError) as caught:
        session.get_wallet_balance(accountType="UNIFIED")
    assert caught.value.status_code == 10004


def test_ccxt_trades(port: int) -> None:
    import ccxt

    exchange = ccxt.bybit(
        {"apiKey": "key", "secret": "secret", "options": {"fetchMarkets": {"types": ["linear"]}}}
    )
    exchange.urls["api"] = dict.fromkeys(exchange.urls["api"], f"http://127.0.0.1:{port}")
    markets = exchange.load_markets()
    pair = "ETH/USDT:USDT"
    assert markets[pair]["precision"]["price"] == 0.01
    assert exchange.fetch_balance()["USDT"]["total"] > 0
    exchange.set_leverage(5, pair)
    book = exchange.fetch_order_book(pair)
    assert book["bids"][0][0] < book["asks"][0][0]
    resting = exchange.create_order(pair, "limit", "buy", 0.1, round(book["bids"][0][0] * 0.9, 2))
    assert [order["id"] for order in exchange.fetch_open_orders(pair)] == [resting["id"]]
    exchange.edit_order(resting["id"], pair, "limit", "buy", 0.2, round(book["bids"][0][0] * 0.9, 2))
    assert exchange.fetch_open_orders(pair)[0]["amount"] == 0.2
    exchange.cancel_order(resting["id"], pair)
    assert not exchange.fetch_open_orders(pair)
    exchange.create_order(pair, "market", "sell", 0.1)
    positions = exchange.fetch_positions([pair])
    assert (positions[0]["side"], positions[0]["contracts"]) == ("short", 0.1)
    exchange.create_order(pair, "market", "buy", 0.1, params={"reduceOnly": True})
    assert len(exchange.fetch_my_trades(pair)) == 2
    assert len(exchange.fetch_ohlcv(pair, "5m", limit=50)) == 50
    assert exchange.fetch_ticker(pair)["last"] > 0


def test_pybit_sets_the_margin_mode_and_adds_margin(client: HTTP) -> None:
    symbol = "SOLUSDT"
    order = {"category": "linear", "symbol": symbol, "orderType": "Market", "qty": "1"}
    client.place_order(side="Buy", **order)
    try:
        added = result(
            client.add_or_reduce_margin(category="linear", symbol=symbol, margin="5", positionIdx=0)
        )
        row = result(client.get_positions(category="linear", symbol=symbol))["list"][0]
        assert (added["positionIM"], added["liqPrice"]) == (row["positionIM"], row["liqPrice"])
        assert result(client.set_margin_mode(setMarginMode="REGULAR_MARGIN"))["reasons"] == []
        assert result(client.get_account_info())["marginMode"] == "REGULAR_MARGIN"
        wallet = result(client.get_wallet_balance(accountType="UNIFIED"))["list"][0]
        assert 0 < Decimal(wallet["accountMMRate"]) < Decimal(wallet["accountIMRate"]) < 1
        with pytest.raises(InvalidRequestError) as caught:
            client.add_or_reduce_margin(category="linear", symbol=symbol, margin="5", positionIdx=0)
        assert caught.value.status_code == 110015
    finally:
        client.set_margin_mode(setMarginMode="ISOLATED_MARGIN")
        client.place_order(side="Sell", reduceOnly=True, **order)


def test_pybit_holds_both_sides_in_hedge_mode(client: HTTP) -> None:
    symbol = "SOLUSDT"
    order = {"category": "linear", "symbol": symbol, "orderType": "Market", "qty": "1"}
    client.switch_position_mode(category="linear", symbol=symbol, mode=3)
    try:
        client.place_order(side="Buy", positionIdx=1, **order)
        client.place_order(side="Sell", positionIdx=2, **order)
        rows = result(client.get_positions(category="linear", symbol=symbol))["list"]
        assert [(row["positionIdx"], row["side"], row["size"]) for row in rows] == [
            (1, "Buy", "1"),
            (2, "Sell", "1"),
        ]
        with pytest.raises(InvalidRequestError) as caught:
            client.switch_position_mode(category="linear", symbol=symbol, mode=0)
        assert caught.value.status_code == 110024
        with pytest.raises(InvalidRequestError) as caught:
            client.place_order(side="Buy", **order)
        assert caught.value.status_code == 10001
    finally:
        client.place_order(side="Sell", positionIdx=1, reduceOnly=True, **order)
        client.place_order(side="Buy", positionIdx=2, reduceOnly=True, **order)
        client.switch_position_mode(category="linear", symbol=symbol, mode=0)
