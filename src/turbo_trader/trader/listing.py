"""Changes of instruments at the venue: limits at once, a new tick or step only while flat, no entries on what is closing."""

from __future__ import annotations

from dataclasses import replace

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import new_states
from turbo_trader.rules.exits import ExitReason
from turbo_trader.signals.filters import new_filters
from turbo_trader.trader.amending import Amending
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.commands import Regridded
from turbo_trader.trader.events import FeeRates
from turbo_trader.trader.trader_state import SymbolState, TraderState


class Listing:
    """Instruments of all symbols, kept as the venue has them."""

    def __init__(self, state: TraderState, closing: Closing, amending: Amending) -> None:
        self._state = state
        self._amending = amending
        self._closing = closing
        self._waiting = False  # some symbol waits to be flat

    def on_update(self, state: SymbolState, new: Instrument) -> None:
        """Take up what was read; what changed the grid waits until the symbol is flat."""
        old = state.instrument
        was = old.open_for_entries
        state.blocks.bar("")
        if (new.tick, new.step) == (old.tick, old.step):
            state.instrument, state.next_instrument = new, None
        else:
            if state.next_instrument is None:
                self._state.note(
                    "grid-changed", "warning", symbol=new.symbol, tick=new.tick, step=new.step, old_tick=old.tick,
                    old_step=old.step,
                )  # fmt: skip
            state.next_instrument = new
            self._waiting = True
            state.instrument = replace(new, tick=old.tick, step=old.step)
        self._amending.regrid(state)
        if was and not new.open_for_entries:
            self._state.note(
                "not-trading", "warning", symbol=new.symbol, status=new.status, delivery=new.delivery_ns
            )
        elif new.open_for_entries and not was:
            self._state.note("trading-again", symbol=new.symbol)

    def on_fees(self, state: SymbolState, rates: FeeRates) -> None:
        """The account's fee rates."""
        state.taker, state.maker = rates.taker, rates.maker

    def next_ns(self) -> int:
        """When `on_clock` is due, ns; 0: never."""
        lead = self._state.policy.maintenance_lead * SECOND
        ends = [
            each.instrument.delivery_ns
            for each in self._state.per_symbol
            if each.held and not each.blocks.frozen
        ]
        return min((end - lead for end in ends if end), default=0)

    def on_clock(self) -> None:
        """A position on a symbol about to be delivered is closed as long before as entries end before maintenance."""
        lead = self._state.policy.maintenance_lead * SECOND
        for state in self._state.per_symbol:
            ends = state.instrument.delivery_ns
            if ends and state.held and not state.blocks.frozen and self._state.now >= ends - lead:
                self._closing.close(state, ExitReason.DELISTING)

    def settle(self) -> None:
        """Give every flat symbol whose tick or step changed its new grid; its market state restarts."""
        if not self._waiting:
            return
        d = self._state
        for state in d.per_symbol:
            new = state.next_instrument
            if new is None or state.open or state.entry is not None or state.close.may_land:
                continue
            state.instrument, state.next_instrument = new, None
            d.states[state.s] = new_states([new], **d.policy.market_parameters())[0]
            d.filters[state.s] = new_filters(1)[0]
            d.note("grid-taken-up", symbol=new.symbol, tick=new.tick, step=new.step)
            d.give(Regridded(d.now, state.s, new))
        self._waiting = any(state.next_instrument is not None for state in d.per_symbol)
