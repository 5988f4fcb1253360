"""What the daemon and the backtest need of a panel signal: how it wants to see the market, and its checked scores."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from turbo_trader.signals.panel_signal import Panel


@dataclass(frozen=True, slots=True)
class Answer:
    """Scores by symbol, checked: directions 1, -1, 0; expected returns (fractions); horizons (ns)."""

    directions: tuple[int, ...]
    expected: tuple[float, ...]
    horizons: tuple[int, ...]


class NoAnswer(Exception):
    """A signal failed, was too slow or answered in another form; the text says which and where."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a signal is shown and when: bars of `interval_ns`, `bars` of them, every `every` bars."""

    name: str
    fingerprint: str  # of code and parameters
    interval_ns: int
    bars: int
    every: int

    def due(self, end: int) -> bool:
        """Is it asked at the close of the bar that ends at `end` (ns)?"""
        return end // self.interval_ns % self.every == 0

    def next_close(self, now: int) -> int:
        """The first close after `now` (ns) at which it is asked."""
        step = self.interval_ns * self.every
        return (now // step + 1) * step


class Asked(Protocol):
    """A signal that answers at once."""

    @property
    def wanted(self) -> Wanted: ...

    def answer(self, panel: Panel) -> Answer:
        """The scores at the panel's end. NoAnswer where there are none."""
