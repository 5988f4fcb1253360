"""SIZE=earned: the trades of one symbol that are followed without an order. Only this module writes its fields."""

from __future__ import annotations

from dataclasses import dataclass, field

from turbo_trader.rules.shadow import Shadow

_KEPT = 4  # trades of which one of a pair has ended


@dataclass(kw_only=True, slots=True)
class Shadows:
    """The trade that no order was sent for, and the one that accompanies an order."""

    alone: Shadow | None = None
    pair: Shadow | None = None
    returns: dict[str, float | None] = field(
        default_factory=dict
    )  # net, of the one of a pair that ended first

    def follow(self, alone: Shadow | None, pair: Shadow | None) -> None:
        """Those that continue; None: over, or there was none."""
        self.alone, self.pair = alone, pair

    def begin(self, shadow: Shadow, *, alone: bool) -> None:
        """A trade begins; `alone`: no order is sent for it."""
        if alone:
            self.alone = shadow
        else:
            self.pair = shadow

    def accompany(self, entry_id: str) -> None:
        """The entry that the newest of them accompanies has this id."""
        if self.pair is not None:
            self.pair.pair = entry_id

    def forget_pair(self) -> None:
        """The entry ends without a fill: the rules made no trade, so nothing is followed either."""
        self.pair = None

    def real_ended(self, entry_id: str, fraction: float) -> list[tuple[float, float]]:
        """A real trade is over; returns the pairs (shadow, real) that are complete."""
        self.returns[entry_id] = fraction
        return self._matched()

    def shadow_ended(self, entry_id: str, fraction: float | None) -> list[tuple[float, float]]:
        """The shadow of an entry is over; None: its prices have a hole. As `real_ended`."""
        self.returns[f"shadow {entry_id}"] = fraction
        return self._matched()

    def _matched(self) -> list[tuple[float, float]]:
        found = []
        for entry_id in [key for key in self.returns if f"shadow {key}" in self.returns]:
            real, shadow = self.returns.pop(entry_id), self.returns.pop(f"shadow {entry_id}")
            if real is not None and shadow is not None:
                found.append((shadow, real))
        while len(self.returns) > _KEPT:
            del self.returns[next(iter(self.returns))]
        return found
