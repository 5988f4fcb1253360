"""What is left of a failing seed when faults, symbols and time that are not needed are taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from turbo_trader.chaos.campaign import USUAL, Options, plain, play_seed
from turbo_trader.simulation.faults import FaultRates, parse_faults

LEAST: Final = 0.02  # hours that can be played
MOST: Final = 10.0  # simulated hours that all tries may take
AFTER: Final = 0.05  # hours played after the end of a seed
FEWER: Final = (1, 2, 3)  # symbols


def shrunk(
    options: Options, violation: Mapping[str, Any], tries: int, say: Callable[[str], None] = lambda _: None
) -> str:
    """The command of `shrink`."""
    return shrink(options, violation, tries, say).command(int(violation["seed"]))


def shrink(options: Options, violation: Mapping[str, Any], tries: int, say: Callable[[str], None]) -> Options:
    """Less time, fewer faults, fewer symbols, as long as the same invariant still breaks; in so many tries."""
    search = _Search(options, violation, tries, say)
    search.time()
    search.faults()
    search.symbols()
    search.time()
    return search.best


class _Search:
    """`best`: the least that still fails."""

    def __init__(
        self, options: Options, violation: Mapping[str, Any], tries: int, say: Callable[[str], None]
    ) -> None:
        self.best = options
        self._seed, self._invariant = int(violation["seed"]), violation["invariant"]
        self._at = float(violation["simulated_s"]) / 3600  # hours until it breaks
        self._tries, self._hours, self._say = tries, MOST, say

    def time(self) -> None:
        """Up to the moment it breaks; then half of it again and again, for what breaks after the end."""
        self._try(replace(self.best, hours=self._rounded(self._at + 0.001)))
        while (half := self._rounded(self._length / 2)) < self._length:
            if not self._try(replace(self.best, hours=half)):
                break

    def faults(self) -> None:
        """None at all; else ever smaller groups of them, alone or left out."""
        rates = parse_faults(self.best.of(self._seed).faults)
        left = [name for name in FaultRates.__dataclass_fields__ if getattr(rates, name)]
        if not left or self._try(replace(self.best, faults="none")):
            return
        size = (len(left) + 1) // 2
        while size and len(left) > 1:
            fewer = self._without_some(rates, left, size)
            size = size // 2 if fewer is left else min(size, len(fewer) // 2)
            left = fewer

    def _without_some(self, rates: FaultRates, left: list[str], size: int) -> list[str]:
        """So many of them alone, or all without so many, the first that still fail; `left` itself where none do."""
        starts = range(0, len(left), size)
        alone = (left[start : start + size] for start in starts)
        without = (left[:start] + left[start + size :] for start in starts)
        for kept in (*alone, *without):
            if kept and self._try(replace(self.best, faults=_text(rates, kept))):
                return kept
        return left

    def symbols(self) -> None:
        """The fewest."""
        for count in FEWER:
            if self.best.of(self._seed).symbols > count and self._try(replace(self.best, symbols=count)):
                break

    @property
    def _length(self) -> float:
        return self.best.hours or USUAL

    def _rounded(self, hours: float) -> float:
        return min(self._length, max(LEAST, round(hours, 3)))

    def _try(self, smaller: Options) -> bool:
        """Does it fail as before? Then it is the best."""
        hours = (smaller.hours or USUAL) + AFTER
        if smaller == self.best or self._tries <= 0 or self._hours < hours:
            return False
        self._tries, self._hours = self._tries - 1, self._hours - hours
        found = play_seed(smaller, self._seed)["violation"]
        if found is None or found["invariant"] != self._invariant:
            return False
        self.best, self._at = smaller, float(found["simulated_s"]) / 3600
        self._say(f"still {self._invariant} with {smaller.command(self._seed)}")
        return True


def _text(rates: FaultRates, names: Sequence[str]) -> str:
    """These faults at their rates, as --faults takes them."""
    return ",".join(f"{name}={plain(getattr(rates, name))}" for name in names)
