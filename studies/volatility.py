"""How well sigma forecasts the volatility of the half hour to come, and how far it is off: `scripts/study volatility FOLDER`.

QLIKE loss of the realised variance on its forecast (Patton 2011: it ranks forecasts as the true variance would), its bias in quiet
and in loud times, and the spread of log(realised / forecast).
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from studies.signals import markdown
from turbo_trader.console.progress import Progress
from turbo_trader.market.bars import read_bars
from turbo_trader.market.compiled import kernel
from turbo_trader.rules.policy import Policy

AHEAD: Final = 30  # minutes
APART: Final = 15  # minutes between forecasts
WARM: Final = 2880  # minutes before the first one
PARTS: Final = 5

Array = NDArray[np.float64]


@kernel
def average(squares: Array, half_life: float) -> Array:
    """The exponential average after each entry; a plain mean until it has filled."""
    out = np.empty(squares.shape[0])
    keep, value = 0.5 ** (1.0 / half_life), 0.0
    for i in range(squares.shape[0]):
        value += max(1.0 / (i + 1), 1.0 - keep) * (squares[i] - value)
        out[i] = value
    return out


def pairs(closes: Sequence[Array], fast: float, slow: float) -> tuple[Array, Array, Array]:
    """(fast average, slow average, mean square return of the next AHEAD minutes), all symbols one after the other.

    `closes`: log prices a minute apart. Moments without a move before or after are left out.
    """
    parts = []
    for y in closes:
        squares = np.square(np.diff(y))
        after = np.convolve(squares, np.ones(AHEAD), "valid")[1:] / AHEAD
        at = np.arange(WARM, len(after) - 1, APART)
        parts.append(np.column_stack([average(squares, fast)[at], average(squares, slow)[at], after[at]]))
    rows = np.concatenate(parts)
    quick, long, came = rows[(rows > 0.0).all(1)].T
    return quick, long, came


def row(name: str, forecast: Array, came: Array, order: Array) -> list[str]:
    """One forecast's loss, bias by fifths of `order`, spread of the log."""
    ratio = came / forecast
    loss = float(np.mean(ratio - np.log(ratio) - 1.0))
    fifths = [came[part].mean() / forecast[part].mean() for part in np.array_split(np.argsort(order), PARTS)]
    return [name, f"{loss:.3f}", *(f"{x:.2f}" for x in fifths), f"{float(np.log(ratio).std()):.2f}"]


def study(title: str, closes: Sequence[Array], policy: Policy) -> str:
    """Forecasts by the fast average, the slow one, and weighted, as Markdown."""
    fast, slow = float(policy.vol_half_life_min), float(policy.slow_vol_half_life_min)
    quick, long, came = pairs(closes, fast, slow)
    rows = [row(f"{fast:g} min alone", quick, came, quick / long)]
    share = float(policy.slow_vol_share)
    for weight in sorted({0.1, 0.2, share, 0.3, 0.4, 0.5}):
        mixed = np.exp((1.0 - weight) * np.log(quick) + weight * np.log(long))
        rows.append(
            row(f"{weight:g} of {slow:g} min{' (in force)' * (weight == share)}", mixed, came, quick / long)
        )
    rows.append(row(f"{slow:g} min alone", long, came, quick / long))
    fifths = [f"{n}. fifth" for n in range(1, PARTS + 1)]
    head = ("forecast", "QLIKE", *fifths, "sd of log")
    return markdown(f"{title}: {len(came):,} half hours", head, rows) + "\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table as Markdown to stdout."""
    parser = argparse.ArgumentParser(prog="scripts/study volatility", description=__doc__)
    parser.add_argument("folder", type=Path, help="one-minute bars, one csv.gz a symbol")
    options = parser.parse_args(arguments)
    paths = sorted(options.folder.glob("*.csv.gz"))
    if not paths:
        parser.error(f"{options.folder}: no *.csv.gz in it")
    closes = [np.log(read_bars(path)["close"]) for path in paths]
    if min(map(len, closes)) < WARM + 2 * AHEAD or not all(math.isfinite(float(y.sum())) for y in closes):
        parser.error(
            f"{options.folder}: fewer than {WARM + 2 * AHEAD} bars in a file, or a price that is none"
        )
    with Progress("comparing forecasts of volatility"):
        found = study(f"{len(closes)} symbols", closes, Policy())
    sys.stdout.write(found)


if __name__ == "__main__":
    main()
