"""The parts of the venue's wire objects that we read, row by row. Unknown fields are ignored, missing ones have defaults.

Numbers arrive as strings, now and then as JSON numbers, and "" stands for none. `decimal` and its kin take what is no number for
none; `number` and its kin refuse it, for figures that something is concluded from.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final, TypeGuard

import msgspec

_NUMBER: Final = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)
_LONGEST: Final = 80  # characters of a number
_LARGEST: Final = 30  # powers of ten, up and down, that a figure of the venue may have
_WHOLE_DIGITS: Final = 18
_LATEST_MS: Final = (2**63 - 1) // 1_000_000


class Unreadable(ValueError):
    """An object of the venue that cannot be read even leniently."""


def number(value: object) -> Decimal | None:
    """A number of the wire; None for "" and null. Unreadable: anything else, or one of absurd size."""
    if value is None or value == "":
        return None
    found = decimal(value)
    if found is None:
        raise Unreadable(f"{str(value)[:40]!r} is no number")
    return found


def decimal(value: object) -> Decimal | None:
    """A number of the wire; None for "", null, what is not a finite number and numbers of absurd size."""
    if isinstance(value, str):
        return _decimal(value) if len(value) <= _LONGEST else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, int) and value.bit_length() > 4 * _LARGEST:
        return None  # its text would be long, or refused
    return _decimal(str(value))


@lru_cache(maxsize=4096)  # the same prices, quantities and zeros come again and again
def _decimal(text: str) -> Decimal | None:
    if _NUMBER.fullmatch(text) is None:
        return None
    found = Decimal(text)
    return found if not found or abs(found.adjusted()) <= _LARGEST else None


def quantity(value: object) -> Decimal:
    """A quantity of the wire, 0 for "" and null. Unreadable: anything else that is no number, or a negative one."""
    found = number(value) or Decimal(0)
    if found < 0:
        raise Unreadable(f"{str(value)[:40]!r} is no quantity")
    return found


def amount(value: object) -> Decimal:
    """A number of the wire, 0 where there is none."""
    return decimal(value) or Decimal(0)


def price(value: object) -> Decimal | None:
    """A price of the wire: "", "0" and "0.00" are none, nor is one below."""
    found = decimal(value)
    return found if found is not None and found > 0 else None


def whole(value: object, default: int = 0) -> int:
    """An integer of the wire; `default` where there is none, or one of absurd size."""
    if _few_digits(value):
        return int(value)
    found = decimal(value)
    return default if found is None or found.adjusted() >= _WHOLE_DIGITS else int(found)


def nanoseconds(milliseconds: object) -> int:
    """Milliseconds of the wire as ns UTC that fit 64 bits; 0 where there are none."""
    if _few_digits(milliseconds):
        return min(int(milliseconds), _LATEST_MS) * 1_000_000
    return (
        max(0, min(whole(milliseconds, _LATEST_MS if decimal(milliseconds) else 0), _LATEST_MS)) * 1_000_000
    )


def _few_digits(value: object) -> TypeGuard[str]:
    """Is it a whole number as it mostly comes: some digits and nothing else?"""
    return isinstance(value, str) and len(value) <= _WHOLE_DIGITS and value.isascii() and value.isdigit()


def text(value: object) -> str:
    """A text of the wire, "" for null; Unreadable for lists, objects, true and false."""
    if value is None:
        return ""
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value) if not isinstance(value, int) or value.bit_length() < 256 else ""
    raise Unreadable(f"a text is a {type(value).__name__}")


def flag(value: object) -> bool:
    """A truth value of the wire; "", null and what is none are False."""
    return value is True or (isinstance(value, str) and value.lower() == "true")


class Order(msgspec.Struct, rename="camel"):
    """Order object: REST list item and `order` stream item."""

    symbol: Any = ""
    order_id: Any = ""
    order_link_id: Any = ""
    parent_order_link_id: Any = ""
    side: Any = ""
    price: Any = ""
    qty: Any = ""
    avg_price: Any = ""
    cum_exec_qty: Any = ""
    order_status: Any = ""
    cancel_type: Any = ""
    reject_reason: Any = ""
    stop_order_type: Any = ""
    trigger_price: Any = ""
    reduce_only: Any = False
    updated_time: Any = ""
    category: Any = "linear"


class Execution(msgspec.Struct, rename="camel"):
    """Execution object: REST list item and `execution` stream item."""

    symbol: Any = ""
    order_id: Any = ""
    order_link_id: Any = ""
    side: Any = ""
    exec_id: Any = ""
    exec_price: Any = ""
    exec_qty: Any = ""
    exec_fee: Any = ""
    fee_currency: Any = ""
    fee_rate: Any = ""
    exec_value: Any = ""
    extra_fees: Any = ""  # "", or a list of `ExtraFee`, also as a text
    exec_type: Any = ""
    exec_time: Any = ""
    exec_pnl: Any = ""
    is_maker: Any = False
    closed_size: Any = ""
    seq: Any = 0
    stop_order_type: Any = ""
    create_type: Any = ""
    category: Any = "linear"


class ExtraFee(msgspec.Struct, rename="camel"):
    """A tax on top of a fee."""

    fee_coin: Any = ""
    fee_rate: Any = ""
    fee: Any = ""


class LogLine(msgspec.Struct, rename="camel"):
    """A line of the transaction log."""

    id: Any = ""
    currency: Any = ""
    type: Any = ""
    change: Any = ""
    transaction_time: Any = ""


class Position(msgspec.Struct, rename="camel"):
    """Position object; the entry price is `avgPrice` in REST and `entryPrice` in the stream."""

    symbol: Any = ""
    side: Any = ""
    size: Any = None
    avg_price: Any = ""
    entry_price: Any = ""
    leverage: Any = ""
    stop_loss: Any = ""
    take_profit: Any = ""
    liq_price: Any = ""
    mark_price: Any = ""
    position_im: Any = msgspec.field(default="", name="positionIM")
    seq: Any = -1
    position_idx: Any = 0
    position_status: Any = "Normal"
    updated_time: Any = ""
    category: Any = "linear"


class Coin(msgspec.Struct, rename="camel"):
    """One coin of the wallet."""

    coin: Any = ""
    wallet_balance: Any = ""
    unrealised_pnl: Any = ""
    locked: Any = ""
    bonus: Any = ""
    total_order_im: Any = msgspec.field(default="", name="totalOrderIM")
    total_position_im: Any = msgspec.field(default="", name="totalPositionIM")


class Wallet(msgspec.Struct, rename="camel"):
    """The unified account; totals are in USD and empty in isolated margin mode."""

    account_type: Any = ""
    total_available_balance: Any = ""
    coin: list[Any] = []  # of Coin


class Frame(msgspec.Struct, rename="camel"):
    """A private data message or a command reply, whichever: distinguished by `topic` and `op`."""

    topic: Any = ""
    op: Any = ""
    success: Any = None
    ret_msg: Any = msgspec.field(default="", name="ret_msg")
    req_id: Any = msgspec.field(default="", name="req_id")
    creation_time: Any = 0
    data: msgspec.Raw = msgspec.Raw(b"[]")


@dataclass(frozen=True, slots=True)
class OddRow:
    """A row that cannot be read: of which list, of which symbol ("" where that cannot be read either), and why."""

    where: str
    symbol: str
    why: str


def symbol_of(item: object) -> str:
    """The symbol, or the coin, of a decoded JSON object; "" where it has none that can be read."""
    name = item.get("symbol", item.get("coin")) if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""
