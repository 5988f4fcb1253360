"""Reads of fills overlap, so a fill is read more than once; the journal keeps it once."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from turbo_trader.trader.events import Event, Fill, ReadResult

_MOST: Final = 10_000  # fills of this start that are remembered, the newest


class Repeats:
    """The fills that this start has journaled."""

    def __init__(self) -> None:
        self._known: dict[str, None] = {}

    def without(self, event: Event) -> Event:
        """The event as it is journaled: a read without the fills that an earlier row has."""
        if isinstance(event, Fill):
            self._remember(event)
        elif isinstance(event, ReadResult) and event.fills:
            fresh = tuple(fill for fill in event.fills if fill.exec_id not in self._known)
            for fill in fresh:
                self._remember(fill)
            return event if len(fresh) == len(event.fills) else replace(event, fills=fresh)
        return event

    def _remember(self, fill: Fill) -> None:
        self._known[fill.exec_id] = None
        if len(self._known) > _MOST:
            del self._known[next(iter(self._known))]
