"""Announced maintenance: reported by `system/status` and the topic `system.status`; while it lasts nothing is served."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.protocol.wire import encode

TOPIC: Final = "system.status"
CLOSED: Final = Reply(10016, "Service is restarting, please try again later.")
SERVED: Final = ("market/time", "system/status")  # all the while
_MS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Notice:
    """One maintenance, times in ns."""

    number: int
    title: str
    begin: int
    end: int

    def row(self, now: int) -> dict[str, Any]:
        """As the venue tells it at `now`."""
        state = "scheduled" if now < self.begin else "ongoing" if now < self.end else "completed"
        return {
            "id": f"{self.number:08x}-0000-4000-8000-{self.number:012x}",
            "title": self.title,
            "state": state,
            "begin": str(self.begin // _MS),
            "end": str(self.end // _MS),
            "href": "",
            "serviceTypes": [2, 3, 4, 5],
            "product": [1],
            "uidSuffix": [],
            "maintainType": 1,
            "env": 1,
        }


class Notices:
    """What was announced so far."""

    def __init__(self) -> None:
        self._notices: list[Notice] = []

    def announce(self, begin: int, end: int, title: str) -> None:
        """A maintenance from `begin` to `end` (ns)."""
        self._notices.append(Notice(len(self._notices) + 1, title, begin, end))

    def closed(self, now: int) -> bool:
        """Is one going on?"""
        return any(notice.begin <= now < notice.end for notice in self._notices)

    def rows(self, now: int) -> list[dict[str, Any]]:
        """All of them, newest first."""
        return [notice.row(now) for notice in reversed(self._notices)]


class StatusFeed:
    """The one topic of /v5/public/misc/status."""

    def __init__(self, notices: Notices) -> None:
        self._notices = notices
        self._users = 0
        self._reported: list[dict[str, Any]] = []

    def has(self, topic: str) -> bool:
        """Is it the topic?"""
        return topic == TOPIC

    def join(self, topic: str, now: int) -> list[bytes]:
        """A subscriber more; it gets what is announced."""
        del topic
        self._users += 1
        rows = self._notices.rows(now)
        return [_frame(rows, now)] if rows else []

    def leave(self, topic: str) -> None:
        """A subscriber less."""
        del topic
        self._users -= 1

    def push(self, now: int) -> dict[str, list[bytes]]:
        """What is announced, when that changed."""
        rows = self._notices.rows(now)
        if rows == self._reported:
            return {}
        self._reported = rows
        return {TOPIC: [_frame(rows, now)]} if self._users else {}


def _frame(rows: list[dict[str, Any]], now: int) -> bytes:
    return encode({"topic": TOPIC, "ts": now // _MS, "data": rows})
