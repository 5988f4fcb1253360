"""The chance that a small account reaches a goal before it falls to a floor, with sizes in whole lots.

A trade's net return is drawn from those that were seen; its notional is the largest whole number of lots below `share` of equity.
Equity then walks on a grid, and the chance is the solution of a linear system, not a simulation: where every outcome lands on the
grid it is exact (the gambler's ruin), elsewhere outcomes are split between the two neighbours so that their mean is kept.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, eye
from scipy.sparse.linalg import splu

Floats = NDArray[np.float64]
_OUTCOMES: Final = 101  # quantiles that stand for a longer list of returns
_STEPS: Final = 4_000  # of the grid at most


@dataclass(frozen=True, slots=True)
class Sizing:
    """Notional of a trade: `share` of equity (a leverage), floored to `lot` (USDT), none below `least` (USDT)."""

    share: float
    lot: float = 0.0
    least: float = 5.0

    def notional(self, equity: float) -> float:
        """USDT; 0 where no order is possible."""
        wanted = self.share * equity
        if self.lot > 0.0:
            wanted = math.floor(wanted / self.lot + 1e-9) * self.lot
        return wanted if wanted >= self.least - 1e-9 else 0.0


@dataclass(frozen=True, slots=True)
class Chances:
    """Of the goal, of the floor, and of being stuck where no order is possible; they add to 1."""

    goal: float
    floor: float
    stuck: float

    @property
    def ruin(self) -> float:
        """Everything but the goal."""
        return self.floor + self.stuck


def chances(
    returns: Sequence[float] | Floats,
    notional: Callable[[float], float],
    *,
    start: float,
    floor: float,
    goal: float,
    step: float | None = None,
) -> Chances:
    """From `start` to `goal` before `floor` (USDT). ValueError where they are not in that order or there are no returns."""
    if not floor < start < goal:
        raise ValueError("floor, start and goal must rise")
    outcomes, weights = _outcomes(np.asarray(returns, float))
    width = step or (goal - floor) / _STEPS
    count = round((goal - floor) / width)
    grid = floor + width * np.arange(1, count, dtype=np.float64)
    notionals = np.array([notional(float(equity)) for equity in grid], dtype=np.float64)
    solved = _solve(grid, notionals, outcomes, weights, floor=floor, width=width, count=count)
    place = min(max((start - floor) / width - 1.0, 0.0), len(grid) - 1.0)
    low = int(place)
    part = place - low
    at = [float((1 - part) * x[low] + part * x[min(low + 1, len(grid) - 1)]) for x in solved]
    return Chances(at[0], at[1], max(0.0, 1.0 - at[0] - at[1]))


def _outcomes(returns: Floats) -> tuple[Floats, Floats]:
    """Values and weights, at most `_OUTCOMES` of them with the mean of all."""
    if not len(returns) or not np.isfinite(returns).all():
        raise ValueError("returns, all of them finite, are needed")
    if len(returns) <= _OUTCOMES:
        values, counts = np.unique(returns, return_counts=True)
        return values, counts / len(returns)
    parts = np.array_split(np.sort(returns), _OUTCOMES)
    return np.array([part.mean() for part in parts]), np.array([len(part) for part in parts]) / len(returns)


def _solve(
    grid: Floats,
    notionals: Floats,
    outcomes: Floats,
    weights: Floats,
    *,
    floor: float,
    width: float,
    count: int,
) -> tuple[Floats, Floats]:
    """(chance of the goal, of the floor) from each point of the grid."""
    n = len(grid)
    trades = notionals > 0.0
    target = (grid[:, None] + notionals[:, None] * outcomes[None, :] - floor) / width
    target = np.clip(target, 0.0, float(count))
    low = np.minimum(np.floor(target + 1e-9).astype(int), count)
    part = np.clip(target - low, 0.0, 1.0)
    rows = np.broadcast_to(np.arange(n)[:, None], target.shape)
    share = np.broadcast_to(weights[None, :], target.shape) * trades[:, None]
    to = np.concatenate([low.ravel(), np.minimum(low + 1, count).ravel()])
    chance = np.concatenate([(share * (1 - part)).ravel(), (share * part).ravel()])
    source = np.concatenate([rows.ravel(), rows.ravel()])
    inside = (to > 0) & (to < count)
    moves = csr_matrix((chance[inside], (source[inside], to[inside] - 1)), shape=(n, n))
    ends = [np.bincount(source[to == end], chance[to == end], n) for end in (count, 0)]
    still = np.where(trades, 0.0, 1.0)
    # a point where every outcome stays put (a return of 0) must leave the system solvable
    system = (eye(n) - moves + 1e-13 * eye(n)).tocsc()
    # factored once, its points in their order, every pivot its largest: outcomes are near, so that little fills up
    factored = splu(system, permc_spec="NATURAL", diag_pivot_thresh=0.0)
    goal, lost = (factored.solve(end * (1 - still)) for end in ends)
    return np.clip(goal, 0.0, 1.0), np.clip(lost, 0.0, 1.0)
