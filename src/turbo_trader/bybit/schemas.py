"""The venue's objects on the wire, as far as we read them. Unknown fields are ignored, missing ones have defaults.

Numbers arrive as strings, now and then as JSON numbers, and "" stands for none: `decimal` and `whole` read them all.
"""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, TypeAlias, TypeVar

import msgspec

Text: TypeAlias = str | int | float | None
Struct = TypeVar("Struct", bound=msgspec.Struct)


def decimal(text: Text) -> Decimal | None:
    """A number of the wire; None for "", null and what is not a finite number."""
    if text is None or text == "":
        return None
    try:
        value = Decimal(str(text))
    except InvalidOperation:
        return None
    return value if value.is_finite() else None


def amount(text: Text) -> Decimal:
    """A number of the wire, 0 where there is none."""
    return decimal(text) or Decimal(0)


def price(text: Text) -> Decimal | None:
    """A price of the wire: "", "0" and "0.00" are none."""
    value = decimal(text)
    return value if value else None


def whole(text: Text, default: int = 0) -> int:
    """An integer of the wire; `default` where there is none, or one of absurd size."""
    value = decimal(text)
    return default if value is None or value.adjusted() > 30 else int(value)


def nanoseconds(milliseconds: Text) -> int:
    """Milliseconds of the wire as ns UTC; 0 where there are none."""
    return whole(milliseconds) * 1_000_000


class Order(msgspec.Struct, rename="camel"):
    """Order object: REST list item and `order` stream item."""

    symbol: str = ""
    order_id: str = ""
    order_link_id: str = ""
    parent_order_link_id: str = ""
    side: str = ""
    price: Text = ""
    qty: Text = ""
    avg_price: Text = ""
    cum_exec_qty: Text = ""
    order_status: str = ""
    cancel_type: str = ""
    reject_reason: str = ""
    stop_order_type: str = ""
    trigger_price: Text = ""
    reduce_only: bool = False
    created_time: Text = ""
    updated_time: Text = ""
    category: str = "linear"


class Execution(msgspec.Struct, rename="camel"):
    """Execution object: REST list item and `execution` stream item."""

    symbol: str = ""
    order_id: str = ""
    order_link_id: str = ""
    side: str = ""
    exec_id: str = ""
    exec_price: Text = ""
    exec_qty: Text = ""
    exec_fee: Text = ""
    fee_currency: str | None = ""
    fee_rate: Text = ""
    exec_value: Text = ""
    extra_fees: Any = ""  # "", or a list of `ExtraFee`, also as a text
    exec_type: str = ""
    exec_time: Text = ""
    exec_pnl: Text = ""
    is_maker: bool = False
    closed_size: Text = ""
    seq: Text = 0
    stop_order_type: str = ""
    create_type: str = ""
    category: str = "linear"


class ExtraFee(msgspec.Struct, rename="camel"):
    """A tax on top of a fee."""

    fee_coin: str = ""
    fee_rate: Text = ""
    fee: Text = ""


class LogLine(msgspec.Struct, rename="camel"):
    """A line of the transaction log."""

    id: str = ""
    currency: str = ""
    type: str = ""
    change: Text = ""
    transaction_time: Text = ""


class Position(msgspec.Struct, rename="camel"):
    """Position object; the entry price is `avgPrice` in REST and `entryPrice` in the stream."""

    symbol: str = ""
    side: str = ""
    size: Text = ""
    avg_price: Text = ""
    entry_price: Text = ""
    leverage: Text = ""
    stop_loss: Text = ""
    take_profit: Text = ""
    liq_price: Text = ""
    mark_price: Text = ""
    position_im: Text = msgspec.field(default="", name="positionIM")
    seq: Text = -1
    position_idx: Text = 0
    position_status: str = "Normal"
    updated_time: Text = ""
    category: str = "linear"


class Coin(msgspec.Struct, rename="camel"):
    """One coin of the wallet."""

    coin: str = ""
    wallet_balance: Text = ""
    unrealised_pnl: Text = ""
    locked: Text = ""
    bonus: Text = ""
    total_order_im: Text = msgspec.field(default="", name="totalOrderIM")
    total_position_im: Text = msgspec.field(default="", name="totalPositionIM")


class Wallet(msgspec.Struct, rename="camel"):
    """The unified account; totals are in USD and empty in isolated margin mode."""

    account_type: str = ""
    total_available_balance: Text = ""
    coin: list[Coin] = []


class Frame(msgspec.Struct, rename="camel"):
    """A private data message or a command reply, whichever: told apart by `topic` and `op`."""

    topic: str = ""
    op: str = ""
    success: bool | None = None
    ret_msg: str = msgspec.field(default="", name="ret_msg")
    req_id: Text = msgspec.field(default="", name="req_id")
    creation_time: Text = 0
    data: msgspec.Raw = msgspec.Raw(b"[]")


class Unreadable(ValueError):
    """An object of the venue that cannot be read even leniently."""


def convert(items: Any, kind: type[Struct]) -> list[Struct]:
    """Structs of a list of decoded JSON objects; Unreadable names the first field that does not fit."""
    try:
        return [msgspec.convert(item, kind, strict=False) for item in items or ()]
    except msgspec.ValidationError as error:
        raise Unreadable(f"{kind.__name__}: {error}") from None
