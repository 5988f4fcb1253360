"""Recorded and synthetic market side by side: `python -m studies.market_figures DATA`.

Writes the tables of docs/synthetic-market.md as Markdown. DATA is the folder of recorded data. Takes about a minute.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from studies.recorded_figures import (
    SIZES,
    bar_figures,
    depth_row,
    recorded_bars,
    recorded_depth,
    recorded_prints,
    recorded_session,
    slippage,
)
from turbo_trader.console.progress import Progress
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FIRST, KIND_MASK, LEVEL, MINUTE, SECOND, SNAPSHOT, TRADE
from turbo_trader.market.state import States, new_states
from turbo_trader.simulation.synthetic import SyntheticMarket

Figures: TypeAlias = Mapping[str, Mapping[str, float]]

_START = 1_786_310_820 * SECOND
_SCAN = 30 * SECOND
_FIT = {
    "flow_window_s": 30,
    "vol_half_life_min": 30.0,
    "slow_vol_half_life_min": 1440.0,
    "jump_sigmas": 6.0,
    "jump_fraction": 0.005,
}


def synthetic_bars(
    instruments: Sequence[Instrument], seeds: Sequence[int], edge: float
) -> dict[str, dict[str, float]]:
    """`bar_figures` of each symbol's histories, averaged over seeds."""
    found: dict[str, list[dict[str, float]]] = {}
    for seed in seeds:
        market = SyntheticMarket(instruments, seed, _START, edge)
        returns = {i.symbol: np.diff(np.log(market.history(i.symbol)["close"])) for i in instruments}
        for symbol, r in returns.items():
            found.setdefault(symbol, []).append(bar_figures(r, returns[instruments[0].symbol]))
    return {s: {k: float(np.mean([row[k] for row in rows])) for k in rows[0]} for s, rows in found.items()}


def synthetic_books(
    instruments: Sequence[Instrument], seed: int, minutes: int, edge: float
) -> dict[str, dict[str, float]]:
    """Depth as recorded_figures has it (medians over scans), prints and frames a minute, and order flow against price.

    `flow_now`: correlation of the 30 s order-flow imbalance with the return of the same 30 s; `flow_next`: with the next.
    """
    market = SyntheticMarket(instruments, seed, _START, edge)
    states = new_states(instruments, **_FIT)  # type: ignore[arg-type]
    count = len(instruments)
    depth: list[list[list[float]]] = [[] for _ in instruments]
    scores, mids = [], []
    prints, frames = np.zeros(count), np.zeros(count)
    usd: list[list[float]] = [[] for _ in instruments]
    for now in range(market.start + _SCAN, market.start + minutes * MINUTE + 1, _SCAN):
        for s, instrument in enumerate(instruments):
            rows = market.read(s, now)
            advance(states, s, rows, 0, now)
            kind = rows["kind"] & KIND_MASK
            trades = rows[kind == TRADE]
            prints[s] += len(trades)
            frames[s] += np.count_nonzero(((kind == LEVEL) | (kind == SNAPSHOT)) & (rows["kind"] & FIRST > 0))
            usd[s].extend(
                (trades["price"] * trades["lots"] * float(instrument.tick * instrument.step)).tolist()
            )
            depth[s].append(_depth(states, s))
        scores.append(states["ofi"] / np.maximum(states["ofi_abs"], 1))
        mids.append(np.log(states["bid"] + states["ask"]))
    score, moves = np.array(scores), np.diff(np.array(mids), axis=0)
    found = {}
    for s, instrument in enumerate(instruments):
        middle = np.nanmedian(np.array(depth[s]), axis=0)
        found[instrument.symbol] = {
            **depth_row(middle[0], middle[1:].tolist()),
            "prints": prints[s] / minutes,
            "frames": frames[s] / minutes,
            "usd_median": float(np.median(usd[s])),
            "usd_mean": float(np.mean(usd[s])),
            "flow_now": float(np.corrcoef(score[1:, s], moves[:, s])[0, 1]),
            "flow_next": float(np.corrcoef(score[1:-1, s], moves[1:, s])[0, 1]),
        }
    return found


def _depth(states: States, s: int) -> list[float]:
    """Spread and slippage of one book, bp."""
    state = states[s]
    sides = []
    for i in range(2):
        n = int(state["levels"][i])
        price = np.abs(state["key"][i, :n][::-1]) * state["tick"]
        sides.append(
            list(zip(price.tolist(), (state["lots"][i, :n][::-1] * state["lot"]).tolist(), strict=True))
        )
    bids, asks = sides
    return [(asks[0][0] / bids[0][0] - 1.0) * 1e4, *(slippage(bids, asks, size) for size in SIZES)]


def table(title: str, columns: Sequence[str], recorded: Figures, made: Figures) -> str:
    """A Markdown table with recorded / synthetic in each cell; a dash where one side has no figure."""
    lines = [f"### {title}", "", "| symbol | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
    for symbol in [*made, *(s for s in recorded if s not in made)]:
        cells = [f"{_cell(recorded, symbol, c)} / {_cell(made, symbol, c)}" for c in columns]
        lines.append(f"| {symbol} | " + " | ".join(cells) + " |")
    return "\n".join([*lines, ""])


def _cell(side: Figures, symbol: str, column: str) -> str:
    value = side.get(symbol, {}).get(column)
    return "-" if value is None or not np.isfinite(value) else f"{value:.3g}"


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure both sides and write the tables to stdout."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path, help="folder of recorded data")
    parser.add_argument("--seeds", type=int, default=8, help="synthetic histories (49 h each)")
    parser.add_argument("--minutes", type=int, default=480, help="minutes of synthetic rows")
    options = parser.parse_args(arguments)
    instruments = universe()
    write = sys.stdout.write
    bars = ("sd_bp", "kurtosis", "acf_1", "acf_60", "acf_240", "acf_r_1", "beta", "correlation")
    made = synthetic_bars(instruments, range(1, options.seeds + 1), 0.0)
    write(table("One-minute returns", bars, recorded_bars(options.data), made) + "\n")
    books = synthetic_books(instruments, 1, options.minutes, 0.0)
    spreads = ("spread", *(f"slip_{size:.0e}" for size in SIZES))
    write(table("Spread and slippage against mid, bp", spreads, recorded_depth(options.data), books) + "\n")
    _, pace = recorded_session(options.data)
    pace["BTCUSDT (Binance)"] = recorded_prints(options.data)
    write(
        table(
            "A minute's prints and book frames, prints in USD",
            ("prints", "frames", "usd_median", "usd_mean"),
            pace,
            books,
        )
        + "\n"
    )
    leading = synthetic_books(instruments, 1, options.minutes, 1.0)
    both = {s: {**row, "flow_next with edge 1": leading[s]["flow_next"]} for s, row in books.items()}
    write(
        table(
            "Order flow of 30 s against returns (nothing recorded is long enough)",
            ("flow_now", "flow_next", "flow_next with edge 1"),
            {},
            both,
        )
    )


if __name__ == "__main__":
    with Progress("measuring recorded and made-up markets"):
        main()
