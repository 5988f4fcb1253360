"""Funding: charged to every position that stands at a settlement."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import UNIT, ExecutionMessage, LogEntry
from turbo_trader.exchange.statements import Statements
from turbo_trader.market.order_terms import ExecKind, Side


class Funding:
    """Of all positions."""

    def __init__(self, state: State, collateral: Collateral, statements: Statements) -> None:
        self._state, self._collateral, self._statements = state, collateral, statements

    def charge(self, account: Account, position: Position, s: int, now: int) -> bool:
        """Charge every settlement up to `now` that the position stood through and was not charged for; were there any?"""
        interval, before = self._state.interval(s), position.funded_ts
        while position.size and (due := (position.funded_ts // interval + 1) * interval) <= now:
            position.funded_ts = due
            self._fund(account, position, s, due)
        return position.funded_ts != before

    def _fund(self, account: Account, position: Position, s: int, at: int) -> None:
        """Funding at settlement time `at`: size x mark x rate; longs pay when the rate is positive. What is not available is taken
        from the position's margin."""
        mark, rate = self._state.mark(s), self._state.funding_rate(s)
        fee = (position.size * mark * rate).quantize(UNIT)
        position.realised_now -= fee
        position.realised_ever -= fee
        execution = self._execution(position, s, fee, at)
        account.executions.append(execution)
        account.book(
            LogEntry(
                ts=at,
                id=self._state.new_id(),
                symbol=position.symbol,
                kind="SETTLEMENT",
                side=execution.side,
                qty=abs(position.size),
                price=mark,
                cash_flow=ZERO,
                funding=-fee,
                fee=ZERO,
                change=-fee,
                balance=account.balance - fee,
                order_id=execution.order_id,
                link_id="",
                size=position.size,
            )
        )
        short = -self._collateral.available(account)
        if not account.cross and short > 0 and fee > 0:
            position.extra -= min(short, fee)
        self._state.say(account.uid, execution)
        self._statements.emit(account, position, at)

    def _execution(self, position: Position, s: int, fee: Decimal, at: int) -> ExecutionMessage:
        mark = self._state.mark(s)
        side = Side.opening(position.size)
        return ExecutionMessage(
            ts=at,
            symbol=position.symbol,
            exec_id=self._state.new_id(),
            order_id=self._state.new_id(),
            link_id="",
            side=side,
            price=mark,
            qty=abs(position.size),
            fee=fee,
            fee_rate=self._state.funding_rate(s) * side,
            kind=ExecKind.FUNDING,
            is_maker=False,
            closed_qty=ZERO,
            pnl=ZERO,
            order_price=None,
            order_qty=ZERO,
            leaves=ZERO,
            order_type="UNKNOWN",
            stop_type="",
            create_type="",
            mark_price=mark,
            index_price=self._state.index_price(s),
            seq=position.seq,
            tick=self._state.instruments[s].tick,
        )
