"""Between the two machines without a wire: Trader commands as Exchange requests, Exchange messages as Trader events."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.bybit.errors import Action, Kind, judge
from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.machine import Exchange
from turbo_trader.exchange.messages import (
    ExecutionMessage,
    Message,
    OrderMessage,
    PositionMessage,
    Reply,
    WalletMessage,
)
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Read, SetLeverage, SetStops
from turbo_trader.trader.events import (
    SETTLED_IN,
    CommandResult,
    Fill,
    OrderReport,
    Outcome,
    PositionReport,
    ReadResult,
    Report,
    Source,
    Transfer,
    WalletReport,
)

#: Refusals that mean "it is so already".
NOT_MODIFIED = frozenset({110043, 34040})


def to_event(message: Message, source: Source = Source.STREAM) -> Report:
    """A private message as the report the Trader would decode from the wire."""
    match message:
        case OrderMessage():
            return OrderReport(
                message.ts, message.symbol, message.order_id, message.link_id, message.parent_link_id, message.side,
                message.qty, message.filled, message.price, message.avg_price, message.status, message.reduce_only,
                message.stop_type, message.trigger_price, message.cancel_type, message.reject_reason, message.created_ts,
                source,
            )  # fmt: skip
        case ExecutionMessage():
            usdt = message.fee if message.fee_coin == SETTLED_IN else Decimal(0)
            other: tuple[tuple[str, Decimal], ...] = ()
            worth = Decimal(0)
            if message.fee_coin != SETTLED_IN:
                other = ((message.fee_coin, message.fee),)
                worth = abs(message.qty * message.price * message.fee_rate).copy_sign(message.fee)
            return Fill(
                message.ts, message.symbol, message.exec_id, message.order_id, message.link_id, message.side, message.qty,
                message.price, usdt, message.kind, message.closed_qty, message.is_maker, message.seq, message.pnl,
                message.stop_type, message.create_type, source, other, worth,
            )  # fmt: skip
        case PositionMessage():
            held = bool(message.size)
            return PositionReport(
                message.ts, message.symbol, message.size, message.entry_price if held else None, message.leverage,
                message.stop_loss, message.take_profit, message.liq_price, message.mark_price, message.margin, message.seq,
                message.position_idx, message.status, source,
            )  # fmt: skip
        case WalletMessage():
            return WalletReport(
                message.ts, message.balance, message.available, message.position_margin, message.order_margin,
                message.unrealised, source=source, coins={coin: balance for coin, balance, _ in message.coins},
            )  # fmt: skip


def execute(
    exchange: Exchange,
    uid: str,
    command: PlaceOrder | CancelOrder | SetStops | SetLeverage | Read,
    now: int,
    reply: int,
) -> CommandResult | ReadResult:
    """Carry a command out at the venue at `now`; the answer reaches the Trader `reply` ns later."""
    if isinstance(command, Read):
        return _read(exchange, uid, command, now, reply)
    answer: Reply = exchange.handle(now, uid, _request(command))
    confirmed = answer.code == 0 or answer.code in NOT_MODIFIED
    outcome = Outcome.CONFIRMED if confirmed else Outcome.REJECTED
    verdict = judge(answer.code)
    later, barred = verdict.kind is Kind.TEMPORARY, verdict.action is Action.STOP_ENTRIES
    return CommandResult(
        now + reply,
        command.id,
        outcome,
        answer.code,
        answer.message,
        later,
        barred,
        verdict.action is Action.HALT,
    )


def _request(command: PlaceOrder | CancelOrder | SetStops | SetLeverage) -> ask.Request:
    match command:
        case PlaceOrder():
            return ask.CreateOrder(
                command.symbol, command.side, command.order_type, command.qty, command.price, command.time_in_force,
                command.id, command.reduce_only, take_profit=command.take_profit, stop_loss=command.stop_loss,
                position_idx=command.position_idx,
            )  # fmt: skip
        case CancelOrder():
            return ask.CancelOrder(command.symbol, command.order_id, command.link_id)
        case SetStops():
            return ask.SetTradingStop(command.symbol, command.take_profit, command.stop_loss)
        case SetLeverage():
            return ask.SetLeverage(command.symbol, command.leverage)


def _read(exchange: Exchange, uid: str, command: Read, now: int, reply: int) -> ReadResult:
    account = exchange.accounts[uid]
    wanted = command.what
    held = [position.symbol for position in account.positions.values() if position.size]
    chosen = [command.symbol] if command.symbol else held
    orders: tuple[OrderReport, ...] = ()
    fills: tuple[Fill, ...] = ()
    if "orders" in wanted:
        open_orders = exchange.open_orders(uid, command.symbol)
        orders = tuple(_order(order.message(now)) for order in open_orders)
    if "order" in wanted:
        order = account.find(command.symbol, "", command.link_id)
        orders = (_order(order.message(now)),) if order is not None else ()
        fills = tuple(_fill(e) for e in account.executions if e.link_id == command.link_id)
    if "fills" in wanted:
        fills = tuple(
            _fill(e) for e in account.executions if e.ts >= command.since and command.symbol in ("", e.symbol)
        )
    kept = (
        tuple(_position(exchange.position(uid, symbol, now)) for symbol in chosen)
        if "positions" in wanted
        else ()
    )
    wallet = _wallet(exchange.wallet_message(uid, now)) if "wallet" in wanted else None
    transfers = (
        tuple(
            Transfer(line.ts, line.id, line.coin, line.change, line.kind)
            for line in account.log
            if line.ts >= command.since and line.kind.startswith("TRANSFER_")
        )
        if "transfers" in wanted
        else ()
    )
    return ReadResult(now + reply, command.id, Outcome.CONFIRMED, now, orders, fills, kept, wallet, transfers)


def _order(message: OrderMessage) -> OrderReport:
    event = to_event(message, Source.REST)
    assert isinstance(event, OrderReport)
    return event


def _fill(message: ExecutionMessage) -> Fill:
    event = to_event(message, Source.REST)
    assert isinstance(event, Fill)
    return event


def _position(message: PositionMessage) -> PositionReport:
    event = to_event(message, Source.REST)
    assert isinstance(event, PositionReport)
    return event


def _wallet(message: WalletMessage) -> WalletReport:
    event = to_event(message, Source.REST)
    assert isinstance(event, WalletReport)
    return event
