"""Open positions: zones, stop changes, closes. A position is never without a stop on the venue for longer than the venue takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from turbo_trader.market.events import SECOND
from turbo_trader.rules.exits import Action, Bracket, ClosePosition, MoveBackstop, MoveStop
from turbo_trader.trader.commands import PlaceOrder, Read, SetStops
from turbo_trader.trader.events import CommandResult, OrderReport, Outcome
from turbo_trader.trader.trader_state import SymbolState, TraderState

_ALREADY = frozenset({34040})
_FLAT = frozenset({110017})
_THROUGH = frozenset({110092, 110093})  # the venue says that the price has passed the stop
_NEAR = Decimal("0.0005")  # so close to its stop a price may have passed it by now
_FINAL = frozenset({"Filled", "Cancelled", "Rejected"})
_RETRY = 2 * SECOND  # a close or a stop change unanswered for so long is looked at again
_STOP_LATE = (
    5 * SECOND
)  # the price has been at the stop for so long and the position is open: close it ourselves
_LANDS = (
    10 * SECOND
)  # after its answer was given up a close is beyond its receive window (5 s) and the way there
_FAR = 2**62


class PositionMonitor:
    """Brackets of all symbols against the market and the clock."""

    def __init__(self, state: TraderState, confirmed: Callable[[SymbolState], bool]) -> None:
        self._state = state
        self._confirmed = confirmed

    # -- market and clock

    def on_price(self, state: SymbolState) -> None:
        """The closable price is at an end of its watch, or may be."""
        price, bracket = self._state.closable(state), state.bracket
        if price is None or bracket is None or not state.held:
            return
        confirmed = self._confirmed(state) if bracket.at_target(price) else None
        self._act(state, bracket.on_price(price, confirmed))
        if bracket.direction * (price - bracket.stop) <= 0 and not state.alert:
            state.alert, state.alert_ts = True, self._state.now
        elif bracket.direction * (price - bracket.stop) > 0:
            state.alert = False
        self.watch(state)

    def on_clock(self) -> None:
        """Deadlines, marks beyond stops, stops that should have fired, unanswered requests."""
        for state in self._state.per_symbol:
            if state.closes:
                self._outlive(state)
            if state.open:
                self._look_after(state)

    def _outlive(self, state: SymbolState) -> None:
        """A close that the venue refuses for its age can do nothing any more; one without an answer may yet leave."""
        oldest = self._state.now - _LANDS
        state.closes = {
            link_id: given_up
            for link_id, given_up in state.closes.items()
            if not given_up or given_up > oldest
        }

    def _look_after(self, state: SymbolState) -> None:
        now, bracket = self._state.now, state.bracket
        if bracket is not None and state.held:
            mark = self._state.mark(state)
            self._act(state, bracket.on_time(now))
            if mark is not None:
                self._act(state, bracket.on_mark(now, mark))
            self.on_price(state)
            if state.alert and now - state.alert_ts >= _STOP_LATE:
                self.close(state, "stop-late")
        pending = state.pending_stop is not None or state.pending_backstop is not None
        if pending and not state.close_reason and now - state.stop_ts >= _RETRY:
            state.stop_ts = now
            self._read(state)  # its answer sends the pending stop again
        if state.close_id and now - state.close_ts >= _RETRY:
            state.close_id = ""
            self._read(state)
        if state.close_reason and not state.close_id:
            self._send_close(state)

    def next_ns(self) -> int:
        """When `on_clock` is due; 0 = nothing is open."""
        due = 0
        for state in self._state.per_symbol:
            if not state.open:
                continue
            at = (
                self._state.now + SECOND
                if self._urgent(state)
                else state.bracket.next_time_ns
                if state.bracket
                else 0
            )
            due = min(due or at, at) if at else due
        return max(due, self._state.now + 1) if due else 0

    def watch(self, state: SymbolState) -> None:
        """Tell the market kernel at which prices to stop for this symbol."""
        market, bracket = self._state.states, state.bracket
        market["watch_mark_low"][state.s], market["watch_mark_high"][state.s] = 0.0, math.inf
        if bracket is None or not state.held or state.close_reason:
            market["watch_side"][state.s] = 0
            return
        level, tick = bracket.next_level, state.instrument.tick
        stop = int(bracket.stop / tick)
        far = int(level / tick) if level is not None else (_FAR if bracket.direction > 0 else 0)
        low, high = (stop, far) if bracket.direction > 0 else (far, stop)
        if state.alert:  # being looked at every second: the stop's end need not wake anybody again
            low, high = (0, high) if bracket.direction > 0 else (low, _FAR)
        if state.room is not None:
            low, high = max(low, state.room[0]), min(high, state.room[1])
        market["watch_side"][state.s] = bracket.direction
        market["watch_low"][state.s] = low
        market["watch_high"][state.s] = high
        self._watch_mark(state, bracket)

    def _watch_mark(self, state: SymbolState, bracket: Bracket) -> None:
        """Where the mark is beyond the stop for `MARK_BEYOND`, or a limit of the account needs a look."""
        beyond = float(bracket.stop) * (1.0 - bracket.direction * float(bracket.rules.mark_beyond))
        low, high = (beyond, math.inf) if bracket.direction > 0 else (0.0, beyond)
        if state.mark_room is not None:
            low, high = max(low, state.mark_room[0]), min(high, state.mark_room[1])
        if state.alert or bracket.mark_since_ns is not None:  # looked at every second
            low, high = 0.0, math.inf
        market = self._state.states
        market["watch_mark_low"][state.s], market["watch_mark_high"][state.s] = low, high

    def restless(self, state: SymbolState) -> bool:
        """May the next second bring what no watch reports: an answer, a pending stop, a price beyond its watch?"""
        bracket, price = state.bracket, self._state.closable(state)
        if bracket is None or price is None or state.entry is not None or state.closes or self._urgent(state):
            return True
        level, side = bracket.next_level, bracket.direction
        reached = level is not None and side * (price - level) >= 0
        return reached or side * (price - bracket.stop) <= 0 or bracket.mark_since_ns is not None

    @staticmethod
    def _urgent(state: SymbolState) -> bool:
        pending = state.pending_stop is not None or state.pending_backstop is not None
        return state.alert or bool(state.close_reason) or pending or state.stop_on_venue is None

    # -- acting

    def _act(self, state: SymbolState, actions: Sequence[Action]) -> None:
        bracket = state.bracket
        if bracket is None or not actions:
            return
        for action in actions:
            match action:
                case MoveStop():
                    state.pending_stop = action.price
                    self._state.note(
                        "zone",
                        symbol=state.instrument.symbol,
                        zone=bracket.zone,
                        stop=action.price,
                        reason=action.reason,
                    )
                case MoveBackstop():
                    state.pending_backstop = action.price
                    self._state.note("extension", symbol=state.instrument.symbol, backstop=action.price)
                case ClosePosition():
                    self.close(state, action.reason)
        self.save(state)
        self.pump(state)

    def pump(self, state: SymbolState) -> None:
        """Send the newest stop when no stop change is in flight: the stop alone first, then the backstop."""
        if state.stop_id or not state.size or state.close_reason:
            return
        if state.pending_stop is not None:
            state.stop_sent = (state.pending_stop, None)
        elif state.pending_backstop is not None:
            state.stop_sent = (None, state.pending_backstop)
        else:
            return
        state.stop_id, state.stop_ts, state.stop_asked = (
            self._state.ids.next("stop"),
            self._state.now,
            self._state.now,
        )
        self._state.give(SetStops(state.stop_id, state.instrument.symbol, *state.stop_sent))

    def require_stop(self, state: SymbolState) -> None:
        """The venue shows no stop, or one looser than ours: send the bracket's again; without a bracket, close."""
        if state.bracket is None:
            self.close(state, "unprotected")
        elif state.pending_stop is None and not state.stop_id:
            name = "unprotected" if state.stop_on_venue is None else "stop-loosened"
            state.pending_stop = state.bracket.stop
            self._state.note(name, "error", symbol=state.instrument.symbol, stop=state.bracket.stop)
            self.pump(state)

    def found_stop(self, state: SymbolState, stop: Decimal) -> None:
        """The venue shows one tighter than ours: it left just before an end and was not kept, or a person set it. It stands."""
        bracket = state.bracket
        if bracket is None or not bracket.found(stop):
            return
        if state.pending_stop is not None and bracket.direction * (stop - state.pending_stop) > 0:
            state.pending_stop = None
        self.save(state)
        self.watch(state)

    def on_stop_result(self, state: SymbolState, result: CommandResult) -> None:
        """A stop change was answered."""
        if result.id != state.stop_id:
            return
        stop, backstop = state.stop_sent
        state.stop_id = ""
        if result.outcome is Outcome.UNKNOWN:
            self._read(state)  # the position says what stands; the stop is still pending and is sent again
        elif result.later or (result.barred_key and state.stop_on_venue is not None):
            state.stop_ts = (
                self._state.now
            )  # what stood still stands: read and sent again after the retry time
            return
        elif result.outcome is Outcome.CONFIRMED or result.code in _ALREADY:
            self._stands(state, stop, backstop)
        elif stop is not None:
            self._stop_refused(state, stop, result)
            return
        else:
            state.pending_backstop = None
            self._act(state, state.bracket.backstop_refused() if state.bracket is not None else [])
        if result.outcome is not Outcome.UNKNOWN:
            self.pump(state)

    def _stop_refused(self, state: SymbolState, stop: Decimal, result: CommandResult) -> None:
        """Where a stop stands and the price is away from the new one: look and send it once more. Otherwise close."""
        standing = state.stop_on_venue is not None
        again = standing and not state.stop_refusals and not self._passed(state, stop, result)
        state.stop_refusals += 1
        then = "looked at and sent once more" if again else "closed"
        self._state.note(
            "stop-refused", "error", symbol=state.instrument.symbol, stop=stop, code=result.code, why=result.message, then=then,
        )  # fmt: skip
        if not again:
            state.pending_stop = None
            self.close(state, "stop-refused")
            return
        state.stop_ts = self._state.now  # a failed read is asked again after the retry time
        self._read(state)  # its answer sends the pending stop again

    def _passed(self, state: SymbolState, stop: Decimal, result: CommandResult) -> bool:
        """Has the price passed the stop that was refused, or may it have by now?"""
        price, direction = self._state.closable(state), 1 if state.size > 0 else -1
        near = price is not None and direction * (price - stop) < stop * _NEAR
        return result.code in _THROUGH or near

    def _stands(self, state: SymbolState, stop: Decimal | None, backstop: Decimal | None) -> None:
        state.stop_since = state.stop_asked
        if stop is not None:
            state.stop_on_venue = stop
            state.pending_stop = None if state.pending_stop == stop else state.pending_stop
            state.stop_refusals = 0
        if backstop is not None:
            state.backstop_on_venue = backstop
            state.pending_backstop = None if state.pending_backstop == backstop else state.pending_backstop
            if state.bracket is not None:
                state.bracket.backstop_confirmed(backstop)
                self.save(state)
        self.watch(state)

    # -- closing

    def close(self, state: SymbolState, reason: str) -> None:
        """Close everything on the symbol, reduce-only, until it is flat; the venue's stop stays in place meanwhile."""
        if not state.open or state.close_reason:
            return
        state.close_reason = reason
        if state.trade is not None and not state.trade.reason:
            state.trade.reason = reason
        self._state.note(
            "exit", symbol=state.instrument.symbol, reason=reason, size=state.held or state.size,
            bid=self._state.bid(state), ask=self._state.ask(state),
        )  # fmt: skip
        self.watch(state)
        self.save(state)  # a restart goes on closing
        self._send_close(state)

    def _send_close(self, state: SymbolState) -> None:
        size = state.size or state.held
        if not size or state.close_id:
            return
        state.close_id = self._state.ids.next("close")
        state.close_ts = self._state.now
        state.closes[state.close_id] = 0
        most = state.instrument.max_market_qty
        self._state.give(
            PlaceOrder(
                id=state.close_id,
                symbol=state.instrument.symbol,
                side=-1 if size > 0 else 1,
                qty=min(abs(size), most),
                order_type="Market",
                time_in_force="IOC",
                reduce_only=True,
                purpose="close",
            )
        )

    def on_close_result(self, state: SymbolState, result: CommandResult) -> None:
        """The close was answered; refused because flat means our snapshot is old: read it."""
        if result.outcome is not Outcome.UNKNOWN:
            state.closes.pop(result.id, None)
        elif result.id in state.closes:
            state.closes[result.id] = self._state.now
        if result.id != state.close_id:
            return
        if result.outcome is Outcome.CONFIRMED:
            return
        self._state.note(
            "close-answer", "warning", symbol=state.instrument.symbol, code=result.code, why=result.message
        )
        if result.code not in _FLAT:
            state.close_ts = self._state.now  # tried again after the retry time
        self._read(state)

    def on_close_report(self, state: SymbolState, report: OrderReport) -> None:
        """The venue's final report on a close: it can do nothing any more."""
        if report.status not in _FINAL:
            return
        state.closes.pop(report.link_id, None)
        if report.link_id == state.close_id:
            state.close_id = ""

    def settled(self, state: SymbolState) -> None:
        """The venue has reported a size. Flat by both reports: a close that an older snapshot asked for is over."""
        if state.close_reason and not state.open:
            self.flattened(state)

    def flattened(self, state: SymbolState) -> None:
        """The position is gone: nothing is pending for it any more."""
        state.bracket = None
        state.close_id = state.close_reason = state.stop_id = ""
        state.pending_stop = state.pending_backstop = None
        state.stop_refusals = 0
        state.alert = False
        state.room = state.mark_room = None
        self.watch(state)
        self._state.persist(f"position:{state.instrument.symbol}", {})

    # -- the record

    def save(self, state: SymbolState) -> None:
        """Persist bracket and trade, and why it is being closed."""
        if state.bracket is not None and state.trade is not None:
            value = {
                "bracket": state.bracket,
                "trade": state.trade,
                "held": state.held,
                "closing": state.close_reason,
            }
            self._state.persist(f"position:{state.instrument.symbol}", value)

    def _read(self, state: SymbolState) -> None:
        self._state.give(
            Read(
                self._state.ids.next("read"),
                ("positions", "fills"),
                state.instrument.symbol,
                since=self._since,
            )
        )

    @property
    def _since(self) -> int:
        return max(0, self._state.ledger.last_fill_ts - 60 * SECOND)


def new_bracket(state: SymbolState, bracket: Bracket, stop: Decimal, backstop: Decimal) -> None:
    """Give a symbol its bracket; what was attached to the entry stands on the venue already."""
    bracket.stop = stop
    bracket.backstop = backstop
    state.bracket = bracket
