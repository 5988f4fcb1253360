"""One-minute bars of a market as it goes on: what the venue tells a process that starts."""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from turbo_trader.market.events import BAR, KIND_MASK, MINUTE, TRADE, Rows
from turbo_trader.market.instruments import Instrument

KEPT: Final = 3_000  # minutes


class Minutes:
    """The last `KEPT` minutes of each symbol, from bars of the past and rows since."""

    def __init__(self, instruments: tuple[Instrument, ...], past: tuple[Rows, ...]) -> None:
        self._instruments = instruments
        self._bars = [bars[-KEPT:] for bars in past]

    def add(self, s: int, rows: Rows) -> None:
        """Rows that follow, whole minutes of them."""
        prints = rows[(rows["kind"] & KIND_MASK) == TRADE]
        if not len(prints):
            return
        instrument = self._instruments[s]
        minutes = prints["ts"] // MINUTE
        first = np.flatnonzero(np.diff(minutes, prepend=minutes[0] - 1))
        last = np.append(first[1:], len(prints)) - 1
        price = prints["price"] * float(instrument.tick)
        volume = prints["lots"] * float(instrument.step)
        bars = np.zeros(len(first), BAR)
        bars["ts"] = minutes[first] * MINUTE
        bars["open"], bars["close"] = price[first], price[last]
        bars["high"], bars["low"] = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
        bars["volume"] = np.add.reduceat(volume, first)
        bars["turnover"] = np.add.reduceat(volume * price, first)
        self._bars[s] = cast("Rows", np.concatenate([self._bars[s], bars])[-KEPT:])

    def before(self, s: int, now: int) -> Rows:
        """The minutes of a symbol that had ended at `now`, oldest first."""
        bars = self._bars[s]
        return bars[bars["ts"] + MINUTE <= now]
