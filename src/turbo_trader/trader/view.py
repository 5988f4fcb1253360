"""The Trader as a person sees it, and the summary at the end."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.rules.session import drawdown_at, result_at
from turbo_trader.trader.exposure import usage
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import TraderState

_SHOWN = 5  # commands and limits' acts of the past that are shown


@dataclass(kw_only=True, frozen=True, slots=True)
class PositionView:
    """One open position."""

    symbol: str
    direction: int
    qty: Decimal
    entry: Decimal
    price: Decimal | None
    stop: Decimal | None
    target: Decimal
    zone: int
    extensions: int
    seconds: int
    reason: str
    result: Decimal | None  # USDT if it were closed at `price`, before fees; None: no price
    seconds_left: int  # until it is closed for its time


@dataclass(frozen=True, slots=True)
class View:
    """A moment of the Trader: all figures are of `ts`, whenever the session last looked at the account."""

    ts: int
    equity: Decimal
    wallet: Decimal
    session_result: Decimal  # fraction
    drawdown: Decimal  # fraction below the session's peak
    reconciled: bool  # the account was compared with the venue
    halted: bool  # until a person acts
    refusal: str  # why no entries are allowed; "" = they are
    lifted_by: str  # what would allow them again
    limits: dict[str, Decimal]  # used share of each limit, 1 = all of it
    history: tuple[dict[str, Any], ...]  # the last halts, pauses, resumes and new sessions: who, what, when
    capital_tier: str
    positions: tuple[PositionView, ...]
    counts: dict[str, int]
    frozen: dict[str, str]
    stages: dict[str, str]  # of each signal tier; empty under SIZE=full
    evidence: str  # what the trades say, in one sentence; "" under SIZE=full
    unprotected_seconds: float  # of this run: as long as the venue showed a position of ours without a stop


def view(state: TraderState, tier: str, staging: Staging, *, reconciled: bool) -> View:
    """The Trader now."""
    positions = []
    for each in state.per_symbol:
        bracket, trade, price = each.bracket, each.trade, state.closable(each)
        if bracket is None or trade is None:
            continue
        positions.append(
            PositionView(
                symbol=each.instrument.symbol,
                direction=1 if each.held > 0 else -1,
                qty=abs(each.held),
                entry=trade.entry,
                price=price,
                stop=each.venue.stop,
                target=bracket.target,
                zone=bracket.zone,
                extensions=bracket.extensions,
                seconds=(state.now - trade.opened_ts) // SECOND,
                reason=each.close.reason,
                result=None if price is None else each.held * (price - trade.entry),
                seconds_left=max(0, (bracket.deadline_ns - state.now) // SECOND),
            )
        )
    session, equity = state.session, state.equity()
    return View(
        ts=state.now,
        equity=equity,
        wallet=state.ledger.balance,
        session_result=result_at(session, equity),
        drawdown=drawdown_at(session, equity),
        reconciled=reconciled,
        halted=session.halted or session.flattening,
        refusal=session.refusal(state.now),
        lifted_by=session.lifted_by(state.now),
        limits=usage(state, equity),
        history=tuple(session.history[-_SHOWN:]),
        capital_tier=tier,
        positions=tuple(positions),
        counts=dict(state.counts),
        frozen={
            each.instrument.symbol: each.blocks.frozen for each in state.per_symbol if each.blocks.frozen
        },
        stages=staging.stages,
        evidence=staging.sentence,
        unprotected_seconds=unguarded_ns(state) / SECOND,
    )


def unguarded_ns(state: TraderState) -> int:
    """Venue time in which the venue showed a position of ours without a stop, what goes on now included."""
    since = (each.venue.unguarded_since for each in state.per_symbol)
    running = (state.now - at for at in since if at)
    return state.unguarded_ns + sum(max(0, length) for length in running)


def summary(state: TraderState, funnel: Funnel, scans: int) -> dict[str, Any]:
    """The figures of the whole run; money as Decimal, USDT."""
    ledger = state.ledger
    start = ledger.start or Decimal(0)
    end = state.equity() if state.wallet is not None else Decimal(0)
    return {
        "scans": scans,
        "funnel": funnel.to_dict(),
        **{name: state.counts[name] for name in ("trades", "wins", "losses", "liquidations")},
        "trades_a": state.counts["A"],
        "trades_b": state.counts["B"],
        "open_positions": sum(1 for each in state.per_symbol if each.open),
        "unguarded_seconds": unguarded_ns(state) / SECOND,
        "fees": ledger.fees,
        "funding": ledger.funding,
        "realised": ledger.results,
        "coin_fees": {coin: book.fees for coin, book in ledger.coins.items() if book.fees},
        "transfers": ledger.transfers,
        "discrepancies": ledger.discrepancies(),
        "start_equity": start,
        "wallet": ledger.balance,
        "end_equity": end,
        "net_pnl": end - start - ledger.transfers,
        "wallet_difference": ledger.difference(state.wallet) if state.wallet is not None else Decimal(0),
    }
