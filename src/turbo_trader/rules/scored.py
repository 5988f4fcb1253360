"""The score of a panel signal as the forecast of a scan: direction, expected return and horizon are the signal's.

It has no error of its own, so gate 2 asks its confidence alone; every belief has the same forecast, `measured` maps it.
"""

from __future__ import annotations

from typing import Any

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.figures import ASKED, WEIGHED
from turbo_trader.signals.forecast import confident
from turbo_trader.signals.listed import score_figures
from turbo_trader.signals.measure import consensus_figures

_confident, _score_figures, _consensus_figures = confident, score_figures, consensus_figures


@kernel
def put_score(
    states: Any, filters: Any, s: int, now: int, signal_params: Any, gp: Any, g: int, out: Any, j: int
) -> None:
    """Replace the forecast of the measured out[j] by the score that stands for the symbol at `now` (ns), or by none.

    What the five signals say of the direction is figured again: they are shown, and decide nothing.
    """
    row, p = out[j], gp[g]
    row.direction = 0
    row.forecast = row.se = row.snr = row.confidence = 0.0
    row.forecasts[:] = 0.0
    row.errors[:] = 0.0
    row.snrs[:] = 0.0
    row.confidences[:] = 0.0
    if p.score_direction != 0 and now < p.score_until and row.hold_sigma > 0.0:
        row.direction = p.score_direction
        row.horizon_s = p.score_horizon_s
        row.forecast = p.score_direction * p.score_expected
        row.confidence = _confident(p.score_expected, 0.0, row.hold_sigma, p.score_horizon_s)
        for b in (ASKED, WEIGHED):
            row.forecasts[b], row.confidences[b] = row.forecast, row.confidence
    _score_figures(states, s, now, signal_params, out, j)
    _consensus_figures(states, filters, s, now, signal_params, out, j)
