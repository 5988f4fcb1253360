"""Exits played on paths do what the rules say, and earn nothing on a martingale."""

from __future__ import annotations

import numpy as np
import pytest

from studies.played import barrier_hit, exit_at, play_market, seed_coins, simulate
from studies.trades import zones_of
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.expectation import exits_ev

TP, SL, EVEN, HOLD = 0.006, 0.003, 0.0011, 10
ZONES = zones_of(Policy(belief=Belief.WEIGHED))


def played(*gains: float, share: float = 0.0) -> int:
    path = np.array([*gains, *[gains[-1]] * (2 * HOLD - len(gains))])
    return int(exit_at(path, TP, SL, EVEN, HOLD, ZONES._replace(extension_share=share)))


def test_each_zone_closes_where_the_rules_say() -> None:
    assert played(0.0, -0.0031, 0.01) == 1  # stop
    assert played(0.0) == HOLD - 1  # time, before zone 1
    assert played(0.0031, 0.002) == 2 * HOLD - 1  # zone 1 doubles the time
    assert played(0.0031, 0.002, 0.001) == 2  # break-even
    assert played(0.0031, 0.0061) == 1  # target, not extended
    assert played(0.0061, 0.0095, share=1.0) == 2 * HOLD - 1  # extended, the next target is at 0.012
    assert played(0.0061, 0.0091, 0.0044, share=1.0) == 2  # back to the lock, half of 0.009
    assert played(0.0061, 0.0091, 0.0121, 0.0151, share=1.0) == 3  # three times at most


def test_the_first_barrier_counts() -> None:
    assert barrier_hit(np.array([0.001, 0.0061, -0.004]), TP, SL) == 1
    assert barrier_hit(np.array([0.001, -0.0031, 0.0061]), TP, SL) == -1
    assert barrier_hit(np.array([0.001, -0.001]), TP, SL) == 0


def test_market_trades_pay_the_spread_and_mirror_for_shorts() -> None:
    book = np.full((2 * HOLD + 2, 2), (99_990, 100_010), np.int32)
    book[5:] += 700
    out = np.zeros((2, 3))
    ones = np.ones(2)
    play_market(
        book, np.array([0, 0]), np.array([1, -1]), TP * ones, SL * ones, EVEN * ones, HOLD, ZONES, out
    )
    assert out[0] == pytest.approx([100_690 / 100_010 - 1, 0.007, 1])
    assert out[1] == pytest.approx([1 - 100_710 / 99_990, -0.007, -1])


def test_simulated_exits_earn_what_the_ev_says() -> None:
    seed_coins(1)
    for drift in (0.0, 2e-6):
        gross, error = simulate(3000, TP, SL, EVEN, drift, 1.5e-4, 900, 1800, ZONES)
        value = exits_ev(TP, SL, EVEN, drift, 1.5e-4, 900.0, 1800.0, 0.0, 1.0, ZONES)
        assert abs(gross - value) < 2e-5 + 3 * error
