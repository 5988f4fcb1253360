"""The verdict on a signal: edge, no edge, or not enough evidence, each reason a sentence with its figures.

A refusal that no further data could mend is "no edge"; what more data could mend is "not enough evidence".
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from scipy.special import stdtrit

from turbo_trader.lab.statistics import Mean

LEAST_TRADES: Final = 30
LEAST_DAYS: Final = 10
SURE: Final = 0.95
_T: Final = 1.645  # one-sided 5 %
_LEAST_OF_YEAR: Final = 30  # trades from which a year has a sign


class Verdict(StrEnum):
    """What a study comes to."""

    EDGE = "edge"
    NONE = "no edge"
    NOT_ENOUGH = "not enough evidence"


@dataclass(frozen=True, slots=True)
class Court:
    """What is weighed. Returns are fractions a trade; `net` has the larger of its standard errors."""

    leak: str
    net: Mean
    gross: Mean
    late: Mean  # net, one bar late
    random_chance: float
    random_gross: float  # mean of the draws
    one_sided: int
    beats_long: Mean
    beats_short: Mean
    backwards: Mean  # gross
    dsr: float
    trials: int
    without_best: float
    years: Mapping[str, tuple[int, float]]
    calendar: str = ""  # why it may go by times alone
    levels: str = ""  # why it may go by price levels; asked where nothing else is against it


def decide(court: Court) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict and all its reasons, the weightiest first."""
    if court.leak:
        return Verdict.NONE, (f"leaked future: {court.leak}",)
    if not court.net.trades:
        return Verdict.NOT_ENOUGH, (
            "no trades: the signal never had a direction that could be held to its horizon",
        )
    if cost := _cost(court):
        return Verdict.NONE, (cost,)
    refused, doubts = tuple(_refusals(court)), tuple(_doubts(court))
    if refused:  # of a mean that is noise itself nothing is refused for good
        return Verdict.NONE if court.net.t >= _T else Verdict.NOT_ENOUGH, refused + doubts
    if doubts:
        return Verdict.NOT_ENOUGH, doubts
    return Verdict.EDGE, (
        f"{_bp(court.net.mean)} net a trade, {court.net.t:.1f} standard errors above 0, "
        f"deflated Sharpe ratio {court.dsr:.3f} after {_trials(court)}",
    )


def _cost(court: Court) -> str:
    """Where what is left after cost is surely no profit."""
    net = court.net
    if net.trades < LEAST_TRADES or net.clusters < 2 or net.interval(0.90)[1] > 0.0:
        return ""
    return f"cost: {_bp(court.gross.mean)} before cost, {_bp(net.mean)} after it, at most {_bp(net.interval(0.90)[1])}"


def _refusals(court: Court) -> Iterator[str]:
    """What more data would not mend."""
    net = court.net
    if net.mean <= 0.0:
        return
    if court.late.mean <= 0.0:
        yield f"one bar late: {_bp(net.mean)} net becomes {_bp(court.late.mean)}: nobody is that quick, or bars are stamped late"
    yield from _direction(court)
    if court.backwards.t < -2.0 and -court.backwards.mean > 0.5 * court.gross.mean:
        yield (
            f"reversed time: {_bp(court.gross.mean)} before cost becomes {_bp(court.backwards.mean)}: "
            "the market's drift, not the signal"
        )


def _direction(court: Court) -> Iterator[str]:
    """Does the direction say anything beyond always long (short)?"""
    if court.one_sided:
        way = "long" if court.one_sided > 0 else "short"
        beyond = (court.gross.mean - court.random_gross) / max(court.gross.error, 1e-12)
        if court.random_chance > 1.0 - SURE or beyond < _T:
            yield (
                f"always {way}: nearly every trade is {way}, and {way} at random moments makes "
                f"{_bp(court.random_gross)} before cost: the signal is {beyond:.1f} standard errors better"
            )
        return
    for way, beaten in (("long", court.beats_long), ("short", court.beats_short)):
        if beaten.mean <= 0.0:
            yield f"always {way}: at the same moments it earns {_bp(-beaten.mean)} more than the signal"


def _doubts(court: Court) -> Iterator[str]:
    """What more data could mend."""
    net = court.net
    if court.calendar:
        yield f"calendar: {court.calendar}"
    if court.levels:
        yield f"leaked future is not excluded: {court.levels}"
    if net.trades < LEAST_TRADES or net.clusters < LEAST_DAYS:
        yield f"sample: {net.trades} trades on {net.clusters} days: at least {LEAST_TRADES} on {LEAST_DAYS} are wanted"
    if net.t < _critical(net):
        yield f"error: {_bp(net.mean)} net a trade is {net.t:.1f} standard errors from 0, clustered by day"
    if net.mean <= 0.0:
        return
    if court.dsr < SURE:
        yield f"trials: the best of {_trials(court)} looks this good by luck (deflated Sharpe ratio {court.dsr:.2f}, {SURE} wanted)"
    if court.random_chance > 1.0 - SURE and not court.one_sided:
        yield f"random entries: the same trades at random moments do as well in {court.random_chance:.0%} of draws"
    for way, beaten in (("long", court.beats_long), ("short", court.beats_short)):
        if not court.one_sided and 0.0 < beaten.t < _T:
            yield f"always {way}: better than it at the same moments by only {beaten.t:.1f} standard errors"
    if not math.isfinite(court.without_best) or court.without_best <= 0.0:
        yield f"best days: without the best 3 days {_bp(court.without_best)} a trade is left"
    for year, (trades, mean) in court.years.items():
        if len(court.years) > 1 and trades >= _LEAST_OF_YEAR and mean <= 0.0:
            yield f"years: {year} came to {_bp(mean)} net a trade"


def _critical(mean: Mean) -> float:
    """One-sided, by Student's distribution of its clusters."""
    return float(stdtrit(max(1, mean.clusters - 1), SURE))


def _trials(court: Court) -> str:
    return f"{court.trials} trial{'' if court.trials == 1 else 's'}"


def _bp(fraction: float) -> str:
    return f"{fraction * 1e4:+.1f} bp" if math.isfinite(fraction) else "nothing"
