"""How strong the five signals are: distributions of their scores over scans, in memory that does not grow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import Rows
from turbo_trader.signals.figures import SIGNALS

STEP: Final = 0.01  # scores lie in [-1, 1]; quantiles are exact to this
QUANTILES: Final = (0.05, 0.25, 0.50, 0.75, 0.95)
_BINS: Final = round(2 / STEP) + 1
_SIGNALS: Final = np.arange(len(SIGNALS))


def _empty() -> NDArray[np.int64]:
    return np.zeros((len(SIGNALS), _BINS), np.int64)


@dataclass(slots=True)
class Strengths:
    """Scores in the direction of the forecast (> 0: the signal leans its way), of candidates only."""

    candidates: int = 0
    confirmed: list[int] = field(default_factory=lambda: [0] * len(SIGNALS))
    counts: NDArray[np.int64] = field(default_factory=_empty)

    def add(self, rows: Rows) -> None:
        """Count rows of dtype SCAN."""
        chosen = np.flatnonzero(rows["candidate"] == 1)
        self.candidates += len(chosen)
        if not len(chosen):
            return
        valid, confirms = (rows[name][chosen, None] >> _SIGNALS & 1 == 1 for name in ("valid", "confirms"))
        toward = rows["score"][chosen] * rows["direction"][chosen, None]
        bins = np.rint((np.clip(toward, -1.0, 1.0) + 1.0) / STEP).astype(np.int64) + _BINS * _SIGNALS
        self.counts += np.bincount(bins[valid], minlength=self.counts.size).reshape(self.counts.shape)
        for i, count in enumerate(np.count_nonzero(valid & confirms, axis=0).tolist()):
            self.confirmed[i] += count

    def to_dict(self) -> dict[str, Any]:
        """Per signal: how often it is valid and confirms (of candidates), and the quantiles of its score; None without any."""
        return {name: self._one(i) for i, name in enumerate(SIGNALS)}

    def _one(self, i: int) -> dict[str, Any]:
        total = int(self.counts[i].sum())
        below = np.cumsum(self.counts[i])
        quantiles = {
            f"q{round(100 * q):02d}": round(int(np.searchsorted(below, q * total)) * STEP - 1.0, 2)
            if total
            else None
            for q in QUANTILES
        }
        return {
            "valid": _share(total, self.candidates),
            "confirms": _share(self.confirmed[i], self.candidates),
            **quantiles,
        }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
