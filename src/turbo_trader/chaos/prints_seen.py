"""The prints of the tape that surely reached the process, by the side on which a position could have been closed."""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.chaos.world import World
from turbo_trader.market.rows import KIND_MASK, LEVEL, SECOND, TRADE


class PrintsSeen:
    """Reads the tape beside the process: what came while it was dead, asleep or cut off does not count."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._read: dict[
            str, tuple[int, int]
        ] = {}  # symbol -> up to when its prints were read, by both clocks of the world

    def skip(self, symbol: str) -> None:
        """What came until now does not count."""
        self._read[symbol] = self._world.now, self._world.able_ns

    def up_to_date(self, symbol: str) -> bool:
        """Do its market data come to the process as they should?"""
        simulation = self._world.simulation
        _, until = simulation.cursors.came_through(simulation.exchange.index[symbol])
        return self._world.now - until < SECOND

    def best(self, symbol: str, direction: int) -> Decimal | None:
        """The best price since the last call at which a position could have been closed, as prints show it; None: none."""
        world = self._world
        simulation = world.simulation
        s = simulation.exchange.index[symbol]
        since, until = simulation.cursors.came_through(s)
        read, able = self._read.get(symbol, (world.now, world.able_ns))
        awake = world.able_ns - able >= world.now - read
        self.skip(symbol)
        if not awake:
            return None
        feed = world.now - until  # what is on its way is read the next time
        self._read[symbol] = min(world.now, until), world.able_ns - feed
        after = max(read, since)
        if until <= after:
            return None
        return self.between(symbol, direction, after, until)

    def closable(self, symbol: str, direction: int, after: int, until: int) -> Decimal | None:
        """The best price of the book on the side where a position could be closed, by its frames between two times."""
        simulation = self._world.simulation
        rows = simulation.cursors.between(simulation.exchange.index[symbol], after, until)
        level = ((rows["kind"] & KIND_MASK) == LEVEL) & (rows["side"] == direction) & (rows["lots"] > 0)
        prices = rows["price"][level]
        if not len(prices):
            return None
        return self._world.instrument(symbol).price(int(prices.max() if direction > 0 else prices.min()))

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
