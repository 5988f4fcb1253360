"""One-minute bars of a running market, for a process that starts."""

from __future__ import annotations

from typing import Final, Protocol, cast

import numpy as np

from turbo_trader.market.bars import minute_bars
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import MINUTE, Rows

KEPT: Final = 3_000  # minutes


class Bars(Protocol):
    """Where a start reads the last minutes."""

    def before(self, s: int, now: int) -> Rows:
        """Closed one-minute bars (BAR) of a symbol, oldest first."""


class Minutes:
    """The last `KEPT` minutes of each symbol, from bars of the past and rows since."""

    def __init__(self, instruments: tuple[Instrument, ...], past: tuple[Rows, ...]) -> None:
        self._instruments = instruments
        self._bars = [bars[-KEPT:] for bars in past]

    def add(self, s: int, rows: Rows) -> None:
        """Rows that follow, whole minutes of them."""
        instrument = self._instruments[s]
        bars = minute_bars(rows, float(instrument.tick), float(instrument.step))
        if not len(bars):
            return
        self._bars[s] = cast("Rows", np.concatenate([self._bars[s], bars])[-KEPT:])

    def before(self, s: int, now: int) -> Rows:
        """The minutes of a symbol that had ended at `now`, oldest first."""
        bars = self._bars[s]
        return bars[bars["ts"] + MINUTE <= now]
