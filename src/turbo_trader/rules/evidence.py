"""What trades say about the mean net return: a normal posterior whose error is clustered by hour and whose trades fade.

Trades of one hour go up and down together, so an hour counts as one observation of its sum (Liang & Zeger, Biometrika 73, 1986).
A trade's weight halves every `half_life_h`; the likelihood is raised to it (power prior: Ibrahim & Chen, Statistical Science 15,
2000), so that old evidence widens the posterior as well as fading beside the new. Shadows count less the gap to real fills.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

_REAL: Final = 0  # place of (count, sum of returns) of real fills in an hour's sums
_SHADOW: Final = 2  # and of shadows
_CORRELATION: Final = 0.4  # of trades of the same hour
_PLACES: Final = tuple(
    (i, j, 1.0 if i == j else 2.0) for i in range(4) for j in range(i, 4)
)  # of the products
_LATE: Final = 2  # hours an hour stays open for trades that began in it


@dataclass(frozen=True, slots=True)
class Prior:
    """What is assumed before the first trade: fractions of notional; `least_sd`: of one trade's return, at least."""

    mean: float
    sd: float
    least_sd: float
    half_life_h: float


@dataclass(frozen=True, slots=True)
class Posterior:
    """The mean net return of a trade as known now, and the spread of one trade: fractions of notional.

    `luck`: how often trades that earn nothing would look this good at least once, however often one looks.
    """

    mean: float
    sd: float
    trade_sd: float
    luck: float = 1.0

    @property
    def chance(self) -> float:
        """P(mean net return > 0)."""
        return 0.5 * math.erfc(-self.mean / self.sd / math.sqrt(2.0))


@dataclass(slots=True)
class Gap:
    """How much better shadows end than the real fills made at the same scan: the mean of (shadow - real) over pairs."""

    pairs: int = 0
    mean: float = 0.0

    def add(self, difference: float) -> None:
        """One more pair is over."""
        self.pairs += 1
        self.mean += (difference - self.mean) / self.pairs


