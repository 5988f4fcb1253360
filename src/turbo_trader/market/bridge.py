"""Shapes of Brownian paths, by the bar they leave: what may have happened inside a one-minute bar.

A library of Brownian motions over one bar is drawn once (fixed seed). Each is looked at in `KNOTS` equal
intervals: its value at the end of each, and its highest and lowest value within. A bar then draws, among the
paths whose open, close and range stood as its own do, one at random: the path given the bar as a Brownian
motion has it, including which extreme came first. Looking only at the ends of intervals, which do not depend
on the path, gives nothing of the future away.

Half of the library is seen at 64 points only, half continuously (its extremes between points from the law of
a Brownian bridge's maximum: Karatzas & Shreve, Brownian Motion and Stochastic Calculus, 2.8). Bars of few
prices often open or close at their extreme, others never do: how often tells which kind a bar draws from.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

KNOTS = 8
_STEPS = 8  # substeps per interval
_PATHS = 120_000
_PLACES = 12  # classes of the place of open, and of close: at the low, ten within, at the high
_EDGE = 1e-3  # nearer to an extreme than this is at it
_EDGE_SHARE = 0.145  # of the opens of paths seen at 64 points are at an extreme
_ROUNDED = (
    2 * (2 / math.pi) ** 0.5 * 0.5 * (4 * math.log(2)) ** 0.5
)  # / range in ticks: opens that ticks round to an extreme
_WIDTHS = 6  # classes of the range against the ranges around it
ORDERS = ("random", "high-first", "low-first")


@dataclass(kw_only=True, frozen=True)
class Shapes:
    """The library. Values are places within the range: 0 = low, 1 = high, float32.

    `opens`, `closes` [m]; `knots`, `highs`, `lows` [m, KNOTS]; `high_first` [m, KNOTS]: within the interval,
    the high came first.
    `members`, `first`, `count`: the paths of class c of order o are members[o][first[o, c] : first[o, c] +
    count[o, c]].
    `width_edges`: upper edges of the first _WIDTHS - 1 width classes; width = range / root mean square range.
    """

    opens: NDArray[np.float32]
    closes: NDArray[np.float32]
    knots: NDArray[np.float32]
    highs: NDArray[np.float32]
    lows: NDArray[np.float32]
    high_first: NDArray[np.bool_]
    members: tuple[NDArray[np.int64], ...]
    first: NDArray[np.int64]
    count: NDArray[np.int64]
    width_edges: NDArray[np.float64]

    def draw(
        self,
        order: str,
        opens: NDArray[np.float64],
        closes: NDArray[np.float64],
        widths: NDArray[np.float64],
        continuous: NDArray[np.bool_],
        uniform: NDArray[np.float64],
    ) -> NDArray[np.int64]:
        """For each bar (places of open and close in the range, its width) a path of its class, chosen by
        `uniform` in [0, 1).
        """
        o = ORDERS.index(order)
        c = _classes(opens, closes, np.searchsorted(self.width_edges, widths), continuous)
        at = self.first[o, c] + np.floor(uniform * self.count[o, c]).astype(np.int64)
        paths: NDArray[np.int64] = self.members[o][at]
        return paths


def _classes(
    opens: NDArray[np.floating],
    closes: NDArray[np.floating],
    width: NDArray[np.integer],
    continuous: NDArray[np.bool_],
) -> NDArray[np.int64]:
    places = _place_class(opens) * _PLACES + _place_class(closes)
    return (continuous * (_PLACES * _PLACES) + places) * _WIDTHS + width.astype(np.int64)


def _place_class(place: NDArray[np.floating]) -> NDArray[np.int64]:
    inner = np.clip((place * (_PLACES - 2)).astype(np.int64), 0, _PLACES - 3) + 1
    return np.where(place < _EDGE, 0, np.where(place > 1.0 - _EDGE, _PLACES - 1, inner))


def seen_continuously(
    opens: NDArray[np.float64],
    closes: NDArray[np.float64],
    range_around: NDArray[np.float64],
    around: int,
    uniform: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Which bars draw a path seen continuously, by Bayes' rule from how often bars open or close at an extreme.

    The share of opens and closes at an extreme among the `around` bars on both sides is a mixture: _EDGE_SHARE of those seen at 64
    points; of those seen continuously only what rounding to ticks puts there, 2 * phi(0) * (half a tick) / sigma at each extreme
    with sigma = `range_around` (root mean square range, ticks) / sqrt(4 ln 2). Then each bar's own open and close speak too.
    """
    last = _PLACES - 1
    open_edge, close_edge = _place_class(opens) % last == 0, _place_class(closes) % last == 0
    total = np.concatenate(([0.0], np.cumsum(open_edge * 1.0 + close_edge)))
    index = np.arange(len(opens))
    low, high = np.maximum(index - around, 0), np.minimum(index + around + 1, len(opens))
    share = (total[high] - total[low]) / (2.0 * (high - low))
    rounded = np.minimum(_ROUNDED / range_around, 0.5 * _EDGE_SHARE)
    prior = np.clip((share - rounded) / (_EDGE_SHARE - rounded), 0.0, 1.0)

    def likelihood(edge: NDArray[np.float64] | float) -> NDArray[np.float64]:
        of_open = np.where(open_edge, edge, 1.0 - edge)
        return of_open * np.where(close_edge, edge, 1.0 - edge)

    points, continuous = prior * likelihood(_EDGE_SHARE), (1.0 - prior) * likelihood(rounded)
    seen: NDArray[np.bool_] = uniform * (points + continuous) >= points
    return seen


