"""Funding is the last known rate over eight hours, whatever the symbol's interval."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import MINUTE
from turbo_trader.signals.funding import funding_rate


@pytest.mark.parametrize(("minutes", "times"), [(60, 8.0), (120, 4.0), (240, 2.0), (480, 1.0), (1440, 1 / 3)])
def test_a_rate_is_normalised_to_eight_hours_and_known_for_two_intervals(
    minutes: int, times: float, fill: Any, params: Any
) -> None:
    states = fill(np.full(3, 4.6), np.full(3, 4.6))
    states["funding_minutes"], states["funding_rate"] = minutes, 0.0001
    reported = int(states["funding_ts"][0])
    for age, valid in ((0, True), (2 * minutes * MINUTE, True), (2 * minutes * MINUTE + 1, False)):
        rate, known = funding_rate(states, 0, reported + age, params)
        assert known is valid
        assert rate == (pytest.approx(0.0001 * times) if valid else 0.0)


@pytest.mark.parametrize("bad", [{"funding_minutes": 0}, {"funding_ts": 0}, {"funding_rate": math.nan}])
def test_a_rate_that_was_never_reported_is_no_signal(bad: dict[str, float], fill: Any, params: Any) -> None:
    states = fill(np.full(3, 4.6), np.full(3, 4.6))
    for name, value in bad.items():
        states[name] = value
    assert funding_rate(states, 0, int(states["ts"][0]), params) == (0.0, False)
