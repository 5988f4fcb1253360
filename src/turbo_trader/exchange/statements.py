"""What an account holds, as messages: positions and wallet at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.messages import PositionMessage, WalletMessage
from turbo_trader.exchange.orders import FULL

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


def position_message(exchange: Exchange, account: Account, p: Position, now: int) -> PositionMessage:
    """A position as it is now."""
    instrument, needs = exchange.instruments[exchange.index[p.symbol]], exchange.collateral
    held = bool(p.size)
    tier = instrument.tier(needs.value(p))
    profit, loss, trail = (p.stop(kind) for kind in FULL)
    return PositionMessage(
        now, p.symbol, p.idx, p.size, p.entry, p.leverage, needs.mark(p), needs.liquidation(account, p),
        needs.bankruptcy(account, p) if held and not account.cross else None,
        needs.initial(account, p), needs.maintenance(account, p), instrument.tiers.index(tier) + 1, tier.limit,
        profit.trigger_price if profit else None, loss.trigger_price if loss else None, trail.distance if trail else None,
        needs.unrealised(p),
        p.realised_now, p.realised_ever, p.status, p.seq, p.created_ts, p.opened_ts, needs.rank(account, p),
        needs.break_even(account, p), p.auto_margin,
    )  # fmt: skip


def wallet_message(exchange: Exchange, account: Account, now: int) -> WalletMessage:
    """The wallet as it is now."""
    held = [position_message(exchange, account, p, now) for p in account.held()]
    return WalletMessage(
        now, account.balance, sum((m.margin for m in held), ZERO), sum((m.maintenance for m in held), ZERO), account.order_margin,
        sum((m.unrealised for m in held), ZERO), sum((p.realised_ever for p in account.positions.values()), ZERO),
        account.cross,
    )  # fmt: skip
