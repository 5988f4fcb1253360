"""Variants of a market: another future, another past, other prices, reversed time.

What a signal says of these tells what it goes by.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from turbo_trader.lab.panel import COLUMNS, PRICES, Floats, Panel

_DAY_NS: Final = 86_400 * 10**9
_WEEKS: Final = 211  # a prime: neither a year of weeks nor a multiple of a few of them
_JITTER: Final = 0.02  # standard deviations of a bar's move


def another_future(panel: Panel, t: int, seed: int) -> Panel:
    """The panel with another future after bar `t`: the sign of every move turned and its size changed."""
    columns = _copied(panel)
    rng = np.random.default_rng((seed, t))
    power, base = rng.uniform(1.5, 3.0), panel.close[t]
    with np.errstate(invalid="ignore"):
        for name in PRICES:
            columns[name][t + 1 :] = base * (base / columns[name][t + 1 :]) ** power
    high, low = columns["low"], columns["high"]  # a turned move has them the other way round
    high[: t + 1], low[: t + 1] = panel.high[: t + 1], panel.low[: t + 1]
    columns["high"], columns["low"] = high, low
    columns["volume"][t + 1 :] *= rng.uniform(0.2, 5.0)
    columns["funding"][t + 1 :] *= -1.0
    return _shown(panel, columns)


def reversed_in_time(panel: Panel) -> Panel:
    """The same market run backwards: the last bar first, each bar's open its close. Times keep running forward."""
    columns = {name: getattr(panel, name)[::-1].copy() for name in COLUMNS}
    columns["open"], columns["close"] = columns["close"], columns["open"]
    return _shown(panel, columns)


def with_another_past(panel: Panel) -> Panel:
    """Every bar at another time: turned round by half of the panel and a few hours, so that no hour of the day meets itself.

    A signal that reads nothing but its panel then says nothing of the true market at that time, unless it goes by the clock.
    """
    days = len(panel) * panel.interval_ns / _DAY_NS / 2
    step = int((int(days) + 0.14) * _DAY_NS / panel.interval_ns) if days >= 2 else len(panel) // 2
    columns = {name: np.roll(getattr(panel, name), step, axis=0) for name in COLUMNS}
    return _shown(panel, columns)


def weeks_later(panel: Panel) -> Panel:
    """The same bars some whole weeks on: for a clock the same hours and weekdays, for a list of dates others."""
    return replace(panel, ts=panel.ts + _WEEKS * 7 * _DAY_NS)


def at_other_prices(panel: Panel, seed: int = 1) -> Panel:
    """The same moves at other levels: each symbol's prices times a number of its own, and each bar's a hair off.

    A signal that goes by moves says the same; one that finds the bar in a file, or compares a price with a number, does not.
    """
    rng = np.random.default_rng(seed)
    with np.errstate(invalid="ignore", divide="ignore"):
        moves: Floats = np.diff(np.log(panel.close), axis=0)
    sd = np.sqrt(np.nanmean(np.vstack([moves * moves, np.zeros_like(panel.close[:1])]), axis=0))
    level = rng.uniform(1.2, 1.9, len(panel.symbols))
    factor = level * np.exp(_JITTER * sd * rng.standard_normal(panel.close.shape))
    columns = _copied(panel)
    for name in PRICES:
        columns[name] *= factor
    return _shown(panel, columns)


def _copied(panel: Panel) -> dict[str, Floats]:
    return {name: getattr(panel, name).copy() for name in COLUMNS}


def _shown(panel: Panel, columns: dict[str, Floats]) -> Panel:
    return Panel(panel.symbols, panel.interval_ns, panel.ts, **columns)
