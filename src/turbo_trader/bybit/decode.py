"""The venue's word as the Trader's reports: private stream messages and REST objects, read the same way."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from turbo_trader.bybit import schemas
from turbo_trader.bybit.schemas import amount, decimal, nanoseconds, price, whole
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

_SIDES = {"Buy": 1, "Sell": -1}
_TAXES = msgspec.json.Decoder(list[schemas.ExtraFee], strict=False)
_FRAME = msgspec.json.Decoder(schemas.Frame, strict=False)
_KINDS: dict[str, type[msgspec.Struct]] = {
    "order": schemas.Order,
    "execution": schemas.Execution,
    "position": schemas.Position,
    "wallet": schemas.Wallet,
}
_LISTS: dict[str, msgspec.json.Decoder[list[msgspec.Struct]]] = {
    topic: msgspec.json.Decoder(list[kind], strict=False)  # type: ignore[valid-type]
    for topic, kind in _KINDS.items()
}


def frame(raw: bytes | str) -> schemas.Frame:
    """One private message; Unreadable when it is not one."""
    try:
        return _FRAME.decode(raw)
    except msgspec.DecodeError as error:
        raise schemas.Unreadable(str(error)) from None


def private(message: schemas.Frame, received: int) -> list[Report]:
    """The reports of a data message; other topics and categories than linear give none. `received`: ns, where it has no time."""
    topic = message.topic.partition(".")[0]
    decoder = _LISTS.get(topic)
    if decoder is None:
        return []
    try:
        items = decoder.decode(message.data)
    except msgspec.DecodeError as error:
        raise schemas.Unreadable(f"{topic}: {error}") from None
    ts = nanoseconds(message.creation_time) or received
    reports = [report(item, ts, Source.STREAM) for item in items]
    return [found for found in reports if found is not None]


def report(item: msgspec.Struct, ts: int, source: Source) -> Report | None:
    """One object of the venue as a report; None for other categories, option coins and a wallet without USDT."""
    match item:
        case schemas.Order():
            return order(item, ts, source) if item.category == "linear" else None
        case schemas.Execution():
            return fill(item, ts, source) if item.category == "linear" else None
        case schemas.Position():
            return position(item, ts, source) if item.category == "linear" else None
        case schemas.Wallet():
            return wallet(item, ts, source)
    return None


def order(item: schemas.Order, ts: int, source: Source) -> OrderReport:
    """An order; `ts` is used where it carries no time of its own."""
    stop_type = "" if item.stop_order_type == "UNKNOWN" else item.stop_order_type
    return OrderReport(
        ts=nanoseconds(item.updated_time) or ts,
        symbol=item.symbol,
        order_id=item.order_id,
        link_id=item.order_link_id,
        parent_link_id=item.parent_order_link_id,
        side=_SIDES.get(item.side, 0),
        qty=amount(item.qty),
        filled=amount(item.cum_exec_qty),
        price=price(item.price),
        avg_price=price(item.avg_price),
        status=item.order_status,
        reduce_only=item.reduce_only,
        stop_type=stop_type,
        trigger_price=price(item.trigger_price),
        cancel_type="" if item.cancel_type == "UNKNOWN" else item.cancel_type,
        reject_reason="" if item.reject_reason == "EC_NoError" else item.reject_reason,
        created_ts=nanoseconds(item.created_time),
        source=source,
    )


def fill(item: schemas.Execution, ts: int, source: Source) -> Fill:
    """An execution, whoever ordered it."""
    paid, worth = _fees(item)
    return Fill(
        ts=nanoseconds(item.exec_time) or ts,
        symbol=item.symbol,
        exec_id=item.exec_id,
        order_id=item.order_id,
        link_id=item.order_link_id,
        side=_SIDES.get(item.side, 0),
        qty=amount(item.exec_qty),
        price=amount(item.exec_price),
        fee=paid.pop(SETTLED_IN, Decimal(0)),
        kind=item.exec_type,
        closed_qty=amount(item.closed_size),
        is_maker=item.is_maker,
        seq=whole(item.seq),
        pnl=decimal(item.exec_pnl),
        stop_type="" if item.stop_order_type == "UNKNOWN" else item.stop_order_type,
        create_type=item.create_type,
        source=source,
        coin_fees=tuple(paid.items()),
        fee_worth=worth,
    )


def _fees(item: schemas.Execution) -> tuple[dict[str, Decimal], Decimal]:
    """What an execution cost by coin, with taxes on top of its fee; and about what those in other coins than USDT are in USDT:
    their rate of the value traded."""
    value = amount(item.exec_value) or amount(item.exec_price) * amount(item.exec_qty)
    paid: dict[str, Decimal] = {}
    worth = Decimal(0)
    parts = [(item.fee_currency, item.exec_fee, item.fee_rate)]
    parts += [(tax.fee_coin, tax.fee, tax.fee_rate) for tax in _extra_fees(item.extra_fees)]
    for name, text, rate in parts:
        coin, fee = name or SETTLED_IN, amount(text)
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
    """A position as of `ts`, in the stream as of its last change; flat rows (side "", empty numbers) have size 0."""
    size = amount(item.size) * _SIDES.get(item.side, 0)
    changed = nanoseconds(item.updated_time) if source is Source.STREAM else 0
    return PositionReport(
        ts=changed or ts,
        symbol=item.symbol,
        size=size,
        entry_price=(price(item.entry_price) or price(item.avg_price)) if size else None,
        leverage=price(item.leverage),
        stop_loss=price(item.stop_loss),
        take_profit=price(item.take_profit),
        liq_price=price(item.liq_price),
        mark_price=price(item.mark_price),
        margin=decimal(item.position_im),
        seq=whole(item.seq, -1),
        position_idx=whole(item.position_idx),
        status=item.position_status,
        source=source,
    )


def wallet(item: schemas.Wallet, ts: int, source: Source) -> WalletReport | None:
    """The USDT wallet; available = balance - position and order margin - locked - bonus (isolated mode), never below 0."""
    for coin in item.coin:
        if coin.coin != SETTLED_IN:
            continue
        balance = amount(coin.wallet_balance)
        held = sum(
            (amount(x) for x in (coin.total_position_im, coin.total_order_im, coin.locked, coin.bonus)),
            Decimal(0),
        )
        return WalletReport(
            ts=ts,
            balance=balance,
            available=max(Decimal(0), balance - held),
            position_margin=amount(coin.total_position_im),
            order_margin=amount(coin.total_order_im),
            unrealised=amount(coin.unrealised_pnl),
            bonus=amount(coin.bonus),
            source=source,
            coins={each.coin: amount(each.wallet_balance) for each in item.coin if each.coin != SETTLED_IN},
        )
    return None


#: What the venue's transaction log calls money that came or went, neither traded nor charged; so are all TRANSFER_...
_MOVES = frozenset({"BONUS", "BONUS_RECOLLECT", "AIRDROP", "CURRENCY_BUY", "CURRENCY_SELL"})


def transfer(item: schemas.LogLine) -> Transfer | None:
    """A line of the transaction log where it is a transfer; None for trades, funding and whatever else."""
    if item.type not in _MOVES and not item.type.startswith("TRANSFER_"):
        return None
    name = item.id or f"{item.transaction_time} {item.currency} {item.change}"  # older lines have none
    return Transfer(nanoseconds(item.transaction_time), name, item.currency, amount(item.change), item.type)
