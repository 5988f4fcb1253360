"""Calibration maps as kernels read them: which there are, and a number through one."""

from __future__ import annotations

from typing import Any, Final

from turbo_trader.market.compiled import kernel

KNOTS: Final = 33  # points of a map

#: In the order of `knots`, `map_x`, `map_y`.
MAP_FORECAST: Final = 0  # |r(h)|
MAP_CONFIDENCE: Final = 1
MAP_P_TP: Final = 2
MAPS: Final = 3


@kernel
def calibrated(gp: Any, g: int, which: int, value: float) -> float:
    """A number of the model through its calibration map, which must be there: piecewise linear, clamped at both ends."""
    n = gp[g].knots[which]
    x, y = gp[g].map_x[which], gp[g].map_y[which]
    if value <= x[0]:
        return float(y[0])
    for i in range(1, n):
        if value <= x[i]:
            width = x[i] - x[i - 1]
            share = (value - x[i - 1]) / width if width > 0.0 else 1.0
            return float(y[i - 1] + share * (y[i] - y[i - 1]))
    return float(y[n - 1])
