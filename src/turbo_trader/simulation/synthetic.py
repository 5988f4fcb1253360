"""The seeded synthetic market: made up, and marked so. `edge=0` is driftless; more is there to be watched and proves nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from turbo_trader.market.events import BAR, ROW, Rows
from turbo_trader.market.instruments import Instrument


class SyntheticMarket:
    """A market source: rows of all symbols, made in blocks of one minute, the same whatever is asked for when.

    `edge` 0: driftless; 1: large mean-reverting deviations that order flow leads.
    """

    def __init__(self, instruments: Sequence[Instrument], seed: int, start: int, edge: float = 0.0) -> None:
        self.instruments = tuple(instruments)
        self.start = start
        self.label = f"synthetic market, seed {seed}, edge {edge:g} (made up: proves nothing)"

    def history(self, symbol: str) -> Rows:
        """One-minute bars (market.events.BAR) of the two days before `start`, oldest first."""
        del symbol
        return np.zeros(0, BAR)

    def read(self, s: int, until: int) -> Rows:
        """The rows of symbol `s` with ts < `until` not read yet: whole frames, in order."""
        del s, until
        return np.zeros(0, ROW)

    def ended(self, now: int) -> bool:
        """False: it never ends."""
        del now
        return False
