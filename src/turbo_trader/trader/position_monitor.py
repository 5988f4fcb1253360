"""Open positions against the market and the clock: zones, deadlines, stops that should have fired."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import Bracket, ExitReason
from turbo_trader.trader.amending import Amending
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trader_state import SymbolState, TraderState
from turbo_trader.trader.watching import watch

_STOP_LATE: Final = (
    5 * SECOND
)  # the price has been at the stop for so long and the position is open: close it ourselves


class PositionMonitor:
    """Brackets of all symbols."""

    def __init__(
        self,
        state: TraderState,
        amending: Amending,
        closing: Closing,
        confirmed: Callable[[SymbolState], bool],
    ) -> None:
        """`confirmed`: do the signals still confirm the position's direction?"""
        self._state = state
        self._amending = amending
        self._closing = closing
        self._confirmed = confirmed

    # -- market and clock

    def on_price(self, state: SymbolState) -> None:
        """The closable price or the mark is at an end of its watch, or may be."""
        self._on_mark(state)
        price, bracket = self._state.closable(state), state.bracket
        if price is None or bracket is None:
            return
        confirmed = self._confirmed(state) if bracket.at_target(price) else None
        self._amending.act(state, bracket.on_price(price, confirmed))
        if bracket.direction * (price - bracket.stop) > 0:
            state.alert_since = None
        elif state.alert_since is None:
            state.alert_since = self._state.now
        self.watch(state)

    def _on_mark(self, state: SymbolState) -> None:
        mark, bracket = self._state.mark(state), state.bracket
        if mark is not None and bracket is not None:
            self._amending.act(state, bracket.on_mark(self._state.now, mark))

    def on_clock(self) -> None:
        """Deadlines, marks beyond stops, stops that should have fired, unanswered requests."""
        for state in self._state.per_symbol:
            self._closing.outlive(state)
            if state.open:
                self._look_after(state)

    def _look_after(self, state: SymbolState) -> None:
        now, bracket = self._state.now, state.bracket
        if bracket is not None:
            self._amending.act(state, bracket.on_time(now))
            self.on_price(state)
            if state.alert_since is not None and now - state.alert_since >= _STOP_LATE:
                self._closing.close(state, ExitReason.STOP_LATE)
        self._amending.on_clock(state)
        self._closing.on_clock(state)

    def next_ns(self) -> int:
        """When `on_clock` is due; 0 = nothing is open."""
        due = 0
        for state in self._state.per_symbol:
            if state.open and (at := self._next_of(state)):
                due = min(due or at, at)
        return max(due, self._state.now + 1) if due else 0

    def _next_of(self, state: SymbolState) -> int:
        if _urgent(state):
            return self._state.now + SECOND
        return state.bracket.next_time_ns if state.bracket else 0

    def watch(self, state: SymbolState) -> None:
        """Tell the market kernel at which prices to stop for this symbol."""
        watch(self._state, state)

    def at_rest(self, state: SymbolState) -> bool:
        """Does an open position need nothing before its watch is hit or `next_ns` has come?"""
        return state.at_rest and state.room is not None and not self.restless(state)

    def restless(self, state: SymbolState) -> bool:
        """May the next second bring what no watch reports: an answer, a pending stop, a price beyond its watch?"""
        bracket, price = state.bracket, self._state.closable(state)
        waiting = state.entry is not None or state.close.may_land or _urgent(state)
        if bracket is None or price is None or waiting:
            return True
        level, side = bracket.next_level, bracket.direction
        reached = level is not None and side * (price - level) >= 0
        return reached or side * (price - bracket.stop) <= 0 or bracket.mark_since_ns is not None

    # -- begin and end of a bracket

    def begin(self, state: SymbolState, bracket: Bracket, stop: Decimal, backstop: Decimal) -> None:
        """A symbol gets its bracket; what was attached to the entry stands on the venue already."""
        bracket.stop = stop
        bracket.backstop = backstop
        state.bracket = bracket

    def resume(self, state: SymbolState, bracket: Bracket, closing: str) -> None:
        """A bracket from before a restart continues; `closing`: why the position was being closed."""
        bracket.opened_ns = min(bracket.opened_ns, self._state.now)
        # no mark was seen since: an earlier one would be due again and again until it is
        bracket.mark_since_ns = None
        state.bracket = bracket
        state.close.begin(closing or bracket.closing)
        # its answer was never read: asked for again, so that the target moves
        if bracket.pending_backstop is not None:
            state.amendment.want_backstop(bracket.pending_backstop)
        self._amending.regrid(state)
        self.watch(state)

    def settled(self, state: SymbolState) -> None:
        """The venue has reported a size. Flat by both reports: a close that an older snapshot asked for is over."""
        if state.close.reason and not state.open:
            self.flattened(state)

    def flattened(self, state: SymbolState) -> None:
        """The position is gone: nothing is pending for it any more."""
        state.bracket = None
        state.alert_since = None
        state.close.flat()
        state.amendment.flat()
        state.room.clear()
        self.watch(state)
        self._state.persist(Key.POSITION.of(state.instrument.symbol), {})


def _urgent(state: SymbolState) -> bool:
    alert = state.alert_since is not None
    return alert or bool(state.close.reason) or state.amendment.wanted or state.venue.stop is None
