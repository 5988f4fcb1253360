"""Scans of a study are the daemon's, and their forward returns look where they say."""

from __future__ import annotations

import numpy as np
import pytest

from studies.scans import EQUITY, KEPT, Scanner
from studies.signals import START, scan_synthetic
from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.market.state import new_states
from turbo_trader.rules.assess import assess
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.filters import new_filters
from turbo_trader.simulation.synthetic import SyntheticMarket

pytestmark = pytest.mark.long


def test_scans_equal_those_made_one_by_one() -> None:
    """The first hour, before any noise is fitted, against plain calls of the daemon's kernels."""
    policy, instruments = Policy(), universe()[:2]
    scans = scan_synthetic(2, 1, 7, 1.0, with_book=True)
    market = SyntheticMarket(instruments, 7, START, 1.0)
    states = new_states(instruments, **policy.market_parameters())
    filters = new_filters(2)
    tier = policy.capital_tier(EQUITY)
    signals, gates = policy.signal_parameters(tier), policy.gate_parameters(tier, EQUITY, 2)
    out = np.zeros(2, SCAN)
    for s, instrument in enumerate(instruments):
        backfill(states, s, market.history(instrument.symbol))
    for n in range(120):
        now = START + (n + 1) * 30 * SECOND
        gates["btc_move_ts"] = states["big_move_ts"][0]
        for s in range(2):
            advance(states, s, market.read(s, now), 0, now)
            assess(states, filters, s, now, signals, gates, out, s)
            for name in set(KEPT) - {"p_tp", "ev"}:  # those are computed for more rows
                assert np.array_equal(scans.figures[name][s, n], out[name][s]), (name, s, n)
            assert scans.book[s, 30 * (n + 1) - 1].tolist() == [states["bid"][s], states["ask"][s]]
    assert (scans.figures["direction"] != 0).any()


def test_forward_returns_are_those_of_the_price_so_much_later() -> None:
    scans = scan_synthetic(2, 1, 3, 0.0, with_book=True)
    middle = scans.book.sum(axis=2)
    for horizon in (30, 300):
        forward = scans.forward(horizon)
        for n in (0, 5, 60):
            i = (n + 1) * 30 - 1
            expected = np.log(middle[:, i + horizon] / middle[:, i])
            assert forward[:, n] == pytest.approx(expected, abs=1e-9)
        assert np.isnan(forward[:, -horizon // 30 :]).all()
    with pytest.raises(ValueError, match="multiple"):
        scans.forward(45)


class _Cut:
    """The synthetic market without rows from a time on."""

    def __init__(self, market: SyntheticMarket, end: int) -> None:
        self.instruments, self.start = market.instruments, market.start
        self._market, self._end = market, end

    def read(self, s: int, until: int) -> Rows:
        return self._market.read(s, min(until, self._end))


def test_no_scan_sees_what_comes_after_it() -> None:
    end = START + 5400 * SECOND
    both = []
    for cut in (False, True):
        market = SyntheticMarket(universe()[:2], 5, START, 1.0)
        scanner = Scanner(_Cut(market, end) if cut else market, Policy())
        for s, instrument in enumerate(market.instruments):
            scanner.backfill(s, market.history(instrument.symbol))
        both.append(scanner.run(2).figures)
    before = 5400 // 30 - 1
    for name in KEPT:
        assert np.array_equal(both[0][name][:, :before], both[1][name][:, :before]), name
    assert not np.array_equal(both[0]["mid"], both[1]["mid"])
