"""Faults of the market: price gaps, flash crashes, liquidations, books without depth. All from the seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from turbo_trader.market.rows import FINE, KIND_MASK, MARK, MINUTE, SECOND, Rows
from turbo_trader.simulation.faults import MARKET, Faults
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.synthetic import SyntheticMarket

HOUR: Final = 60 * MINUTE
THIN: Final = 1e-5  # of a book's depth is left
AWAY: Final = (70 * SECOND, 80 * SECOND)  # of a block's beginning: the rows a block reads are a minute ahead


class MarketFaults:
    """Asked before each block of `length` ns of the market is made."""

    def __init__(self, market: SyntheticMarket, simulation: Simulation, faults: Faults, length: int) -> None:
        self._market, self._simulation, self._faults = market, simulation, faults
        self._length = length
        self._marks: dict[int, float] = {}  # symbols whose mark runs away, by how much
        self._undo: list[Callable[[], None]] = []  # with the next block

    def before_block(self) -> None:
        """End what a block ago began; begin what comes by its rate."""
        for undo in self._undo:
            undo()
        self._undo.clear()
        for name in MARKET:
            rate = getattr(self._faults.rates, name)
            if rate and self._faults.chance(rate * self._length / HOUR) and getattr(self, f"_{name}")():
                self._faults.count(name)

    def _symbol(self) -> int:
        return self._faults.choose(self._simulation.cursors.count)

    def _size(self, low: float, high: float) -> float:
        """Of a jump, either way; in percent."""
        size = self._faults.between(low, high) / SECOND / 100
        return size if self._faults.chance(0.5) else -size

    def _price_gap(self) -> bool:
        self._market.jump(self._symbol(), self._size(0.5, 4.0))
        return True

    def _flash_crash(self) -> bool:
        s, size = self._symbol(), self._size(3.0, 15.0)
        self._market.jump(s, size)
        self._undo.append(lambda: self._market.jump(s, -size))
        return True

    def _liquidation(self) -> bool:
        exchange = self._simulation.exchange
        account = exchange.accounts[self._simulation.uid]
        held = [position for position in account.positions.values() if position.size]
        if not held:
            return False
        position = held[self._faults.choose(len(held))]
        size = abs(self._size(8.0, 20.0))
        self._marks[exchange.index[position.symbol]] = -size if position.size > 0 else size
        return True

    def changed(self, s: int, rows: Rows) -> Rows:
        """The rows of a block as they come: the mark of a symbol may run away for its first seconds."""
        size = self._marks.pop(s, 0.0)
        if not size or not len(rows):
            return rows
        found = rows.copy()
        now = self._simulation.now
        late = (found["ts"] > now + AWAY[0]) & (found["ts"] < now + AWAY[1])
        moved = late & ((found["kind"] & KIND_MASK) == MARK)
        found["lots"][moved] = np.rint(found["lots"][moved] * (1 + size)).astype(np.int64)
        found["price"][moved] = found["lots"][moved] // FINE
        return found

    def _thin_book(self) -> bool:
        s = self._symbol()
        self._market.deepen(s, THIN)
        self._undo.append(lambda: self._market.deepen(s, 1 / THIN))
        return True
