"""What the account was worth during the last seconds: by the venue's wallet and its market, not by the Trader."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from turbo_trader.market.rows import SECOND

if TYPE_CHECKING:
    from turbo_trader.chaos.world import World

ZERO: Final = Decimal(0)
EVERY: Final = SECOND  # the equity is noted
NEAR: Final = Decimal("0.002")  # so close to the mark a book may have stood at it since the last note


class Money:
    """Equity E and wallet B of the account in a `World`, noted once a second and before every execution."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._noted: deque[tuple[int, Decimal, Decimal]] = deque(maxlen=4096)  # ts, E, B
        self._looked = 0
        self._equity = (-1, ZERO)  # as last reckoned, and when

    def stir(self) -> None:
        """The venue has sent something: the equity is reckoned again when it is asked for."""
        self._equity = (-1, ZERO)

    def equity(self) -> Decimal:
        """E: wallet and unrealised result at the worse of mark and closable price, less exit fees."""
        if self._equity[0] != self._world.now:
            self._equity = self._world.now, self._equity_now()
        return self._equity[1]

    def _equity_now(self) -> Decimal:
        world = self._world
        total = world.balance
        for position in world.held():
            d = 1 if position.size > 0 else -1
            touch, mark = world.touch(position.symbol), world.mark(position.symbol)
            prices = [mark] if mark is not None else []
            if touch is not None:
                prices.append(touch[0] if d > 0 else touch[1])
            worst = d * min((d * price for price in prices), default=d * position.entry_price)
            size = abs(position.size)
            total += d * (worst - position.entry_price) * size - worst * size * world.policy.taker_fee
        return total

    def look(self) -> bool:
        """Note the equity once a second; was it time to look again?"""
        if self._world.now - self._looked < EVERY:
            return False
        self._looked = self._world.now
        self.note()
        return True

    def note(self) -> None:
        """Note what the account is worth now."""
        self._noted.append((self._world.now, self.equity(), self._world.balance))

    def equities(self, seconds: float) -> tuple[Decimal, Decimal]:
        """Lowest and highest equity of the last seconds, and since the account was last read; moved by unknown transfers."""
        found = [self.equity(), *(equity for equity, _ in self._recent(seconds))]
        unknown = self._world.transferred - self._world.recognised
        return min(found) - max(unknown, ZERO), max(found) - min(unknown, ZERO) + self._between()

    def _between(self) -> Decimal:
        """What the closable prices may have been better by since the last note: no better than the mark counts."""
        more = ZERO
        for position in self._world.held():
            d = 1 if position.size > 0 else -1
            touch, mark = self._world.touch(position.symbol), self._world.mark(position.symbol)
            if touch is not None and mark is not None:
                gap = d * (mark - (touch[0] if d > 0 else touch[1]))
                more += gap * abs(position.size) if ZERO < gap <= NEAR * mark else ZERO
        return more

    def richest(self, seconds: float) -> Decimal:
        """The largest wallet of the last seconds."""
        return max(self._world.balance, *(balance for _, balance in self._recent(seconds)))

    def lowest(self, seconds: float) -> Decimal:
        """The least that the process may have taken E and B for: what came since may be unknown to it."""
        low, _ = self.equities(seconds)
        return min(low, self._world.balance, *(balance for _, balance in self._recent(seconds)))

    def _recent(self, seconds: float) -> Iterator[tuple[Decimal, Decimal]]:
        """E and B of the last seconds, and those in force when they began."""
        read = self._world.read_ns or self._world.now
        since = min(self._world.now - int(seconds * SECOND), read - EVERY)
        for ts, equity, balance in reversed(self._noted):
            yield equity, balance
            if ts < since:
                break
