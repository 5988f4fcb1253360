import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.sent_orders import close, entry

from turbo_trader.bybit import decode, schemas
from turbo_trader.bybit.command_calls import call, plain
from turbo_trader.bybit.decode import transfers
from turbo_trader.bybit.schemas import Unreadable
from turbo_trader.trader.commands import CancelOrder, SetLeverage, SetStops, WriteCommand
from turbo_trader.trader.events import Fill, OrderReport, PositionReport, Source, WalletReport

ORDER = {
    "symbol": "BTCUSDT",
    "orderId": "u-1",
    "orderLinkId": "tt-1",
    "parentOrderLinkId": "",
    "side": "Sell",
    "price": "60000.5",
    "qty": "0.003",
    "avgPrice": "",
    "cumExecQty": "0.001",
    "orderStatus": "Cancelled",
    "cancelType": "CancelByUser",
    "rejectReason": "EC_NoError",
    "stopOrderType": "UNKNOWN",
    "triggerPrice": "",
    "reduceOnly": True,
    "createdTime": "1700000000000",
    "updatedTime": "1700000000123",
    "category": "linear",
    "newField2027": {"x": [1]},
    "smpGroup": 0,
}


def message(topic: str, *items: object) -> bytes:
    return json.dumps(
        {"id": "x", "topic": topic, "creationTime": 1700000000500, "data": list(items)}
    ).encode()


def test_s12_a_cancelled_order_keeps_what_it_filled() -> None:
    (report,) = decode.private(decode.frame(message("order", ORDER)), 0)
    assert isinstance(report, OrderReport)
    assert (report.side, report.filled, report.status) == (-1, Decimal("0.001"), "Cancelled")
    assert report.avg_price is None
    assert report.stop_type == report.reject_reason == ""
    assert report.ts == 1700000000123 * 1_000_000


def test_an_execution_with_its_fee_and_result() -> None:
    item = {
        "symbol": "BTCUSDT",
        "orderId": "u",
        "orderLinkId": "",
        "side": "Buy",
        "execId": "e1",
        "execPrice": "60000",
        "execQty": "0.001",
        "execFee": "-0.012",
        "execType": "Funding",
        "execTime": "1700000000001",
        "isMaker": False,
        "closedSize": "",
        "seq": 4,
        "category": "linear",
        "execPnl": "0.5",
    }
    (fill,) = decode.private(decode.frame(message("execution", item)), 0)
    assert isinstance(fill, Fill)
    assert (fill.fee, fill.kind, fill.seq) == (Decimal("-0.012"), "Funding", 4)
    assert fill.closed_qty == 0
    assert fill.pnl == Decimal("0.5")


def test_s03_a_flat_row_with_empty_numbers_is_no_position() -> None:
    item = {
        "symbol": "BTCUSDT",
        "side": "",
        "size": "0",
        "entryPrice": "0",
        "positionValue": "",
        "liqPrice": "",
        "stopLoss": "0.00",
        "takeProfit": "",
        "leverage": "10",
        "seq": -1,
        "positionIdx": 0,
        "unrealisedPnl": "",
    }
    (report,) = decode.private(decode.frame(message("position.linear", item)), 0)
    assert isinstance(report, PositionReport)
    assert report.size == 0
    assert report.entry_price is report.stop_loss is report.take_profit is report.liq_price is None
    assert report.ts == 1700000000500 * 1_000_000


def test_rest_and_stream_name_the_entry_price_differently() -> None:
    rest = schemas.Position(symbol="X", side="Sell", size="2", avg_price="5.5")
    stream = schemas.Position(symbol="X", side="Sell", size="2", entry_price="5.5")
    for item in (rest, stream):
        report = decode.position(item, 1, Source.REST)
        assert (report.size, report.entry_price) == (Decimal(-2), Decimal("5.5"))


def test_s34_the_wallet_of_an_isolated_account() -> None:
    item = {
        "accountType": "UNIFIED",
        "totalAvailableBalance": "",
        "coin": [
            {"coin": "BTC", "walletBalance": "1"},
            {"coin": "ETH", "walletBalance": ""},
            {"coin": "XRP", "walletBalance": "many"},
            {
                "coin": "USDT",
                "walletBalance": "18.5",
                "unrealisedPnl": "3",
                "totalPositionIM": "2",
                "totalOrderIM": "1",
                "locked": "",
                "bonus": "0.5",
            },
        ],
    }
    (report,) = decode.private(decode.frame(message("wallet", item)), 0)
    assert isinstance(report, WalletReport)
    assert (report.balance, report.available, report.unrealised) == (Decimal("18.5"), Decimal(15), Decimal(3))
    assert report.coins == {"BTC": 1, "ETH": 0}  # what cannot be read is none


def test_other_topics_and_categories_give_nothing() -> None:
    assert decode.private(decode.frame(message("greeks", {"x": 1})), 0) == []
    assert decode.private(decode.frame(message("order", {**ORDER, "category": "spot"})), 0) == []
    with pytest.raises(Unreadable):
        decode.frame(b"{not json")


TEXTS = st.sampled_from(
    [None, "", "0", "-1", 7, "1e5", "1E+999999", "nan", "Infinity", "abc", " ", "0.00", "1_0", "\u0663"]
)


