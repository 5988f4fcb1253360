"""A kernel signal: how far the mark price is from the last one. `mark.patch` has its lines in the list."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import ours
from turbo_trader.signals.signal import Part, Signal, Unit


@kernel
def mark_score(
    _states: Any, _s: int, _now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The last price follows the mark: the gap to it, full at two thresholds."""
    row, p = out[j], params[0]
    row.mark_lead = 0.0
    valid = row.mark > 0.0 and row.last_price > 0.0
    if valid:
        row.mark_lead = row.mark / row.last_price - 1.0
    score = max(-1.0, min(1.0, row.mark_lead / (2.0 * p.mark_threshold)))
    return valid, score, row.direction * row.mark_lead, p.mark_threshold


class MarkNumbers(Declared):
    """Numbers of MARK."""

    mark_threshold: Decimal = ours(
        "0.0003", "fraction", "4 MARK", "MARK confirms beyond", low="1e-6", high="1",
        source="no line: the mark price leads the last one", why="twice the usual gap of a quiet symbol",
    )  # fmt: skip


MARK: Final = Signal(
    name="MARK", short="MARK", about="distance of the mark price from the last one, followed",
    part=Part.OTHER, score=mark_score, numbers=MarkNumbers, unit=Unit.FRACTION, side="ahead of it",
    fields=(("mark_lead", "f8"),),
)  # fmt: skip
