"""A tape as the simulated venue's market."""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.events import BAR, KIND_MASK, MINUTE, TRADE, Rows
from turbo_trader.market.tape import Tape


class TapeSource:
    """Releases the rows of a tape by time. The first `history_ns` of it are given as bars, so that a daemon can warm up at once."""

    def __init__(self, tape: Tape, history_ns: int = 0) -> None:
        self.instruments = tape.instruments
        self.start = min(tape.start + history_ns, tape.end)
        self.label = tape.source + (" (rebuilt from one-minute bars)" if tape.rebuilt else "")
        self._rows = tape.rows
        self._at = [0] * len(tape.rows)
        self.end = tape.end
        self._index = {instrument.symbol: s for s, instrument in enumerate(tape.instruments)}

    def history(self, symbol: str) -> Rows:
        """One-minute bars of the tape's prints before `start`."""
        s = self._index[symbol]
        rows = self._rows[s]
        before = rows[: np.searchsorted(rows["ts"], self.start)]
        prints = before[(before["kind"] & KIND_MASK) == TRADE]
        instrument = self.instruments[s]
        return _bars(prints, float(instrument.tick), float(instrument.step))

    def read(self, s: int, until: int) -> Rows:
        """Rows with ts < `until` not read yet; the first read has everything before `start` too, so that the book is whole."""
        first = self._at[s]
        self._at[s] = int(np.searchsorted(self._rows[s]["ts"], until))
        return self._rows[s][first : self._at[s]]

    def ended(self, now: int) -> bool:
        """Has the tape been read to its end?"""
        return now >= self.end


def _bars(prints: Rows, tick: float, lot: float) -> Rows:
    """Prints as one-minute bars."""
    if not len(prints):
        return cast("Rows", np.zeros(0, BAR))
    minutes = prints["ts"] // MINUTE
    first = np.flatnonzero(np.diff(minutes, prepend=minutes[0] - 1))
    last = np.append(first[1:], len(prints)) - 1
    price, volume = prints["price"] * tick, prints["lots"] * lot
    bars = np.zeros(len(first), BAR)
    bars["ts"] = minutes[first] * MINUTE
    bars["open"], bars["close"] = price[first], price[last]
    bars["high"], bars["low"] = np.maximum.reduceat(price, first), np.minimum.reduceat(price, first)
    bars["volume"] = np.add.reduceat(volume, first)
    bars["turnover"] = np.add.reduceat(volume * price, first)
    return cast("Rows", bars)
