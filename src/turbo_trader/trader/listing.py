"""What the venue trades, while it changes: limits at once, a new tick or step only while flat, no entries on what is closing."""

from __future__ import annotations

from dataclasses import replace

from turbo_trader.market.events import SECOND
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.state import new_states
from turbo_trader.signals.filters import new_filters
from turbo_trader.trader.commands import Regridded
from turbo_trader.trader.desk import Desk, SymbolDesk
from turbo_trader.trader.guarding import Guarding


class Listing:
    """Instruments of all symbols, kept as the venue has them."""

    def __init__(self, desk: Desk, guarding: Guarding) -> None:
        self._desk = desk
        self._guarding = guarding
        self._waiting = False  # some symbol waits to be flat

    def on_update(self, desk: SymbolDesk, new: Instrument) -> None:
        """Take up what was read; what changed the grid waits until the symbol is flat."""
        old = desk.instrument
        was = old.open_for_entries
        desk.barred = ""
        if (new.tick, new.step) == (old.tick, old.step):
            desk.instrument, desk.next_instrument = new, None
        else:
            if desk.next_instrument is None:
                self._desk.note(
                    "grid-changed", "warning", symbol=new.symbol, tick=new.tick, step=new.step, old_tick=old.tick,
                    old_step=old.step,
                )  # fmt: skip
            desk.next_instrument = new
            self._waiting = True
            desk.instrument = replace(new, tick=old.tick, step=old.step)
        if was and not new.open_for_entries:
            self._desk.note(
                "not-trading", "warning", symbol=new.symbol, status=new.status, delivery=new.delivery_ns
            )
        elif new.open_for_entries and not was:
            self._desk.note("trading-again", symbol=new.symbol)

    def on_clock(self) -> None:
        """A position on a symbol about to be delivered is closed as long before as entries end before maintenance."""
        lead = self._desk.policy.maintenance_lead * SECOND
        for desk in self._desk.desks:
            ends = desk.instrument.delivery_ns
            if ends and desk.held and not desk.frozen and self._desk.now >= ends - lead:
                self._guarding.close(desk, "delisting")

    def settle(self) -> None:
        """Give every flat symbol whose tick or step changed its new grid; its market state begins anew."""
        if not self._waiting:
            return
        d = self._desk
        for desk in d.desks:
            new = desk.next_instrument
            if new is None or desk.open or desk.entry is not None or desk.closes:
                continue
            desk.instrument, desk.next_instrument = new, None
            d.states[desk.s] = new_states([new], **d.policy.market_parameters())[0]
            d.filters[desk.s] = new_filters(1)[0]
            d.note("grid-taken-up", symbol=new.symbol, tick=new.tick, step=new.step)
            d.give(Regridded(d.now, desk.s, new))
        self._waiting = any(desk.next_instrument is not None for desk in d.desks)
