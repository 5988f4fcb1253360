"""The lowest point of a smooth valley, by golden section."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel

Vector = NDArray[np.float64]

_GOLDEN = 0.6180339887498949


@kernel
def golden_section(
    cost: Any, minutes: NDArray[np.int64], y: Vector, first: int, n: int, low: float, high: float, steps: int
) -> float:
    """Where in [low, high] `cost(minutes, y, first, n, at)[0]` is lowest, to (high - low) * 0.618 ** steps.

    `cost` is a kernel. Each step evaluates it once.
    """
    a, b = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_a, at_b = cost(minutes, y, first, n, a)[0], cost(minutes, y, first, n, b)[0]
    for _ in range(steps):
        if at_a < at_b:
            high, b, at_b = b, a, at_a
            a = high - _GOLDEN * (high - low)
            at_a = cost(minutes, y, first, n, a)[0]
        else:
            low, a, at_a = a, b, at_b
            b = low + _GOLDEN * (high - low)
            at_b = cost(minutes, y, first, n, b)[0]
    return 0.5 * (low + high)
