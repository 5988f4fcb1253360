"""Distance of the price from the volume-weighted average price since 00:00 UTC, in its volume-weighted band."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import DAY, SECOND
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import asked, chosen, ours
from turbo_trader.signals.signal import Part, Signal, Unit


@kernel
def vwap_gap(states: Any, s: int, now: int, price: float, params: Any) -> tuple[float, float, float, bool]:
    """(gap = ln(price / VWAP), z = gap / band, band = relative sd of the traded price, valid).

    Not valid for `vwap_warmup` after the day's sums began, without volume, or while all volume traded at one price.
    """
    state, p = states[s], params[0]
    if state.day != now // DAY or now - state.vwap_start < p.vwap_warmup * SECOND:
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


@kernel
def vwap_score(
    states: Any, s: int, now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The gap over its band, faded; it confirms where the forecast buys below or sells above the average."""
    row, p = out[j], params[0]
    row.vwap_gap, row.vwap_z, band, valid = vwap_gap(states, s, now, row.mid, params)
    score = -max(-1.0, min(1.0, row.vwap_z / p.score_z))
    return valid, score, -row.direction * row.vwap_gap, max(p.vwap_min_gap, p.vwap_min_sd * band)


class VwapNumbers(Declared):
    """Numbers of VWAP."""

    vwap_warmup: int = chosen(1800, "s", "4 VWAP", "VWAP valid after", high="86400")
    vwap_min_gap: Decimal = asked("0.0010", "fraction", "4 VWAP", "VWAP confirms at a gap of", high="1")
    vwap_min_sd: Decimal = ours("0", "band sd", "4 VWAP band", "and of this", high="10", weighed="1")


VWAP: Final = Signal(
    name="VWAP", short="VWAP", about="distance of the price from the volume-weighted average since 00:00 UTC, faded",
    part=Part.OTHER, score=vwap_score, numbers=VwapNumbers, unit=Unit.FRACTION, side="on the cheap side", at_least=True,
    fields=(("vwap_z", "f8"), ("vwap_gap", "f8")),  # ln(price / VWAP)
)  # fmt: skip
