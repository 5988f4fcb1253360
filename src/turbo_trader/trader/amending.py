"""Stop changes: sent until the venue has them; a position whose stop cannot be placed is closed."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from turbo_trader.market.grid import on_grid
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import Action, ClosePosition, ExitReason, MoveBackstop, MoveStop
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.commands import SetStops
from turbo_trader.trader.events import CommandResult, Outcome
from turbo_trader.trader.stop_amendment import AmendmentState
from turbo_trader.trader.trader_state import SymbolState, TraderState
from turbo_trader.trader.watching import watch

_ALREADY: Final = frozenset({34040})
_THROUGH: Final = frozenset({110092, 110093})  # the venue says that the price has passed the stop
_NEAR: Final = Decimal("0.0005")  # so close to its stop a price may have passed it by now
_RETRY: Final = 2 * SECOND  # a stop change unanswered for so long is looked at again


class Amending:
    """A position is never without a stop on the venue for longer than the venue takes."""

    def __init__(self, state: TraderState, closing: Closing) -> None:
        self._state = state
        self._closing = closing

    def act(self, state: SymbolState, actions: Sequence[Action]) -> None:
        """Do what the bracket asks for."""
        bracket = state.bracket
        if bracket is None or not actions:
            return
        symbol = state.instrument.symbol
        for action in actions:
            match action:
                case MoveStop():
                    state.amendment.want_stop(action.price)
                    self._state.note(
                        "zone", symbol=symbol, zone=bracket.zone, stop=action.price, reason=action.reason
                    )
                case MoveBackstop():
                    state.amendment.want_backstop(action.price)
                    self._state.note("extension", symbol=symbol, backstop=action.price)
                case ClosePosition():
                    self._closing.close(state, action.reason)
        self._state.persist_position(state)
        self.pump(state)

    def pump(self, state: SymbolState) -> None:
        """Send the newest stop when no stop change is in flight: the stop alone first, then the backstop."""
        amendment = state.amendment
        if amendment.state is not AmendmentState.PENDING or not state.venue.size or state.close.reason:
            return
        stop, backstop = amendment.send(self._state.ids.next("stop"), self._state.now)
        self._state.give(SetStops(amendment.id, state.instrument.symbol, stop, backstop))

    def on_clock(self, state: SymbolState) -> None:
        """Look at a position whose stop change was not confirmed: the answer to the read sends it again."""
        amendment, now = state.amendment, self._state.now
        if amendment.wanted and not state.close.reason and now - amendment.looked_ts >= _RETRY:
            self._look(state)

    def require_stop(self, state: SymbolState) -> None:
        """The venue shows no stop, or one looser than ours: send the bracket's again; without a bracket, close."""
        if state.bracket is None:
            self._closing.close(state, ExitReason.UNPROTECTED)
        elif state.amendment.stop is None and not state.amendment.in_flight:
            name = "unprotected" if state.venue.stop is None else "stop-loosened"
            state.amendment.want_stop(on_grid(state.bracket.stop, state.tick, up=state.bracket.direction > 0))
            self._state.note(name, "error", symbol=state.instrument.symbol, stop=state.bracket.stop)
            self.pump(state)

    def regrid(self, state: SymbolState) -> None:
        """Prices are sent on another tick from now on: what is wanted and not confirmed goes to it, and all that follows."""
        bracket, amendment = state.bracket, state.amendment
        if bracket is None or bracket.tick == state.tick:
            return
        bracket.tick, up = state.tick, bracket.direction > 0
        if amendment.stop is not None:
            amendment.want_stop(on_grid(amendment.stop, bracket.tick, up))
        if bracket.pending_backstop is not None:
            bracket.pending_backstop = on_grid(bracket.pending_backstop, bracket.tick, up)
            amendment.want_backstop(bracket.pending_backstop)
        watch(self._state, state)

    def found_stop(self, state: SymbolState, stop: Decimal) -> None:
        """The venue shows one tighter than ours: it left just before an end and was not kept, or a person set it. It stands."""
        bracket, wanted = state.bracket, state.amendment.stop
        if bracket is None or not bracket.found(stop):
            return
        if wanted is not None and bracket.direction * (stop - wanted) > 0:
            state.amendment.drop_stop()
        self._state.persist_position(state)
        watch(self._state, state)

    def on_report(self, state: SymbolState, ts: int) -> None:
        """The venue shows the change that has been unanswered for long: it was taken, and the next one need not wait."""
        amendment, venue = state.amendment, state.venue
        unanswered = amendment.in_flight and self._state.now - amendment.sent_ts >= _RETRY
        if not unanswered or ts < amendment.sent_ts:
            return
        stop, backstop = amendment.sent
        if (stop is None or stop == venue.stop) and (backstop is None or backstop == venue.backstop):
            amendment.confirm()
            self._stands(state, stop, backstop)

    def on_result(self, state: SymbolState, result: CommandResult) -> None:
        """A stop change was answered."""
        amendment = state.amendment
        if not amendment.in_flight or result.id != amendment.id:
            return
        stop, backstop = amendment.sent
        if result.outcome is Outcome.UNKNOWN:
            amendment.repeat()
            self._state.read_position(state)  # the position says what stands
        elif result.later or (result.barred_key and state.venue.stop is not None):
            amendment.repeat()
            amendment.looked(
                self._state.now
            )  # what stood still stands: read and sent again after the retry time
        elif result.outcome is Outcome.CONFIRMED or result.code in _ALREADY:
            amendment.confirm()
            self._stands(state, stop, backstop)
            self.pump(state)
        elif stop is not None:
            self._stop_refused(state, stop, result)
        else:
            amendment.refuse(again=False)
            self.act(state, state.bracket.backstop_refused() if state.bracket is not None else [])
            self.pump(state)

    def _stop_refused(self, state: SymbolState, stop: Decimal, result: CommandResult) -> None:
        """Where a stop stands and the price is away from the new one: look and send it once more. Otherwise close."""
        standing = state.venue.stop is not None
        again = standing and not state.amendment.refusals and not self._passed(state, stop, result)
        state.amendment.refuse(again=again)
        then = "looked at and sent once more" if again else "closed"
        self._state.note(
            "stop-refused", "error", symbol=state.instrument.symbol, stop=stop, code=result.code, why=result.message, then=then,
        )  # fmt: skip
        if again:
            self._look(state)  # a failed read is asked again after the retry time
        else:
            self._closing.close(state, ExitReason.STOP_REFUSED)

    def _look(self, state: SymbolState) -> None:
        state.amendment.looked(self._state.now)
        self._state.read_position(state)

    def _passed(self, state: SymbolState, stop: Decimal, result: CommandResult) -> bool:
        """Has the price passed the stop that was refused, or may it have by now?"""
        price, direction = self._state.closable(state), 1 if state.venue.size > 0 else -1
        near = price is not None and direction * (price - stop) < stop * _NEAR
        return result.code in _THROUGH or near

    def _stands(self, state: SymbolState, stop: Decimal | None, backstop: Decimal | None) -> None:
        state.venue.confirm(stop, backstop, state.amendment.sent_ts)
        if backstop is not None and state.bracket is not None:
            state.bracket.backstop_confirmed(backstop)
            self._state.persist_position(state)
        watch(self._state, state)
