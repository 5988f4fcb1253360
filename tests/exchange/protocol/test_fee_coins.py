"""Fees in another coin, from the exchange's book to the trader's: nothing of USDT changes, the other coin's wallet does."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest

from turbo_trader.bybit import decode, schemas
from turbo_trader.exchange.accounts import FeeCoin
from turbo_trader.exchange.messages import OrderMessage
from turbo_trader.exchange.protocol import render
from turbo_trader.trader.events import Fill, Source, WalletReport
from turbo_trader.trader.ledger import Ledger

Face = Any  # conftest.Face
D = Decimal


def read_fills(face: Face) -> list[Fill]:
    """What the trader makes of the executions, oldest first."""
    rows = face.ask("GET", "/v5/execution/list", category="linear", symbol="BTCUSDT")["result"]["list"]
    items = [msgspec.convert(row, schemas.Execution, strict=False) for row in reversed(rows)]
    return [decode.fill(item, 0, Source.REST) for item in items]


def read_wallet(face: Face) -> WalletReport:
    shown = face.ask("GET", "/v5/account/wallet-balance", accountType="UNIFIED")["result"]["list"][0]
    found = decode.wallet(msgspec.convert(shown, schemas.Wallet, strict=False), 0, Source.REST)
    assert found is not None
    return found


def test_every_coin_of_a_trade_paid_in_another_is_booked_to_the_last_digit(face: Face) -> None:
    face.exchange.pay_fees_in("1", FeeCoin("MNT", D("0.8")), D(100), face.now)
    ledger = Ledger()
    ledger.open(read_wallet(face), face.now)
    for side, qty in (("Buy", "0.03"), ("Sell", "0.01"), ("Sell", "0.05"), ("Buy", "0.03")):
        face.trade(side, qty)
    for fill in read_fills(face):
        assert fill.fee == 0
        ((coin, amount),) = fill.coin_fees
        assert coin == "MNT"
        assert amount == (fill.qty * fill.price * D("0.00055") / D("0.8")).quantize(D("0.00000001"))
        assert fill.cost == fill.qty * fill.price * D("0.00055")
        assert ledger.add(fill, fill.pnl or D(0))
    assert ledger.differences(read_wallet(face)) == {}
    assert ledger.fees == 0
    assert ledger.coins["MNT"].balance == read_wallet(face).coins["MNT"] < 100


def test_log_orders_and_wallet_name_the_coin(face: Face) -> None:
    face.exchange.pay_fees_in("1", FeeCoin("MNT", D("0.8")), D(100), face.now)
    face.trade("Buy", "0.03")
    order = next(m for _, m in face.exchange.drain() if isinstance(m, OrderMessage) and m.status == "Filled")
    assert list(render.order(order)["cumFeeDetail"]) == ["MNT"]
    lines = face.ask("GET", "/v5/account/transaction-log", accountType="UNIFIED", currency="MNT")["result"][
        "list"
    ]
    assert [line["type"] for line in lines] == ["TRADE", "TRANSFER_IN"]
    assert D(lines[0]["change"]) == -D(lines[0]["fee"]) < 0
    asked = {"accountType": "UNIFIED", "coin": "MNT"}
    coins = face.ask("GET", "/v5/account/wallet-balance", **asked)["result"]["list"][0]["coin"]
    assert [(coin["coin"], coin["walletBalance"]) for coin in coins] == [("MNT", lines[0]["cashBalance"])]


def test_too_little_of_the_coin_and_the_fee_is_usdt(face: Face) -> None:
    face.exchange.pay_fees_in("1", FeeCoin("MNT", D("0.8")), D("0.01"), face.now)
    face.trade("Buy", "0.03")
    (fill,) = read_fills(face)
    assert (fill.coin_fees, fill.fee_worth) == ((), D(0))
    assert fill.fee > 0


TAX = {"feeCoin": "USDT", "feeType": "GST", "subFeeType": "IND_GST", "feeRate": "0.000099", "fee": "0.0046"}


@pytest.mark.parametrize(
    ("fields", "fee", "other", "worth"),
    [
        ({"execFee": "0.5", "feeCurrency": "USDT"}, "0.5", (), "0"),
        ({"execFee": "0.5", "feeCurrency": ""}, "0.5", (), "0"),
        ({"execFee": "0.5"}, "0.5", (), "0"),
        ({"execFee": "-0.2", "feeCurrency": "USDT", "isMaker": True}, "-0.2", (), "0"),
        ({"execFee": "0.5", "feeCurrency": "MNT"}, "0", (("MNT", "0.5"),), "0.55"),
        ({"execFee": "-0.5", "feeCurrency": "MNT"}, "0", (("MNT", "-0.5"),), "-0.55"),
        ({"execFee": "0.5", "feeCurrency": "USDT", "extraFees": [TAX]}, "0.5046", (), "0"),
        ({"execFee": "0.5", "feeCurrency": "USDT", "extraFees": msgspec.json.encode([TAX]).decode()}, "0.5046", (), "0"),
        ({"execFee": "0.5", "feeCurrency": "MNT", "extraFees": [TAX]}, "0.0046", (("MNT", "0.5"),), "0.55"),
        ({"execFee": "0.1", "feeCurrency": "USDT", "execType": "Funding", "extraFees": ""}, "0.1", (), "0"),
        ({"execFee": "0.1", "feeCurrency": "USDC", "execType": "Funding"}, "0", (("USDC", "0.1"),), "0.55"),
    ],
)  # fmt: skip
def test_fees_are_read_by_coin(
    fields: dict[str, Any], fee: str, other: tuple[tuple[str, str], ...], worth: str
) -> None:
    item = {
        "symbol": "BTCUSDT",
        "execId": "e",
        "side": "Buy",
        "execPrice": "100000",
        "execQty": "0.01",
        "execValue": "1000",
        "feeRate": "0.00055",
        **fields,
    }
    fill = decode.fill(msgspec.convert(item, schemas.Execution, strict=False), 0, Source.STREAM)
    assert fill.fee == D(fee)
    assert fill.coin_fees == tuple((coin, D(amount)) for coin, amount in other)
    assert fill.fee_worth == D(worth)


@pytest.mark.parametrize("given", ["[", "[7]", {"a": 1}])
def test_taxes_that_cannot_be_read_leave_the_fee_as_it_is(given: Any) -> None:
    item = schemas.Execution(
        symbol="BTCUSDT",
        exec_id="e",
        side="Buy",
        exec_qty="1",
        exec_price="1",
        exec_fee="0.5",
        extra_fees=given,
    )
    assert decode.fill(item, 0, Source.STREAM).fee == D("0.5")
