"""Every amount that is sent, in REST and streams, has as many decimals as the venue's: eight at most, and never an exponent."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.exchange.accounts import FeeCoin
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.private_stream import PrivateClient

Face = Any  # conftest.Face
AMOUNT = re.compile(r"-?(0|[1-9]\d*)(\.\d{1,8})?")
NUMBER = re.compile(r"-?\d[\d.]*([eE][-+]?\d+)?")  # what looks like a number at all
LINEAR = {"category": "linear"}
READS: dict[str, dict[str, Any]] = {
    "order/realtime": {**LINEAR, "settleCoin": "USDT"}, "order/history": LINEAR, "execution/list": {**LINEAR, "limit": 100},
    "position/list": {**LINEAR, "settleCoin": "USDT"}, "position/closed-pnl": LINEAR,
    "account/wallet-balance": {"accountType": "UNIFIED"}, "account/transaction-log": {"accountType": "UNIFIED", "limit": 50},
    "account/fee-rate": LINEAR, "market/tickers": LINEAR, "market/risk-limit": LINEAR, "market/instruments-info": LINEAR,
    "market/price-limit": {**LINEAR, "symbol": "BTCUSDT"}, "market/orderbook": {**LINEAR, "symbol": "BTCUSDT"},
    "market/kline": {**LINEAR, "symbol": "BTCUSDT", "interval": "5"}, "market/recent-trade": {**LINEAR, "symbol": "BTCUSDT"},
    "market/premium-index-price-kline": {**LINEAR, "symbol": "BTCUSDT", "interval": "5"},
}  # fmt: skip


def texts(value: Any) -> Iterator[str]:
    """Every text of an answer that is a number."""
    if isinstance(value, dict):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)
    elif isinstance(value, str) and NUMBER.fullmatch(value):
        yield value


def odd(value: Any) -> list[str]:
    return [text for text in texts(value) if not AMOUNT.fullmatch(text)]


@pytest.fixture(scope="module")
def traded(make_face: Callable[..., Face]) -> Face:
    return make_face()


ACTS = st.one_of(
    st.tuples(st.just("trade"), st.sampled_from(["Buy", "Sell"]), st.integers(1, 2_000)),
    st.tuples(st.just("leverage"), st.sampled_from([3, 7, 9, 11, 13]), st.just(0)),
    st.tuples(st.just("coin"), st.sampled_from(["0.7", "0.8137", ""]), st.integers(0, 3)),
    st.tuples(st.just("mode"), st.sampled_from(["REGULAR_MARGIN", "ISOLATED_MARGIN"]), st.just(0)),
    st.tuples(st.just("margin"), st.sampled_from(["0.3333", "7"]), st.just(0)),
    st.tuples(st.just("rest"), st.sampled_from(["Buy", "Sell"]), st.integers(1, 999)),
)


@settings(max_examples=25, deadline=None)
@given(acts=st.lists(ACTS, min_size=1, max_size=12))
def test_no_amount_has_more_digits_than_the_venue_s(traded: Face, acts: list[tuple[str, Any, int]]) -> None:
    face, where = traded, {**LINEAR, "symbol": "BTCUSDT"}
    client = PrivateClient(face.keys, "one")
    client.uid = "1"
    client.take(
        b'{"op":"subscribe","args":["order","execution","position","wallet","execution.fast"]}', face.now
    )
    sent: list[bytes] = []
    for what, choice, number in acts:
        face.now += 3_700_000_000_000
        qty = str(Decimal(number) / 1000)
        match what:
            case "trade":
                face.ask(
                    "POST",
                    "/v5/order/create",
                    **where,
                    side=choice,
                    orderType="Market",
                    qty=qty,
                    stopLoss="0",
                )
            case "rest":
                price = "20000.1" if choice == "Buy" else "199999.9"
                face.ask(
                    "POST", "/v5/order/create", **where, side=choice, orderType="Limit", qty=qty, price=price
                )
            case "leverage":
                lever = str(choice)
                face.ask("POST", "/v5/position/set-leverage", **where, buyLeverage=lever, sellLeverage=lever)
            case "coin":
                coin = FeeCoin("MNT", Decimal(choice)) if choice else None
                face.exchange.pay_fees_in("1", coin, Decimal(number), face.now)
            case "mode":
                face.ask("POST", "/v5/account/set-margin-mode", setMarginMode=choice)
            case "margin":
                face.ask("POST", "/v5/position/add-margin", **where, margin=choice, positionIdx=0)
        sent += client.push(face.now, [message for _, message in face.exchange.drain()])
    assert [each for frame in sent for each in odd(json.loads(frame)["data"])] == []
    for route, params in READS.items():
        answer = face.ask("GET", f"/v5/{route}", **params)
        assert answer["retCode"] == 0
        assert (route, odd(answer["result"])) == (route, [])
    account = face.exchange.accounts["1"]
    for coin, held in (("USDT", account.balance), *account.coins.items()):
        assert sum(entry.change for entry in account.log if entry.coin == coin) == held


@given(st.decimals(-(10**12), 10**12, allow_nan=False, allow_infinity=False))
def test_a_number_is_written_plainly_and_to_eight_decimals(value: Decimal) -> None:
    shown = render.text(value)
    assert AMOUNT.fullmatch(shown)
    assert shown != "-0"
    assert abs(Decimal(shown) - value) <= Decimal("0.000000005")


def test_a_margin_that_no_decimal_holds_is_sent_rounded(face: Face) -> None:
    """100,000 / 7 has no end: it was sent with 27 decimals."""
    face.ask(
        "POST", "/v5/position/set-leverage", **LINEAR, symbol="BTCUSDT", buyLeverage="7", sellLeverage="7"
    )
    face.trade("Buy", "0.013")
    (row,) = face.positions(symbol="BTCUSDT")
    for name in ("positionIM", "positionMM", "avgPrice", "breakEvenPrice", "unrealisedPnl", "positionValue"):
        assert AMOUNT.fullmatch(row[name]), name
    places = len(str(face.exchange.instruments[0].tick).partition(".")[2])
    for name in ("liqPrice", "bustPrice", "markPrice"):
        assert len(row[name].partition(".")[2]) <= places, name
