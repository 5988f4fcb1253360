"""States filled by hand (no market kernel) and the figures of the rules page for the signals' own tests."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeAlias

import numpy as np
import pytest
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import DAY, MINUTE, SECOND
from turbo_trader.market.state import MINUTES, SECONDS, new_states
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.signals.filters import new_filters
from turbo_trader.signals.measure import measure
from turbo_trader.signals.parameters import SIGNAL_PARAMETERS

Fill: TypeAlias = Callable[..., Any]

NOW = 20_000 * DAY + 12 * 3600 * SECOND


@pytest.fixture
def params() -> Any:
    """The rules page, sections 3 and 4, turbo tier."""
    record = np.zeros(1, SIGNAL_PARAMETERS)
    figures: dict[str, Any] = {
        "horizon_s": 900,
        "belief": WEIGHED,
        "warm_up_s": 300,
        "min_minutes": 60,
        "min_returns": 30,
        "slow_vol_share": 0.25,
        "book_stale_s": 5,
        "trade_stale_s": 5,
        "score_z": 2,
        "ofi_threshold": 0.15,
        "vwap_min_gap": 0.001,
        "vwap_min_sd": 1,
        "vwap_warmup": 1800,
        "accel_threshold": 1,
        "funding_threshold": 0.0005,
        "funding_scale": 0.001,
        "stale_funding": 2,
        "damping_s": 60,
        "accel_samples": 60,
        "ofi_levels": 10,
        "ofi_window": 30,
        "funding_period": 8,
        "ou_window": (240, 480),
        "ou_spacing_s": 60,
        "ou_min_share": 0.9,
        "ou_min_half_life_s": 120,
        "ou_max_half_life_s": 3600,
        "ou_threshold": 1,
        "df_critical": ((-2.56677, -1.5384, -2.809, 0.0), (-2.86154, -2.8903, -4.234, -40.040)),
        "slope_horizons": (5, 15, 60, 240, 1440),
        "slope_min_share": 0.8,
        "slope_t_threshold": 1,
    }
    assert set(figures) == set(SIGNAL_PARAMETERS.names or ())
    for name, value in figures.items():
        record[name] = value
    return record


@pytest.fixture
def now() -> int:
    """Noon UTC of some day, ns."""
    return NOW


def one_state() -> Any:
    """An empty state of one symbol: tick 0.01 USDT, step 0.001."""
    instrument = Instrument(
        symbol="XUSDT",
        status="Trading",
        tick=Decimal("0.01"),
        step=Decimal("0.001"),
        min_qty=Decimal("0.001"),
        max_qty=Decimal(1000),
        max_market_qty=Decimal(1000),
        min_notional=Decimal(5),
        min_price=Decimal("0.01"),
        max_price=Decimal(1_000_000),
        max_leverage=Decimal(50),
        leverage_step=Decimal("0.01"),
        funding_interval_min=480,
        funding_cap=Decimal("0.01"),
        price_limit_x=Decimal("0.05"),
        price_limit_y=Decimal("0.05"),
    )
    return new_states(
        [instrument],
        flow_window_s=30,
        vol_half_life_min=30,
        slow_vol_half_life_min=1440,
        jump_sigmas=6,
        jump_fraction=0.005,
    )


@pytest.fixture
def fill() -> Fill:
    """fill(minute_y, second_y, missing=...) -> states with these closes and samples, the last of each just before noon."""

    def build(
        minute_y: NDArray[np.float64], second_y: NDArray[np.float64], *, keep: NDArray[np.bool_] | None = None
    ) -> Any:
        states = one_state()
        state = states[0]
        first = NOW // MINUTE - len(minute_y)
        index = np.arange(first, first + len(minute_y))
        if keep is not None:
            index, minute_y = index[keep], minute_y[keep]
        for k, (minute, y) in enumerate(zip(index, minute_y, strict=True)):
            add_minute(state, k, int(minute), float(y))
        start = NOW // SECOND - len(second_y)
        for k, y in enumerate(second_y):
            state["sample_second"][k & (SECONDS - 1)] = start + k
            state["sample_y"][k & (SECONDS - 1)] = y
        state["samples"] = len(second_y)
        steps = np.diff(minute_y)
        state["variance"] = float(np.mean(steps * steps)) if len(steps) else 0.0
        state["slow_variance"] = 2.0 * state["variance"]
        state["returns"] = len(steps)
        price = float(np.exp(second_y[-1] if len(second_y) else minute_y[-1]))
        state["has_book"] = state["book_valid"] = 1
        state["bid"] = round(price / 0.01)
        state["ask"] = state["bid"] + 1
        state["last"] = state["bid"]
        state["mark"] = price
        state["ts"] = state["book_ts"] = state["trade_ts"] = state["mark_ts"] = NOW - SECOND
        state["second"] = NOW // SECOND
        state["funding_rate"], state["funding_minutes"], state["funding_ts"] = 0.0008, 480, NOW - 100 * MINUTE
        state["ofi"], state["ofi_abs"] = 60, 100
        state["taker"], state["taker_abs"] = -30, 100
        state["day"], state["vwap_start"] = NOW // DAY, NOW - 6 * 60 * MINUTE
        state["vwap_base"], state["vwap_volume"] = price, 10.0
        state["vwap_sum"], state["vwap_square"] = 10.0 * 0.01 * price, 10.0 * (0.02 * price) ** 2
        return states

    return build


def add_minute(state: Any, count: int, minute: int, y: float) -> None:
    """Append one close to the minute ring."""
    state["minute_index"][count & (MINUTES - 1)] = minute
    state["minute_y"][count & (MINUTES - 1)] = y
    state["minute_range"][count & (MINUTES - 1)] = 1e-4 * ((count * 7919) % 101)
    state["minutes"] = count + 1


@pytest.fixture
def scan(params: Any, now: int) -> Callable[..., Any]:
    """scan(states, filters=None, at=now) -> the row."""

    def run(states: Any, filters: Any = None, at: int = now) -> Any:
        out = np.zeros(1, SCAN)
        measure(states, new_filters(1) if filters is None else filters, 0, at, params, out, 0)
        return out[0]

    return run
