"""`scripts/bench`: how fast the parts are here and now. Best and median of several passes; machines are noisy, compare ratios."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks import crossings, latency, load, order_latency, recording_cost, soak, transports
from benchmarks.dense import dense_rows, one_level_rows
from benchmarks.peers import turns as peers
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
    ("one-level frames / frames of eight", (advance, "one-level frames"), (advance, "dense book"), 1.0),
    ("one-level frames / their book alone", (advance, "one-level frames"), (advance_book, "one-level frames"), 0.5),
)  # fmt: skip
Instruments: TypeAlias = tuple[Instrument, ...]


class Report:
    """Lines as they are measured, or one JSON object at the end."""

    def __init__(self, *, as_json: bool, passes: int) -> None:
        self._json = as_json
        self._passes = passes
        self._measured: dict[str, dict[str, float | str]] = {}
        self._ratios: dict[str, float] = {}

    def timed(self, what: Callable[[], object]) -> list[float]:
        """Seconds of each pass after one that is not counted."""
        what()
        found = []
        for _ in range(self._passes):
            began = time.perf_counter()
            what()
            found.append(time.perf_counter() - began)
        return found

    def rate(self, name: str, seconds: list[float], count: float, unit: str) -> None:
        """Millions a second: best and median."""
        self._line(name, [count / each / 1e6 for each in (min(seconds), statistics.median(seconds))], unit)

    def time(self, name: str, seconds: list[float], count: float, unit: str) -> None:
        """Of one of `count` calls, in ms or us: best and median."""
        scale = {"ms": 1e3, "us": 1e6}[unit] / count
        self._line(name, [scale * each for each in (min(seconds), statistics.median(seconds))], unit)

    def ratio(self, name: str, found: float, floor: float) -> bool:
        """Whether it is below its floor."""
        self._ratios[name] = round(found, 3)
        if not self._json:
            print(f"{name:<42} ratio {found:8.2f}   at least {floor}{'   MISSED' if found < floor else ''}")
        return found < floor

    def end(self, about: str) -> None:
        """What was measured on."""
        if self._json:
            print(json.dumps({"ratios": self._ratios, "measured": self._measured, "about": about}, indent=1))
        else:
            print(about)

    def _line(self, name: str, found: list[float], unit: str) -> None:
        best, median = found
        self._measured[name] = {"best": round(best, 4), "median": round(median, 4), "unit": unit}
        if not self._json:
            print(f"{name:<42} best {best:10.2f} {unit}   median {median:10.2f} {unit}")


def main() -> None:
    """Print all of it, or what the module of the first argument measures."""
    others = (
        ("latency", latency), ("load", load), ("crossings", crossings), ("orders", order_latency), ("transports", transports),
        ("recording", recording_cost), ("soak", soak),
    )  # fmt: skip
    for name, other in others:
        if sys.argv[1:2] == [name]:
            other.main()
            return
    asked = argparse.ArgumentParser(prog="scripts/bench", description="How fast the parts are here and now.")
    asked.add_argument(
        "--peers",
        action="store_true",
        help="other programs beside ours, in turns; writes docs/performance.md",
    )
    asked.add_argument(
        "--quick", action="store_true", help="shorter tapes, fewer passes; the page is not written"
    )
    asked.add_argument(
        "--only", default="", help="with --peers: comparisons whose names begin so; the page is not written"
    )
    asked.add_argument("--json", action="store_true", help="one JSON object")
    options = asked.parse_args()
    if options.peers:
        sys.exit(peers.main(quick=options.quick, as_json=options.json, only=options.only))
    sys.exit(parts(Report(as_json=options.json, passes=3 if options.quick else PASSES)))


def parts(report: Report) -> int:
    """Every part of ours; 1 where a ratio of FLOORS is missed."""
    policy = Policy()
    instruments = universe()
    market = SyntheticMarket(instruments, 1, START, 0.0)
    rows = [market.read(s, UNTIL) for s in range(len(instruments))]
    missed = kernels(report, policy, instruments, rows)
    scans(report, policy, instruments)
    passages(report, policy)
    whole_backtest(report, policy, instruments[:6], market, rows[:6])
    report.end(f"{sum(map(len, rows)):,} rows of {len(instruments)} symbols, {HOURS} h made up")
    return 1 if missed else 0


def kernels(report: Report, policy: Policy, instruments: Instruments, rows: Sequence[Rows]) -> bool:
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
            taken = report.timed(over(kernel, tape))
            report.rate(f"{what}: {name}", taken, total, "M rows/s")
            rates[kernel, name] = total / min(taken)
    missed = False
    for what, above, below, floor in FLOORS:
        missed |= report.ratio(what, rates[above] / rates[below], floor)
    return missed


def scans(report: Report, policy: Policy, instruments: Instruments) -> None:
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
    report.time(f"assess: {len(instruments)} symbols, called from Python", warm, 1, "us")
    seconds, y = samples(states, 0)
    report.time(f"fit_noise: {len(y):,} samples", report.timed(lambda: fit_noise(seconds, y)), 1, "ms")


def passages(report: Report, policy: Policy) -> None:
    """Microseconds of a first passage, of p_tp (three of them) and of an EV, over targets, stops, drifts and volatilities."""
    rng = np.random.default_rng(1)
    target, stop = rng.uniform(0.004, 0.015, 500), rng.uniform(0.0025, 0.006, 500)
    drift, sigma = rng.normal(0, 3e-6, 500), 10 ** rng.uniform(-4.3, -3.2, 500)
    points = list(zip(*(each.tolist() for each in (target, stop, drift, sigma)), strict=True))
    tier, log_sd, zones = policy.capital_tier(Decimal(18)), float(policy.vol_log_sd), zones_of(policy)
    h, hold, cost = float(tier.horizon_s), float(tier.max_hold_s), float(policy.round_trip_fee)
    for name, call in (
        ("first passage", lambda u, d, m, s: two_barrier(u, -d, m, s, h, hold, 1.0)),
        ("p_tp", lambda u, d, m, s: two_barrier_spread(u, -d, m, s, log_sd, h, hold, 1.0)),
        ("EV of the exits", lambda u, d, m, s: exits_ev(u, d, cost, m, s, h, hold, cost, 1.0, zones)),
    ):
        taken = report.timed(lambda call=call: [call(*point) for point in points])  # type: ignore[misc]
        report.time(f"{name}: a call", taken, len(points), "us")


def samples(states: States, s: int) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The one-second samples of a symbol, oldest first."""
    seconds, y = states["sample_second"][s], states["sample_y"][s]
    order = np.argsort(seconds)[-int(min(states["samples"][s], SECONDS)) :]
    return seconds[order], y[order]


def whole_backtest(
    report: Report, policy: Policy, instruments: Instruments, market: SyntheticMarket, rows: Sequence[Rows]
) -> None:
    """Events a second and microseconds a symbol-scan of the daemon in simulated time."""
    tape = Tape(instruments, tuple(rows), "made up", made_up=True)
    history = tuple(market.history(instrument.symbol) for instrument in instruments)
    whole = report.timed(lambda: Backtest(tape, policy, Decimal(18)).run(history))
    report.rate("backtest: 6 symbols, everything", whole, sum(map(len, rows)), "M events/s")
    count = HOURS * HOUR // SCAN_EVERY * len(instruments)
    report.time("backtest: a symbol-scan with everything", whole, count, "us")


if __name__ == "__main__":
    main()
