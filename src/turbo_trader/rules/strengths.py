"""How strong the five signals are: distributions of their scores over scans, in memory that does not grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import Rows
from turbo_trader.rules.row_counts import BINS, STEP, count_strengths
from turbo_trader.rules.scan import current
from turbo_trader.signals.figures import SIGNALS

QUANTILES: Final = (0.05, 0.25, 0.50, 0.75, 0.95)


@dataclass(slots=True)
class Strengths:
    """Scores in the direction of the forecast (> 0: the signal leans its way), of candidates only."""

    candidates: int = 0
    confirmed: NDArray[np.int64] = field(default_factory=lambda: np.zeros(len(SIGNALS), np.int64))
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros((len(SIGNALS), BINS), np.int64))

    @classmethod
    def of(cls, rows: Rows) -> Strengths:
        """The counts of rows of dtype SCAN."""
        counted = cls()
        counted.candidates = count_strengths(current(rows), counted.counts, counted.confirmed)
        return counted

    def join(self, other: Strengths) -> None:
        """Count what others have counted."""
        self.candidates += other.candidates
        self.confirmed += other.confirmed
        self.counts += other.counts

    def to_dict(self) -> dict[str, Any]:
        """Per signal: how often it is valid and confirms (of candidates), and the quantiles of its score; None without any."""
        return {name: self._one(i) for i, name in enumerate(SIGNALS)}

    def _one(self, i: int) -> dict[str, Any]:
        below = np.cumsum(self.counts[i])
        total = int(below[-1])
        at = np.searchsorted(below, [q * total for q in QUANTILES]).tolist()
        quantiles = {
            f"q{round(100 * q):02d}": round(place * STEP - 1.0, 2) if total else None
            for q, place in zip(QUANTILES, at, strict=True)
        }
        return {
            "valid": _share(total, self.candidates),
            "confirms": _share(int(self.confirmed[i]), self.candidates),
            **quantiles,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
