"""The request budget: token buckets per endpoint group and for the address, with a share kept for exits. Pure: time is given.

Limits of Bybit V5 reference chapter 4 at 80 %; the venue's own headers lower them, its reset time holds a group back.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SHARE: Final = 0.8  # of the venue's limits, used by us
RESERVE: Final = 0.25  # of every bucket, for exits and protection alone
ADDRESS: Final = 600 / 5.0  # requests a second from one address
BAN_S: Final = 600.0  # silence after HTTP 403
_MAX_WAIT_S: Final = 5.0  # a reset time further away than this is not believed
_MOST_A_SECOND: Final = 10_000.0  # nor a limit beyond this, or below one

#: Requests a second of one account, by group.
LIMITS: Final[dict[str, float]] = {
    "create": 10, "cancel": 10, "trading-stop": 10, "set-leverage": 10, "realtime": 50, "history": 50, "executions": 50,
    "positions": 50, "wallet": 50, "account": 50, "transactions": 25, "key": 10, "fees": 5, "margin-mode": 5, "market": ADDRESS,
}  # fmt: skip


@dataclass(slots=True)
class Bucket:
    """Tokens refilled at `rate` a second up to `size`."""

    rate: float
    size: float
    tokens: float = field(default=-1.0)
    at: float = 0.0

    def __post_init__(self) -> None:
        if self.tokens < 0:
            self.tokens = self.size

    def left(self, now: float) -> float:
        """Tokens that are there at `now`."""
        return min(self.size, self.tokens + max(0.0, now - self.at) * self.rate)

    def wait(self, now: float, floor: float) -> float:
        """Seconds until one token above `floor` is there."""
        self.tokens = self.left(now)
        self.at = max(now, self.at)
        return max(0.0, (1.0 + floor - self.tokens) / self.rate)


class Budget:
    """Who may send when. `reserve` and `report` take wall seconds of one steady clock."""

    def __init__(self, limits: Mapping[str, float] = LIMITS, share: float = SHARE) -> None:
        self._share = share
        self._groups = {name: _bucket(limit, share) for name, limit in limits.items()}
        self._address = Bucket(ADDRESS * share, ADDRESS * share)
        self._held: dict[str, float] = {}
        self._banned_until = 0.0

    def banned(self, now: float) -> float:
        """Seconds for which no HTTP may be sent; 0 when free."""
        return max(0.0, self._banned_until - now)

    def ban(self, now: float) -> None:
        """The address was refused (HTTP 403): silence for ten minutes."""
        self._banned_until = now + BAN_S

    def used(self, now: float) -> dict[str, float]:
        """Used share of each group's bucket, and of the address's; 1 = nothing may be sent."""
        buckets = {**self._groups, "address": self._address}
        return {name: 1.0 - bucket.left(now) / bucket.size for name, bucket in buckets.items()}

    def reserve(self, group: str, now: float, *, exit_share: bool = False) -> float:
        """Take a token and return 0, or return the seconds to wait before asking again (nothing taken)."""
        bucket = self._groups.setdefault(group, _bucket(LIMITS.get(group, 10), self._share))
        wait = max(
            self._held.get(group, 0.0) - now,
            bucket.wait(now, 0.0 if exit_share else RESERVE * bucket.size),
            self._address.wait(now, 0.0 if exit_share else RESERVE * self._address.size),
        )
        if wait > 1e-9:
            return wait
        bucket.tokens -= 1.0
        self._address.tokens -= 1.0
        return 0.0

    def report(self, group: str, now: float, headers: Mapping[str, str], venue_ms: int) -> None:
        """Take up what the limit headers of an answer say; `venue_ms`: the venue's time now, to read the reset time by."""
        remaining = _number(headers.get("X-Bapi-Limit-Status"))
        limit = _number(headers.get("X-Bapi-Limit"))
        bucket = self._groups.get(group)
        if bucket is not None and limit is not None and 1 <= limit <= _MOST_A_SECOND:
            bucket.rate = limit * self._share
            bucket.size = max(1.0, limit * self._share)
            bucket.tokens = min(bucket.tokens, bucket.size)
        if remaining is not None and remaining <= 0:
            self.hold(group, now, headers, venue_ms)

    def hold(self, group: str, now: float, headers: Mapping[str, str], venue_ms: int) -> None:
        """The group is used up (10006): nothing before the reset time, which may lie in the past."""
        reset = _number(headers.get("X-Bapi-Limit-Reset-Timestamp"))
        wait = 1.0 if reset is None else (reset - venue_ms) / 1000.0
        self._held[group] = now + min(_MAX_WAIT_S, max(0.0, wait))


def _bucket(limit: float, share: float) -> Bucket:
    size = max(1.0, limit * share)
    return Bucket(size, size)


def _number(text: str | None) -> float | None:
    try:
        return None if text is None else float(text)
    except ValueError:
        return None
