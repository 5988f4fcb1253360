"""Scan rows with figures of one's own, judged by the rules."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from turbo_trader.market.events import SECOND
from turbo_trader.market.state import STATE
from turbo_trader.rules.assess import judge
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, VWAP

#: Far from any funding settlement.
NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND
ALL = 1 << OFI | 1 << VWAP | 1 << ACCEL | 1 << FUNDING | 1 << OU_DRIFT

#: A long candidate that every gate lets pass.
GOOD: dict[str, Any] = {
    "direction": 1,
    "warm": 1,
    "fresh": 1,
    "valid": ALL,
    "confirms": ALL,
    "ou_valid": 1,
    "bid": 100.0,
    "ask": 100.01,
    "mid": 100.005,
    "last_price": 100.0,
    "mark": 100.0,
    "spread": 0.0001,
    "mark_gap": 0.0,
    "jump_age": 1 << 62,
    "big_move_age": 1 << 62,
    "range_tail": 0.004,
    "sigma": 0.0002,
    "forecast": 0.004,
    "se": 0.001,
    "snr": 4.0,
    "confidence": 0.9,
    "horizon_s": 900.0,
    "consensus": 0.8,
    "consensus_horizons": 5,
}

Judged = Callable[..., Any]


@pytest.fixture
def judged() -> Judged:
    """judged(equity, policy=..., gate={...}, state={...}, now=..., **figures) -> the judged scan row."""

    def run(
        equity: str = "18",
        policy: Policy | None = None,
        gate: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
        now: int = NOON,
        **figures: Any,
    ) -> NDArray[np.void]:
        rules = policy or Policy()
        params = rules.gate_parameters(rules.capital_tier(Decimal(equity)), Decimal(equity))
        for name, value in (gate or {}).items():
            params[name] = value
        states = np.zeros(1, STATE)
        for name, value in (state or {}).items():
            states[name] = value
        out = np.zeros(1, SCAN)
        given = {**GOOD, **figures}
        for name, value in {"hold_sigma": given["sigma"], **given}.items():
            out[name] = value
        judge(states, 0, now, params, out, 0)
        row: NDArray[np.void] = out[0]
        return row

    return run
