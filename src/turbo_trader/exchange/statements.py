"""What an account holds, as messages: positions and wallet at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.margin import (
    bankruptcy_price,
    initial_margin,
    liquidation_price,
    maintenance_margin,
)
from turbo_trader.exchange.messages import PositionMessage, WalletMessage

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


def position_message(exchange: Exchange, account: Account, p: Position, now: int) -> PositionMessage:
    """A position as it is now."""
    s = exchange.index[p.symbol]
    instrument, mark = exchange.instruments[s], exchange.mark(s)
    held = bool(p.size)
    return PositionMessage(
        now, p.symbol, p.idx, p.size, p.entry, p.leverage, mark,
        liquidation_price(instrument, p.size, p.entry, p.leverage),
        bankruptcy_price(p.size, p.entry, p.leverage) if held else None,
        initial_margin(p.size, p.entry, p.leverage, account.taker),
        maintenance_margin(instrument, p.size, p.entry, mark, p.leverage, account.taker),
        p.take_profit.trigger_price if p.take_profit else None,
        p.stop_loss.trigger_price if p.stop_loss else None,
        (p.size * mark - (p.cost if p.size > 0 else -p.cost)) if held else ZERO,
        p.realised_now, p.realised_ever, "Normal", p.seq, p.opened_ts,
    )  # fmt: skip


def wallet_message(exchange: Exchange, account: Account, now: int) -> WalletMessage:
    """The wallet as it is now."""
    held = [position_message(exchange, account, p, now) for p in account.positions.values() if p.size]
    return WalletMessage(
        now, account.balance, account.position_margin, sum((m.maintenance for m in held), ZERO), account.order_margin,
        sum((m.unrealised for m in held), ZERO), sum((p.realised_ever for p in account.positions.values()), ZERO),
    )  # fmt: skip
