"""A signal's answers over a whole panel, asked bar by bar and checked."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Floats, Panel, PanelSignal, Scores, every, lookback, moments
from turbo_trader.market.errors import InputError

_NOTHING: Final = (np.zeros(1, np.int8), np.zeros(1), np.zeros(1, np.int32))


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Answers `[bar, symbol]`; a bar that was not asked has direction 0. `bars`: the hold in whole bars."""

    direction: NDArray[np.int8]
    expected: Floats
    bars: NDArray[np.int32]
    asked: int


Share = Callable[[float], None]  # hears how much of the work is done, 0 to 1


def unseen(_share: float) -> None:
    """Nobody looks."""


def score_all(signal: Signal, panel: Panel, share: Share = unseen) -> ScoreTable:
    """Ask a fresh instance at every bar it wants. InputError where it fails or answers in another form.

    `share` is given the part of the panel that is done, 0 to 1, with each answer.
    """
    instance = signal.fresh()
    seen, step = wanted(signal, instance, panel.interval_ns)
    if seen >= len(panel):
        raise InputError(
            f"signal {signal.name}: needs {seen:,} bars, the data has {len(panel):,}: give more data"
        )
    shape = (len(panel), len(panel.symbols))
    table = ScoreTable(np.zeros(shape, np.int8), np.zeros(shape), np.zeros(shape, np.int32), 0)
    asked = 0
    for t, part in moments(panel, seen, step):
        direction, expected, bars = answer(signal, instance, part)
        asked += 1
        share((t + 1) / len(panel))
        if direction.any():
            table.direction[t], table.expected[t], table.bars[t] = direction, expected, bars
    return ScoreTable(table.direction, table.expected, table.bars, asked)


def wanted(signal: Signal, instance: PanelSignal, interval_ns: int) -> tuple[int, int]:
    """Bars it sees, and bars from one question to the next. InputError where it cannot say."""
    try:
        seen, step = lookback(instance, interval_ns), every(instance, interval_ns)
    except (ArithmeticError, TypeError, ValueError) as error:
        raise InputError(f"signal {signal.name}: lookback and every cannot be had: {error}") from None
    if seen < 1 or step < 1:
        raise InputError(f"signal {signal.name}: lookback and every must be 1 or more")
    return seen, step


def answer(
    signal: Signal, instance: object, panel: Panel
) -> tuple[NDArray[np.int8], Floats, NDArray[np.int32]]:
    """(direction, expected return, hold in bars) at the end of `panel`, checked."""
    try:
        scores = instance.score(panel)  # type: ignore[attr-defined]
    except InputError:
        raise
    except Exception as error:
        where = traceback.extract_tb(error.__traceback__)[-1]
        raise InputError(
            f"signal {signal.name} fails at {at(panel)}: {type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
        ) from None
    if isinstance(scores, tuple) and len(scores) == 3:
        scores = Scores(*scores)
    if not isinstance(scores, Scores):
        raise InputError(f"signal {signal.name}: score must return Scores, not {type(scores).__name__}")
    return _checked(signal, panel, scores)


def _checked(
    signal: Signal, panel: Panel, scores: Scores
) -> tuple[NDArray[np.int8], Floats, NDArray[np.int32]]:
    n = len(panel.symbols)
    direction = np.asarray(scores.direction, float)
    if direction.shape == (n,) and not direction.any():  # the usual answer
        return _NOTHING[0].repeat(n), _NOTHING[1].repeat(n), _NOTHING[2].repeat(n)
    expected, hold = np.asarray(scores.expected, float), np.asarray(scores.horizon_ns, float)
    expected, hold = (np.full(n, x) if x.ndim == 0 else x for x in (expected, hold))
    if direction.shape != (n,) or expected.shape != (n,) or hold.shape != (n,):
        raise InputError(f"signal {signal.name}: one score for each of the {n} symbols is expected")
    trades = direction != 0.0
    if not np.isin(direction, (-1.0, 0.0, 1.0)).all():
        raise InputError(f"signal {signal.name} at {at(panel)}: a direction is 1, -1 or 0")
    bars = np.where(trades, hold, 0.0) / panel.interval_ns
    if not (np.isfinite(bars).all() and (bars[trades] > 0).all() and (bars < 2**31).all()):
        raise InputError(f"signal {signal.name} at {at(panel)}: a trade needs a horizon above 0, in ns")
    if not np.isfinite(expected[trades]).all():
        raise InputError(f"signal {signal.name} at {at(panel)}: a trade needs an expected return")
    expected = np.where(trades, expected, 0.0)
    return direction.astype(np.int8), expected, np.ceil(bars - 1e-9).astype(np.int32)


def at(panel: Panel) -> str:
    """The moment of the decision, for a sentence."""
    return f"{np.datetime64(panel.now_ns, 'ns').astype('datetime64[s]')}Z"
