"""The last known funding rate, normalised to eight hours; crowding is faded."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import MINUTE
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import chosen, ours
from turbo_trader.signals.signal import Part, Signal, Unit

_PERIOD_MINUTES = 480.0


@kernel
def funding_rate(states: Any, s: int, now: int, params: Any) -> tuple[float, bool]:
    """(rate per 8 h as a fraction, valid); not valid when never seen or older than `stale_funding` intervals."""
    state = states[s]
    minutes = float(state.funding_minutes)
    if minutes <= 0.0 or state.funding_ts <= 0 or not math.isfinite(state.funding_rate):
        return 0.0, False
    if now - state.funding_ts > params[0].stale_funding * minutes * MINUTE:
        return 0.0, False
    return state.funding_rate * _PERIOD_MINUTES / minutes, True


@kernel
def funding_score(
    states: Any, s: int, now: int, params: Any, out: Any, j: int
) -> tuple[bool, float, float, float]:
    """The rate, faded; it confirms where the forecast is against the crowd that pays."""
    row, p = out[j], params[0]
    row.funding_8h, valid = funding_rate(states, s, now, params)
    score = -max(-1.0, min(1.0, row.funding_8h / p.funding_scale))
    return valid, score, -row.direction * row.funding_8h, p.funding_threshold


class FundingNumbers(Declared):
    """Numbers of FUNDING."""

    funding_period: int = chosen(8, "h", "4 FUNDING", "funding rates are normalised to", pinned=True)
    funding_threshold: Decimal = chosen(
        "0.0005", "fraction per 8 h", "4 FUNDING", "FUNDING confirms beyond", high="1"
    )
    funding_scale: Decimal = chosen(
        "0.0010", "fraction per 8 h", "4 FUNDING", "FUNDING score saturates at", low="1e-9", high="1"
    )
    stale_funding: Decimal = ours(
        "2", "intervals", "4 stale", "funding is stale after", low="0.1", high="100"
    )


FUNDING: Final = Signal(
    name="FUNDING", short="FUND", about="the funding rate per eight hours, faded: who pays is crowded",
    part=Part.OTHER, score=funding_score, numbers=FundingNumbers, unit=Unit.FRACTION, side="per 8 h against it",
    fields=(("funding_8h", "f8"),),
)  # fmt: skip
