"""Rate limits: per account and route over a rolling second, per address over five; connections and operations of an address.

Times are integer ns of whatever clock the caller keeps to; nothing here reads one.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Final

_SECOND: Final = 1_000_000_000
ROUTES: Final = {  # path after /v5/: requests a second of one account, default tier; batches count their orders
    "order/create": 10, "order/amend": 10, "order/cancel": 10, "order/cancel-all": 10,
    "order/create-batch": 10, "order/amend-batch": 10, "order/cancel-batch": 10,
    "order/realtime": 50, "order/history": 50, "execution/list": 50, "position/list": 50, "position/closed-pnl": 50,
    "position/set-leverage": 10, "position/switch-mode": 10, "position/trading-stop": 10, "position/add-margin": 10,
    "position/set-auto-add-margin": 10,
    "order/disconnected-cancel-all": 5, "account/wallet-balance": 50, "account/info": 50, "account/transaction-log": 25,
    "account/fee-rate": 5, "account/query-dcp-info": 5, "account/set-margin-mode": 5, "account/set-limit-px-action": 5,
    "user/query-api": 10,
}  # fmt: skip
OTHERS: Final = 50
ADDRESS_REQUESTS: Final = 600
ADDRESS_WINDOW: Final = 5 * _SECOND
ADDRESS_BAN: Final = 600 * _SECOND
NEW_CONNECTIONS: Final = 500
CONNECTION_WINDOW: Final = 300 * _SECOND
VIP: Final = (1, 2, 4, 6, 6, 6)  # times the default limits of orders, by VIP level
LISTENERS: Final = 1_000  # market data connections of one address at a time
OPERATIONS: Final = 3_000  # a second, of one address over all its trade sockets


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a request was allowed: `granted` of the units it asked for, what the headers say."""

    granted: int
    limit: int
    left: int
    wait_ns: int  # until the window has room again; 0 when it was not limited


class _Window:
    """Times of the last `size` seconds' events."""

    def __init__(self, size: int) -> None:
        self._size = size
        self.times: deque[int] = deque()

    def clear(self, now: int) -> None:
        """Forget what has left the window."""
        while self.times and self.times[0] <= now - self._size:
            self.times.popleft()

    def wait(self, now: int) -> int:
        """Until the oldest leaves."""
        return self.times[0] + self._size - now if self.times else 0


class RateLimits:
    """All limits of a venue. The VIP level, 0 to 5, raises those of orders; who asks too often is barred for `ban` ns."""

    def __init__(self, vip: int = 0, ban: int = ADDRESS_BAN) -> None:
        self._ban = ban
        self._multiple = VIP[vip]
        self._accounts: dict[tuple[str, str], _Window] = {}
        self._addresses: dict[str, _Window] = {}
        self._banned: dict[str, int] = {}
        self._connections: dict[str, _Window] = {}
        self._operations: dict[str, _Window] = {}

    def limit(self, route: str) -> int:
        """Requests a second of one account on a route."""
        base = ROUTES.get(route, OTHERS)
        return (
            base * self._multiple if route.startswith("order/") and base == ROUTES["order/create"] else base
        )

    def take(self, uid: str, route: str, now: int, units: int = 1) -> Allowance:
        """Ask for `units` requests to a route; a batch is granted its first ones."""
        window = self._accounts.setdefault((uid, route), _Window(_SECOND))
        window.clear(now)
        limit = self.limit(route)
        granted = min(units, limit - len(window.times))
        window.times.extend([now] * granted)
        wait = window.wait(now) if granted < units else 0
        return Allowance(granted, limit, limit - len(window.times), wait)

    def admits(self, address: str, now: int) -> bool:
        """May this address send another HTTP request? More than 600 in 5 s are refused, and all that follow while it is barred."""
        if now < self._banned.get(address, 0):
            return False
        window = self._addresses.setdefault(address, _Window(ADDRESS_WINDOW))
        window.clear(now)
        window.times.append(now)
        if len(window.times) <= ADDRESS_REQUESTS:
            return True
        self._banned[address] = now + self._ban
        window.times.clear()
        return False

    def operates(self, address: str, now: int) -> bool:
        """May this address send another operation over trade sockets? 3000 a second."""
        window = self._operations.setdefault(address, _Window(_SECOND))
        window.clear(now)
        if len(window.times) >= OPERATIONS:
            return False
        window.times.append(now)
        return True

    def connects(self, address: str, now: int, listeners: int = 0) -> bool:
        """May this address open another stream connection? 500 in five minutes; a thousand of market data, of which it has
        `listeners`, at a time."""
        if listeners >= LISTENERS:
            return False
        window = self._connections.setdefault(address, _Window(CONNECTION_WINDOW))
        window.clear(now)
        if len(window.times) >= NEW_CONNECTIONS:
            return False
        window.times.append(now)
        return True
