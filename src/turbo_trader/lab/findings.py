"""What a study found, as one JSON object."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from turbo_trader.lab.statistics import Mean
from turbo_trader.lab.verdict import Court, Verdict


@dataclass(frozen=True, slots=True)
class Findings:
    """A verdict and the figures behind it. Returns are fractions of notional a trade; `cost`: of a round trip of market orders."""

    verdict: Verdict
    reasons: tuple[str, ...]
    court: Court
    t_by_day: float
    cost: float
    needed_trades: int | None
    details: dict[str, Any]

    @property
    def net(self) -> Mean:
        """After taker fees and spread on both sides; its error is the larger one of days and of blocks as long as the holds."""
        return self.court.net

    @property
    def trials(self) -> int:
        """Signals that ever saw this data, this one included."""
        return self.court.trials

    @property
    def dsr(self) -> float:
        """Deflated Sharpe ratio."""
        return self.court.dsr

    def document(self) -> dict[str, Any]:
        """The JSON object of the verb; returns in basis points."""
        court = self.court
        low, high = court.net.interval()
        return {
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "trials": court.trials,
            "trades": court.net.trades,
            "gross_bp": bp(court.gross.mean),
            "net_bp": bp(court.net.mean),
            "interval": [bp(low), bp(high)],
            "t_by_day": rounded(self.t_by_day),
            "late_bar": bp(court.late.mean),
            "random": bp(court.random_gross - self.cost),
            "always_long": bp(court.gross.mean - court.beats_long.mean - self.cost),
            "always_short": bp(court.gross.mean - court.beats_short.mean - self.cost),
            "reversed": bp(court.backwards.mean - self.cost),
            "dsr": rounded(court.dsr, 4),
            "needed_trades": self.needed_trades,
            "details": self.details,
        }


def bp(fraction: float) -> float | None:
    """Basis points with two decimals; None where it is not finite."""
    return rounded(fraction * 1e4)


def rounded(value: float, digits: int = 2) -> float | None:
    """JSON has no infinity."""
    return round(float(value), digits) if math.isfinite(value) else None
