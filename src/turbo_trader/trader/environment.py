"""Events that are neither market nor money: streams, instruments, fees, clocks, key, maintenance."""

from __future__ import annotations

from turbo_trader.market.kernel import backfill
from turbo_trader.rules.records import NEVER
from turbo_trader.trader import events
from turbo_trader.trader.listing import Listing
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.trader_state import TraderState


class Environment:
    """Takes it up; asks for the account where it may be out of step."""

    def __init__(self, state: TraderState, listing: Listing, recovery: Recovery) -> None:
        self._state = state
        self._listing = listing
        self._recovery = recovery

    def on_event(self, event: events.Event) -> None:
        """One event. TypeError for one that is not the Trader's."""
        state = self._state
        match event:
            case events.StreamStatus():
                self._on_stream(event)
            case events.Unread():
                if not event.symbol or event.symbol == "USDT" or event.symbol in state.by_symbol:
                    self._recovery.after_odd()
            case events.Backfill():
                backfill(state.states, event.symbol, event.bars)
            case events.InstrumentUpdate():
                each = state.by_symbol.get(event.instrument.symbol)
                if each is not None:
                    self._listing.on_update(each, event.instrument)
            case events.KeyExpiry():
                state.key_expiry_ts = event.at
            case events.Maintenance():
                state.maintenance = (NEVER, 0) if event.begin is None else (event.begin, event.end)
            case events.FeeRates():
                each = state.by_symbol.get(event.symbol)
                if each is not None:
                    self._listing.on_fees(each, event)
            case events.Transferred():
                self._recovery.on_transfer(event.transfer)
            case events.ClockOffset():
                state.offset = event.offset
            case events.Woken():
                state.note("woken", "warning", epoch=event.epoch)
                state.boots.update(event.boots)
                self._recovery.again()
            case _:
                raise TypeError(f"not an event of the Trader: {type(event).__name__}")

    def _on_stream(self, event: events.StreamStatus) -> None:
        state = self._state
        was = state.streams.get(event.stream, False)
        state.streams[event.stream] = event.up
        level = "info" if event.up else "warning"
        state.note("stream", level, stream=event.stream, up=event.up, why=event.reason)
        if event.up and not was and event.stream is events.StreamKind.PRIVATE:
            self._recovery.soon()
