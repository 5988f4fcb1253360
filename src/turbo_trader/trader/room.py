"""How far prices of one position may move before a limit of the account could decide anything. Only this module writes it."""

from __future__ import annotations

from dataclasses import dataclass

Ticks = tuple[int, int]
Prices = tuple[float, float]


@dataclass(kw_only=True, slots=True)
class Room:
    """Ends of the closable price (ticks) and of the mark (USDT); None: no position, or no room left."""

    ticks: Ticks | None = None
    mark: Prices | None = None

    def give(self, ticks: Ticks | None, mark: Prices | None) -> None:
        """So far."""
        self.ticks, self.mark = ticks, mark

    def clear(self) -> None:
        """No position, or no room left."""
        self.give(None, None)
