"""The epochs of a lease in simulated time: those of one journal, and the hand each process has in them."""

from __future__ import annotations

from dataclasses import replace

from turbo_trader.journal.epochs import LEFT, NOBODY, Epoch


class EpochsInMemory:
    """Who took which number; `touched` counts renewals."""

    def __init__(self) -> None:
        self._kept: list[Epoch] = []
        self._touches = LEFT

    def current(self) -> Epoch:
        """The highest; `NOBODY` where there has been none."""
        return self._kept[-1] if self._kept else NOBODY

    def highest(self) -> int:
        """Its number; 0 = none."""
        return len(self._kept)

    def owner(self, number: int) -> str:
        """Who took this one; "" = nobody."""
        return self._kept[number - 1].owner if 0 < number <= len(self._kept) else ""

    def taken(self, number: int) -> bool:
        """Has anybody taken this one?"""
        return number <= len(self._kept)

    def create(self, number: int, owner: str) -> bool:
        """Take it; False where another process was first."""
        if self.taken(number):
            return False
        self._kept.append(Epoch(number, owner, 0, self._touched(None)))
        return True

    def touch(self, number: int, at: int | None = None) -> None:
        """It is renewed now, or given back."""
        self._kept[number - 1] = replace(self._kept[number - 1], touched=self._touched(at))

    def _touched(self, at: int | None) -> int:
        if at is not None:
            return at
        self._touches += 1
        return self._touches


class Hand:
    """One process's hand in them: after its death (`dead`) it gives nothing back."""

    def __init__(self, epochs: EpochsInMemory) -> None:
        self.dead = False
        self.current, self.highest, self.taken = epochs.current, epochs.highest, epochs.taken
        self._epochs = epochs

    def create(self, number: int, owner: str) -> bool:
        """Take it; False where another process was first."""
        return not self.dead and self._epochs.create(number, owner)

    def touch(self, number: int, at: int | None = None) -> None:
        """It is renewed now, or given back."""
        if not self.dead:
            self._epochs.touch(number, at)
