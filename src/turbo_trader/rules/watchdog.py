"""The edge watchdog: do the trades so far leave any hope that they earn?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def probability_positive(returns: Sequence[float]) -> float:
    """P(mean net return > 0 | returns): Student t posterior under the reference prior p(mu, s2) ~ 1/s2.

    mu | data ~ mean + s / sqrt(n) x t(n - 1) (Gelman et al., Bayesian Data Analysis, 3.2). Fewer than two
    returns say nothing: 0.5. Without any spread the sign of the mean decides (0.5 at 0). ValueError for a
    return that is not finite.
    """
    n = len(returns)
    if not all(math.isfinite(value) for value in returns):
        raise ValueError("a net return is not finite")
    if n < 2:
        return 0.5
    mean = math.fsum(returns) / n
    spread = math.sqrt(math.fsum((value - mean) ** 2 for value in returns) / (n - 1))
    if spread <= abs(mean) * 1e-12:
        return 0.5 if mean == 0 else float(mean > 0)
    from scipy.special import stdtr

    return float(stdtr(n - 1, mean / (spread / math.sqrt(n))))


def tripped(policy: Policy, returns: Sequence[float]) -> bool:
    """Whether entries stop until `resume`: from `watchdog_trades` trades on, a probability below
    `watchdog_probability`.

    `returns`: net returns (fraction of notional) of the trades closed since the last `resume`.
    """
    if len(returns) < policy.watchdog_trades:
        return False
    return probability_positive(returns) < policy.watchdog_probability
