"""What the venue says, as reports, without a wire: for whoever watches both machines."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.messages import (
    ExecutionMessage,
    Message,
    OrderMessage,
    PositionMessage,
    WalletMessage,
)
from turbo_trader.trader.events import (
    SETTLED_IN,
    Fill,
    OrderReport,
    PositionReport,
    Report,
    Source,
    WalletReport,
)


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
