"""VWAP and its band equal the weighted mean and deviation of the day's prints."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from turbo_trader.market.kernel import advance
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import DAY, ROW, SECOND, TRADE, WHOLE
from turbo_trader.market.state import new_states
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.vwap import vwap_gap

MIDNIGHT = 20_000 * DAY


def prints(rng: np.random.Generator, begin: int, seconds: int) -> Any:
    """A print every few seconds around 10,000 ticks, sizes log-normal."""
    ts = begin + np.sort(rng.integers(0, seconds * SECOND, seconds // 3))
    price = 10_000 + np.cumsum(rng.integers(-8, 9, len(ts)))
    lots = np.maximum(1, rng.lognormal(4, 1.5, len(ts)).astype(np.int64))
    rows = [(t, q, p, TRADE | WHOLE, 1, 0) for t, q, p in zip(ts, lots, price, strict=True)]
    return np.array(rows, ROW)


@pytest.mark.parametrize("seed", range(5))
def test_vwap_and_band_are_those_of_the_prints_since_midnight(seed: int, params: Any) -> None:
    rng = np.random.default_rng(seed)
    states = new_states(universe()[:1], **Policy().market_parameters())
    yesterday, today = prints(rng, MIDNIGHT - 4000 * SECOND, 4000), prints(rng, MIDNIGHT, 9000)
    now = MIDNIGHT + 9000 * SECOND
    advance(states, 0, np.concatenate([yesterday, today]), 0, now)
    price = today["price"].astype(float) * float(universe()[0].tick)
    average = np.average(price, weights=today["lots"])
    band = np.sqrt(np.average((price - average) ** 2, weights=today["lots"])) / average
    gap, z, found, valid = vwap_gap(states, 0, now, 1_010.0, params)
    assert valid
    assert found == pytest.approx(band, rel=1e-9)
    assert gap == pytest.approx(np.log(1_010.0 / average), abs=1e-12)
    assert z == pytest.approx(gap / band, rel=1e-9)
    assert not vwap_gap(states, 0, now + DAY, 1_010.0, params)[3]


def test_there_is_no_band_while_all_volume_traded_at_one_price(fill: Any, params: Any) -> None:
    states = fill(np.full(3, 4.6), np.full(3, 4.6))
    now = int(states["ts"][0])
    states["vwap_sum"] = states["vwap_square"] = 0.0
    assert vwap_gap(states, 0, now, 1_010.0, params) == (0.0, 0.0, 0.0, False)
    states["vwap_volume"] = 0.0
    assert not vwap_gap(states, 0, now, 1_010.0, params)[3]
