"""Positions left to the zones on rebuilt bars of driftless walks earn nothing: mean net = -cost (rules, section 9)."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from studies.rebuilt_exits import Path, earned, path_of, trades
from studies.rebuilt_figures import walk_bars
from turbo_trader.market.rebuild import rebuild
from turbo_trader.market.reference import universe
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy

pytestmark = pytest.mark.long

XRP = next(instrument for instrument in universe() if instrument.symbol == "XRPUSDT")
POLICY = Policy(belief=Belief.WEIGHED)


@cache
def paths() -> list[Path]:
    return [
        path_of(rebuild(walk_bars(4_000, 240, seed, 2.2, float(XRP.tick)), XRP, seed=seed), XRP)
        for seed in range(2)
    ]


@pytest.mark.parametrize("by", ["order flow", "against order flow", "past move", "against past move"])
def test_mean_net_result_on_a_rebuilt_driftless_walk_is_minus_the_cost(by: str) -> None:
    found = np.array([trade for path in paths() for trade in trades(path, XRP, POLICY, by)])
    net = found.sum(1)  # the return before fees and the spread paid: what fees are left to take from
    assert len(net) > 400
    assert abs(net.mean()) < 2 * net.std() / len(net) ** 0.5


def test_a_market_that_drifts_is_noticed() -> None:
    """The test above can fail: half a basis point a minute shows."""
    drift = np.exp(0.5e-4 * np.arange(4_000))
    bars = walk_bars(4_000, 240, 0, 2.2, float(XRP.tick))
    for name in ("open", "high", "low", "close"):
        bars[name] *= drift
    path = path_of(rebuild(bars, XRP, seed=0), XRP)
    always_long = replace(path, flow=np.ones_like(path.flow))
    net = np.array(list(trades(always_long, XRP, POLICY, "order flow"))).sum(1)
    assert net.mean() > 2 * net.std() / len(net) ** 0.5


def test_a_stop_is_filled_at_the_side_one_could_close_at() -> None:
    def column(*values: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        return np.array(values, np.int64)

    path = Path(
        column(0, 1, 2),
        column(9_999, 9_990, 9_960),
        column(10_000, 9_991, 9_961),
        column(0, 0, 9_965),
        np.zeros(3),
    )
    result, end = earned(path, 0, 1, XRP, POLICY)
    assert (result, end) == ((9_960 - 10_000) / 10_000, 2)
