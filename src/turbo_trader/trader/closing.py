"""Closes: everything on a symbol, reduce-only, until it is flat; the venue's stop stays in place meanwhile."""

from __future__ import annotations

from typing import Final

from turbo_trader.market.order_terms import OrderStatus, OrderType, Side, TimeInForce
from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import PlaceOrder, Purpose
from turbo_trader.trader.events import CommandResult, OrderReport, Outcome
from turbo_trader.trader.trader_state import SymbolState, TraderState
from turbo_trader.trader.watching import watch

_FLAT: Final = frozenset({110017})
_FINAL: Final = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})
_RETRY: Final = 2 * SECOND  # a close unanswered for so long is looked at again
_LANDS: Final = (
    10 * SECOND
)  # after its answer was given up a close is beyond its receive window (5 s) and the way there


class Closing:
    """One close in flight per symbol."""

    def __init__(self, state: TraderState) -> None:
        self._state = state

    def close(self, state: SymbolState, reason: str) -> None:
        """Begin to close; nothing where nothing is open, or it is being closed."""
        if not state.open or state.close.reason:
            return
        state.close.begin(reason)
        if state.trade is not None:
            state.trade.because(reason)
        self._state.note(
            "exit", symbol=state.instrument.symbol, reason=reason, size=state.held or state.venue.size,
            bid=self._state.bid(state), ask=self._state.ask(state),
        )  # fmt: skip
        watch(self._state, state)
        self._state.persist_position(state)  # a restart continues closing
        self._send(state)

    def on_clock(self, state: SymbolState) -> None:
        """Look at a close that was not answered; send the next one while something is to be closed."""
        close, now = state.close, self._state.now
        if close.id and now - close.ts >= _RETRY:
            close.release()
            self._state.read_position(state)
        if close.reason and not close.id:
            self._send(state)

    def outlive(self, state: SymbolState) -> None:
        """A close that the venue refuses for its age can do nothing any more; one without an answer may yet leave."""
        if state.close.may_land:
            state.close.outlive(self._state.now - _LANDS)

    def on_result(self, state: SymbolState, result: CommandResult) -> None:
        """The close was answered; refused because flat means our snapshot is old: read it."""
        close, now = state.close, self._state.now
        if result.outcome is not Outcome.UNKNOWN:
            close.landed(result.id)
        elif result.id in close.may_land:
            close.given_up(result.id, now)
        if result.id != close.id or result.outcome is Outcome.CONFIRMED:
            return
        self._state.note(
            "close-answer", "warning", symbol=state.instrument.symbol, code=result.code, why=result.message
        )
        if result.code not in _FLAT:
            close.answer(now)  # tried again after the retry time
        self._state.read_position(state)

    def adopt(self, state: SymbolState, link_id: str) -> None:
        """A close from before a restart, or of the guard, has no known outcome: it may still land, so nothing is opened before."""
        state.close.given_up(link_id, self._state.now)

    def on_report(self, state: SymbolState, report: OrderReport) -> None:
        """The venue's final report on a close: it can do nothing any more."""
        if report.status not in _FINAL:
            return
        state.close.landed(report.link_id)
        if report.link_id == state.close.id:
            state.close.ended(report.filled)
            self.go_on(state)

    def go_on(self, state: SymbolState) -> None:
        """A part is closed: the next one leaves at once, as one order may be no larger."""
        if state.close.goes_on and state.held:
            self._send(state)

    def _send(self, state: SymbolState) -> None:
        size = state.venue.size or state.held
        if not size or state.close.id:
            return
        state.close.send(self._state.ids.next("close"), self._state.now)
        most = state.instrument.max_market_qty
        self._state.give(
            PlaceOrder(
                id=state.close.id,
                symbol=state.instrument.symbol,
                side=Side.closing(size),
                qty=min(abs(size), most),
                order_type=OrderType.MARKET,
                time_in_force=TimeInForce.IOC,
                reduce_only=True,
                purpose=Purpose.CLOSE,
            )
        )
