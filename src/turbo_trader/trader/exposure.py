"""What is at risk now: the account and the open positions as the rules' limits see them."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.rules.sizing import Account, OpenRisk
from turbo_trader.rules.usage import limit_usage
from turbo_trader.trader.desk import ZERO, Desk, SymbolDesk


def account(desk: Desk, equity: Decimal) -> Account:
    """What there is to risk, without the margin that entries under way wait for."""
    available = desk.wallet.available if desk.wallet is not None else ZERO
    waiting = sum((each.entry.margin for each in desk.desks if each.entry is not None), ZERO)
    session = desk.session
    return Account(
        equity, desk.balance(), max(ZERO, available - waiting), session.start_equity, session.realised
    )


def open_risks(desk: Desk) -> list[OpenRisk]:
    """Of what is held, and of what entries under way may still add to it."""
    return [risk for each in desk.desks for risk in (_held(each), _awaited(each)) if risk is not None]


def usage(desk: Desk, equity: Decimal) -> dict[str, Decimal]:
    """Used share of each limit by name, 1 = all of it."""
    return limit_usage(desk.policy, account(desk, equity), open_risks(desk), desk.session, desk.capital)


def secured(desk: Desk) -> Decimal:
    """The equity that is safe: the wallet by our books, and what the stops of open positions have locked after the exit fee."""
    held = [(each, risk) for each in desk.desks if (risk := _held(each)) is not None]
    locked = (-risk.notional * (risk.stop_distance + each.taker) for each, risk in held)
    return desk.ledger.balance + sum((max(ZERO, part) for part in locked), ZERO)


def _held(desk: SymbolDesk) -> OpenRisk | None:
    trade, bracket = desk.trade, desk.bracket
    if trade is None or bracket is None or not desk.held:
        return None
    stop = desk.stop_on_venue if desk.stop_on_venue is not None else bracket.stop
    distance = trade.direction * (trade.entry - stop) / trade.entry
    notional = abs(desk.held) * trade.entry
    return OpenRisk(
        desk.instrument.symbol, trade.direction, notional, desk.margin, distance, bracket.cost, trade.range_tail
    )  # fmt: skip


def _awaited(desk: SymbolDesk) -> OpenRisk | None:
    entry = desk.entry
    if entry is None or entry.filled >= entry.qty:
        return None
    left = entry.qty - entry.filled
    return OpenRisk(
        desk.instrument.symbol, entry.direction, left * entry.limit, entry.margin * left / entry.qty, entry.stop_loss,
        entry.cost, entry.range_tail,
    )  # fmt: skip
