"""The venue's messages as the Trader's reports: private stream messages and REST objects, read the same way, row by row."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from typing import Final

import msgspec

from turbo_trader.bybit import schemas
from turbo_trader.bybit.schemas import (
    OddRow,
    Unreadable,
    amount,
    decimal,
    flag,
    nanoseconds,
    number,
    price,
    quantity,
    symbol_of,
    text,
    whole,
)
from turbo_trader.market.order_terms import ExecKind, Side
from turbo_trader.trader.events import (
    SETTLED_IN,
    Fill,
    OrderReport,
    PositionReport,
    Report,
    Source,
    Transfer,
    WalletReport,
)

_TAXES = msgspec.json.Decoder(list[schemas.ExtraFee], strict=False)
_FRAME = msgspec.json.Decoder(schemas.Frame, strict=False)
_KINDS: Final[dict[str, type[msgspec.Struct]]] = {
    "order": schemas.Order,
    "execution": schemas.Execution,
    "position": schemas.Position,
    "wallet": schemas.Wallet,
}


def frame(raw: bytes | str) -> schemas.Frame:
    """One private message; Unreadable when it is not one, whatever its bytes are."""
    try:
        return _FRAME.decode(raw)
    except Exception as error:  # whatever a decoder of bytes from outside raises, RecursionError too
        raise Unreadable(f"{type(error).__name__}: {error}"[:200]) from None


def private(
    message: schemas.Frame, received: int, on_odd: Callable[[OddRow], None] = lambda _: None
) -> list[Report]:
    """The reports of a data message; other topics and categories than linear give none. `received`: ns, where it has no time.

    A row that cannot be read goes to `on_odd`; its neighbours are reports all the same. Unreadable: there are no rows at all.
    """
    topic = str(message.topic).partition(".")[0]
    if topic not in _KINDS:
        return []
    try:
        items = msgspec.json.decode(message.data)
    except Exception as error:
        raise Unreadable(f"{topic}: {type(error).__name__}: {error}"[:200]) from None
    if not isinstance(items, list):
        raise Unreadable(f"{topic}: its data are no list")
    ts = nanoseconds(message.creation_time) or received
    found, odd = reports(items, topic, ts, Source.STREAM)
    for each in odd:
        on_odd(each)
    return found


def reports(
    items: Iterable[object], topic: str, ts: int, source: Source
) -> tuple[list[Report], list[OddRow]]:
    """Decoded JSON objects of one list (order, execution, position, wallet) as reports, and the rows that cannot be read."""
    found: list[Report] = []
    odd: list[OddRow] = []
    for item in items:
        try:
            made = report(msgspec.convert(item, _KINDS[topic], strict=False), ts, source)
        except (Unreadable, msgspec.ValidationError) as error:
            odd.append(
                OddRow(topic, symbol_of(item) or ("USDT" if topic == "wallet" else ""), str(error)[:200])
            )
            continue
        if made is not None:
            found.append(made)
    return found, odd


def report(item: msgspec.Struct, ts: int, source: Source) -> Report | None:
    """One object of the venue as a report; None for other categories, option coins and a wallet without USDT."""
    match item:
        case schemas.Order():
            return order(item, ts, source) if (item.category or "linear") == "linear" else None
        case schemas.Execution():
            return fill(item, ts, source) if (item.category or "linear") == "linear" else None
        case schemas.Position():
            return position(item, ts, source) if (item.category or "linear") == "linear" else None
        case schemas.Wallet():
            return wallet(item, ts, source)
    return None


def order(item: schemas.Order, ts: int, source: Source) -> OrderReport:
    """An order; `ts` is used where it carries no time of its own.

    One whose side or quantities cannot be read has no status, so that nothing is concluded from it; from a list it is Unreadable.
    """
    status, side = text(item.order_status), Side.named(item.side)
    try:
        _say_how_much(item, side)
    except Unreadable:
        if source is Source.REST:
            raise
        status = ""
    return OrderReport(
        ts=nanoseconds(item.updated_time) or ts,
        symbol=_named(item.symbol),
        order_id=text(item.order_id),
        link_id=text(item.order_link_id),
        parent_link_id=text(item.parent_order_link_id),
        side=side,
        qty=amount(item.qty),
        filled=amount(item.cum_exec_qty),
        price=price(item.price),
        avg_price=price(item.avg_price),
        status=status,
        reduce_only=flag(item.reduce_only),
        stop_type=_known(item.stop_order_type),
        trigger_price=price(item.trigger_price),
        cancel_type=_known(item.cancel_type),
        reject_reason="" if item.reject_reason == "EC_NoError" else text(item.reject_reason),
        source=source,
    )


def _say_how_much(item: schemas.Order, side: Side) -> None:
    """Unreadable: an order without side or quantity, or with a quantity that is none."""
    quantity(item.cum_exec_qty)
    quantity(item.qty)
    if not side or item.qty in (None, ""):
        raise Unreadable("an order without side or quantity")


def fill(item: schemas.Execution, ts: int, source: Source) -> Fill:
    """An execution, whoever ordered it. Unreadable: without id, side, quantity or price (funding needs neither of the last three),
    or with a figure that is none."""
    exec_id, side, kind = text(item.exec_id), Side.named(item.side), text(item.exec_type)
    qty, paid_price = quantity(item.exec_qty), quantity(item.exec_price)
    if not exec_id or (kind != ExecKind.FUNDING and not (side and qty)):
        raise Unreadable("an execution without id, side or quantity")
    if kind in ("", ExecKind.TRADE) and not paid_price:
        raise Unreadable("a trade without a price")
    paid, worth = _fees(item)
    return Fill(
        ts=nanoseconds(item.exec_time) or ts,
        symbol=_named(item.symbol),
        exec_id=exec_id,
        order_id=text(item.order_id),
        link_id=text(item.order_link_id),
        side=side,
        qty=qty,
        price=paid_price,
        fee=paid.pop(SETTLED_IN, Decimal(0)),
        kind=kind,
        closed_qty=quantity(item.closed_size),
        is_maker=flag(item.is_maker),
        seq=whole(item.seq),
        pnl=number(item.exec_pnl),
        stop_type=_known(item.stop_order_type),
        create_type=text(item.create_type),
        source=source,
        coin_fees=tuple(paid.items()),
        fee_worth=worth,
    )


def _fees(item: schemas.Execution) -> tuple[dict[str, Decimal], Decimal]:
    """What an execution cost by coin, with taxes on top of its fee; and about what those in other coins than USDT are in USDT:
    their rate of the value traded."""
    value = number(item.exec_value) or amount(item.exec_price) * amount(item.exec_qty)
    paid: dict[str, Decimal] = {}
    worth = Decimal(0)
    parts = [(item.fee_currency, item.exec_fee, item.fee_rate)]
    parts += [(tax.fee_coin, tax.fee, tax.fee_rate) for tax in _extra_fees(item.extra_fees)]
    for name, paid_fee, rate in parts:
        coin, fee = text(name) or SETTLED_IN, number(paid_fee) or Decimal(0)
        if not fee:
            continue
        paid[coin] = paid.get(coin, Decimal(0)) + fee
        if coin != SETTLED_IN:
            worth += abs(value * amount(rate)).copy_sign(fee)
    return paid, worth


def _extra_fees(given: object) -> list[schemas.ExtraFee]:
    """A list, or the text of one; "" where there are none. What cannot be read counts as none: where it was money, the wallet
    differs from the books then, which is an alarm."""
    try:
        if isinstance(given, str):
            return _TAXES.decode(given) if given.strip() else []
        return msgspec.convert(given or [], list[schemas.ExtraFee], strict=False)
    except (msgspec.DecodeError, RecursionError):
        return []


def position(item: schemas.Position, ts: int, source: Source) -> PositionReport:
    """A position as of `ts`, in the stream as of its last change; flat rows (side "", empty numbers) have size 0.

    Unreadable: a size that is none, is missing or has no side, a side without a size, a stop or a position index that is none.
    """
    size, side, index = quantity(item.size), Side.named(item.side), whole(item.position_idx)
    if item.size is None or (size and not side) or (side and item.size == ""):
        raise Unreadable(f"a position with size {item.size!r} and side {str(item.side)[:20]!r}")
    if index not in (0, 1, 2):
        raise Unreadable(f"a position of index {index}")
    changed = nanoseconds(item.updated_time) if source is Source.STREAM else 0
    return PositionReport(
        ts=changed or ts,
        symbol=_named(item.symbol),
        size=size * side,
        entry_price=(price(item.entry_price) or price(item.avg_price)) if size else None,
        leverage=price(item.leverage),
        stop_loss=quantity(item.stop_loss) or None,
        take_profit=quantity(item.take_profit) or None,
        liq_price=price(item.liq_price),
        mark_price=price(item.mark_price),
        margin=decimal(item.position_im),
        seq=whole(item.seq, -1),
        position_idx=index,
        status=text(item.position_status) or "Normal",
        source=source,
    )


def wallet(item: schemas.Wallet, ts: int, source: Source) -> WalletReport | None:
    """The USDT wallet; available = balance - position and order margin - locked - bonus (isolated mode), never below 0.

    Other coins are passed over, whatever they are. Unreadable: the USDT row is, or has no balance.
    """
    for each in item.coin:
        if symbol_of(each) != SETTLED_IN:
            continue
        coin = msgspec.convert(each, schemas.Coin, strict=False)
        balance = number(coin.wallet_balance)
        if balance is None:
            raise Unreadable("no balance of USDT")
        used = (coin.total_position_im, coin.total_order_im, coin.locked, coin.bonus)
        held = sum((number(x) or Decimal(0) for x in used), Decimal(0))
        return WalletReport(
            ts=ts,
            balance=balance,
            available=max(Decimal(0), balance - held),
            position_margin=amount(coin.total_position_im),
            order_margin=amount(coin.total_order_im),
            unrealised=amount(coin.unrealised_pnl),
            bonus=amount(coin.bonus),
            source=source,
            coins=_other_coins(item.coin),
        )
    return None


def _other_coins(rows: Iterable[object]) -> dict[str, Decimal]:
    """The balances of other coins, as far as they can be read."""
    found: dict[str, Decimal] = {}
    for row in rows:
        coin = symbol_of(row)
        balance = row.get("walletBalance") if isinstance(row, dict) else None
        if coin and coin != SETTLED_IN and (balance in (None, "") or decimal(balance) is not None):
            found[coin] = amount(balance)
    return found


#: What the venue's transaction log calls money that came or went, neither traded nor charged; so are all TRANSFER_...
_MOVES = frozenset({"BONUS", "BONUS_RECOLLECT", "AIRDROP", "CURRENCY_BUY", "CURRENCY_SELL"})


def transfers(items: Iterable[object]) -> tuple[list[Transfer], list[OddRow]]:
    """The transfers among lines of the transaction log, and the lines that cannot be read."""
    found: list[Transfer] = []
    odd: list[OddRow] = []
    for item in items:
        try:
            made = transfer(msgspec.convert(item, schemas.LogLine))
        except (Unreadable, msgspec.ValidationError) as error:
            odd.append(OddRow("transaction-log", symbol_of(item), str(error)[:200]))
            continue
        if made is not None:
            found.append(made)
    return found, odd


def transfer(item: schemas.LogLine) -> Transfer | None:
    """A line of the transaction log where it is a transfer; None for trades, funding and whatever else."""
    kind, coin = text(item.type), text(item.currency)
    if kind not in _MOVES and not kind.startswith("TRANSFER_"):
        return None
    name = text(item.id) or f"{item.transaction_time} {coin} {item.change}"  # older lines have none
    return Transfer(nanoseconds(item.transaction_time), name, coin, number(item.change) or Decimal(0), kind)


def _named(symbol: object) -> str:
    if not isinstance(symbol, str) or not symbol:
        raise Unreadable("a row without a symbol")
    return symbol


def _known(value: object) -> str:
    """A text where the venue writes UNKNOWN for none."""
    return "" if value == "UNKNOWN" else text(value)
