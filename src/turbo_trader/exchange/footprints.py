"""What accounts took out of the tape's book, and how long it stays taken.

Without a time it is gone when the tape writes the level again, which costs nothing. With one, the level shows the tape's lots less
what was taken, whatever the tape writes, until the time is over.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.kernel import set_level
from turbo_trader.market.rows import GAP, KIND_MASK, LEVEL, NEVER, SNAPSHOT, Rows
from turbo_trader.market.state import States


@dataclass(slots=True)
class _Taken:
    """One level: the tape's lots, and what was taken from them (ns when it comes back, lots), oldest first."""

    tape: int
    parts: list[tuple[int, int]] = field(default_factory=list)

    @property
    def shown(self) -> int:
        return max(self.tape - sum(lots for _, lots in self.parts), 0)


class Footprints:
    """Of all symbols. `lasts`: ns, or None for until the tape writes the level again."""

    def __init__(self, states: States, lasts: int | None) -> None:
        self._states = states
        self._lasts = lasts
        self._levels: dict[int, dict[tuple[int, int], _Taken]] = {}

    def leave(self, s: int, side: int, price: int, lots: tuple[int, int], now: int) -> None:
        """Take `lots` = (shown, taken) out of the level of `side` at `price` ticks."""
        shown, taken = lots
        set_level(self._states, s, side, price, shown - taken)
        if self._lasts is not None:
            level = self._levels.setdefault(s, {}).setdefault((side, price), _Taken(shown))
            level.parts.append((now + self._lasts, taken))

    def due(self, s: int) -> int:
        """When something of symbol `s` comes back (ns); NEVER when nothing will."""
        levels = self._levels.get(s)
        return min((level.parts[0][0] for level in levels.values()), default=NEVER) if levels else NEVER

    def expire(self, s: int, now: int) -> None:
        """Give back what is due by `now`."""
        levels = self._levels.get(s, {})
        for (side, price), level in list(levels.items()):
            kept = [part for part in level.parts if part[0] > now]
            if len(kept) < len(level.parts):
                level.parts = kept
                set_level(self._states, s, side, price, level.shown)
                if not kept:
                    del levels[side, price]

    def regrid(self, s: int, k: int, m: int) -> None:
        """Ticks and lots of symbol `s` are `k` and `m` times finer from now on."""
        self._levels[s] = {
            (side, price * k): _Taken(level.tape * m, [(due, lots * m) for due, lots in level.parts])
            for (side, price), level in self._levels.get(s, {}).items()
        }

    def ahead(self, s: int, rows: Rows, at: int, until: int) -> Rows:
        """The rows from `at` on, those before `until` as the book is to see them: their levels less what was taken."""
        changed = rows = rows[at:]
        levels = self._levels.get(s)
        if not levels:
            return rows
        later = np.flatnonzero(rows["ts"] >= until)
        changed = rows = rows[: later[0]] if len(later) else rows
        for (side, price), level in levels.items():
            written = _of_level(rows, side, price)
            if written.any():
                changed = changed.copy() if changed is rows else changed
                taken = sum(lots for _, lots in level.parts)
                changed["lots"][written] = np.maximum(rows["lots"][written] - taken, 0)
        return changed

    def consumed(self, s: int, rows: Rows) -> None:
        """The book has seen these rows (as the tape has them): remember what they say of the levels."""
        for (side, price), level in self._levels.get(s, {}).items():
            kinds = rows["kind"] & KIND_MASK
            cleared = np.flatnonzero((kinds == SNAPSHOT) | (kinds == GAP))
            written = np.flatnonzero(_of_level(rows, side, price))
            if len(written) and (not len(cleared) or written[-1] > cleared[-1]):
                level.tape = int(rows["lots"][written[-1]])
            elif len(cleared):
                level.tape = 0


def _of_level(rows: Rows, side: int, price: int) -> NDArray[np.bool_]:
    found: NDArray[np.bool_] = (
        ((rows["kind"] & KIND_MASK) == LEVEL) & (rows["side"] == side) & (rows["price"] == price)
    )
    return found
