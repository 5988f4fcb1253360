"""The results of trades, beside the target figures and a predecessor's record (section 10). Pure functions of records."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.rules.scan_funnel import TARGETS, Funnel
from turbo_trader.rules.strengths import Strengths

#: A predecessor's live record. Break-even: the win rate at which it would have earned nothing.
PREDECESSOR: Final[dict[str, Any]] = {
    "trades": 110,
    "win_rate": 0.364,
    "win_rate_95": (0.28, 0.46),
    "break_even_win_rate": 0.434,
}

_Z: Final = 1.959964  # 97.5 % quantile of the normal distribution
#: Target growth a day from a balance (USDT) on: the middle of the ranges that the user names.
TARGET_GROWTH: Final = ((0.0, 0.20), (50.0, 0.14), (100.0, 0.10), (500.0, 0.055))


@dataclass(frozen=True, slots=True)
class Closed:
    """One closed trade. Money USDT; `fraction`: net result of notional."""

    tier: str  # A or B
    net: Decimal
    fees: Decimal
    fraction: float
    seconds: float

    @classmethod
    def of(cls, note: Mapping[str, Any]) -> Closed:
        """From the fields of a `trade` note, as given or as read from a journal."""
        net, fees = Decimal(str(note["net"])), Decimal(str(note["fees"]))
        return cls(str(note["tier"]), net, fees, float(note["net_fraction"]), float(note["seconds"]))


def trade_report(
    trades: Iterable[Mapping[str, Any]], start: Decimal, end: Decimal, hours: float
) -> dict[str, Any]:
    """Figures of the `trade` notes of `hours` in which equity (deposits taken out) went from `start` to `end` USDT.

    Rates, returns and shares are fractions; what cannot be said (no trade, no time, no equity; of a day, less than one) is None.
    """
    closed = [Closed.of(note) for note in trades]
    wins = [each for each in closed if each.net > 0]
    losses = [each for each in closed if each.net <= 0]
    win, loss = _mean([each.fraction for each in wins]), _mean([each.fraction for each in losses])
    fees = sum((each.fees for each in closed), Decimal(0))
    minutes = [each.seconds / 60 for each in closed]
    days = hours / 24
    return {
        "hours": hours,
        "trades": len(closed),
        **{f"trades_{tier}": sum(1 for each in closed if each.tier == tier) for tier in "AB"},
        **_win_rates(closed),
        "average_win": win,
        "average_loss": loss,
        "reward_risk": -win / loss if win and loss else None,
        "break_even_win_rate": -loss / (win - loss) if win and loss else None,
        "duration_minutes": {
            "mean": _mean(minutes),
            "median": statistics.median(minutes) if minutes else None,
        },
        "trades_per_hour": len(closed) / hours if hours > 0 else None,
        "trades_per_day": len(closed) / days if days >= 1 else None,
        "start_equity": start,
        "end_equity": end,
        "growth": float(end / start) - 1 if start > 0 else None,
        "growth_per_day": growth_per_day(start, end, days) if days >= 1 else None,
        "fees": fees,
        "fee_drag": float(fees / start) if start > 0 else None,
        "fee_drag_per_trade": float(fees / start) / len(closed) if start > 0 and closed else None,
    }


def whole_report(
    trades: Iterable[Mapping[str, Any]],
    funnel: Funnel,
    strengths: Strengths,
    money: tuple[Decimal, Decimal],
    hours: float,
) -> dict[str, Any]:
    """`trade_report` with the funnel, the signals' strengths, the targets and the predecessor; `money`: (start, end)."""
    report = trade_report(trades, *money, hours)
    report["executed_of_candidates"] = report["trades"] / funnel.candidates if funnel.candidates else None
    reported = {
        line[0]: line for line in (*funnel.beside_targets(), *beside_targets(report))
    }  # A : B of trades, not of scans
    columns = ("figure", "measured", "before", "target")
    return {
        **report,
        "funnel": funnel.to_dict(),
        "strengths": strengths.to_dict(),
        "beside_targets": [dict(zip(columns, reported[name], strict=True)) for name in TARGETS],
        "predecessor": PREDECESSOR,
    }


def win_interval(wins: int, trades: int) -> tuple[float, float]:
    """The 95 % interval of a win rate (Wilson 1927); (0, 1) without trades."""
    if not trades:
        return 0.0, 1.0
    rate, z2 = wins / trades, _Z * _Z / trades
    middle = (rate + z2 / 2) / (1 + z2)
    half = _Z * math.sqrt(rate * (1 - rate) / trades + z2 / (4 * trades)) / (1 + z2)
    return max(0.0, middle - half), min(1.0, middle + half)


def growth_per_day(start: Decimal, end: Decimal, days: float) -> float | None:
    """The constant daily growth from `start` to `end`; -1 where nothing is left, None without time or start."""
    if start <= 0 or days <= 0:
        return None
    return float(end / start) ** (1 / days) - 1 if end > 0 else -1.0


def beside_targets(report: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """(figure, measured, before, target) of what trades can tell."""
    low, high = report["win_rate_95"]
    said = f"{_percent(report['win_rate'], 1)} ({low:.0%}-{high:.0%})" if report["trades"] else "-"
    minutes = report["duration_minutes"]["mean"]
    measured = {
        "trades per hour": _figure(report["trades_per_hour"], 3),
        "executed of candidates": _percent(report.get("executed_of_candidates"), 2),
        "A : B": f"{report['trades_A']} : {report['trades_B']}",
        "win rate": said,
        "average win": _percent(report["average_win"], 2),
        "average loss": _percent(report["average_loss"], 2),
        "reward : risk": f"{report['reward_risk']:.2f}:1" if report["reward_risk"] else "-",
        "duration": f"{minutes:.0f} min" if minutes is not None else "-",
        "trades per day": _figure(report["trades_per_day"], 2),
        "growth per day": _percent(report["growth_per_day"], 2),
    }
    return [(name, text, *TARGETS[name]) for name, text in measured.items()]


def _win_rates(closed: Sequence[Closed]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for suffix, tiers in (("", "AB"), ("_A", "A"), ("_B", "B")):
        of = [each for each in closed if each.tier in tiers]
        won = sum(1 for each in of if each.net > 0)
        found[f"win_rate{suffix}"] = won / len(of) if of else None
        found[f"win_rate{suffix}_95"] = win_interval(won, len(of))
    return found


def _mean(values: Sequence[float]) -> float | None:
    return statistics.fmean(values) if values else None


def _figure(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _percent(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{100 * value:.{digits}f} %"


def days_to(start: float, goal: float, growth: float, hours: float) -> float | None:
    """Days from `start` to `goal` (USDT) where the balance grows by the fraction `growth` in `hours`; None: never at this pace."""
    if start >= goal:
        return 0.0
    if start <= 0 or growth <= 0 or hours <= 0:
        return None
    return round(math.log(goal / start) / math.log1p(growth) * hours / 24, 1)


def target_days(start: float, goal: float) -> float | None:
    """Days from `start` to `goal` (USDT) at the growth of `TARGET_GROWTH`; None without a balance."""
    if start <= 0:
        return None
    days, at = 0.0, start
    for i, (_, growth) in enumerate(TARGET_GROWTH):
        upper = TARGET_GROWTH[i + 1][0] if i + 1 < len(TARGET_GROWTH) else math.inf
        until = min(goal, upper)
        if at < until:
            days += math.log(until / at) / math.log1p(growth)
            at = until
    return round(days, 1)
