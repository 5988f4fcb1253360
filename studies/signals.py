"""What the five signals and the forecast say of what follows: `scripts/study signals --market ...`.

Information coefficients, hit rates and confirmations on bars rebuilt into a tape, recorded depth, or the synthetic market.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from studies.recorded_book import read_recorded_book
from studies.scans import Scanner, Scans, TapeSource
from studies.skill import Estimate, coefficient, hit_rate, mean, slope
from turbo_trader.console.progress import Progress
from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.market.tape import read_tape
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.figures import SIGNALS
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.fitting import WAITS

HORIZONS_S: Final = (30, 60, 300, 900, 1800)
DEPTH_HORIZONS_S: Final = (1, 5, 10, 30)
START: Final = 1_767_571_200 * SECOND  # a midnight UTC
#: |z| of a two-sided 5 % test over the 30 cells of a table (Bonferroni).
CLEAR: Final = 3.14

Array = NDArray[np.float64]


def scores(scans: Scans) -> dict[str, Array]:
    """The score of each signal where it is valid, and the forecast where there is one, else NaN."""
    figures = scans.figures
    found = {}
    for k, name in enumerate(SIGNALS):
        there = (figures["valid"] >> k) & 1 > 0
        found[name] = np.where(there, figures["score"][..., k], np.nan)
    found["forecast"] = np.where(figures["direction"] != 0, figures["forecast"], np.nan)
    return found


def standard_forward(scans: Scans, horizon_s: int) -> Array:
    """Forward returns in units of sigma sqrt(horizon), so that quiet and loud symbols and hours count alike."""
    sigma = scans.figures["sigma"]
    return scans.forward(horizon_s) / np.where(sigma > 0.0, sigma * math.sqrt(horizon_s), np.nan)


def cell(estimate: Estimate, scale: float = 1.0, digits: int = 3, expected: float = 0.0) -> str:
    """`value +- error`, with a star where it is clearly not what no edge would give."""
    if not math.isfinite(estimate.value):
        return "-"
    star = " *" if abs(estimate.z(expected)) > CLEAR else ""
    return f"{scale * estimate.value:+.{digits}f} +- {scale * estimate.error:.{digits}f}{star}"


def percent(estimate: Estimate) -> str:
    """A share with its error, in percent; a star where it is clearly not a half."""
    if not math.isfinite(estimate.value):
        return "-"
    star = " *" if abs(estimate.z(0.5)) > CLEAR else ""
    return f"{100 * estimate.value:.1f} +- {100 * estimate.error:.1f}{star}"


def markdown(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table with its title."""
    lines = [f"**{title}**", "", "| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)])


def skill_table(
    title: str,
    scans: Scans,
    horizons_s: Sequence[int],
    estimate: Callable[[Array, Array, int], Estimate],
    show: Callable[[Estimate], str],
) -> str:
    """One row per signal, one column per horizon."""
    returns = {h: standard_forward(scans, h) for h in horizons_s}
    rows = []
    for name, score in scores(scans).items():
        rows.append([name, *(show(estimate(score, returns[h], h // scans.step_s)) for h in horizons_s)])
    return markdown(title, ["", *(label(h) for h in horizons_s)], rows)


def label(horizon_s: int) -> str:
    """A horizon as people write it."""
    return f"{horizon_s} s" if horizon_s < 60 else f"{horizon_s // 60} min"


def confirmations(scans: Scans, horizon_s: int) -> str:
    """How often each signal is valid and confirms, and what came its way then."""
    figures = scans.figures
    directed = figures["direction"] != 0
    way = np.where(directed, figures["direction"], np.nan) * scans.forward(horizon_s)
    overlap = horizon_s // scans.step_s
    rows = []
    for k, name in enumerate(SIGNALS):
        valid, confirms = (figures["valid"] >> k) & 1 > 0, (figures["confirms"] >> k) & 1 > 0
        then = mean(np.where(confirms & directed, way, np.nan), overlap)
        share = np.count_nonzero(confirms & directed) / max(1, int(np.count_nonzero(directed)))
        rows.append([name, f"{100 * valid.mean():.1f}", f"{100 * share:.1f}", cell(then, 1e4, 1)])
    then = mean(way, overlap)
    rows.append(["forecast", f"{100 * directed.mean():.1f}", "-", cell(then, 1e4, 1)])
    head = ["", "valid, % of scans", "confirms, % of forecasts", f"return its way in {label(horizon_s)}, bp"]
    return markdown("Confirmations", head, rows)


def summary(scans: Scans, horizon_s: int) -> str:
    """Scans, candidates, trade tiers, and the slope of realised on predicted, as sentences."""
    figures = scans.figures
    predicted = np.where(figures["direction"] != 0, figures["forecast"], np.nan)
    b = slope(predicted, scans.forward(horizon_s), horizon_s // scans.step_s)
    n = figures["mid"].size
    tiers = [int(np.count_nonzero(figures["tier"] == tier)) for tier in (TIER_A, TIER_B)]
    passed = int(np.count_nonzero((figures["blocker"] < 0) & (figures["tier"] > 0)))
    candidates = int(figures["candidate"].sum())
    return (
        f"{n:,} scans of {len(scans.instruments)} symbols, {scans.step_s} s apart; {candidates:,} candidates, "
        f"{tiers[0]:,} tier A, {tiers[1]:,} tier B, {passed:,} past the EV gate. "
        f"Slope of realised on predicted after {label(horizon_s)}: {cell(b, 1.0, 2)}."
    )


def report(title: str, scans: Scans, horizons_s: Sequence[int] = HORIZONS_S, main_s: int = 900) -> str:
    """All tables of one market as Markdown."""
    parts = [
        f"### {title}",
        summary(scans, main_s),
        confirmations(scans, main_s),
        skill_table("Information coefficient", scans, horizons_s, coefficient, cell),
        skill_table("Hit rate, %", scans, horizons_s, hit_rate, percent),
    ]
    return "\n\n".join(parts) + "\n"


def scan_synthetic(
    symbols: int,
    hours: int,
    seed: int,
    edge: float,
    *,
    waits: Sequence[int] = WAITS,
    with_book: bool = False,
    policy: Policy | None = None,
) -> Scans:
    """Scans of the synthetic market from a midnight on, warmed up by its history."""
    instruments = universe()[:symbols]
    market = SyntheticMarket(instruments, seed, START, edge)
    scanner = Scanner(market, policy or Policy(), waits=waits, with_book=with_book)
    for s, instrument in enumerate(instruments):
        scanner.backfill(s, market.history(instrument.symbol))
    return scanner.run(hours)


def scan_bars(folder: Path, symbols: Sequence[str], days: int, order: str) -> Scans:
    """Scans of recorded one-minute bars rebuilt into a tape; all symbols in the folder where none are given."""
    inside = folder / "kline_1m" if (folder / "kline_1m").is_dir() else folder
    names = list(symbols) or sorted(path.name.split(".")[0] for path in inside.glob("*.csv*"))
    tape = read_tape(folder, names, order=order)  # type: ignore[arg-type]
    source = TapeSource(tape)
    hours = min(24 * days, (tape.end - source.start) // (3600 * SECOND))
    return Scanner(source, Policy()).run(int(hours))


def scan_depth(path: Path) -> Scans:
    """Scans, a second apart, of a recording of depth and prints."""
    tape = read_recorded_book(path)
    scans = Scanner(TapeSource(tape), Policy(), step_s=1).run(1)
    kept = int((tape.end - scans.first) // SECOND)
    return replace(scans, figures={name: values[:, :kept] for name, values in scans.figures.items()})


def depth_report(paths: Sequence[Path]) -> str:
    """Order flow of minutes of recorded depth: the only score they are long enough for, and for short horizons only."""
    rows = []
    for path in paths:
        scans = scan_depth(path)
        score = scores(scans)["OFI"]
        row = [
            path.name.removesuffix(".gz"),
            f"{score.shape[1]} s",
            f"{100 * np.isfinite(score).mean():.0f} %",
        ]
        last = DEPTH_HORIZONS_S[-1]
        row.append(cell(coefficient(score[:, last:], scans.forward(last)[:, :-last], last)))
        row += [cell(coefficient(score, scans.forward(h), h)) for h in DEPTH_HORIZONS_S]
        row.append(percent(hit_rate(score, scans.forward(last), last)))
        rows.append(row)
    horizons = [f"{h} s" for h in DEPTH_HORIZONS_S]
    head = [
        "recording",
        "length",
        "valid",
        f"the same {horizons[-1]}",
        *horizons,
        f"hit rate, {horizons[-1]}, %",
    ]
    return "### Recorded depth\n\n" + markdown("Information coefficient of OFI", head, rows) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the tables of one market as Markdown to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/study signals", description=__doc__)
    parser.add_argument(
        "--market", choices=("bars", "depth", "driftless", "edge"), required=True,
        help="bars: one-minute bars in --data, rebuilt; depth: recorded depth in --data; driftless, edge: synthetic",
    )  # fmt: skip
    parser.add_argument("--data", type=Path, help="folder of bars, or a recording or folder of recordings")
    parser.add_argument("--symbols", nargs="*", default=[], help="of the bars; default: all there are")
    parser.add_argument("--days", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--order", choices=("random", "high-first", "low-first"), default="random")
    options = parser.parse_args(arguments)
    try:
        with Progress("scanning the market"):
            found = _study(options)
        sys.stdout.write(found)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(2) from None


def _study(options: argparse.Namespace) -> str:
    if options.market in ("driftless", "edge"):
        edge = 1.0 if options.market == "edge" else 0.0
        scans = scan_synthetic(15, 24 * options.days, options.seed, edge)
        return report(f"Synthetic market, edge {edge:g}, {options.days} days, seed {options.seed}", scans)
    if options.data is None:
        raise InputError(f"--market {options.market} needs --data: where its recordings are")
    if options.market == "bars":
        scans = scan_bars(options.data, options.symbols, options.days, options.order)
        return report(f"Recorded bars, rebuilt ({options.order} order), {options.days} days", scans)
    return depth_report(sorted(options.data.glob("*.gz")) if options.data.is_dir() else [options.data])


if __name__ == "__main__":
    main()
