"""The two averages of squared one-minute returns: plain means until they have filled, exponential ones from then on."""

from __future__ import annotations

import numpy as np
import pytest

from turbo_trader.market.reference import universe
from turbo_trader.market.sampling import push_minute
from turbo_trader.market.state import new_states


def test_variances_are_means_at_first_and_exponential_averages_later() -> None:
    states = new_states(
        universe()[:1], flow_window_s=30, vol_half_life_min=3.0, slow_vol_half_life_min=50.0, jump_sigmas=6.0,
        jump_fraction=0.005,
    )  # fmt: skip
    rng = np.random.default_rng(1)
    returns = rng.normal(0, 1e-3, 400)
    y, minute, fast, slow = 4.0, 100, 0.0, 0.0
    push_minute(states[0], minute, y, 0.0)
    for n, change in enumerate(returns, 1):
        gap = 3 if n % 7 == 0 else 1  # minutes without a price count for what they are
        y, minute = y + change, minute + gap
        push_minute(states[0], minute, y, 0.0)
        square = change * change / gap
        fast += max(1 / n, 1 - 0.5 ** (gap / 3)) * (square - fast)
        slow += max(1 / n, 1 - 0.5 ** (gap / 50)) * (square - slow)
        if n == 4:
            assert states["slow_variance"][0] == pytest.approx(np.mean(np.square(returns[:4])))
    assert states["variance"][0] == pytest.approx(fast, rel=1e-12)
    assert states["slow_variance"][0] == pytest.approx(slow, rel=1e-12)
