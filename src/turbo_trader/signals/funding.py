"""The last known funding rate, normalised to eight hours; crowding is faded."""

from __future__ import annotations

import math
from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import MINUTE

_PERIOD_MINUTES = 480.0


@kernel
def funding_rate(states: Any, s: int, now: int, params: Any) -> tuple[float, bool]:
    """(rate per 8 h as a fraction, valid); not valid when never seen or older than `funding_stale_intervals` intervals."""
    state = states[s]
    minutes = float(state.funding_minutes)
    if minutes <= 0.0 or state.funding_ts <= 0 or not math.isfinite(state.funding_rate):
        return 0.0, False
    if now - state.funding_ts > params[0].funding_stale_intervals * minutes * MINUTE:
        return 0.0, False
    return state.funding_rate * _PERIOD_MINUTES / minutes, True
