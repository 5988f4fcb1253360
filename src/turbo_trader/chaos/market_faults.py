"""Faults of the market: price gaps, flash crashes, liquidations, books without depth. All from the seed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from turbo_trader.exchange.accounts import Position
from turbo_trader.market.rows import FINE, KIND_MASK, MARK, MINUTE, SECOND, Rows
from turbo_trader.simulation.faults import MARKET, Faults
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.synthetic import SyntheticMarket

HOUR: Final = 60 * MINUTE
THIN: Final = 1e-5  # of a book's depth is left
WIDE: Final = 0.0009  # of the price: just within what entries are made at
BEGINS: Final = 70 * SECOND  # after a block's beginning: the rows a block reads are a minute ahead
SHORT: Final = 10 * SECOND  # until it has run through everything
LONG: Final = 30 * SECOND


class MarketFaults:
    """Asked before each block of `length` ns of the market is made."""

    def __init__(self, market: SyntheticMarket, simulation: Simulation, faults: Faults, length: int) -> None:
        self._market, self._simulation, self._faults = market, simulation, faults
        self._length = length
        self._marks: dict[
            int, tuple[float, int]
        ] = {}  # symbols whose mark runs away: by how much, until when
        self._undo: list[Callable[[], object]] = []  # with the next block

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
        position = self._held()
        if position is None:
            return False
        size = abs(self._size(8.0, 20.0))
        self._run_away(position, -size if position.size > 0 else size, SHORT)
        return True

    def _mark_apart(self) -> bool:
        """Three quarters of the way to liquidation: stops lie within half of it."""
        position, exchange = self._held(), self._simulation.exchange
        if position is None:
            return False
        price = exchange.collateral.liquidation(exchange.accounts[self._simulation.uid], position)
        if price is None:
            return False
        size = float(price / exchange.collateral.mark(position)) - 1
        self._run_away(position, 0.75 * size, LONG)
        return True

    def _held(self) -> Position | None:
        account = self._simulation.exchange.accounts[self._simulation.uid]
        held = [position for position in account.positions.values() if position.size]
        return held[self._faults.choose(len(held))] if held else None

    def _run_away(self, position: Position, size: float, length: int) -> None:
        self._marks[self._simulation.exchange.index[position.symbol]] = size, BEGINS + length

    def changed(self, s: int, rows: Rows) -> Rows:
        """The rows of a block as they come: the mark of a symbol may run away for a while."""
        size, until = self._marks.pop(s, (0.0, 0))
        if not size or not len(rows):
            return rows
        found = rows.copy()
        now = self._simulation.now
        late = (found["ts"] > now + BEGINS) & (found["ts"] < now + until)
        moved = late & ((found["kind"] & KIND_MASK) == MARK)
        found["lots"][moved] = np.rint(found["lots"][moved] * (1 + size)).astype(np.int64)
        found["price"][moved] = found["lots"][moved] // FINE
        return found

    def _thin_book(self) -> bool:
        s = self._symbol()
        self._market.deepen(s, THIN)
        self._undo.append(lambda: self._market.deepen(s, 1 / THIN))
        return True

    def _wide_book(self) -> bool:
        s = self._symbol()
        was = self._market.widen(s, WIDE)
        self._undo.append(lambda: self._market.widen(s, was))
        return True