@given(
    st.dictionaries(
        st.sampled_from(["qty", "price", "avgPrice", "cumExecQty", "updatedTime", "triggerPrice", "unknown"]),
        TEXTS,
    )
)
@settings(max_examples=60)
def test_s25_odd_numbers_never_crash_the_reader(changes: dict[str, object]) -> None:
    reports = decode.private(decode.frame(message("order", {**ORDER, **changes})), 7)
    assert isinstance(reports[0], OrderReport)


def test_commands_become_plain_strings() -> None:
    order = entry("id", qty=Decimal("1E-5"), price=Decimal("6E+4"), take_profit=Decimal(65000))
    made = call(order)
    assert made.params["qty"] == "0.00001"
    assert made.params["price"] == "60000"
    assert (made.params["stopLoss"], made.params["tpslMode"], made.params["orderLinkId"]) == (
        "59000",
        "Full",
        "id",
    )
    assert not made.protective
    stops = call(SetStops("i", "BTCUSDT", Decimal(59000), None))
    assert "takeProfit" not in stops.params
    assert stops.protective
    cancel = call(CancelOrder("i", "BTCUSDT", link_id="a"))
    assert cancel.cancel
    assert cancel.params["orderLinkId"] == "a"
    leverage = call(SetLeverage("i", "BTCUSDT", Decimal("12.50")))
    assert leverage.params["buyLeverage"] == leverage.params["sellLeverage"] == "12.50"
    assert plain(None) is None


def test_a_transfer_comes_with_its_amount_and_other_lines_of_the_log_are_none() -> None:
    line = {"transactionTime": "1700000000000", "currency": "USDT", "change": "-2.5", "id": "t1"}
    kinds = ("TRANSFER_OUT", "BONUS", "TRADE", "SETTLEMENT")
    found, odd = transfers([{**line, "type": kind} for kind in kinds])
    assert odd == []
    assert [(each.kind, each.amount, each.ts, each.id) for each in found] == [
        (kind, Decimal("-2.5"), 1_700_000_000 * 10**9, "t1") for kind in kinds[:2]
    ]


def test_a_line_of_the_log_without_an_id_is_named_by_what_it_says() -> None:
    line = {"transactionTime": "1700000000000", "currency": "BTC", "type": "AIRDROP"}
    (one, other), odd = transfers([{**line, "change": "1"}, {**line, "change": "2"}])
    assert odd == []
    assert one.id != other.id


ENTRY_ON_THE_WIRE: dict[str, object] = {
    "category": "linear", "symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "timeInForce": "IOC",
    "positionIdx": 0, "orderLinkId": "e", "reduceOnly": False, "price": "60000", "stopLoss": "59000", "slTriggerBy": "LastPrice",
    "slOrderType": "Market", "takeProfit": "62000", "tpTriggerBy": "LastPrice", "tpOrderType": "Market", "tpslMode": "Full",
}  # fmt: skip
CLOSE_ON_THE_WIRE: dict[str, object] = {
    "category": "linear", "symbol": "BTCUSDT", "side": "Sell", "orderType": "Market", "qty": "0.001", "timeInForce": "IOC",
    "positionIdx": 0, "orderLinkId": "x", "reduceOnly": True,
}  # fmt: skip
STOPS_ON_THE_WIRE: dict[str, object] = {
    "category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0, "stopLoss": "59000",
    "slTriggerBy": "LastPrice",
}  # fmt: skip
BACKSTOP_ON_THE_WIRE: dict[str, object] = {
    "category": "linear", "symbol": "BTCUSDT", "tpslMode": "Full", "positionIdx": 0, "takeProfit": "62000",
    "tpTriggerBy": "LastPrice",
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "method", "params"),
    [
        (entry("e", take_profit=Decimal(62000)), "place_order", ENTRY_ON_THE_WIRE),
        (close("x"), "place_order", CLOSE_ON_THE_WIRE),
        (SetStops("s", "BTCUSDT", Decimal(59000), None), "set_trading_stop", STOPS_ON_THE_WIRE),
        (SetStops("s", "BTCUSDT", None, Decimal(62000)), "set_trading_stop", BACKSTOP_ON_THE_WIRE),
    ],
)
def test_what_moves_money_is_exactly_this_on_the_wire(
    command: WriteCommand, method: str, params: dict[str, object]
) -> None:
    made = call(command)
    assert (made.method, made.params, made.recv_window_ms) == (method, params, 5000)


@pytest.mark.parametrize(
    ("value", "meant"),
    [
        (True, True),
        ("true", True),
        ("True", True),
        (False, False),
        ("false", False),
        ("", False),
        (None, False),
    ],
)
def test_a_truth_value_may_be_a_text(value: object, meant: bool) -> None:
    assert schemas.flag(value) is meant


@pytest.mark.parametrize(("source", "ts"), [(Source.STREAM, 1_700_000_000 * 10**9), (Source.REST, 7)])
def test_a_position_is_of_its_last_change_in_the_stream_and_of_the_answer_when_read(
    source: Source, ts: int
) -> None:
    row = schemas.Position(
        symbol="BTCUSDT", side="Buy", size="1", position_idx=0, updated_time="1700000000000"
    )
    assert decode.position(row, 7, source).ts == ts
