"""A signal's answers over a whole panel, asked bar by bar, and the proof that none of them knew the future."""

from __future__ import annotations

import math
import traceback
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import COLUMNS, PRICES, Floats, Panel, Scores, every, lookback, moments
from turbo_trader.market.errors import InputError

_NOTHING: Final = (np.zeros(1, np.int8), np.zeros(1), np.zeros(1, np.int32))
_CHECKS: Final = 24  # moments at which the future is cut off and lied about


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Answers `[bar, symbol]`; a bar that was not asked has direction 0. `bars`: the hold in whole bars."""

    direction: NDArray[np.int8]
    expected: Floats
    bars: NDArray[np.int32]
    asked: int


def score_all(signal: Signal, panel: Panel) -> ScoreTable:
    """Ask a fresh instance at every bar it wants. InputError where it fails or answers in another form."""
    instance = signal.fresh()
    seen, step = lookback(instance, panel.interval_ns), every(instance, panel.interval_ns)
    if seen < 1 or step < 1:
        raise InputError(f"signal {signal.name}: lookback and every must be 1 or more")
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
        if direction.any():
            table.direction[t], table.expected[t], table.bars[t] = direction, expected, bars
    return ScoreTable(table.direction, table.expected, table.bars, asked)


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
            f"signal {signal.name} fails at {_at(panel)}: {type(error).__name__}: {error} ({where.filename}, line {where.lineno})"
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
        raise InputError(f"signal {signal.name} at {_at(panel)}: a direction is 1, -1 or 0")
    bars = np.where(trades, hold, 0.0) / panel.interval_ns
    if not (np.isfinite(bars).all() and (bars[trades] > 0).all() and (bars < 2**31).all()):
        raise InputError(f"signal {signal.name} at {_at(panel)}: a trade needs a horizon above 0, in ns")
    if not np.isfinite(expected[trades]).all():
        raise InputError(f"signal {signal.name} at {_at(panel)}: a trade needs an expected return")
    expected = np.where(trades, expected, 0.0)
    return direction.astype(np.int8), expected, np.ceil(bars - 1e-9).astype(np.int32)


def lookahead(signal: Signal, panel: Panel, table: ScoreTable, seed: int = 1) -> str:
    """Cut the future off, then lie about it, at some moments: "" where no answer changes, else which one did.

    Trades are preferred among the moments, and each is asked of a fresh instance.
    """
    seen = lookback(signal.fresh(), panel.interval_ns)
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(table.direction.any(axis=1)))[:_CHECKS]
    for t in sorted(int(t) for t in chosen):
        near = panel.slice(t + 1 - seen, min(len(panel), t + 1 + seen))
        cut = near.slice(0, seen).copy()
        for future, shown in (("is cut off", cut), ("is another one", _lie(near, seen - 1, seed))):
            instance = signal.fresh()
            part = shown.slice(0, seen)
            direction, expected, bars = answer(signal, instance, part)
            same = np.array_equal(direction, table.direction[t]) and np.array_equal(bars, table.bars[t])
            if not same or not np.allclose(expected, table.expected[t], rtol=1e-9, atol=1e-12):
                return f"the scores at {_at(part)} change when the future {future}"
    return ""


def _lie(panel: Panel, t: int, seed: int) -> Panel:
    """The panel with another future after bar `t`: the sign of every move turned and its size changed."""
    columns = {name: getattr(panel, name).copy() for name in COLUMNS}
    rng = np.random.default_rng((seed, t))
    power, base = rng.uniform(1.5, 3.0), panel.close[t]
    with np.errstate(invalid="ignore"):
        for name in PRICES:
            columns[name][t + 1 :] = base * (base / columns[name][t + 1 :]) ** power
    columns["high"], columns["low"] = (
        columns["low"],
        columns["high"],
    )  # a turned move has them the other way round
    columns["high"][: t + 1], columns["low"][: t + 1] = panel.high[: t + 1], panel.low[: t + 1]
    columns["volume"][t + 1 :] *= rng.uniform(0.2, 5.0)
    columns["funding"][t + 1 :] *= -1.0
    return Panel(panel.symbols, panel.interval_ns, panel.ts, **columns)


def _at(panel: Panel) -> str:
    return f"{np.datetime64(panel.now_ns, 'ns').astype('datetime64[s]')}Z"


def reversed_in_time(panel: Panel) -> Panel:
    """The same market run backwards: the last bar first, each bar's open its close. Times keep running forward."""
    columns = {name: getattr(panel, name)[::-1].copy() for name in COLUMNS}
    columns["open"], columns["close"] = columns["close"], columns["open"]
    return Panel(panel.symbols, panel.interval_ns, panel.ts, **columns)


def with_another_past(panel: Panel, days: float = math.pi) -> Panel:
    """Every bar at another time: turned round by `days` (a third of the panel where it is shorter than twice that).

    A signal that reads nothing but its panel then says nothing of the true market at that time, unless it goes by the clock.
    """
    step = int(days * 86_400e9 / panel.interval_ns)
    step = step if 2 * step < len(panel) else max(1, len(panel) // 3)
    columns = {name: np.roll(getattr(panel, name), step, axis=0) for name in COLUMNS}
    return Panel(panel.symbols, panel.interval_ns, panel.ts, **columns)


def a_year_later(panel: Panel) -> Panel:
    """The same bars 52 weeks on: for a clock the same hours and days, for a list of dates others."""
    return replace(panel, ts=panel.ts + 364 * 86_400 * 10**9)
