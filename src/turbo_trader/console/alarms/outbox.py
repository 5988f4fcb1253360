"""The queue of one target: bounded, bundled, at a pace. Pure: times are given, in monotonic seconds."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from turbo_trader.console.alarms.catalogue import Severity
from turbo_trader.console.alarms.raising import Raised

MOST: Final = 200  # alarms that wait
_LINES: Final = 20  # of a message; what is beyond is counted
_PAUSES: Final = (
    5.0,
    15.0,
    60.0,
    300.0,
)  # after a message that could not be delivered, and so on with the last


@dataclass(frozen=True, slots=True)
class Message:
    """One message to one target."""

    title: str
    body: str
    severity: Severity
    count: int  # alarms in it


class Outbox:
    """The alarms of one target. What comes within `interval_s` of a message is bundled into the next; a critical one goes at once.

    While a target does not take messages alarms gather, and go as one when it does. Beyond MOST the oldest are dropped and counted,
    critical ones last.
    """

    def __init__(self, sender: str, interval_s: float, most: int = MOST) -> None:
        self._sender = sender
        self._interval = interval_s
        self._most = most
        self._waiting: deque[Raised] = deque()
        self._leaving: list[Raised] = []
        self._free = 0.0  # from when on the next message may leave
        self._again = 0.0  # the same after a failure, for every severity
        self.failures = 0  # in a row
        self.dropped = 0  # since the last message that was delivered

    def __len__(self) -> int:
        """Alarms that wait or are on their way."""
        return len(self._waiting) + len(self._leaving)

    def put(self, raised: Raised) -> None:
        """Let an alarm wait."""
        self._waiting.append(raised)
        while len(self) > self._most and self._waiting:
            mild = (i for i, each in enumerate(self._waiting) if each.severity is not Severity.CRITICAL)
            del self._waiting[next(mild, 0)]
            self.dropped += 1

    def due(self) -> float | None:
        """When the next message is to leave; None: there is none, or one is on its way."""
        if not self._waiting or self._leaving:
            return None
        critical = any(each.severity is Severity.CRITICAL for each in self._waiting)
        return self._again if critical else max(self._again, self._free)

    def take(self) -> Message:
        """All that waits as one message, on its way from now on until `delivered` or `failed`."""
        self._leaving = list(self._waiting)
        self._waiting.clear()
        return _message(self._sender, self._leaving, self.dropped)

    def delivered(self, now: float) -> None:
        """The message has arrived."""
        self._leaving = []
        self.failures = self.dropped = 0
        self._again = 0.0
        self._free = now + self._interval

    def failed(self, now: float) -> None:
        """It has not: its alarms wait again, before those that came meanwhile."""
        self._again = now + _PAUSES[min(self.failures, len(_PAUSES) - 1)]
        self.failures += 1
        newer = list(self._waiting)
        self._waiting = deque(self._leaving)
        self._leaving = []
        for raised in newer:
            self.put(raised)


def _message(sender: str, raised: list[Raised], dropped: int) -> Message:
    worst = max((each.severity for each in raised), key=lambda severity: severity.rank)
    first = next(each for each in raised if each.severity is worst)
    name = f"{first.alarm}{' over' if first.over else ''}{' ' + first.subject if first.subject else ''}"
    title = f"{sender}: {name}" if len(raised) == 1 else f"{sender}: {name} and {len(raised) - 1} more"
    shown = sorted(raised, key=lambda each: -each.severity.rank)[:_LINES]  # critical ones are never cut off
    rest = Counter(each.alarm for each in raised)
    rest.subtract(each.alarm for each in shown)
    lines = [_line(each) for each in raised if each in shown]
    if left := ", ".join(f"{alarm} {count}" for alarm, count in sorted((+rest).items())):
        lines.append(f"and {left}")
    if dropped:
        lines.append(f"{dropped} more were dropped: this target took no messages")
    return Message(title, "\n".join(lines), worst, len(raised))


def _line(raised: Raised) -> str:
    at = datetime.fromtimestamp(raised.ts / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S")
    todo = "" if raised.over or raised.severity is Severity.INFO else f" [docs/operations.md: {raised.alarm}]"
    return f"{at} UTC {raised.severity.upper()} {raised.text}{todo}"
