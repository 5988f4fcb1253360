"""The current exposure: the account and the open positions as the rules' limits see them."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.rules.sizing import Account, OpenRisk
from turbo_trader.rules.usage import limit_usage
from turbo_trader.trader.trader_state import ZERO, SymbolState, TraderState


def account(state: TraderState, equity: Decimal) -> Account:
    """What there is to risk, without the margin that entries under way wait for."""
    available = state.wallet.available if state.wallet is not None else ZERO
    waiting = sum((each.entry.margin for each in state.per_symbol if each.entry is not None), ZERO)
    session = state.session
    return Account(
        equity, state.balance(), max(ZERO, available - waiting), session.start_equity, session.realised
    )


def open_risks(state: TraderState) -> list[OpenRisk]:
    """Of what is held, and of what entries under way may still add to it."""
    return [risk for each in state.per_symbol for risk in (_held(each), _awaited(each)) if risk is not None]


def usage(state: TraderState, equity: Decimal) -> dict[str, Decimal]:
    """Used share of each limit by name, 1 = all of it."""
    return limit_usage(state.policy, account(state, equity), open_risks(state), state.session, state.capital)


def secured(state: TraderState) -> Decimal:
    """The equity that is safe: the wallet by our books, and what the stops of open positions have locked after the exit fee."""
    held = [(each, risk) for each in state.per_symbol if (risk := _held(each)) is not None]
    locked = (-risk.notional * (risk.stop_distance + each.taker) for each, risk in held)
    return state.ledger.balance + sum((max(ZERO, part) for part in locked), ZERO)


def _held(state: SymbolState) -> OpenRisk | None:
    trade, bracket = state.trade, state.bracket
    if trade is None or bracket is None:
        return None
    stop = state.venue.stop if state.venue.stop is not None else bracket.stop
    distance = trade.direction * (trade.entry - stop) / trade.entry
    notional = abs(state.held) * trade.entry
    return OpenRisk(
        symbol=state.instrument.symbol,
        direction=trade.direction,
        notional=notional,
        margin=state.venue.margin,
        stop_distance=distance,
        cost=bracket.cost,
        range_tail=trade.range_tail,
    )


def _awaited(state: SymbolState) -> OpenRisk | None:
    entry = state.entry
    if entry is None or entry.filled >= entry.qty:
        return None
    left = entry.qty - entry.filled
    return OpenRisk(
        symbol=state.instrument.symbol,
        direction=entry.direction,
        notional=left * entry.limit,
        margin=entry.margin * left / entry.qty,
        stop_distance=entry.stop_loss,
        cost=entry.cost,
        range_tail=entry.range_tail,
    )
