"""Does a signal know more than its panel? Each test gives "" or the sentence that says how it does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import stdtr

from turbo_trader.lab import comparisons, histories
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Floats, Panel
from turbo_trader.lab.score_trades import Moments, Tape, entries
from turbo_trader.lab.scoring import ScoreTable, Share, answer, at, score_all, unseen, wanted
from turbo_trader.lab.statistics import Mean
from turbo_trader.market.errors import InputError

_CHECKS: Final = 24  # moments at which the future is cut off and replaced
_LEAST_TRADES: Final = 10
_CHANCE: Final = 3e-5  # of an honest signal to fit the true market while it is shown another past
_SAME: Final = 0.75  # share of trades that stay as they are, from which bars do not matter


def lookahead(signal: Signal, panel: Panel, table: ScoreTable, seed: int = 1, share: Share = unseen) -> str:
    """Cut the future off, then replace it, at some moments: "" where no answer changes, else which one did.

    Trades are preferred among the moments, and each is asked of a fresh instance.
    """
    seen, _ = wanted(signal, signal.fresh(), panel.interval_ns)
    moments = asked_again(table, seed)
    for done, t in enumerate(moments, 1):
        near = panel.slice(t + 1 - seen, min(len(panel), t + 1 + seen))
        cut = near.slice(0, seen).copy()
        another = histories.another_future(near, seen - 1, seed)
        for future, shown in (("is cut off", cut), ("is another one", another)):
            part = shown.slice(0, seen)
            direction, expected, bars = answer(signal, signal.fresh(), part)
            same = np.array_equal(direction, table.direction[t]) and np.array_equal(bars, table.bars[t])
            if not same or not np.allclose(expected, table.expected[t], rtol=1e-9, atol=1e-12):
                return f"the scores at {at(part)} change when the future {future}"
        share(done / len(moments))
    return ""


def asked_again(table: ScoreTable, seed: int = 1) -> list[int]:
    """Some bars at whose end the signal wants a trade, in order."""
    trades = np.flatnonzero(table.direction.any(axis=1))
    return sorted(int(t) for t in np.random.default_rng(seed).permutation(trades)[:_CHECKS])


@dataclass(frozen=True, slots=True)
class Sources:
    """What a signal goes by beside its bars, each "" where it does not: data it reads elsewhere, or the calendar."""

    leak: str = ""
    calendar: str = ""


def other_sources(
    signal: Signal, panel: Panel, tape: Tape, moments: Moments, share: Share = unseen
) -> Sources:
    """Show it another past at each moment: what it says then must be something else, and must not fit the true market.

    What does fit in other weeks as well goes by the clock. That may be honest, or a table of times read off this record: nothing
    in the record can tell, so it is a doubt.
    """
    shown = histories.with_another_past(panel)
    said = entries(score_all(signal, shown, share), len(shown))
    found = _fit(tape, said)
    fits = found.trades >= _LEAST_TRADES and _sure(found)
    if fits and not _by_the_clock(signal, shown, tape, found):
        return Sources(
            leak=f"shown another past it still knows the true market ({found.mean * 1e4:+.1f} bp, t {found.t:.1f}): "
            "it reads more than its panel"
        )
    same = _same(moments, said)
    if fits or same >= _SAME:
        return Sources(
            calendar=f"shown another past it makes {same:.0%} of its trades as before, {found.mean * 1e4:+.1f} bp each: it goes "
            "by times, which may be read off this record; a signal that learns them from its panel can be judged"
        )
    return Sources()


def _by_the_clock(signal: Signal, shown: Panel, tape: Tape, found: Mean) -> bool:
    """Does it fit as well where that other past is dated some weeks later? Neither bars nor dates are those of the record."""
    try:
        clock = _fit(tape, entries(score_all(signal, histories.weeks_later(shown)), len(shown)))
    except InputError:  # it looks dates up that are not there
        return False
    return 2.0 * clock.t > found.t and 2.0 * clock.mean > found.mean


def _same(moments: Moments, said: Moments) -> float:
    """Share of the trades of `moments` that `said` has, too."""
    before, after = (set(zip(*each.columns(), strict=True)) for each in (moments, said))
    return len(before & after) / max(1, len(before))


def levels(signal: Signal, panel: Panel, tape: Tape, moments: Moments, share: Share = unseen) -> str:
    """Show it the same moves at other prices: what it earned must still be there.

    Where it is not, the signal may have found the bars in a file, or it compares prices with numbers that only the whole record
    gives; or with round ones, which it may. So this is a doubt and no proof.
    """
    before = comparisons.mean_of(tape, moments, _about_mean(tape, moments))
    shown = histories.at_other_prices(panel)
    after = _fit(tape, entries(score_all(signal, shown, share), len(shown)))
    if after.mean > before.mean / 2:
        return ""
    return (
        f"{before.mean * 1e4:+.1f} bp become {after.mean * 1e4:+.1f} bp where the same moves are shown at other prices: "
        "it goes by price levels, or looks the prices up"
    )


def _sure(found: Mean) -> bool:
    """Above 0, by Student's distribution of its clusters."""
    return found.clusters > 1 and float(stdtr(found.clusters - 1, -found.t)) < _CHANCE


def _fit(tape: Tape, moments: Moments) -> Mean:
    """What these trades make on the true market beyond its drift."""
    return comparisons.mean_of(tape, moments, _about_mean(tape, moments))


def _about_mean(tape: Tape, moments: Moments) -> Floats:
    """Gross returns less what the market's drift gives such trades."""
    found: Floats = tape.gross(moments) - comparisons.random_entries(tape, moments, 0.0).gross
    return found
