"""The edge watchdog: the probability, given the trades so far, that they earn."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


@dataclass(slots=True)
class Evidence:
    """Net returns (fractions of notional) of the trades since the last `resume`: all of them, in three numbers.

    Running mean and sum of squared deviations (Welford, Technometrics 4, 1962).
    """

    trades: int = 0
    mean: float = 0.0
    squares: float = 0.0

    def add(self, value: float) -> None:
        """One more trade was closed. ValueError for a return that is not finite."""
        if not math.isfinite(value):
            raise ValueError("a net return is not finite")
        self.trades += 1
        off = value - self.mean
        self.mean += off / self.trades
        self.squares += off * (value - self.mean)

    def probability_positive(self) -> float:
        """P(mean net return > 0 | trades): Student t posterior under the reference prior p(mu, s2) ~ 1/s2.

        mu | data ~ mean + s / sqrt(n) x t(n - 1) (Gelman et al., Bayesian Data Analysis, 3.2). Fewer than two trades say
        nothing: 0.5. Without any spread the sign of the mean decides (0.5 at 0).
        """
        n, mean = self.trades, self.mean
        if n < 2:
            return 0.5
        spread = math.sqrt(self.squares / (n - 1))
        if spread <= abs(mean) * 1e-12:
            return 0.5 if mean == 0 else float(mean > 0)
        from scipy.special import stdtr

        return float(stdtr(n - 1, mean / (spread / math.sqrt(n))))


def tripped(policy: Policy, evidence: Evidence) -> bool:
    """Whether entries stop until `resume`: from WATCHDOG_TRADES trades on, a probability below WATCHDOG_PROBABILITY (0: never)."""
    enough = policy.watchdog_probability > 0 and evidence.trades >= policy.watchdog_trades
    return enough and evidence.probability_positive() < policy.watchdog_probability
