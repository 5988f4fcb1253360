"""A start restores what an earlier run persisted: each owner its own part."""

from __future__ import annotations

from dataclasses import dataclass

from turbo_trader.trader.booking import Booking
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.persisted import Kept
from turbo_trader.trader.position_monitor import PositionMonitor
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.trader_state import SymbolState, TraderState


@dataclass(kw_only=True, frozen=True, slots=True)
class Resuming:
    """The owners of what is kept."""

    state: TraderState
    booking: Booking
    monitor: PositionMonitor
    entries: Entries
    closing: Closing
    recovery: Recovery

    def resume(self, kept: Kept) -> None:
        """Take everything up; rows of an earlier version are persisted in the layout of this one."""
        if not kept.current:
            for key, row in kept.rows.items():
                self.state.persist(key, row)
        self.state.resume(kept)
        for each in self.state.per_symbol:
            self._symbol(each, kept)
        for intent in kept.unresolved:
            symbol = self.state.by_symbol.get(intent["symbol"])
            if symbol is not None and intent["command"].get("reduce_only"):
                self.closing.adopt(symbol, intent["id"])

    def _symbol(self, state: SymbolState, kept: Kept) -> None:
        symbol = state.instrument.symbol
        if position := kept.positions.get(symbol):
            self.booking.resume(state, position.trade, position.held)
            self.monitor.resume(state, position.bracket, position.closing)
        if stopped_out := kept.stopped_out.get(symbol):
            state.resume_stopped_out(stopped_out.times, self.state.now)
        for entry in self.entries.resume(state, kept.entries.get(symbol), kept.ended.get(symbol)):
            self.recovery.read_from(entry)