@cache
def shapes() -> Shapes:
    """The library, drawn at first use (about a quarter of a second)."""
    draws = np.random.Generator(np.random.Philox(20_260_809))
    dt = 1.0 / (KNOTS * _STEPS)
    path = draws.standard_normal((_PATHS, KNOTS * _STEPS), dtype=np.float32) * np.float32(dt**0.5)
    np.cumsum(path, axis=1, out=path)
    before = np.zeros_like(path)
    before[:, 1:] = path[:, :-1]
    top, bottom = np.maximum(before, path), np.minimum(before, path)
    half = slice(_PATHS // 2, None)
    top[half] = _extreme(before[half], path[half], draws, dt)
    bottom[half] = -_extreme(-before[half], -path[half], draws, dt)
    top, bottom = top.reshape(_PATHS, KNOTS, _STEPS), bottom.reshape(_PATHS, KNOTS, _STEPS)
    highs, lows = top.max(2), bottom.min(2)
    high_first = top.argmax(2) <= bottom.argmin(2)
    high, low = np.maximum(highs.max(1), 0), np.minimum(lows.min(1), 0)
    span = high - low
    at_high, at_low = highs.argmax(1), lows.argmin(1)
    rows = np.arange(_PATHS)
    early = np.where(at_high == at_low, high_first[rows, at_high], at_high < at_low)

    def place(values: NDArray[np.float32]) -> NDArray[np.float32]:
        places: NDArray[np.float32] = ((values - low[:, None]) / span[:, None]).astype(np.float32)
        return places

    knots = place(path[:, _STEPS - 1 :: _STEPS])
    opens, closes = place(np.zeros((_PATHS, 1), np.float32))[:, 0], knots[:, -1].copy()
    width = span / np.sqrt(np.mean(np.square(span)))
    edges = np.quantile(width, np.arange(1, _WIDTHS) / _WIDTHS).astype(np.float64)
    continuous = np.arange(_PATHS) >= _PATHS // 2
    classes = _classes(opens, closes, np.searchsorted(edges, width), continuous)
    chosen = [_grouped(classes, np.flatnonzero(keep)) for keep in (np.ones(_PATHS, bool), early, ~early)]
    return Shapes(
        opens=opens, closes=closes, knots=knots, highs=place(highs), lows=place(lows), high_first=high_first,
        members=tuple(members for members, _, _ in chosen),
        first=np.stack([first for _, first, _ in chosen]), count=np.stack([count for _, _, count in chosen]), width_edges=edges,
    )  # fmt: skip


def _extreme(
    a: NDArray[np.float32], b: NDArray[np.float32], draws: np.random.Generator, dt: float
) -> NDArray[np.float32]:
    """The maximum of a Brownian bridge from a to b over dt."""
    u = draws.random(a.shape, dtype=np.float32)
    span = b - a
    top: NDArray[np.float32] = 0.5 * (a + b + np.sqrt(span * span - 2.0 * dt * np.log1p(-u)))
    return top


def _grouped(
    classes: NDArray[np.int64], keep: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Paths `keep` sorted by class; where each class begins and how many it has. An empty class uses its
    nearest one.
    """
    members = keep[np.argsort(classes[keep], kind="stable")]
    total = 2 * _PLACES * _PLACES * _WIDTHS
    count = np.bincount(classes[keep], minlength=total).astype(np.int64)
    first = np.concatenate(([0], np.cumsum(count)[:-1])).astype(np.int64)
    index = np.arange(total)
    place = index // _WIDTHS
    kind = place // (_PLACES * _PLACES) * 100  # of the other kind only where there is none of this
    where = np.stack([kind, place // _PLACES % _PLACES, place % _PLACES, index % _WIDTHS], axis=1)
    filled = np.flatnonzero(count)
    for c in np.flatnonzero(count == 0):
        nearest = filled[np.argmin(np.abs(where[filled] - where[c]).sum(1))]
        first[c], count[c] = first[nearest], count[nearest]
    return members, first, count
