"""Spread and depth by symbol, from recorded figures: what rebuilt and synthetic books look like.

The slippage of a market order of N USD against mid is modelled as half the spread + c (N / 1M)^p, with c and
p through the recorded figures at 100 k and 1 M USD. The notional within a distance x beyond the best price
follows: N(x) = 1M (x / (c (1 + p)))^(1/p). Symbols that were not recorded: the large ones are as deep as
DOGEUSDT, all others as ZECUSDT; their spread is one tick, at least 0.43 bp.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

_FIGURES = Path(__file__).with_name("depth_figures.json")
_MILLION = 1e6


@dataclass(frozen=True, slots=True)
class Depth:
    """Spread (full, fraction) and depth: notional in USD within a distance `x` (fraction) beyond the best =
    `scale` * x ** `power`.
    """

    spread: float
    scale: float
    power: float

    def within(self, distance: float) -> float:
        """USD on offer up to `distance` (a fraction of the price) beyond the best price."""
        return self.scale * math.pow(max(distance, 0.0), self.power)


@cache
def _figures() -> dict[str, Any]:
    figures: dict[str, Any] = json.loads(_FIGURES.read_text())
    return figures


@cache
def depth_of(symbol: str) -> Depth:
    """The figures of a symbol; of the one it is likened to where it was not recorded."""
    figures = _figures()
    recorded = figures["symbols"].get(symbol)
    row = recorded or figures["symbols"][figures["like"].get(symbol, figures["else"])]
    half = 0.5 * row["spread_bp"]
    spread = row["spread_bp"] if recorded else figures["unrecorded_spread_bp"]
    beyond_100k, beyond_1m = row["slip_100k_bp"] - half, row["slip_1m_bp"] - half
    p = math.log10(beyond_1m / beyond_100k)
    marginal = beyond_1m * (1.0 + p) * 1e-4
    return Depth(spread=spread * 1e-4, scale=_MILLION / marginal ** (1.0 / p), power=1.0 / p)
