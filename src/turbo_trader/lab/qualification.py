"""`qualify`: one verdict over the trades of a backtest or a session, and what it may change.

It never replaces the real fills that SIZE=earned asks for. It may make the prior of their evidence worse, or raise its mean to 0 at
most: an edge in a backtest is a reason not to begin with doubt, never a reason to begin with belief.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from turbo_trader.lab.ruin import Chances, Sizing, chances
from turbo_trader.lab.statistics import (
    Mean,
    Shape,
    clustered_mean,
    deflated_sharpe,
    minimum_track_record,
    needed,
    probabilistic_sharpe,
    sharpe_variance,
)
from turbo_trader.lab.verdict import LEAST_DAYS, LEAST_TRADES, SURE, Verdict

HOUR_NS: Final = 3_600 * 10**9
DAY_NS: Final = 24 * HOUR_NS
_T: Final = 1.645
_DRAWDOWN: Final = 0.2  # of the session limit
_GOAL: Final = 30.0 / 18.0  # the user's own: from 18 to 30


@dataclass(frozen=True, slots=True)
class Closed:
    """A closed trade: when it ended (ns), its net return (fraction of notional), its notional (USDT)."""

    ended_ns: int
    net: float
    notional: float


@dataclass(frozen=True, slots=True)
class Trials:
    """What was tried on the same data: Sharpe ratios of all, and the probability of backtest overfitting where it is known."""

    sharpes: tuple[float, ...] = ()
    pbo: float | None = None

    @property
    def count(self) -> int:
        """This one included."""
        return max(1, len(self.sharpes))


def qualify(trades: Sequence[Closed], equity: float, trials: Trials | None = None) -> dict[str, Any]:
    """The JSON object of the verb. `equity`: at the start, USDT. Returns are fractions of notional."""
    tried = trials or Trials()
    if not trades:
        return _empty(tried)
    net = np.array([trade.net for trade in trades])
    days = np.array([trade.ended_ns // DAY_NS for trade in trades])
    by_day = len(np.unique(days)) >= LEAST_DAYS
    mean = clustered_mean(net, days if by_day else np.array([trade.ended_ns // HOUR_NS for trade in trades]))
    shape = Shape.of(mean.values)
    psr = probabilistic_sharpe(shape) if mean.clusters > 1 else 0.5
    dsr = (
        deflated_sharpe(shape, tried.count, sharpe_variance(tried.sharpes, mean.clusters))
        if mean.clusters > 1
        else 0.5
    )
    verdict, reasons = _decide(mean, len(np.unique(days)), psr, dsr, tried)
    low, high = mean.interval()
    wins, losses = net[net > 0], net[net <= 0]
    account, goal = _account(trades, equity) if len(trades) >= LEAST_TRADES else (None, None)
    return {
        "verdict": verdict.value,
        "reasons": reasons,
        "trades": len(net),
        "win_rate": len(wins) / len(net),
        "break_even": _break_even(wins, losses),
        "ev": mean.mean,
        "ev_interval": [_finite(low), _finite(high)],
        "psr": psr,
        "dsr": dsr,
        "pbo": tried.pbo,
        "trials": tried.count,
        "ruin": None if account is None else account.ruin,
        "goal": None if goal is None else goal.goal,  # 18 -> 30, or as much of another equity, before -20 %
        "minimum_track_record": _finite(minimum_track_record(shape)),
        "needed_trades": _needed(mean, verdict),
        "clustered_by": "day" if by_day else "hour",
        "prior_shift": prior_shift(verdict, mean.mean),
    }


def prior_shift(verdict: Verdict, ev: float) -> float:
    """What a verdict does to the mean of the prior, a fraction: an edge lifts it (to 0 at most, `rules.stages`), none lowers it."""
    if verdict is Verdict.EDGE:
        return max(0.0, ev)
    return min(0.0, ev) if verdict is Verdict.NONE else 0.0


def _decide(mean: Mean, days: int, psr: float, dsr: float, tried: Trials) -> tuple[Verdict, list[str]]:
    if len(mean.values) > 1 and mean.trades >= LEAST_TRADES and mean.interval(0.90)[1] <= 0.0:
        return Verdict.NONE, [f"{_bp(mean.mean)} net a trade, at most {_bp(mean.interval(0.90)[1])}"]
    doubts = []
    if mean.trades < LEAST_TRADES or days < LEAST_DAYS:
        doubts.append(
            f"{mean.trades} trades on {days} day{'s' if days != 1 else ''}: at least {LEAST_TRADES} on {LEAST_DAYS} are wanted"
        )
    if len(mean.values) < 2:
        doubts.append(
            f"{_bp(mean.mean)} net a trade, of one stretch of time: nothing to tell it from luck by"
        )
    elif mean.t < _T or psr < SURE:
        doubts.append(f"{_bp(mean.mean)} net a trade is {mean.t:.1f} standard errors from 0")
    elif dsr < SURE:
        doubts.append(
            f"the best of {tried.count} trials looks this good by luck (deflated Sharpe ratio {dsr:.2f})"
        )
    if tried.pbo is not None and tried.pbo > 0.2:
        doubts.append(f"the best of the search is below the median elsewhere in {tried.pbo:.0%} of splits")
    if doubts:
        return Verdict.NOT_ENOUGH, doubts
    return Verdict.EDGE, [
        f"{_bp(mean.mean)} net a trade, {mean.t:.1f} standard errors above 0, deflated Sharpe ratio {dsr:.3f}"
    ]


def _account(trades: Sequence[Closed], equity: float) -> tuple[Chances | None, Chances | None]:
    """(double before no order is possible, +2/3 before -20 %) at the usual size of these trades, in lots of the smallest."""
    known = [trade.notional for trade in trades if trade.notional > 0]
    if not known or equity <= 0:
        return None, None
    least = min(5.0, *known)
    sizing = Sizing(float(np.median(known)) / equity, lot=least, least=least)
    returns = np.array([trade.net for trade in trades])
    lowest = least / sizing.share * 0.5
    ruin = chances(returns, sizing.notional, start=equity, floor=min(lowest, equity / 2), goal=2 * equity)
    goal = chances(
        returns, sizing.notional, start=equity, floor=(1 - _DRAWDOWN) * equity, goal=_GOAL * equity
    )
    return ruin, goal


def _break_even(wins: np.ndarray, losses: np.ndarray) -> float | None:
    """The win rate at which these wins and losses would cancel."""
    if not len(wins) or not len(losses):
        return None
    lost = -float(losses.mean())
    return lost / (lost + float(wins.mean())) if lost > 0 else 0.0


def _needed(mean: Mean, verdict: Verdict) -> int | None:
    if verdict is not Verdict.NOT_ENOUGH:
        return 0
    more = needed(mean.mean, mean.error * math.sqrt(mean.trades), _T) - mean.trades
    return max(1, math.ceil(more)) if more < 10_000_000 else None


def _empty(tried: Trials) -> dict[str, Any]:
    nothing = dict.fromkeys(("win_rate", "break_even", "ev"))
    later = dict.fromkeys(("psr", "dsr"))
    return {
        "verdict": Verdict.NOT_ENOUGH.value, "reasons": ["no trades"], "trades": 0, **nothing, "ev_interval": [None, None],
        **later, "pbo": tried.pbo, "trials": tried.count, "ruin": None, "goal": None, "minimum_track_record": None,
        "needed_trades": None, "clustered_by": "day", "prior_shift": 0.0,
    }  # fmt: skip


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _bp(fraction: float) -> str:
    return f"{fraction * 1e4:+.1f} bp"
