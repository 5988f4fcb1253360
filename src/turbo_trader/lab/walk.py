"""Walk-forward over the trials of a search: parameters are chosen inside each fold and applied in the next stretch of time.

Purged: no trade that is open when a test begins is learned from. Embargoed: nor is one that ended shortly before it (Lopez de
Prado, Advances in Financial Machine Learning, chapter 7).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from turbo_trader.lab.statistics import Mean, Shape, probabilistic_sharpe
from turbo_trader.lab.sweep import Tried, overfitting
from turbo_trader.lab.tasks import Record
from turbo_trader.lab.verdict import LEAST_DAYS, LEAST_TRADES, SURE, Verdict

_LEAST: Final = 10  # trades of a training stretch from which a choice is made


@dataclass(frozen=True, slots=True)
class Fold:
    """Training before `train_end`, test in `[test_start, test_end]`; ns."""

    train_start: int
    train_end: int
    test_start: int
    test_end: int


def folds(start: int, end: int, count: int, embargo_ns: int) -> list[Fold]:
    """`count` tests one after another over the second part of the time, each after all that was before it."""
    edges = np.linspace(start, end, count + 2).astype(np.int64)
    return [
        Fold(int(edges[0]), int(edges[k]) - embargo_ns, int(edges[k]), int(edges[k + 1]))
        for k in range(1, count + 1)
    ]


def reversed_folds(start: int, end: int, count: int, embargo_ns: int) -> list[Fold]:
    """The same backwards: chosen on what came later, tested on what came before. What dies here was a fit to one order."""
    edges = np.linspace(start, end, count + 2).astype(np.int64)
    return [
        Fold(int(edges[k + 1]) + embargo_ns, int(edges[-1]), int(edges[k]), int(edges[k + 1]))
        for k in range(count)
    ]


def walk(tried: Sequence[Tried], over: Sequence[Fold]) -> tuple[Record, list[dict[str, Any]]]:
    """The trades of the tests with what each fold chose. A fold with too few trades to choose by makes none."""
    parts: list[Record] = []
    chosen: list[dict[str, Any]] = []
    for fold in over:
        learned = [(each, each.record.between(fold.train_start, fold.train_end)) for each in tried]
        able = [(each, part) for each, part in learned if len(part.net) >= _LEAST]
        if not able:
            chosen.append({"test_start_ns": fold.test_start, "trial": None})
            continue
        best, part = max(able, key=lambda pair: pair[1].mean.t)
        tested = best.record.between(fold.test_start, fold.test_end)
        parts.append(tested)
        chosen.append(
            {
                "test_start_ns": fold.test_start, "trial": best.number, "parameters": best.parameters,
                "train_bp": round(part.mean.mean * 1e4, 2), "test_bp": round(tested.mean.mean * 1e4, 2),
                "test_trades": len(tested.net),
            }
        )  # fmt: skip
    if not parts:
        return Record(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0)), chosen
    entered, left, net = (np.concatenate([getattr(p, n) for p in parts]) for n in ("entered", "left", "net"))
    return Record(entered, left, net), chosen


def walk_forward(tried: Sequence[Tried], count: int, embargo_ns: int) -> dict[str, Any]:
    """The JSON object of the verb: the verdict over the tests' trades, each fold's choice, and the walk backwards."""
    entered = np.concatenate([each.record.entered for each in tried])
    left = np.concatenate([each.record.left for each in tried])
    if not len(entered):
        return {
            "verdict": Verdict.NOT_ENOUGH.value,
            "reasons": ["no trades"],
            "folds": [],
            "trials": len(tried),
        }
    start, end = int(entered.min()), int(left.max())
    forward, chosen = walk(tried, folds(start, end, count, embargo_ns))
    backward, _ = walk(tried, reversed_folds(start, end, count, embargo_ns))
    mean, back = forward.mean, backward.mean
    psr = probabilistic_sharpe(Shape.of(mean.values)) if mean.clusters > 1 else 0.5
    verdict, reasons = _decide(mean, back, psr)
    low, high = mean.interval()
    return {
        "verdict": verdict.value,
        "reasons": reasons,
        "trials": len(tried),
        "trades": mean.trades,
        "net_bp": round(mean.mean * 1e4, 2),
        "interval": [_bp(low), _bp(high)],
        "psr": round(psr, 4),
        "reversed_bp": round(back.mean * 1e4, 2),
        "pbo": overfitting(tried),
        "folds": chosen,
    }


def _decide(mean: Mean, back: Mean, psr: float) -> tuple[Verdict, list[str]]:
    said = f"{mean.mean * 1e4:+.1f} bp net a trade out of sample, {mean.t:.1f} standard errors from 0"
    if mean.trades >= LEAST_TRADES and mean.clusters > 1 and mean.interval(0.90)[1] <= 0.0:
        return Verdict.NONE, [said]
    if mean.trades < LEAST_TRADES or mean.clusters < LEAST_DAYS or mean.t < 1.645 or psr < SURE:
        return Verdict.NOT_ENOUGH, [said]
    if back.mean <= 0.0:
        return Verdict.NONE, [
            said,
            f"reversed time: chosen on what came later it makes {back.mean * 1e4:+.1f} bp",
        ]
    return Verdict.EDGE, [said]


def _bp(fraction: float) -> float | None:
    return round(fraction * 1e4, 2) if np.isfinite(fraction) else None
