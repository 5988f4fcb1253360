"""Days from one balance to another: at the measured pace, and at the user's target growth (section 10)."""

from __future__ import annotations

import math
from typing import Final

#: Target growth a day from a balance (USDT) on: the middle of the ranges that the user names.
TARGET_GROWTH: Final = ((0.0, 0.20), (50.0, 0.14), (100.0, 0.10), (500.0, 0.055))


def days_to(start: float, goal: float, growth: float, hours: float) -> float | None:
    """Days from `start` to `goal` (USDT) where the balance grows by the fraction `growth` in `hours`; None: never at this pace."""
    if start >= goal:
        return 0.0
    if start <= 0 or growth <= 0 or hours <= 0:
        return None
    return round(math.log(goal / start) / math.log1p(growth) * hours / 24, 1)


def target_days(start: float, goal: float) -> float | None:
    """Days from `start` to `goal` (USDT) at the growth of `TARGET_GROWTH`; None without a balance."""
    if start <= 0:
        return None
    days, at = 0.0, start
    for i, (_, growth) in enumerate(TARGET_GROWTH):
        upper = TARGET_GROWTH[i + 1][0] if i + 1 < len(TARGET_GROWTH) else math.inf
        until = min(goal, upper)
        if at < until:
            days += math.log(until / at) / math.log1p(growth)
            at = until
    return round(days, 1)
