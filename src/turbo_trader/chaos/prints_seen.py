"""The prints of the tape that surely reached the process, by the side on which a position could have been closed."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.chaos.world import World
from turbo_trader.market.events import KIND_MASK, TRADE


class PrintsSeen:
    """Reads the tape beside the process: what came while it was dead, asleep or cut off does not count."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[str, int] = {}  # symbol -> time up to which its prints were read

    def skip(self, symbol: str) -> None:
        """What came until now does not count."""
        self._read[symbol] = self._world.now

    def best(self, symbol: str, direction: int) -> Decimal | None:
        """The best price since the last call at which a position could have been closed, as prints show it; None: none."""
        world = self._world
        simulation = world.simulation
        s = simulation.exchange.index[symbol]
        since, until = simulation.cursors.came_through(s)
        after = max(self._read.get(symbol, world.now), since)
        if not world.able or until <= after:
            self._read[symbol] = world.now if not world.able else after
            return None
        self._read[symbol] = until
        return self.between(symbol, direction, after, until)

    def between(self, symbol: str, direction: int, after: int, until: int) -> Decimal | None:
        """The best price after one time up to another, whoever has seen it."""
        simulation = self._world.simulation
        rows = simulation.cursors.between(simulation.exchange.index[symbol], after, until)
        # a taker who sells prints at the bid, where a long could be closed
        prints = rows["price"][((rows["kind"] & KIND_MASK) == TRADE) & (rows["side"] == -direction)]
        if not len(prints):
            return None
        ticks = int(prints.max() if direction > 0 else prints.min())
        return self._world.instrument(symbol).price(ticks)
