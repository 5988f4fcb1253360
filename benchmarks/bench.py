"""`scripts/bench`: how fast the parts are here and now. Best and median of several passes; machines are noisy, compare ratios."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks import latency, order_latency, recording_cost, transports
from benchmarks.dense import dense_rows, one_level_rows
from studies.trades import zones_of
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.kernel import advance, advance_book, backfill
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND, Rows
from turbo_trader.market.state import SECONDS, States, new_states
from turbo_trader.market.tape import Tape
from turbo_trader.rules.assess import assess
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.expectation import exits_ev
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.noise import fit_noise
from turbo_trader.signals.passage import two_barrier, two_barrier_spread
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600 * SECOND
HOUR = 60 * MINUTE
HOURS = 2
UNTIL = START + HOURS * HOUR
PASSES = 7
SCAN_EVERY = 30 * SECOND
WARM = 20 * MINUTE  # before the noise is fitted, and again before scans are counted
#: What a row costs against another of the same run, which a busy machine slows as much: name, rate, rate, least ratio.
FLOORS = (
    ("one-level frames / frames of eight", (advance, "one-level frames"), (advance, "dense book"), 0.6),
    ("one-level frames / their book alone", (advance, "one-level frames"), (advance_book, "one-level frames"), 0.25),
)  # fmt: skip
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
    """Print all of it, or with `latency`, `orders`, `transports` or `recording FRAMES` what the module of that measures."""
    others = (
        ("latency", latency), ("orders", order_latency), ("transports", transports), ("recording", recording_cost),
    )  # fmt: skip
    for name, other in others:
        if sys.argv[1:2] == [name]:
            other.main()
            return
    policy = Policy()
    instruments = universe()
    market = SyntheticMarket(instruments, 1, START, 0.0)
    rows = [market.read(s, UNTIL) for s in range(len(instruments))]
    missed = kernels(policy, instruments, rows)
    scans(policy, instruments)
    passages(policy)
    whole_backtest(policy, instruments[:6], market, rows[:6])
    print(f"{sum(map(len, rows)):,} rows of {len(instruments)} symbols, {HOURS} h made up")
    if missed:
        sys.exit(1)


def kernels(policy: Policy, instruments: Instruments, rows: Sequence[Rows]) -> bool:
    """Rows a second of the two cursors, on a sparse made-up book and on dense ones; whether a ratio of FLOORS is missed."""

    def over(kernel: Callable[..., object], tape: Sequence[Rows]) -> Callable[[], None]:
        def run() -> None:
            states = new_states(instruments, **policy.market_parameters())
            for s, part in enumerate(tape):
                kernel(states, s, part, 0, int(part["ts"][-1]) + SECOND)

        return run

    tapes = {
        "made-up book": rows, "dense book": [dense_rows(2_000_000, START)], "one-level frames": [one_level_rows(2_000_000, START)],
    }  # fmt: skip
    rates: dict[tuple[Callable[..., object], str], float] = {}
    for name, tape in tapes.items():
        total = sum(map(len, tape))
        for kernel, what in (
            (advance, "advance, everything"),
            (advance_book, "advance_book, the Exchange's"),
        ):
            taken = timed(over(kernel, tape))
            line(f"{what}: {name}", taken, total, "M rows/s", 1e6)
            rates[kernel, name] = total / min(taken)
    missed = False
    for what, above, below, floor in FLOORS:
        ratio = rates[above] / rates[below]
        missed |= ratio < floor
        print(f"{what:<42} ratio {ratio:8.2f}   at least {floor}{'   MISSED' if ratio < floor else ''}")
    return missed


def scans(policy: Policy, instruments: Instruments) -> None:
    """Microseconds of a scan of all symbols on a market with an edge, everything warm; milliseconds of a noise fit."""
    market = SyntheticMarket(instruments, 1, START, 1.0)
    states = new_states(instruments, **policy.market_parameters())
    filters = new_filters(len(instruments))
    tier = policy.capital_tier(Decimal(18))
    signals = policy.signal_parameters(tier)
    gates = policy.gate_parameters(tier, Decimal(18), len(instruments))
    out = np.zeros(len(instruments), SCAN)

    def scan(now: int) -> float:
        began = time.perf_counter()
        for s in range(len(instruments)):
            assess(states, filters, s, now, signals, gates, out, s)
        return time.perf_counter() - began

    for s, instrument in enumerate(instruments):
        backfill(states, s, market.history(instrument.symbol))
    taken = []
    for now in range(START + SCAN_EVERY, UNTIL + 1, SCAN_EVERY):
        for s in range(len(instruments)):
            advance(states, s, market.read(s, now), 0, now)
            if now == START + WARM and (noise := fit_noise(*samples(states, s))):
                set_noise(filters, s, noise)
        taken.append(scan(now))
    warm = taken[2 * WARM // SCAN_EVERY :]
    line(f"assess: {len(instruments)} symbols, called from Python", warm, 1, "us", -1e6)
    seconds, y = samples(states, 0)
    line(f"fit_noise: {len(y):,} samples", timed(lambda: fit_noise(seconds, y)), 1, "ms", -1e3)


def passages(policy: Policy) -> None:
    """Microseconds of a first passage, of p_tp (three of them) and of an EV, over targets, stops, drifts and volatilities."""
    rng = np.random.default_rng(1)
    target, stop = rng.uniform(0.004, 0.015, 500), rng.uniform(0.0025, 0.006, 500)
    drift, sigma = rng.normal(0, 3e-6, 500), 10 ** rng.uniform(-4.3, -3.2, 500)
    points = list(zip(target, stop, drift, sigma, strict=True))
    tier, log_sd, zones = policy.capital_tier(Decimal(18)), float(policy.vol_log_sd), zones_of(policy)
    h, hold, cost = float(tier.horizon_s), float(tier.max_hold_s), float(policy.round_trip_fee)
    for name, call in (
        ("first passage", lambda u, d, m, s: two_barrier(u, -d, m, s, h, hold, 1.0)),
        ("p_tp", lambda u, d, m, s: two_barrier_spread(u, -d, m, s, log_sd, h, hold, 1.0)),
        ("EV of the exits", lambda u, d, m, s: exits_ev(u, d, cost, m, s, h, hold, cost, 1.0, zones)),
    ):
        taken = timed(lambda call=call: [call(*point) for point in points])  # type: ignore[misc]
        line(f"{name}: a call", taken, len(points), "us", -1e6)


def samples(states: States, s: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The one-second samples of a symbol, oldest first."""
    seconds, y = states["sample_second"][s], states["sample_y"][s]
    order = np.argsort(seconds)[-int(min(states["samples"][s], SECONDS)) :]
    return seconds[order], y[order]


def whole_backtest(
    policy: Policy, instruments: Instruments, market: SyntheticMarket, rows: Sequence[Rows]
) -> None:
    """Events a second and microseconds a symbol-scan of the daemon in simulated time."""
    tape = Tape(instruments, tuple(rows), "made up", made_up=True)
    history = tuple(market.history(instrument.symbol) for instrument in instruments)
    whole = timed(lambda: Backtest(tape, policy, Decimal(18)).run(history))
    line("backtest: 6 symbols, everything", whole, sum(map(len, rows)), "M events/s", 1e6)
    count = HOURS * HOUR // SCAN_EVERY * len(instruments)
    line("backtest: a symbol-scan with everything", whole, count, "us", -1e6)


if __name__ == "__main__":
    main()
