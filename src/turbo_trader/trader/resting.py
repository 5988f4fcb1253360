"""Post-only entries while they rest in the book (ENTRY_STYLE=maker): given up in time, withdrawn when nothing may open.

A cancel that was answered says nothing about fills: the entry ends with the venue's final report on the order, as every entry does.
"""

from __future__ import annotations

from turbo_trader.market.rows import SECOND
from turbo_trader.trader.commands import CancelOrder
from turbo_trader.trader.events import StreamKind
from turbo_trader.trader.pending_entry import EntryEvent, PendingEntry
from turbo_trader.trader.trader_state import SymbolState, TraderState

_AGAIN = 2 * SECOND  # a cancel without a final report after so long is sent again


class Resting:
    """Watches the resting orders of all symbols."""

    def __init__(self, state: TraderState) -> None:
        self._state = state

    def tend(self, state: SymbolState, entry: PendingEntry) -> None:
        """Withdraw an entry whose patience is over, whose market is not seen any more, or whose position is being closed."""
        d = self._state
        refusal = d.session.refusal(d.now)
        if entry.withdrawn or d.now - entry.sent_ts >= d.policy.maker_patience * SECOND:
            self.withdraw(state, entry.withdrawn or "not filled in time")
        elif refusal:
            self.withdraw(state, refusal)
        elif not d.streams.get(StreamKind.PUBLIC, True):
            self.withdraw(state, "market data lost")
        elif state.close.reason or (entry.filled and not state.held):
            self.withdraw(state, "its position is closed")

    def withdraw_all(self, why: str) -> None:
        """Nothing may open any more: take every resting entry back."""
        for state in self._state.per_symbol:
            if state.entry is not None and state.entry.resting and state.entry.left:
                self.withdraw(state, why)

    def withdraw(self, state: SymbolState, why: str) -> None:
        """Cancel the entry's order; again, and looked up, until the venue's final report has come."""
        d, entry = self._state, state.entry
        if entry is None or (entry.cancel_id and d.now - entry.cancel_ts < _AGAIN):
            return
        if not entry.withdrawn:
            d.note(
                "entry-withdrawn", symbol=state.instrument.symbol, id=entry.id, why=why, filled=entry.filled
            )
        if entry.cancel_id:
            entry.advance(EntryEvent.DOUBT, d.now)
        entry.withdraw(why, d.ids.next("cancel"), d.now)
        d.give(CancelOrder(entry.cancel_id, state.instrument.symbol, link_id=entry.id))
