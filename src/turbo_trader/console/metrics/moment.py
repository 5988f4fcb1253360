"""What a scrape sees: one moment of a daemon, and what it has said since it started."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turbo_trader.live.meter import Histogram, Meter
from turbo_trader.live.readiness import Reason
from turbo_trader.trader.commands import Note, Scanned
from turbo_trader.trader.view import View


@dataclass(slots=True)
class Said:
    """An observer that counts events."""

    events: Counter[tuple[str, str]] = field(default_factory=Counter)  # name, level
    trades: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # tier, reason, won or lost

    def note(self, note: Note) -> None:
        """Count an event; a trade by what ended it."""
        self.events[note.name, note.level] += 1
        if note.name == "trade":
            result = "won" if note.fields["net"] > 0 else "lost"
            self.trades[str(note.fields["tier"]), str(note.fields["reason"]), result] += 1

    def scanned(self, scanned: Scanned) -> None:
        """No event."""

    def view(self, view: Any, daemon: Mapping[str, Any]) -> None:
        """No event."""


@dataclass(kw_only=True, frozen=True, slots=True)
class Moment:
    """A daemon now. `view` is None and `summary` empty while it is starting."""

    version: str
    view: View | None
    status: Mapping[str, Any]
    summary: Mapping[str, Any]
    reasons: list[Reason]
    stream_ages: Mapping[str, float]
    market_ages: Mapping[str, float]
    budget_used: Mapping[str, float]
    guard: bool
    meter: Meter
    loop_lag: Histogram
    said: Said
