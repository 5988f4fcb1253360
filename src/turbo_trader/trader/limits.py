"""The session's limits, held against the account with every look at its equity."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from turbo_trader.rules.exits import ExitReason
from turbo_trader.rules.session import SessionEvent
from turbo_trader.rules.session_changes import SessionChange
from turbo_trader.rules.sizing import least_loss
from turbo_trader.rules.usage import equity_levels
from turbo_trader.trader.exposure import secured, usage
from turbo_trader.trader.flattening import Flattening
from turbo_trader.trader.trader_state import ZERO, SymbolState, TraderState

_FAR: Final = 2.0**40  # ticks
_CALM: Final = (SessionChange.BEGUN, SessionChange.PAUSE_OVER)


class Limits:
    """Tells what the session says of an equity, and does what it asks for."""

    def __init__(self, state: TraderState, flattening: Flattening) -> None:
        self._state = state
        self._flattening = flattening
        self._used: dict[str, Decimal] = {}
        self.stale = True  # something has happened since the last look
        self.calm = ZERO, ZERO  # between these equities a look decides nothing, as long as nothing happens
        self.near = False  # a price has left its room, or there is none: look at each interval

    def look(self, equity: Decimal) -> None:
        """Equity E now: the session turns, pauses, halts; a warning where a limit is nearly used up."""
        state = self._state
        before = state.session.peak, list(state.session.warned)
        idle = not any(each.open or each.entry for each in state.per_symbol)
        events = state.session.on_equity(
            state.policy, state.now, equity, secured(state),
            least_loss=least_loss(state.policy, equity) if idle else ZERO,
        )  # fmt: skip
        self.stale = False
        self._used = usage(state, equity)
        events += state.session.on_usage(state.policy, state.now, self._used)
        if events or before != (state.session.peak, state.session.warned):
            state.persist_session()  # before anything is closed: a restart continues it
        for event in events:
            self._emit(event)

    def give_room(self, equity: Decimal, watch: Callable[[SymbolState], None]) -> None:
        """Work out how far the price of each position may move before `look` could decide anything, and watch that."""
        held = [each for each in self._state.per_symbol if each.held]
        session = self._state.session
        levels = equity_levels(self._state.policy, session, equity, self._used)
        sure = secured(self._state)
        if session.secured is not None and sure > session.secured:
            levels.append(sure)  # there it becomes the peak
        low = max((level for level in levels if level <= equity), default=ZERO)
        high = min((level for level in levels if level >= equity), default=Decimal("Infinity"))
        self.calm = low, high
        loss, gain = float(equity - low), float(high - equity)
        rooms = [self._room(each, loss / len(held), gain / len(held)) for each in held]
        self.near = any(room is None for room in rooms)
        self.stale = self.near
        for each, room in zip(held, rooms, strict=True):
            each.room.give(*((None, None) if self.near or room is None else room))
            watch(each)

    def _room(
        self, each: SymbolState, loss: float, gain: float
    ) -> tuple[tuple[int, int], tuple[float, float] | None] | None:
        """Ends of closable price and mark within which the position loses less than `loss` and gains less than `gain` (USDT)."""
        price, mark = self._state.closable(each), self._state.mark(each)
        if price is None or each.trade is None:
            return None
        tick = float(each.instrument.tick)
        worth = float(abs(each.held) * (1 + each.taker)) * tick  # of a tick, at most
        down, up = (loss, gain) if each.held > 0 else (gain, loss)
        below, above = (int(min(part / worth, _FAR)) for part in (down, up))
        if min(below, above) < 1:
            return None
        ticks = each.instrument.ticks(price)
        ends = None if mark is None else (float(mark) - below * tick, float(mark) + above * tick)
        return (ticks - below, ticks + above), ends

    def on_price(self, each: SymbolState, watch: Callable[[SymbolState], None]) -> None:
        """A watched price has moved: where it is beyond its room, the equity is looked at with the next interval."""
        ticks, ends = each.room.ticks, each.room.mark
        if ticks is None:
            return
        price, mark = self._state.closable(each), self._state.mark(each)
        inside = price is not None and ticks[0] < each.instrument.ticks(price) < ticks[1]
        if inside and mark is not None and ends is not None:
            inside = ends[0] < float(mark) < ends[1]
        if not inside:
            self.near = self.stale = True
            for other in self._state.per_symbol:
                if other.room.ticks is not None:
                    other.room.clear()
                    watch(other)

    def _emit(self, event: SessionEvent) -> None:
        level = "info" if event.name in _CALM else "warning"
        name = "halt" if event.flatten else "limit"
        self._state.note(name, level, what=event.name.value, text=event.text, **event.fields)
        if event.flatten:
            self._flattening.close_all(ExitReason.SESSION_LOSS)
