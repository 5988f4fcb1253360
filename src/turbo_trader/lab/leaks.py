"""Does a signal know more than its panel? Each test gives "" or the sentence that says how it does."""

from __future__ import annotations

from typing import Final

import numpy as np
from scipy.special import stdtr

from turbo_trader.lab import comparisons, histories
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Floats, Panel
from turbo_trader.lab.score_trades import Moments, Tape, entries
from turbo_trader.lab.scoring import ScoreTable, answer, at, score_all, wanted
from turbo_trader.lab.statistics import Mean
from turbo_trader.market.errors import InputError

_CHECKS: Final = 24  # moments at which the future is cut off and replaced
_LEAST_TRADES: Final = 10
_CHANCE: Final = 3e-5  # of an honest signal to fit the true market while it is shown another past


def lookahead(signal: Signal, panel: Panel, table: ScoreTable, seed: int = 1) -> str:
    """Cut the future off, then replace it, at some moments: "" where no answer changes, else which one did.

    Trades are preferred among the moments, and each is asked of a fresh instance.
    """
    seen, _ = wanted(signal, signal.fresh(), panel.interval_ns)
    chosen = np.random.default_rng(seed).permutation(np.flatnonzero(table.direction.any(axis=1)))[:_CHECKS]
    for t in sorted(int(t) for t in chosen):
        near = panel.slice(t + 1 - seen, min(len(panel), t + 1 + seen))
        cut = near.slice(0, seen).copy()
        another = histories.another_future(near, seen - 1, seed)
        for future, shown in (("is cut off", cut), ("is another one", another)):
            part = shown.slice(0, seen)
            direction, expected, bars = answer(signal, signal.fresh(), part)
            same = np.array_equal(direction, table.direction[t]) and np.array_equal(bars, table.bars[t])
            if not same or not np.allclose(expected, table.expected[t], rtol=1e-9, atol=1e-12):
                return f"the scores at {at(part)} change when the future {future}"
    return ""


def other_sources(signal: Signal, panel: Panel, tape: Tape) -> str:
    """Show it another past at each moment: what it says then must not fit the true market."""
    found = _fits(signal, histories.with_another_past(panel), tape)
    if found.trades < _LEAST_TRADES or not _sure(found):
        return ""
    try:
        clock = _fits(signal, histories.a_year_later(panel), tape)
    except InputError:  # it looks dates up that are not there
        clock = None
    if clock is not None and 2.0 * clock.t > found.t and 2.0 * clock.mean > found.mean:
        return ""  # it goes by the clock, which it may
    return (
        f"shown another past it still knows the true market ({found.mean * 1e4:+.1f} bp, t {found.t:.1f}): "
        "it reads more than its panel"
    )


def levels(signal: Signal, panel: Panel, tape: Tape, moments: Moments) -> str:
    """Show it the same moves at other prices: what it earned must still be there.

    Where it is not, the signal may have found the bars in a file, or it compares prices with numbers that only the whole record
    gives; or with round ones, which it may. So this is a doubt and no proof.
    """
    before = comparisons.mean_of(tape, moments, _about_mean(tape, moments))
    after = _fits(signal, histories.at_other_prices(panel), tape)
    if after.mean > before.mean / 2:
        return ""
    return (
        f"{before.mean * 1e4:+.1f} bp become {after.mean * 1e4:+.1f} bp where the same moves are shown at other prices: "
        "it goes by price levels, or looks the prices up"
    )


def _sure(found: Mean) -> bool:
    """Above 0, by Student's distribution of its clusters."""
    return found.clusters > 1 and float(stdtr(found.clusters - 1, -found.t)) < _CHANCE


def _fits(signal: Signal, shown: Panel, tape: Tape) -> Mean:
    """What its answers to `shown` make on the true market beyond its drift."""
    moments = entries(score_all(signal, shown), len(shown))
    return comparisons.mean_of(tape, moments, _about_mean(tape, moments))


def _about_mean(tape: Tape, moments: Moments) -> Floats:
    """Gross returns less what the market's drift gives such trades."""
    found: Floats = tape.gross(moments) - comparisons.random_entries(tape, moments, 0.0).gross
    return found
