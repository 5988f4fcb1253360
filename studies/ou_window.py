"""How far predicted reversion may be believed: the slope of realised on predicted, by half-life and window.

A unit-root test lets lucky fits through, so a fit that passes overstates the reversion to come; the more so the shorter the window
is against the half-life. What is predicted is what a scan predicts: the fit's reversion, as far as it is believed.
Run it: `scripts/study ou_window [paths]` on simulated paths, or `scripts/study ou_window FOLDER` on the one-minute bars in a folder
(csv.gz, one file per symbol).
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.console.progress import Progress
from turbo_trader.market.bars import read_bars
from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import MINUTES
from turbo_trader.signals import drift_belief, ou

HALF_LIVES: Final = (5.0, 10.0, 20.0, 30.0, 60.0)  # minutes
WINDOWS: Final = (120, 240, 480, 960, 1440)  # samples of one minute
HORIZON: Final = 15  # minutes ahead
CRITICAL: Final = (-2.86154, -2.8903, -4.234, -40.040)  # MacKinnon (2010), constant, 5 %

_critical, _least_squares, _reversion = ou.critical, ou.least_squares, ou.reversion
_white_variance, _belief = ou.white_variance, drift_belief.belief


@kernel
def slope(
    seed: int, paths: int, half_life: float, window: int, horizon: int, bounds_on: bool
) -> tuple[float, float, float]:
    """(slope of realised on predicted, its standard error, share of paths whose fit is valid) on simulated OU paths.

    `half_life` in minutes; `bounds_on`: the half-life bounds of 2 to 60 min hold too.
    """
    np.random.seed(seed)
    phi = 0.5 ** (1.0 / half_life)
    noise = np.sqrt(1.0 - phi * phi)
    coefficients = np.array(CRITICAL)
    minutes, y = np.arange(MINUTES), np.zeros(MINUTES)
    predicted, realised = np.empty(paths), np.empty(paths)
    found = 0
    n = window - 1
    for _ in range(paths):
        y[0] = np.random.normal()
        for i in range(1, window + horizon):
            y[i] = phi * y[i - 1] + noise * np.random.normal()
        fit, _, _, _, mean, after, _ = _least_squares(minutes, y, 0, n)
        error2 = _white_variance(minutes, y, 0, n, fit, mean, after)
        if fit - 1.0 >= _critical(coefficients, n) * np.sqrt(error2):
            continue
        believed = _belief((fit - 1.0) * (fit - 1.0) / error2, n / error2)
        fit += (1.0 + 3.0 * fit) / n
        if not 0.0 < fit < 1.0:
            continue
        found_half_life = -np.log(2.0) / np.log(fit)
        if bounds_on and not 2.0 <= found_half_life <= 60.0:
            continue
        centre = (after - fit * mean) / (1.0 - fit)
        predicted[found] = believed * _reversion(centre - y[n], fit, float(horizon), 0.0, 0.0, 0.0, 0.0)[0]
        realised[found] = y[n + horizon] - y[n]
        found += 1
    if found < 3:
        return 0.0, 0.0, found / paths
    p, r = predicted[:found], realised[:found]
    square = np.sum(p * p)
    b = np.sum(p * r) / square
    errors = r - b * p
    return b, np.sqrt(np.sum(p * p * errors * errors)) / square, found / paths


def table(paths: int) -> str:
    """The slopes as a Markdown table: slope +- standard error (share of valid fits)."""
    lines = ["| half-life, min | " + " | ".join(str(w) for w in WINDOWS) + " |", "|---" * 6 + "|"]
    for half_life in HALF_LIVES:
        cells = []
        for window in WINDOWS:
            b, error, share = slope(1, paths, half_life, window, HORIZON, True)
            cells.append(f"{b:.2f} +- {error:.2f} ({100 * share:.0f} %)")
        lines.append(f"| {half_life:.0f} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


@kernel
def walk_bars(y: NDArray[np.float64], window: int, horizon: int, out: NDArray[np.float64]) -> int:
    """out[k] <- (minute, predicted, z, realised) of every valid fit of `window` closes that slides over `y`; how many."""
    coefficients = np.array(CRITICAL)
    minutes, ring = np.arange(MINUTES), np.zeros(MINUTES)
    n = window - 1
    found = 0
    for i in range(n, y.shape[0] - horizon):
        ring[:window] = y[i - n : i + 1]
        fit, _, _, v, mean, after, _ = _least_squares(minutes, ring, 0, n)
        error2 = _white_variance(minutes, ring, 0, n, fit, mean, after)
        if fit - 1.0 >= _critical(coefficients, n) * np.sqrt(error2):
            continue
        believed = _belief((fit - 1.0) * (fit - 1.0) / error2, n / error2)
        fit += (1.0 + 3.0 * fit) / n
        if not 0.0 < fit < 1.0 or not 2.0 <= -np.log(2.0) / np.log(fit) <= 60.0:
            continue
        gap = (after - fit * mean) / (1.0 - fit) - y[i]
        out[found, 0] = i
        out[found, 1] = believed * gap * (1.0 - fit**horizon)
        out[found, 2] = -gap / np.sqrt(v / (1.0 - fit * fit))
        out[found, 3] = y[i + horizon] - y[i]
        found += 1
    return found


def _clustered(x: NDArray[np.float64], minute: NDArray[np.float64]) -> float:
    """Standard error of a sum of `x`, entries of one hour over all symbols taken as one (they overlap and move together)."""
    hours = np.bincount((minute // 60).astype(np.int64), x)
    return float(np.sqrt(np.sum(hours * hours)))


def bars_table(folder: Path) -> str:
    """What valid fits predicted and what came 15 min later on real bars, by window, as a Markdown table."""
    closes = [np.log(read_bars(path)["close"]) for path in sorted(folder.glob("*.csv.gz"))]
    lines = [
        "| window | fits valid | slope | beyond 1 sd: an hour | mean return its way, bp | hit rate |",
        "|---" * 6 + "|",
    ]
    for window in WINDOWS:
        parts = []
        for y in closes:
            out = np.empty((len(y), 4))
            parts.append(out[: walk_bars(y, window, HORIZON, out)])
        minute, predicted, z, realised = np.concatenate(parts).T
        far = np.abs(z) > 1.0
        if not far.any():
            lines.append(f"| {window} | none |" + " - |" * 4)
            continue
        square = float(np.dot(predicted, predicted))
        b = float(np.dot(predicted, realised)) / square
        error = _clustered(predicted * (realised - b * predicted), minute) / square
        gains = np.sign(predicted[far]) * realised[far]
        mean = float(gains.mean())
        spread = _clustered(gains - mean, minute[far]) / len(gains)
        tried = sum(len(y) - window - HORIZON + 1 for y in closes)
        hours = max(len(y) for y in closes) / 60
        hit = float((gains > 0).mean())
        lines.append(
            f"| {window} | {100 * len(minute) / tried:.1f} % | {b:.2f} +- {error:.2f} | {far.sum() / hours:.1f} "
            f"| {1e4 * mean:+.1f} +- {1e4 * spread:.1f} | {100 * hit:.1f} % |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    argument = sys.argv[1] if len(sys.argv) > 1 else "4000"
    with Progress("fitting windows"):
        found = table(int(argument)) if argument.isdigit() else bars_table(Path(argument))
    sys.stdout.write(found + "\n")
