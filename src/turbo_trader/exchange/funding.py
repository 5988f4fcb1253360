"""Funding: charged to every position that stands at a settlement."""

from __future__ import annotations

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.messages import UNIT, ExecutionMessage, LogEntry
from turbo_trader.exchange.state import State
from turbo_trader.exchange.statements import Statements


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
        side = 1 if position.size > 0 else -1
        execution = ExecutionMessage(
            at, position.symbol, self._state.new_id(), self._state.new_id(), "", side, mark, abs(position.size), fee,
            rate * side, "Funding", False, ZERO, ZERO, None, ZERO, ZERO, "UNKNOWN", "", "", mark,
            self._state.index_price(s), position.seq, tick=self._state.instruments[s].tick,
        )  # fmt: skip
        account.executions.append(execution)
        account.book(
            LogEntry(
                at, self._state.new_id(), position.symbol, "SETTLEMENT", side, abs(position.size), mark,
                ZERO, -fee, ZERO, -fee, account.balance - fee, execution.order_id, "", position.size,
            )
        )  # fmt: skip
        short = -self._collateral.available(account)
        if not account.cross and short > 0 and fee > 0:
            position.extra -= min(short, fee)
        self._state.say(account.uid, execution)
        self._statements.emit(account, position, at)
