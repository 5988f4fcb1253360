"""With the real market kernel: how rows were batched never shows in a figure, and the future never does."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market import kernel
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import (
    BAR,
    DAY,
    FINE,
    FIRST,
    FUNDING,
    GAP,
    LAST,
    LEVEL,
    MARK,
    MINUTE,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
)
from turbo_trader.market.state import new_states
from turbo_trader.rules.assess import assess
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.noise import Noise

NOW = 20_000 * DAY + 12 * 3600 * SECOND
SCANS = tuple(NOW + k * 30 * SECOND for k in range(12, 21))
NOISE = Noise(2e-6, 5e-5, 3e-5, True, 1.0, 0.0, 10.0, 10.0, 900)


@cache
def bars() -> Any:
    rng = np.random.default_rng(1)
    phi, y = 0.5**0.1, np.zeros(1000)
    for i in range(1, 1000):
        y[i] = phi * y[i - 1] + rng.normal(0, 5e-4)
    out = np.zeros(1000, BAR)
    close = 10_000 * float(universe()[0].tick) * np.exp(y)
    out["ts"] = NOW - (1000 - np.arange(1000)) * MINUTE
    out["open"] = out["close"] = close
    out["high"], out["low"] = close * 1.0005, close * 0.9995
    out["volume"], out["turnover"] = 5.0, 5.0 * close
    return out


@cache
def tape(seed: int = 2, odd: float = 0.0) -> Any:
    """Ten minutes of two-sided frames and prints around 10,000 ticks, some seconds empty.

    `odd`: how often something else comes instead: a gap, a snapshot, a crossed or one-sided book, a row that cannot be, a silence.
    """
    rng = np.random.default_rng(seed)
    rows: list[tuple[int, int, int, int, int, int]] = [(NOW + 1, 800_000_000, 0, FUNDING | WHOLE, 0, 480)]
    mid, ts = 10_000, NOW + SECOND
    best = {1: mid - 1, -1: mid + 1}
    rows.append((ts, 5, best[1], LEVEL | FIRST, 1, 0))
    rows.append((ts, 5, best[-1], LEVEL | LAST, -1, 0))
    while ts < SCANS[-1] + 10 * SECOND:
        ts += int(rng.exponential(1.0) * SECOND)
        if rng.random() < odd:
            kind = int(rng.integers(6))
            ts += (50 if kind == 5 else 0) * SECOND
            rows += [
                [(ts, 0, 0, GAP | WHOLE, 0, 0)],
                [(ts, 0, 0, SNAPSHOT | FIRST, 0, 0), (ts, 9, mid - 1, LEVEL, 1, 0), (ts, 9, mid + 1, LEVEL | LAST, -1, 0)],
                [(ts, 3, mid + 5, LEVEL | WHOLE, 1, 0)],
                [(ts, 0, 0, SNAPSHOT | FIRST, 0, 0), (ts, 9, mid - 1, LEVEL | LAST, 1, 0)],
                [(ts, -3, -mid, LEVEL | WHOLE, 1, 0), (ts, 0, mid, TRADE | WHOLE, 1, 0)],
                [(ts, mid * FINE, 0, MARK | WHOLE, 0, 0)],
            ][kind]  # fmt: skip
            continue
        mid += int(rng.integers(-2, 3))
        frame = [(side, best[side], 0) for side in (1, -1)]
        best = {1: mid - 1, -1: mid + 1}
        frame += [(side, best[side], int(rng.integers(1, 50))) for side in (1, -1)]
        for k, (side, price, lots) in enumerate(frame):
            mark = (FIRST if k == 0 else 0) | (LAST if k == 3 else 0)
            rows.append((ts, lots, price, LEVEL | mark, side, 0))
        side = int(rng.choice([-1, 1]))
        rows.append((ts, int(rng.integers(1, 20)), best[-side], TRADE | WHOLE, side, 0))
    return np.array(rows, ROW)


def run(
    rows: Any, cuts: tuple[int, ...] = (), times: tuple[int, ...] = (), until: int = SCANS[-1]
) -> tuple[Any, Any, Any]:
    """(scan rows up to `until`, states, filters); the tape is handed over in slices at `cuts` and advanced to `times` between."""
    states, filters, out = (
        new_states(universe()[:1], **Policy().market_parameters()),
        new_filters(1),
        np.zeros(len(SCANS), SCAN),
    )
    kernel.backfill(states, 0, bars())
    set_noise(filters, 0, NOISE)
    whole = [0, *cuts, len(rows)]
    signals, gates = _params()
    done = 0
    for j, now in enumerate(t for t in SCANS if t <= until):
        for stop in sorted({t for t in times if t < now} | {now}):
            for _, end in pairwise(whole):
                if done < end:
                    done, _ = kernel.advance(states, 0, rows[:end], done, min(stop, _known(rows, end)))
            done, _ = kernel.advance(states, 0, rows, done, stop)
        assess(states, filters, 0, now, signals, gates, out, j)
    return out, states, filters


def _known(rows: Any, end: int) -> int:
    """Up to where a slice says everything: the time of its last row."""
    return int(rows[end - 1]["ts"])


def _params() -> Any:
    policy = Policy()
    tier = policy.capital_tier(Decimal(18))
    return policy.signal_parameters(tier), policy.gate_parameters(tier, Decimal(18))


def test_the_scans_of_the_tape_have_figures() -> None:
    out, _, _ = run(tape())
    assert out["warm"].all()
    assert out["fresh"].all()
    assert out["kalman_valid"].all()
    assert out["ou_valid"].any()
    assert (out["valid"] & 1).all()
    assert (out["consensus_horizons"] == 4).all()


@pytest.mark.long
@given(
    seed=st.integers(0, 2**32 - 1),
    odd=st.sampled_from([0.0, 0.02, 0.2]),
    cuts=st.lists(st.integers(1, 4000), max_size=6),
    times=st.lists(st.integers(NOW, SCANS[-1]), max_size=6),
)
@settings(max_examples=100, deadline=None)
def test_no_split_of_any_tape_changes_a_bit_of_state_or_signals(
    seed: int, odd: float, cuts: list[int], times: list[int]
) -> None:
    rows = tape.__wrapped__(seed, odd)
    ends = sorted(c for c in set(cuts) if c < len(rows) and rows[c - 1]["kind"] & LAST)
    whole, pieces = run(rows), run(rows, tuple(ends), tuple(times))
    for one, other in zip(whole, pieces, strict=True):
        assert one.tobytes() == other.tobytes()


@pytest.mark.long
@given(seed=st.integers(0, 2**32 - 1), odd=st.sampled_from([0.0, 0.1]), scan=st.integers(0, len(SCANS) - 1))
@settings(max_examples=100, deadline=None)
def test_what_comes_after_a_scan_does_not_change_it(seed: int, odd: float, scan: int) -> None:
    rows = tape.__wrapped__(seed, odd)
    cut = int(np.searchsorted(rows["ts"], SCANS[scan]))
    spoiled = rows.copy()
    spoiled["price"][cut:] += 500
    whole, _, _ = run(rows)
    for other in (run(rows[:cut], until=SCANS[scan])[0], run(spoiled, until=SCANS[scan])[0]):
        assert other[: scan + 1].tobytes() == whole[: scan + 1].tobytes()
