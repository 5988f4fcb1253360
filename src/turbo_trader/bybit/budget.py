"""The request budget: a rolling second of each endpoint group and of the address, with a share kept for exits. Pure: time is given.

Limits of Bybit V5 reference chapter 4 at 80 %; the venue's own headers lower them, its reset time holds a group back.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SHARE: Final = 0.8  # of the venue's limits, used by us
RESERVE: Final = 0.25  # of every window, for exits and protection alone
ADDRESS: Final = 600 / 5.0  # requests a second from one address
BAN_S: Final = 600.0  # silence after HTTP 403
_WINDOW_S: Final = 1.1  # the venue's second, and what the way there may push together
_MAX_WAIT_S: Final = 5.0  # a reset time further away than this is not believed
_MOST_A_SECOND: Final = 10_000.0  # nor a limit beyond this, or below one

#: Requests a second of one account, by group.
LIMITS: Final[dict[str, float]] = {
    "create": 10, "cancel": 10, "trading-stop": 10, "set-leverage": 10, "realtime": 50, "history": 50, "executions": 50,
    "positions": 50, "wallet": 50, "account": 50, "transactions": 25, "key": 10, "fees": 5, "margin-mode": 5, "market": ADDRESS,
}  # fmt: skip


@dataclass(slots=True)
class Window:
    """At most `size` requests in a rolling second, as the venue counts them."""

    size: int
    sent: deque[float] = field(default_factory=deque)  # when those of the last second left

    def left(self, now: float) -> int:
        """How many more may leave at `now`."""
        self._forget(now)
        return max(0, self.size - len(self.sent))

    def wait(self, now: float, kept: float) -> float:
        """Seconds until one may leave while `kept` others could."""
        self._forget(now)
        over = len(self.sent) - max(1, int(self.size - kept))
        return self.sent[over] + _WINDOW_S - now if over >= 0 else 0.0

    def _forget(self, now: float) -> None:
        while self.sent and self.sent[0] <= now - _WINDOW_S:
            self.sent.popleft()


class Budget:
    """Who may send when. `reserve` and `report` take wall seconds of one steady clock."""

    def __init__(self, limits: Mapping[str, float] = LIMITS, share: float = SHARE) -> None:
        self._share = share
        self._groups = {name: self._window(limit) for name, limit in limits.items()}
        self._address = self._window(ADDRESS)
        self._held: dict[str, float] = {}
        self._banned_until = 0.0

    def _window(self, limit: float) -> Window:
        return Window(max(1, int(limit * self._share)))

    def banned(self, now: float) -> float:
        """Seconds for which no HTTP may be sent; 0 when free."""
        return max(0.0, self._banned_until - now)

    def ban(self, now: float) -> None:
        """The address was refused (HTTP 403): silence for ten minutes."""
        self._banned_until = now + BAN_S

    def used(self, now: float) -> dict[str, float]:
        """Used share of each group's window, and of the address's; 1 = nothing may be sent."""
        windows = {**self._groups, "address": self._address}
        return {name: 1.0 - window.left(now) / window.size for name, window in windows.items()}

    def reserve(self, group: str, now: float, *, exit_share: bool = False) -> float:
        """Count a request and return 0, or return the seconds to wait before asking again (nothing counted)."""
        windows = self._groups.setdefault(group, self._window(LIMITS.get(group, 10))), self._address
        kept = 0.0 if exit_share else RESERVE
        wait = max(
            self._held.get(group, 0.0) - now, *(window.wait(now, kept * window.size) for window in windows)
        )
        if wait > 1e-9:
            return wait
        for window in windows:
            window.sent.append(now)
        return 0.0

    def report(self, group: str, now: float, headers: Mapping[str, str], venue_ms: int) -> None:
        """Take up what the limit headers of an answer say; `venue_ms`: the venue's time now, to read the reset time by."""
        remaining = _number(headers.get("X-Bapi-Limit-Status"))
        limit = _number(headers.get("X-Bapi-Limit"))
        window = self._groups.get(group)
        if window is not None and limit is not None and 1 <= limit <= _MOST_A_SECOND:
            window.size = max(1, int(limit * self._share))
        if remaining is not None and remaining <= 0:
            self.hold(group, now, headers, venue_ms)

    def hold(self, group: str, now: float, headers: Mapping[str, str], venue_ms: int) -> None:
        """The group is used up (10006): nothing before the reset time, which may lie in the past."""
        reset = _number(headers.get("X-Bapi-Limit-Reset-Timestamp"))
        wait = 1.0 if reset is None else (reset - venue_ms) / 1000.0
        self._held[group] = now + min(_MAX_WAIT_S, max(0.0, wait))


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
