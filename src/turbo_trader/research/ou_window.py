"""How far predicted reversion may be believed: the slope of realised on predicted, by half-life and window.

A unit-root test lets lucky fits through, so a fit that passes overstates the reversion to come; the more so the shorter the window
is against the half-life. Run it: `python -m turbo_trader.research.ou_window [paths]`.
"""

from __future__ import annotations

import sys
from typing import Final

import numpy as np

from turbo_trader.market.compiled import kernel
from turbo_trader.market.state import MINUTES
from turbo_trader.signals import ou

HALF_LIVES: Final = (5.0, 10.0, 20.0, 30.0, 60.0)  # minutes
WINDOWS: Final = (120, 240, 480, 960, 1440)  # samples of one minute
HORIZON: Final = 15  # minutes ahead
CRITICAL: Final = (-2.86154, -2.8903, -4.234, -40.040)  # MacKinnon (2010), constant, 5 %

_critical, _least_squares, _reversion = ou.critical, ou.least_squares, ou.reversion


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
        fit, _, statistic, _, mean, after, _ = _least_squares(minutes, y, 0, n)
        if statistic >= _critical(coefficients, n):
            continue
        fit += (1.0 + 3.0 * fit) / n
        if not 0.0 < fit < 1.0:
            continue
        found_half_life = -np.log(2.0) / np.log(fit)
        if bounds_on and not 2.0 <= found_half_life <= 60.0:
            continue
        centre = (after - fit * mean) / (1.0 - fit)
        predicted[found] = _reversion(centre - y[n], fit, float(horizon), 0.0, 0.0, 0.0, 0.0)[0]
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


if __name__ == "__main__":
    sys.stdout.write(table(int(sys.argv[1]) if len(sys.argv) > 1 else 4000) + "\n")
