"""How far the rows of scans came and how strong their signals were, counted in one pass."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel
from turbo_trader.rules.gate import BLOCK, PASS, TIER_A, TIER_B
from turbo_trader.rules.gates import DATA, GATES, PRE_FILTER
from turbo_trader.signals.figures import SIGNALS

_FIRST: Final = 5  # counts before those of the gates
_GATES: Final = len(GATES)
_SIGNALS: Final = len(SIGNALS)
SUMS: Final = _FIRST + 2 * _GATES
STEP: Final = 0.01  # of scores, which lie in [-1, 1]
BINS: Final = round(2 / STEP) + 1


@kernel
def count_rows(rows: Any, counts: NDArray[np.int64]) -> tuple[int, int, int]:
    """Count rows (SCAN) by their place, the first of each len(counts) rows, the second ...: in counts[place].

    The counts: candidates, those past the pre-filter, of these A, B, what passed of A and B; per gate, where it blocked first; per
    gate, where it blocked. Returns how many times there are (rows of one are neighbours), the first and the last.
    """
    moments, first, last = 1, rows[0].ts, rows[0].ts
    for i in range(len(rows)):
        row, found = rows[i], counts[i % len(counts)]
        first, last = min(first, row.ts), max(last, row.ts)
        if i > 0 and row.ts != rows[i - 1].ts:
            moments += 1
        if row.blocker >= 0:
            found[_FIRST + row.blocker] += 1
        for gate in range(_GATES):
            if row.verdict[gate] == BLOCK:
                found[_FIRST + _GATES + gate] += 1
        if row.candidate != 1:
            continue
        found[0] += 1
        if row.verdict[DATA] == PASS and row.verdict[PRE_FILTER] == PASS:
            found[1] += 1
            if row.tier == TIER_A or row.tier == TIER_B:
                found[2 if row.tier == TIER_A else 3] += 1
                found[4] += row.blocker < 0
    return moments, first, last


@kernel
def count_strengths(rows: Any, counts: NDArray[np.int64], confirmed: NDArray[np.int64]) -> int:
    """Count the candidates among rows (SCAN) by the scores of their valid signals in the direction of the forecast.

    counts[signal, bin] of scores `STEP` wide from -1 on; confirmed[signal]: those that confirm. Returns how many candidates.
    """
    candidates = 0
    for i in range(len(rows)):
        row = rows[i]
        if row.candidate != 1:
            continue
        candidates += 1
        for signal in range(_SIGNALS):
            if row.valid >> signal & 1:
                toward = min(max(row.score[signal] * row.direction, -1.0), 1.0)
                counts[signal, int(np.rint((toward + 1.0) / STEP))] += 1
                confirmed[signal] += row.confirms >> signal & 1
    return candidates
