"""Distance of the price from the volume-weighted average price since 00:00 UTC, in its volume-weighted band."""

from __future__ import annotations

import math
from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.market.events import DAY, SECOND


@kernel
def vwap_gap(states: Any, s: int, now: int, price: float, params: Any) -> tuple[float, float, float, bool]:
    """(gap = ln(price / VWAP), z = gap / band, band = relative sd of the traded price, valid).

    Not valid for `vwap_min_age_s` after the day's sums began, without volume, or while all volume traded at one price.
    """
    state, p = states[s], params[0]
    if state.day != now // DAY or now - state.vwap_start < p.vwap_min_age_s * SECOND:
        return 0.0, 0.0, 0.0, False
    if not (state.vwap_volume > 0.0 and price > 0.0):
        return 0.0, 0.0, 0.0, False
    offset = state.vwap_sum / state.vwap_volume
    average = state.vwap_base + offset
    spread2 = state.vwap_square / state.vwap_volume - offset * offset
    if not (average > 0.0 and spread2 > 0.0 and math.isfinite(average) and math.isfinite(spread2)):
        return 0.0, 0.0, 0.0, False
    band = math.sqrt(spread2) / average
    if band < 1e-7:  # below any tick: rounding of the sums
        return 0.0, 0.0, 0.0, False
    gap = math.log(price / average)
    return gap, gap / band, band, True
