"""The session's limits, held against the account with every look at its equity."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.events import SECOND
from turbo_trader.rules.session import SessionEvent
from turbo_trader.trader.desk import Desk
from turbo_trader.trader.exposure import secured, usage
from turbo_trader.trader.flattening import Flattening

_USAGE_EVERY = 10 * SECOND  # warnings: looked at less often than what pauses or halts
_CALM = ("session-new", "pause-over")


class Limits:
    """Tells what the session says of an equity, and does what it asks for."""

    def __init__(self, desk: Desk, flattening: Flattening) -> None:
        self._desk = desk
        self._flattening = flattening
        self._usage_due = 0

    def look(self, equity: Decimal) -> None:
        """Equity E now: the session turns, pauses, halts; a warning where a limit is nearly used up."""
        desk = self._desk
        before = desk.session.peak, list(desk.session.warned)
        events = desk.session.on_equity(desk.policy, desk.now, equity, secured(desk))
        if desk.now >= self._usage_due:
            self._usage_due = desk.now + _USAGE_EVERY
            events += desk.session.on_usage(desk.policy, desk.now, usage(desk, equity))
        if events or before != (desk.session.peak, desk.session.warned):
            desk.persist("session", desk.session)  # before anything is closed: a restart goes on with it
        for event in events:
            self._tell(event)

    def _tell(self, event: SessionEvent) -> None:
        level = "info" if event.name in _CALM else "warning"
        name = "halt" if event.flatten else "limit"
        self._desk.note(name, level, what=event.name, text=event.text, **event.fields)
        if event.flatten:
            self._flattening.close_all("session-loss")
