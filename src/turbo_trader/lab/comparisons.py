"""What a signal must beat: luck with its own pattern, always long, always short, its own answers late, and reversed time."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.panel import Floats
from turbo_trader.lab.score_trades import DAY_NS, Moments, Tape
from turbo_trader.lab.statistics import Mean, clustered_mean

_DRAWS: Final = 300
_ONE_SIDED: Final = (
    0.95  # share of trades in one direction from which always long (or short) is the same thing
)


@dataclass(frozen=True, slots=True)
class Random:
    """The same trades at other moments: mean gross return, and the share of draws that did as well as the signal."""

    gross: float
    chance: float


def clusters(tape: Tape, moments: Moments, late: int = 0) -> NDArray[np.int64]:
    """The UTC day of each entry."""
    way_in = np.minimum(moments.at + 1 + late, len(tape.ts) - 1)
    days: NDArray[np.int64] = tape.ts[way_in] // DAY_NS
    return days


def mean_of(tape: Tape, moments: Moments, returns: Floats, days_together: int = 1) -> Mean:
    """The mean of what is there, clustered by day or by several days."""
    there = np.isfinite(returns)
    return clustered_mean(returns[there], clusters(tape, moments)[there] // days_together)


def random_entries(tape: Tape, moments: Moments, observed: float, seed: int = 1) -> Random:
    """All entries moved by one random time, together: direction, symbols, holds and clusters stay, the moments do not.

    So the drift of the market and the luck of a few large days count for the draws exactly as for the signal.
    """
    rows = len(tape.open)
    longest = int(moments.bars.max(initial=0)) + 2
    room = rows - longest
    if room < 2 or not len(moments):
        return Random(0.0, 1.0)
    shifts = np.random.default_rng(seed).integers(1, room, _DRAWS)
    means = np.empty(_DRAWS)
    for k, shift in enumerate(shifts):
        moved = replace(moments, at=(moments.at + shift) % room)
        gross = tape.gross(moved)
        means[k] = np.nanmean(gross) if np.isfinite(gross).any() else 0.0
    chance = (1 + np.count_nonzero(means >= observed)) / (_DRAWS + 1)
    return Random(float(means.mean()), float(chance))


def one_sided(moments: Moments) -> int:
    """1 or -1 where nearly all trades go one way, else 0."""
    if not len(moments):
        return 0
    longs = float(np.mean(moments.direction > 0))
    return 1 if longs >= _ONE_SIDED else -1 if longs <= 1.0 - _ONE_SIDED else 0


def without_best_days(tape: Tape, moments: Moments, net: Floats, days: int) -> float:
    """Mean net return without the `days` days that earned most; NaN where no more days are left."""
    there = np.isfinite(net)
    day = clusters(tape, moments)[there]
    values = net[there]
    known, inverse = np.unique(day, return_inverse=True)
    if len(known) <= days:
        return float("nan")
    best = np.argsort(np.bincount(inverse, values))[::-1][:days]
    return float(values[~np.isin(inverse, best)].mean())


def by_year(tape: Tape, moments: Moments, net: Floats) -> dict[str, tuple[int, float]]:
    """(trades, mean net return) of each calendar year."""
    there = np.isfinite(net)
    entered = tape.ts[np.minimum(moments.at + 1, len(tape.ts) - 1)]
    years = entered.astype("datetime64[ns]").astype("datetime64[Y]").astype(int)[there] + 1970
    return {
        str(year): (int(np.sum(years == year)), float(net[there][years == year].mean()))
        for year in np.unique(years)
    }
