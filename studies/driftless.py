"""What the signals and forecasts find where there is nothing to find: `scripts/study driftless`.

Scans of the driftless synthetic market, candidates played out on the seconds that followed. On such a market a forecast is false
by construction, so p_tp and EV *with* it overstate by what it claims. Without it and after calibration p_tp must hold; over all
candidates it must too, where forecasts are believed no more than their evidence. Past the pre-filter are those that chance made
look best: there it cannot.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from studies.null_market import null_market
from studies.scans import EQUITY, Scans
from studies.signals import cell, markdown, scores, standard_forward
from studies.skill import Estimate, coefficient, mean
from studies.trades import Trades, by_time, monte_carlo
from turbo_trader.console.progress import Progress
from turbo_trader.market.rows import MINUTE
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.maps import KNOTS
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.calibration_fits import fit_map
from turbo_trader.signals.noise import Noise

BINS: Final = 10
_DAY: Final = 2880  # scans
_VALID_FOR: Final = 960  # scans that an OU fit's window is shared by, about
_OF_EV: Final = 40  # trades whose EV is held against Monte Carlo

Array = NDArray[Any]
Row = list[str]


def reliability(predicted: Array, outcome: Array, bins: int = BINS) -> tuple[list[Row], float]:
    """Rows of the reliability table in bins of equal count (20 entries at least), and the largest |z|.

    The binomial error is that of the mean of predicted and outcome: where 0 is predicted it would else be 0.
    """
    order = np.argsort(predicted, kind="stable")
    rows, worst = [], 0.0
    for part in np.array_split(order, min(bins, max(1, len(order) // 20))):
        p, y, n = float(predicted[part].mean()), float(outcome[part].mean()), len(part)
        middle = 0.5 * (p + y)
        error = math.sqrt(middle * (1.0 - middle) / n)
        z = (y - p) / error if error > 0.0 else 0.0
        worst = max(worst, abs(z))
        rows.append([f"{n}", f"{p:.3f}", f"{y:.3f}", f"{error:.3f}", f"{z:+.1f}"])
    return rows, worst


def bonferroni(tests: int, level: float = 0.05) -> float:
    """|z| that the largest of `tests` exceeds by chance with probability `level` at most."""
    return NormalDist().inv_cdf(1.0 - level / (2.0 * max(tests, 1)))


def calibrated(trades: Trades, hold_scans: int, policy: Policy) -> tuple[Array, Array]:
    """(p_tp mapped as under enforce by what was known at the midnight before, outcome) of the trades that had a map."""
    known = trades.scan + hold_scans
    predicted, outcome = [np.empty(0)], [np.empty(0)]
    for day in range(int(trades.scan.max(initial=0)) // _DAY + 1):
        fitted = fit_map(
            trades.p_tp, trades.hit, known, day * _DAY,
            knots=KNOTS, min_samples=policy.calibration_min_samples, per_knot=policy.calibration_group,
        )  # fmt: skip
        chosen = trades.chosen(trades.scan // _DAY == day)
        if fitted is not None:
            predicted.append(np.array([fitted(p) for p in chosen.p_tp]))
            outcome.append(chosen.hit.astype(np.float64))
    return np.concatenate(predicted), np.concatenate(outcome)


def _verdict(holds: bool) -> str:
    return "holds" if holds else "FAILS"


def _nothing(found: Estimate, most: float) -> str:
    """Whether it is within `most` standard errors of 0."""
    return _verdict(abs(found.z()) <= most) if found.error > 0.0 else "too few to tell"


def fits_row(fits: Sequence[tuple[int, int, Noise]]) -> Row:
    """How many noise fits found a velocity."""
    n = max(len(fits), 1)
    share = sum(noise.velocity_valid for _, _, noise in fits) / n
    most = 0.05 + 2.0 * math.sqrt(0.05 * 0.95 / n)
    name = f"noise fits with a velocity, of {len(fits):,}"
    return [name, f"{100 * share:.1f} %", f"<= {100 * most:.1f} %", _verdict(share <= most)]


def validity_rows(scans: Scans) -> list[Row]:
    """How often OU is valid, over all and in the hour after midnight."""
    minute = scans.times() // MINUTE % 1440
    rows = []
    for name, when in (
        ("OU valid, all scans", minute >= 0),
        ("OU valid, 00:00-01:00 UTC", minute < 60),
    ):
        values = np.where(when & (scans.figures["warm"] > 0), scans.figures["ou_valid"], np.nan)
        found = mean(values, _VALID_FOR)
        text = f"{100 * found.value:.1f} +- {100 * found.error:.1f} %"
        rows.append([name, text, "<= 6 %", _verdict(found.value <= 0.06)])
    return rows


def trade_rows(name: str, trades: Trades, scans: int) -> list[Row]:
    """Realised against -cost, and what the EV claimed."""
    if len(trades.scan) < 3:
        return [[f"{name}: {len(trades.scan)}", "too few", "", ""]]
    excess = by_time(trades, trades.net + trades.cost, scans, 120)
    claimed = float(np.mean(trades.ev + trades.cost))
    error = f" +- {1e4 * excess.error:.2f}" if math.isfinite(excess.error) else ""
    text = f"{1e4 * excess.value:+.2f}{error} bp"
    return [
        [
            f"{name} ({len(trades.scan):,}): mean realised + cost",
            text,
            "0 +- 2 se",
            _nothing(excess, 2.0),
        ],
        [f"{name}: mean EV + cost, as claimed", f"{1e4 * claimed:+.2f} bp", "", ""],
    ]


def coefficient_rows(scans: Scans) -> list[Row]:
    """Information coefficients at 15 min."""
    rows = []
    for name, score in scores(scans).items():
        found = coefficient(score, standard_forward(scans, 900), 900 // scans.step_s)
        text = [f"information coefficient at 15 min: {name}", cell(found), "0 +- 3 se"]
        rows.append([*text, _nothing(found, 3.0)])
    return rows


def reliability_part(name: str, predicted: Array, outcome: Array) -> tuple[list[Row], str]:
    """A row for the main table, and the reliability table itself."""
    if len(predicted) < 20:
        return [[name, "too few", "", ""]], ""
    bins, worst = reliability(predicted, outcome)
    most = bonferroni(len(bins))
    row = [
        f"{name}: largest abs z of {len(bins)} bins",
        f"{worst:.1f}",
        f"<= {most:.1f}",
        _verdict(worst <= most),
    ]
    return [row], markdown(name, ("entries", "predicted", "outcome", "error", "z"), bins)


def study(symbols: int, days: int, seeds: Sequence[int], paths: int) -> str:
    """All of it as Markdown."""
    policy = Policy(belief=Belief.WEIGHED)  # the figures that claim to be probabilities
    market = null_market(symbols, days, seeds)
    count = market.scans.figures["mid"].shape[1]
    rows = [*validity_rows(market.scans), fits_row(market.scans.fits)]
    for name, trades in (
        ("blind entries", market.blind),
        ("candidates", market.candidates),
        ("taken", market.taken),
    ):
        rows += trade_rows(name, trades, count)
    later = calibrated(
        market.candidates, int(policy.capital_tier(EQUITY).max_hold_s) // market.scans.step_s, policy
    )
    tables = []
    for name, p, y in (
        ("p_tp without drift, blind entries", market.blind.p_tp, market.blind.hit),
        ("p_tp as forecast, candidates", market.candidates.p_tp, market.candidates.hit),
        ("p_tp as forecast, past the pre-filter", market.likely.p_tp, market.likely.hit),
        ("p_tp calibrated on the days before, candidates", *later),
    ):
        found, table = reliability_part(name, p, y)
        rows += found
        tables.append(table)
    worst, se = monte_carlo(market.candidates, _OF_EV, paths, policy)
    text = f"{1e4 * worst:.2f} bp (se up to {1e4 * se:.2f})"
    rows.append(
        [f"EV against Monte Carlo of the exits, worst of {_OF_EV}", text, "<= 1 bp", _verdict(worst <= 1e-4)]
    )
    rows += coefficient_rows(market.scans)
    total = symbols * days * len(seeds)
    title = (
        f"{total} symbol-days of the driftless synthetic market "
        f"({symbols} symbols, {days} days, seeds {', '.join(map(str, seeds))})"
    )
    return "\n\n".join([markdown(title, ("what", "found", "asked", ""), rows), *filter(None, tables)]) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the study as Markdown to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/study driftless", description=__doc__)
    parser.add_argument("--symbols", type=int, default=15)
    parser.add_argument("--days", type=int, default=15)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1], help="each plays the days")
    parser.add_argument("--paths", type=int, default=20_000, help="of the Monte Carlo, per trade")
    options = parser.parse_args(arguments)
    with Progress("playing the driftless market"):
        found = study(options.symbols, options.days, options.seeds, options.paths)
    sys.stdout.write(found)


if __name__ == "__main__":
    main()
