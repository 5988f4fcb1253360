"""The place of a resting order in the queue of its price level.

The tape shows how many lots rest at a price, not whose they are. An order joins at the back; prints move it by their size; lots
that came later stand behind it; cancels are taken to come from everywhere in proportion. Prints and book changes tell the same
trades twice, in either order: what left the level is a cancel only when no print explained it for a second. All of this errs to a
longer queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from turbo_trader.market.rows import SECOND

_UNEXPLAINED: Final = SECOND  # how long a print may lag behind its book change


@dataclass(slots=True)
class Place:
    """Lots before an order, and what was seen of its level."""

    rank: int = 0  # of joining, among all orders of the Exchange: time priority
    ahead: int = 0
    level: int = 0  # size of the level at the last look
    printed: int = 0  # traded, and not missing from the level yet
    gone: int = 0  # missing from the level, and not explained by a print yet
    gone_ts: int = 0

    def join(self, rank: int, level: int) -> None:
        """Stand behind all lots shown."""
        self.rank, self.ahead, self.level = rank, level, level
        self.printed = self.gone = 0

    def regrid(self, m: int) -> None:
        """Lots are `m` times finer from now on."""
        for name in ("ahead", "level", "printed", "gone"):
            setattr(self, name, getattr(self, name) * m)

    def look(self, level: int, now: int) -> None:
        """The level has `level` lots now."""
        if self.gone and now - self.gone_ts >= _UNEXPLAINED:
            self.ahead -= self.ahead * self.gone // (self.level + self.gone)
            self.gone = 0
        missing = self.level - level
        if missing > 0:
            traded = min(missing, self.printed)
            self.printed -= traded
            if not self.gone:
                self.gone_ts = now
            self.gone += missing - traded
        self.level = level
        self.ahead = min(self.ahead, level + self.gone)

    def traded(self, lots: int, left: int) -> int:
        """A print of `lots` at the price, of which better placed orders left `left`: what reaches the order of those."""
        explained = min(self.gone, lots)
        self.gone -= explained
        self.printed += lots - explained
        passed = min(self.ahead, left)
        self.ahead -= passed
        return left - passed