@dataclass(slots=True)
class Evidence:
    """Trades as weighted sums over hours of (real fills, their returns, shadows, their returns) and of the products of those.

    `total` and `products` hold the hours before the open ones, weighted as of hour `at`, as does `squares`, that of all squared
    returns. The size does not grow with the trades, and looking costs the same after one as after a million.
    """

    real: int = 0
    shadows: int = 0
    at: int = 0
    total: list[float] = field(default_factory=lambda: [0.0] * 4)
    products: list[float] = field(default_factory=lambda: [0.0] * len(_PLACES))
    squares: float = 0.0
    open: dict[int, list[float]] = field(default_factory=dict)

    def add(self, prior: Prior, hour: int, value: float, *, real: bool) -> None:
        """A trade that began in `hour` (hours since 1970) came to `value`. ValueError for a return that is not finite."""
        if not math.isfinite(value):
            raise ValueError("a net return is not finite")
        if not self.real + self.shadows:
            self.at = hour
        self.real += real
        self.shadows += not real
        mine = self.open.setdefault(hour, [0.0] * 4)
        place = _REAL if real else _SHADOW
        mine[place] += 1.0
        mine[place + 1] += value
        self._fold(prior, max(self.open) - _LATE)
        self.squares += value * value * _fade(prior, self.at - hour)

    def posterior(self, prior: Prior, hour: int, gap: float) -> Posterior:
        """The posterior at `hour`, shadows reduced by `gap`."""
        real, fills, shadows, ends = self._sums(prior, hour)
        count = real + shadows
        if count <= 0.0:
            return Posterior(prior.mean, prior.sd, prior.least_sd)
        mean = (fills + ends - gap * shadows) / count
        clustered = self._square(prior, hour, (-mean, 1.0, -gap - mean, 1.0)) / count
        least = prior.least_sd * prior.least_sd
        squares = self.squares * _fade(prior, hour - self.at)
        spread = max(least, squares / count - ((fills + ends) / count) ** 2)
        error = max(clustered, spread * self._together(prior, hour, count)) / count
        known = 1.0 / (prior.sd * prior.sd)
        precision = known + 1.0 / error
        return Posterior(
            (prior.mean * known + mean / error) / precision,
            precision**-0.5,
            math.sqrt(spread),
            _luck(prior, mean, error),
        )

    def real_lags(self, prior: Prior, hour: int, gap: float) -> float:
        """By how many standard errors the mean of the real fills lies below that of the (reduced) shadows; 0 without both."""
        real, fills, shadows, ends = self._sums(prior, hour)
        if real <= 0.0 or shadows <= 0.0:
            return 0.0
        mean, other = fills / real, ends / shadows
        error = self._square(prior, hour, (-mean / real, 1.0 / real, other / shadows, -1.0 / shadows))
        least = prior.least_sd * prior.least_sd * (1.0 / real + 1.0 / shadows)
        return (other - gap - mean) / math.sqrt(max(error, least))

    def to_dict(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "real": self.real, "shadows": self.shadows, "at": self.at, "total": self.total, "products": self.products,
            "squares": self.squares, "open": {str(hour): sums for hour, sums in self.open.items()},
        }  # fmt: skip

    @classmethod
    def from_dict(cls, value: dict[str, Any]) -> Evidence:
        """The evidence `to_dict` wrote."""
        opened = {int(hour): list(sums) for hour, sums in value["open"].items()}
        lists = list(value["total"]), list(value["products"])
        return cls(value["real"], value["shadows"], value["at"], *lists, value["squares"], opened)

    def _fold(self, prior: Prior, until: int) -> None:
        """Take hours before `until` into the sums."""
        for hour in sorted(hour for hour in self.open if hour < until):
            ahead = max(self.at, hour)
            fade, weight = _fade(prior, ahead - self.at), _fade(prior, ahead - hour)
            mine = self.open.pop(hour)
            self.total = [fade * old + weight * new for old, new in zip(self.total, mine, strict=True)]
            self.products = [
                fade * old + weight * mine[i] * mine[j]
                for old, (i, j, _) in zip(self.products, _PLACES, strict=True)
            ]
            self.squares *= fade
            self.at = ahead

    def _sums(self, prior: Prior, hour: int) -> list[float]:
        """The sums over all hours, weighted as of `hour`."""
        fade = _fade(prior, hour - self.at)
        found = [fade * each for each in self.total]
        for opened, mine in self.open.items():
            weight = _fade(prior, hour - opened)
            found = [old + weight * new for old, new in zip(found, mine, strict=True)]
        return found

    def _together(self, prior: Prior, hour: int, count: float) -> float:
        """By how much trades of the same hours widen the error before there are hours enough to show it: at least 1.

        All in one hour: as at a correlation of 0.4, which is that of crypto perpetuals; it fades with the hours there are.
        """
        crowding = self._square(prior, hour, (1.0, 0.0, 1.0, 0.0)) / count  # trades in the hour of a trade
        correlation = min(1.0, _CORRELATION * crowding / count)
        return 1.0 - correlation + correlation * max(1.0, crowding)

    def _square(self, prior: Prior, hour: int, parts: tuple[float, float, float, float]) -> float:
        """Sum over hours of weight x (parts . sums of the hour) squared."""
        folded = sum(
            times * parts[i] * parts[j] * each
            for each, (i, j, times) in zip(self.products, _PLACES, strict=True)
        )
        found = folded * _fade(prior, hour - self.at)
        a, b, c, d = parts
        for opened, mine in self.open.items():
            each = a * mine[0] + b * mine[1] + c * mine[2] + d * mine[3]
            found += _fade(prior, hour - opened) * each * each
        return found


def _fade(prior: Prior, hours: int) -> float:
    """The weight of what is `hours` old."""
    return float(0.5 ** (hours / prior.half_life_h))


def _luck(prior: Prior, mean: float, error: float) -> float:
    """The level of the sequential test of "earns nothing": a normal mixture as wide as the prior (Robbins, 1970).

    It holds at any time of looking, as no fixed level does. `error`: variance of the observed `mean`.
    """
    if mean <= 0.0:
        return 1.0
    ratio = prior.sd * prior.sd / error
    return min(
        1.0, 0.5 * math.sqrt(1.0 + ratio) * math.exp(-0.5 * mean * mean / error * ratio / (1.0 + ratio))
    )
