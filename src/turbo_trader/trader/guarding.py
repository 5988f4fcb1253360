"""Open positions: zones, stop changes, closes. A position is never without a stop on the venue for longer than the venue takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from decimal import Decimal

from turbo_trader.market.events import SECOND
from turbo_trader.rules.exits import Action, Bracket, ClosePosition, MoveBackstop, MoveStop
from turbo_trader.trader.commands import PlaceOrder, Read, SetStops
from turbo_trader.trader.desk import Desk, SymbolDesk
from turbo_trader.trader.events import CommandResult, OrderReport, Outcome

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


class Guarding:
    """Brackets of all symbols against the market and the clock."""

    def __init__(self, desk: Desk, confirmed: Callable[[SymbolDesk], bool]) -> None:
        self._desk = desk
        self._confirmed = confirmed

    # -- market and clock

    def on_price(self, desk: SymbolDesk) -> None:
        """The closable price is at an end of its watch, or may be."""
        price, bracket = self._desk.closable(desk), desk.bracket
        if price is None or bracket is None or not desk.held:
            return
        confirmed = self._confirmed(desk) if bracket.at_target(price) else None
        self._act(desk, bracket.on_price(price, confirmed))
        if bracket.direction * (price - bracket.stop) <= 0 and not desk.alert:
            desk.alert, desk.alert_ts = True, self._desk.now
        elif bracket.direction * (price - bracket.stop) > 0:
            desk.alert = False
        self.watch(desk)

    def on_clock(self) -> None:
        """Deadlines, marks beyond stops, stops that should have fired, unanswered requests."""
        for desk in self._desk.desks:
            if desk.closes:
                self._outlive(desk)
            if desk.open:
                self._look_after(desk)

    def _outlive(self, desk: SymbolDesk) -> None:
        """A close that the venue refuses for its age can do nothing any more; one without an answer may yet leave."""
        oldest = self._desk.now - _LANDS
        desk.closes = {
            link_id: given_up
            for link_id, given_up in desk.closes.items()
            if not given_up or given_up > oldest
        }

    def _look_after(self, desk: SymbolDesk) -> None:
        now, bracket = self._desk.now, desk.bracket
        if bracket is not None and desk.held:
            mark = self._desk.mark(desk)
            self._act(desk, bracket.on_time(now))
            if mark is not None:
                self._act(desk, bracket.on_mark(now, mark))
            self.on_price(desk)
            if desk.alert and now - desk.alert_ts >= _STOP_LATE:
                self.close(desk, "stop-late")
        wished = desk.stop_wish is not None or desk.backstop_wish is not None
        if wished and not desk.close_reason and now - desk.stop_ts >= _RETRY:
            desk.stop_ts = now
            self._read(desk)  # its answer sends the wish again
        if desk.close_id and now - desk.close_ts >= _RETRY:
            desk.close_id = ""
            self._read(desk)
        if desk.close_reason and not desk.close_id:
            self._send_close(desk)

    def next_ns(self) -> int:
        """When `on_clock` is due; 0 = nothing is open."""
        due = 0
        for desk in self._desk.desks:
            if not desk.open:
                continue
            at = (
                self._desk.now + SECOND
                if self._urgent(desk)
                else desk.bracket.next_time_ns
                if desk.bracket
                else 0
            )
            due = min(due or at, at) if at else due
        return max(due, self._desk.now + 1) if due else 0

    def watch(self, desk: SymbolDesk) -> None:
        """Tell the market kernel at which prices to stop for this symbol."""
        state, bracket = self._desk.states, desk.bracket
        state["watch_mark_low"][desk.s], state["watch_mark_high"][desk.s] = 0.0, math.inf
        if bracket is None or not desk.held or desk.close_reason:
            state["watch_side"][desk.s] = 0
            return
        level, tick = bracket.next_level, desk.instrument.tick
        stop = int(bracket.stop / tick)
        far = int(level / tick) if level is not None else (_FAR if bracket.direction > 0 else 0)
        low, high = (stop, far) if bracket.direction > 0 else (far, stop)
        if desk.alert:  # being looked at every second: the stop's end need not wake anybody again
            low, high = (0, high) if bracket.direction > 0 else (low, _FAR)
        if desk.room is not None:
            low, high = max(low, desk.room[0]), min(high, desk.room[1])
        state["watch_side"][desk.s] = bracket.direction
        state["watch_low"][desk.s] = low
        state["watch_high"][desk.s] = high
        self._watch_mark(desk, bracket)

    def _watch_mark(self, desk: SymbolDesk, bracket: Bracket) -> None:
        """Where the mark is beyond the stop for `MARK_BEYOND`, or a limit of the account needs a look."""
        beyond = float(bracket.stop) * (1.0 - bracket.direction * float(bracket.rules.mark_beyond))
        low, high = (beyond, math.inf) if bracket.direction > 0 else (0.0, beyond)
        if desk.mark_room is not None:
            low, high = max(low, desk.mark_room[0]), min(high, desk.mark_room[1])
        if desk.alert or bracket.mark_since_ns is not None:  # looked at every second
            low, high = 0.0, math.inf
        state = self._desk.states
        state["watch_mark_low"][desk.s], state["watch_mark_high"][desk.s] = low, high

    def restless(self, desk: SymbolDesk) -> bool:
        """May the next second bring something of this position that no watch tells: an answer, a wish, a price beyond its watch?"""
        bracket, price = desk.bracket, self._desk.closable(desk)
        if bracket is None or price is None or desk.entry is not None or desk.closes or self._urgent(desk):
            return True
        level, side = bracket.next_level, bracket.direction
        reached = level is not None and side * (price - level) >= 0
        return reached or side * (price - bracket.stop) <= 0 or bracket.mark_since_ns is not None

    @staticmethod
    def _urgent(desk: SymbolDesk) -> bool:
        wished = desk.stop_wish is not None or desk.backstop_wish is not None
        return desk.alert or bool(desk.close_reason) or wished or desk.stop_on_venue is None

    # -- acting

    def _act(self, desk: SymbolDesk, actions: Sequence[Action]) -> None:
        bracket = desk.bracket
        if bracket is None or not actions:
            return
        for action in actions:
            match action:
                case MoveStop():
                    desk.stop_wish = action.price
                    self._desk.note(
                        "zone",
                        symbol=desk.instrument.symbol,
                        zone=bracket.zone,
                        stop=action.price,
                        reason=action.reason,
                    )
                case MoveBackstop():
                    desk.backstop_wish = action.price
                    self._desk.note("extension", symbol=desk.instrument.symbol, backstop=action.price)
                case ClosePosition():
                    self.close(desk, action.reason)
        self.save(desk)
        self.pump(desk)

    def pump(self, desk: SymbolDesk) -> None:
        """Send the newest wish when no stop change is in flight: the stop alone first, then the backstop."""
        if desk.stop_id or not desk.size or desk.close_reason:
            return
        if desk.stop_wish is not None:
            desk.stop_sent = (desk.stop_wish, None)
        elif desk.backstop_wish is not None:
            desk.stop_sent = (None, desk.backstop_wish)
        else:
            return
        desk.stop_id, desk.stop_ts, desk.stop_asked = (
            self._desk.ids.next("stop"),
            self._desk.now,
            self._desk.now,
        )
        self._desk.give(SetStops(desk.stop_id, desk.instrument.symbol, *desk.stop_sent))

    def require_stop(self, desk: SymbolDesk) -> None:
        """The venue shows no stop, or one looser than ours: wish for the bracket's again; without a bracket, close."""
        if desk.bracket is None:
            self.close(desk, "unprotected")
        elif desk.stop_wish is None and not desk.stop_id:
            name = "unprotected" if desk.stop_on_venue is None else "stop-loosened"
            desk.stop_wish = desk.bracket.stop
            self._desk.note(name, "error", symbol=desk.instrument.symbol, stop=desk.bracket.stop)
            self.pump(desk)

    def found_stop(self, desk: SymbolDesk, stop: Decimal) -> None:
        """The venue shows one tighter than ours: it left just before an end and was not kept, or a person set it. It stands."""
        bracket = desk.bracket
        if bracket is None or not bracket.found(stop):
            return
        if desk.stop_wish is not None and bracket.direction * (stop - desk.stop_wish) > 0:
            desk.stop_wish = None
        self.save(desk)
        self.watch(desk)

    def on_stop_result(self, desk: SymbolDesk, result: CommandResult) -> None:
        """A stop change was answered."""
        if result.id != desk.stop_id:
            return
        stop, backstop = desk.stop_sent
        desk.stop_id = ""
        if result.outcome is Outcome.UNKNOWN:
            self._read(desk)  # the position says what stands; the wish is still there and is sent again
        elif result.later or (result.barred_key and desk.stop_on_venue is not None):
            desk.stop_ts = self._desk.now  # what stood still stands: read and sent again after the retry time
            return
        elif result.outcome is Outcome.CONFIRMED or result.code in _ALREADY:
            self._stands(desk, stop, backstop)
        elif stop is not None:
            self._stop_refused(desk, stop, result)
            return
        else:
            desk.backstop_wish = None
            self._act(desk, desk.bracket.backstop_refused() if desk.bracket is not None else [])
        if result.outcome is not Outcome.UNKNOWN:
            self.pump(desk)

    def _stop_refused(self, desk: SymbolDesk, stop: Decimal, result: CommandResult) -> None:
        """Where a stop stands and the price is away from the new one: look and send it once more. Otherwise close."""
        standing = desk.stop_on_venue is not None
        again = standing and not desk.stop_refusals and not self._passed(desk, stop, result)
        desk.stop_refusals += 1
        then = "looked at and sent once more" if again else "closed"
        self._desk.note(
            "stop-refused", "error", symbol=desk.instrument.symbol, stop=stop, code=result.code, why=result.message, then=then,
        )  # fmt: skip
        if not again:
            desk.stop_wish = None
            self.close(desk, "stop-refused")
            return
        desk.stop_ts = self._desk.now  # a failed read is asked again after the retry time
        self._read(desk)  # its answer sends the wish again

    def _passed(self, desk: SymbolDesk, stop: Decimal, result: CommandResult) -> bool:
        """Has the price passed the stop that was refused, or may it have by now?"""
        price, direction = self._desk.closable(desk), 1 if desk.size > 0 else -1
        near = price is not None and direction * (price - stop) < stop * _NEAR
        return result.code in _THROUGH or near

    def _stands(self, desk: SymbolDesk, stop: Decimal | None, backstop: Decimal | None) -> None:
        desk.stop_since = desk.stop_asked
        if stop is not None:
            desk.stop_on_venue = stop
            desk.stop_wish = None if desk.stop_wish == stop else desk.stop_wish
            desk.stop_refusals = 0
        if backstop is not None:
            desk.backstop_on_venue = backstop
            desk.backstop_wish = None if desk.backstop_wish == backstop else desk.backstop_wish
            if desk.bracket is not None:
                desk.bracket.backstop_confirmed(backstop)
                self.save(desk)
        self.watch(desk)

    # -- closing

    def close(self, desk: SymbolDesk, reason: str) -> None:
        """Close everything on the symbol, reduce-only, until it is flat; the venue's stop stays in place meanwhile."""
        if not desk.open or desk.close_reason:
            return
        desk.close_reason = reason
        if desk.trade is not None and not desk.trade.reason:
            desk.trade.reason = reason
        self._desk.note(
            "exit", symbol=desk.instrument.symbol, reason=reason, size=desk.held or desk.size,
            bid=self._desk.bid(desk), ask=self._desk.ask(desk),
        )  # fmt: skip
        self.watch(desk)
        self.save(desk)  # a restart goes on closing
        self._send_close(desk)

    def _send_close(self, desk: SymbolDesk) -> None:
        size = desk.size or desk.held
        if not size or desk.close_id:
            return
        desk.close_id = self._desk.ids.next("close")
        desk.close_ts = self._desk.now
        desk.closes[desk.close_id] = 0
        most = desk.instrument.max_market_qty
        self._desk.give(
            PlaceOrder(
                desk.close_id,
                desk.instrument.symbol,
                -1 if size > 0 else 1,
                min(abs(size), most),
                "Market",
                "IOC",
                reduce_only=True,
                purpose="close",
            )
        )

    def on_close_result(self, desk: SymbolDesk, result: CommandResult) -> None:
        """The close was answered; refused because flat means our picture is old: read it."""
        if result.outcome is not Outcome.UNKNOWN:
            desk.closes.pop(result.id, None)
        elif result.id in desk.closes:
            desk.closes[result.id] = self._desk.now
        if result.id != desk.close_id:
            return
        if result.outcome is Outcome.CONFIRMED:
            return
        self._desk.note(
            "close-answer", "warning", symbol=desk.instrument.symbol, code=result.code, why=result.message
        )
        if result.code not in _FLAT:
            desk.close_ts = self._desk.now  # tried again after the retry time
        self._read(desk)

    def on_close_report(self, desk: SymbolDesk, report: OrderReport) -> None:
        """The venue's final word on a close: it can do nothing any more."""
        if report.status not in _FINAL:
            return
        desk.closes.pop(report.link_id, None)
        if report.link_id == desk.close_id:
            desk.close_id = ""

    def settled(self, desk: SymbolDesk) -> None:
        """The venue has told a size. Flat by both words: a close that an older picture asked for is over."""
        if desk.close_reason and not desk.open:
            self.flattened(desk)

    def flattened(self, desk: SymbolDesk) -> None:
        """The position is gone: nothing is wished for it any more."""
        desk.bracket = None
        desk.close_id = desk.close_reason = desk.stop_id = ""
        desk.stop_wish = desk.backstop_wish = None
        desk.stop_refusals = 0
        desk.alert = False
        desk.room = desk.mark_room = None
        self.watch(desk)
        self._desk.persist(f"position:{desk.instrument.symbol}", {})

    # -- the record

    def save(self, desk: SymbolDesk) -> None:
        """Persist bracket and trade, and why it is being closed."""
        if desk.bracket is not None and desk.trade is not None:
            value = {
                "bracket": desk.bracket,
                "trade": desk.trade,
                "held": desk.held,
                "closing": desk.close_reason,
            }
            self._desk.persist(f"position:{desk.instrument.symbol}", value)

    def _read(self, desk: SymbolDesk) -> None:
        self._desk.give(
            Read(
                self._desk.ids.next("read"), ("positions", "fills"), desk.instrument.symbol, since=self._since
            )
        )

    @property
    def _since(self) -> int:
        return max(0, self._desk.ledger.last_fill_ts - 60 * SECOND)


def new_bracket(desk: SymbolDesk, bracket: Bracket, stop: Decimal, backstop: Decimal) -> None:
    """Give a symbol its bracket; what was attached to the entry stands on the venue already."""
    bracket.stop = stop
    bracket.backstop = backstop
    desk.bracket = bracket
