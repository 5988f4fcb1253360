"""The null test of rebuilt tapes at length: `python -m studies.rebuilt_figures`.

Bars of driftless random walks are rebuilt; whatever order flow or past returns then say of following returns was manufactured.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from turbo_trader.console.progress import each
from turbo_trader.market.bridge import ORDERS
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance
from turbo_trader.market.rebuild import Order, rebuild
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import BAR, MINUTE, SECOND, Rows
from turbo_trader.market.state import new_states

START = 1_746_403_200 * SECOND
FEWEST = 500  # bars that say anything
_SCAN = 30 * SECOND


def walk_bars(count: int, points: int, seed: int, price: float, tick: float) -> Rows:
    """Bars of a driftless random walk of 10 bp a minute, seen `points` times a minute."""
    draws = np.random.default_rng(seed)
    steps = draws.standard_normal(count * points, dtype=np.float32) * np.float32(1e-3 / points**0.5)
    path = np.concatenate(([price], price * np.exp(np.cumsum(steps, dtype=np.float64))))
    path = np.rint(path / tick) * tick
    inside, opens = path[1:].reshape(count, points), path[:-1][::points]
    bars = np.zeros(count, BAR)
    bars["ts"] = START + np.arange(count) * MINUTE
    bars["open"], bars["close"] = opens, inside[:, -1]
    bars["high"], bars["low"] = np.maximum(inside.max(1), opens), np.minimum(inside.min(1), opens)
    bars["volume"] = 3_000.0
    return bars


def coefficients(bars: Rows, instrument: Instrument, seed: int, order: Order) -> dict[str, float]:
    """Correlation of order flow, prints and the return of 30 s with the next 30 s; `n`; and of order flow with its own 30 s."""
    rows = rebuild(bars, instrument, seed=seed, order=order)
    states = new_states(
        [instrument],
        flow_window_s=30,
        vol_half_life_min=30.0,
        slow_vol_half_life_min=1440.0,
        jump_sigmas=6.0,
        jump_fraction=0.005,
    )
    flow, prints, mids = [], [], []
    at = 0
    for now in range(START + _SCAN, START + len(bars) * MINUTE, _SCAN):
        at, _ = advance(states, 0, rows, at, now)
        state = states[0]
        flow.append(state["ofi"] / max(state["ofi_abs"], 1))
        prints.append(state["taker"] / max(state["taker_abs"], 1))
        mids.append(np.log(state["bid"] + state["ask"]))
    moves = np.diff(np.array(mids))
    past, following = moves[:-1], moves[1:]
    score, taker = np.array(flow)[1:-1], np.array(prints)[1:-1]

    def together(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
        return float(np.corrcoef(a, b)[0, 1])

    return {
        "order flow": together(score, following),
        "prints": together(taker, following),
        "past return": together(past, following),
        "standard error": len(past) ** -0.5,
        "order flow, same 30 s": together(score, past),
        "rows a bar": len(rows) / len(bars),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table as Markdown to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bars", type=int, default=60_000)
    options = parser.parse_args(arguments)
    if options.bars < FEWEST:
        parser.error(f"give at least {FEWEST} bars")
    known = {instrument.symbol: instrument for instrument in universe()}
    write = sys.stdout.write
    title = True
    kinds = [
        *(("XRPUSDT", 2.2, points, "random") for points in (60, 240, 600)),
        ("BTCUSDT", 100_000.0, 240, "random"),
        *(("XRPUSDT", 2.2, 240, order) for order in ORDERS[1:]),
    ]
    for symbol, price, points, order in each("kinds of bars", kinds):
        instrument = known[symbol]
        bars = walk_bars(options.bars, points, points, price, float(instrument.tick))
        found = coefficients(bars, instrument, 1, order)  # type: ignore[arg-type]
        if title:
            write("| bars of | order | " + " | ".join(found) + " |\n|---|---|" + "---|" * len(found) + "\n")
            title = False
        cells = " | ".join(f"{value:.4f}" for value in found.values())
        write(f"| {symbol}, {points} prices a minute | {order} | {cells} |\n")
    begun = time.perf_counter()
    rows = len(rebuild(bars, instrument, seed=2))
    seconds = time.perf_counter() - begun
    write(f"\n{rows:,} rows rebuilt in {seconds:.2f} s: {rows / seconds / 1e6:.1f} M a second.\n")


if __name__ == "__main__":
    main()
