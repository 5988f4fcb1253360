"""`scripts/bench`: how fast the parts are here and now. Best and median of several passes; machines are noisy, compare ratios."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np

from turbo_trader.market.events import MINUTE, SECOND, Rows
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance, advance_book, backfill
from turbo_trader.market.reference import universe
from turbo_trader.market.state import new_states
from turbo_trader.market.tape import Tape
from turbo_trader.research import latency
from turbo_trader.research.dense import dense_rows
from turbo_trader.rules.assess import assess
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.filters import new_filters
from turbo_trader.signals.noise import fit_noise
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600 * SECOND
HOUR = 60 * MINUTE
HOURS = 2
UNTIL = START + HOURS * HOUR
PASSES = 7
Instruments: TypeAlias = tuple[Instrument, ...]


def timed(what: Callable[[], object]) -> list[float]:
    """Seconds of each of PASSES calls after one that is not counted."""
    what()
    found = []
    for _ in range(PASSES):
        began = time.perf_counter()
        what()
        found.append(time.perf_counter() - began)
    return found


def line(name: str, seconds: list[float], count: float, unit: str, scale: float) -> None:
    """One row: best and median rate (events) or time (calls)."""
    best, median = min(seconds), statistics.median(seconds)
    if scale > 0:
        print(
            f"{name:<42} best {count / best / scale:10.2f} {unit}   median {count / median / scale:10.2f} {unit}"
        )
    else:
        print(
            f"{name:<42} best {best / count * -scale:10.2f} {unit}   median {median / count * -scale:10.2f} {unit}"
        )


def main() -> None:
    """Print all of it, or with `latency` as its argument what `research.latency` measures."""
    if sys.argv[1:] == ["latency"]:
        latency.main()
        return
    policy = Policy()
    instruments = universe()
    market = SyntheticMarket(instruments, 1, START, 0.0)
    rows = [market.read(s, UNTIL) for s in range(len(instruments))]
    kernels(policy, instruments, rows)
    scans(policy, instruments, market, rows)
    whole_backtest(policy, instruments[:6], market, rows[:6])
    print(f"{sum(map(len, rows)):,} rows of {len(instruments)} symbols, {HOURS} h made up")


def kernels(policy: Policy, instruments: Instruments, rows: Sequence[Rows]) -> None:
    """Rows a second of the two cursors, on a sparse made-up book and on a dense one."""

    def over(kernel: Callable[..., object], tape: Sequence[Rows]) -> Callable[[], None]:
        def run() -> None:
            states = new_states(instruments, **policy.market_parameters())
            for s, part in enumerate(tape):
                kernel(states, s, part, 0, int(part["ts"][-1]) + SECOND)

        return run

    for name, tape in (("made-up book", rows), ("dense book", [dense_rows(2_000_000, START)])):
        total = sum(map(len, tape))
        line(f"advance, everything: {name}", timed(over(advance, tape)), total, "M rows/s", 1e6)
        line(f"advance_book, the Exchange's: {name}", timed(over(advance_book, tape)), total, "M rows/s", 1e6)


def scans(policy: Policy, instruments: Instruments, market: SyntheticMarket, rows: Sequence[Rows]) -> None:
    """Microseconds of a scan of one symbol, milliseconds of a noise fit."""
    states = new_states(instruments, **policy.market_parameters())
    filters = new_filters(len(instruments))
    for s, instrument in enumerate(instruments):
        backfill(states, s, market.history(instrument.symbol))
        advance(states, s, rows[s], 0, UNTIL)
    tier = policy.capital_tier(Decimal(18))
    signals, gates = (
        policy.signal_parameters(tier),
        policy.gate_parameters(tier, Decimal(18), len(instruments)),
    )
    out = np.zeros(len(instruments), SCAN)

    def scan() -> None:
        for s in range(len(instruments)):
            assess(states, filters, s, UNTIL, signals, gates, out, s)

    line("assess: one symbol, called from Python", timed(scan), len(instruments), "us", -1e6)
    seconds, y = states["sample_second"][0], states["sample_y"][0]
    order = np.argsort(seconds)
    line("fit_noise: 2,048 samples", timed(lambda: fit_noise(seconds[order], y[order])), 1, "ms", -1e3)


def whole_backtest(
    policy: Policy, instruments: Instruments, market: SyntheticMarket, rows: Sequence[Rows]
) -> None:
    """Events a second and microseconds a symbol-scan of the daemon in simulated time."""
    tape = Tape(instruments, tuple(rows), "made up", made_up=True)
    history = tuple(market.history(instrument.symbol) for instrument in instruments)
    whole = timed(lambda: Backtest(tape, policy, Decimal(18)).run(history))
    line("backtest: 6 symbols, everything", whole, sum(map(len, rows)), "M events/s", 1e6)
    count = HOURS * HOUR // (30 * SECOND) * len(instruments)
    line("backtest: a symbol-scan with everything", whole, count, "us", -1e6)


if __name__ == "__main__":
    main()
