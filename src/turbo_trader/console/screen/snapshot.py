"""The latest of everything the daemon sent: the board is laid out from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from turbo_trader.console.screen.nearness import Nearness, nearness
from turbo_trader.console.screen.view_messages import FIELDS
from turbo_trader.console.sentences import sentence
from turbo_trader.market.rows import MINUTE

_KEPT: Final = 200  # events
_MINUTES: Final = 30  # of equity
_SHOWN: Final = frozenset({
    "summary", "entry", "entry-ended", "fill", "zone", "extension", "exit", "trade", "limit", "halt", "tier", "stream",
    "frozen", "foreign-fill", "started", "control", "stage", "evidence", "output",
})  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class EventLine:
    """One event for the eye: its time of day (UTC; "" where it has none), its level, its sentence."""

    clock: str
    level: str
    text: str
    style: str = ""  # where the level asks for none


@dataclass(slots=True)
class Snapshot:
    """What is known of the run now. `take` is given the messages in their order."""

    title: str = "turbo-trader"
    folder: str = ""
    symbols: Sequence[str] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)
    view: Mapping[str, Any] | None = None
    daemon: Mapping[str, Any] = field(default_factory=dict)
    scans: Sequence[Nearness] = ()
    scanned_ts: int = 0  # when that was
    events: deque[EventLine] = field(default_factory=lambda: deque(maxlen=_KEPT))
    equities: deque[tuple[int, Decimal]] = field(
        default_factory=lambda: deque(maxlen=_MINUTES)
    )  # minute, the last equity in it
    _refused: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # by symbol: gate and why, as last logged

    def take(self, message: Mapping[str, Any]) -> None:
        """One message of the daemon."""
        if (about := message.get("about")) is not None:
            self.title, self.folder = about["title"], about["folder"]
            self.symbols, self.numbers = about["symbols"], about["numbers"]
            return
        for event in message["events"]:
            self._hear(event)
        if message["view"] is not None:
            self.view, self.daemon = message["view"], message["daemon"]
            self._note_equity(message["view"])
        if (scan := message["scan"]) is not None:
            self.scanned_ts = scan["ts"]
            rows = (
                {
                    name: value or 0 for name, value in zip(FIELDS, values, strict=True)
                }  # None: no finite number
                for values in scan["rows"]
            )
            found = [
                nearness(symbol, row, self.numbers, self._refused.get(symbol))
                for symbol, row in zip(self.symbols, rows, strict=False)
            ]
            self.scans = sorted(found, key=lambda each: each.rank, reverse=True)

    def _note_equity(self, view: Mapping[str, Any]) -> None:
        minute = int(view["ts"]) // MINUTE
        if self.equities and self.equities[-1][0] == minute:
            self.equities.pop()
        self.equities.append((minute, Decimal(str(view["equity"]))))

    def say(self, text: str, level: str = "info") -> None:
        """A line of the view's own, such as what a key came to."""
        self.events.append(EventLine(clock="", level=level, text=text))

    def _hear(self, event: Mapping[str, Any]) -> None:
        name, level, fields = event["name"], event["level"], event["fields"]
        if name == "started":  # without those that the venue did not give
            self.symbols = fields.get("symbols", self.symbols)
        if name == "gate":
            self._refused[fields.get("symbol", "")] = (
                str(fields.get("gate", "")),
                str(fields.get("why", "")),
            )
        if name in _SHOWN or level in ("warning", "error"):
            text = str(fields["text"]) if name == "output" else sentence(name, fields)
            self.events.append(
                EventLine(
                    clock=clock(event["ts"]) if event["ts"] else "",
                    level=level,
                    text=text,
                    style=_style(name, fields),
                )
            )


def _style(name: str, fields: Mapping[str, Any]) -> str:
    """Of what a trader looks for: entries, and what a trade came to."""
    if name == "trade" and "net" in fields:
        return "green" if Decimal(str(fields["net"])) > 0 else "red"
    return "bold" if name == "entry" else ""


def clock(ts: int) -> str:
    """Nanoseconds UTC as a time of day."""
    return datetime.fromtimestamp(ts / 1e9, UTC).strftime("%H:%M:%S")
