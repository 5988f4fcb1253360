"""Scan rows with figures of one's own, judged by the rules."""

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.rows import BAR, FIRST, LAST, LEVEL, MINUTE, ROW, SECOND, SNAPSHOT, TRADE, WHOLE
from turbo_trader.market.state import STATE, new_states
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import evaluate
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, VWAP
from turbo_trader.signals.filters import new_filters, set_noise
from turbo_trader.signals.measure import measure
from turbo_trader.signals.noise import Noise

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

Evaluated = Callable[..., Any]
Measured = Callable[..., Any]


@pytest.fixture
def evaluated() -> Evaluated:
    """judged(equity, policy=..., gate={...}, state={...}, now=..., **figures) -> the judged scan row."""

    def run(
        equity: str = "18",
        policy: Policy | None = None,
        gate: dict[str, Any] | None = None,
        state: dict[str, Any] | None = None,
        now: int = NOON,
        **figures: Any,
    ) -> NDArray[np.void]:
        rules = policy or Policy(belief=Belief.WEIGHED)
        params = rules.gate_parameters(rules.capital_tier(Decimal(equity)), Decimal(equity))
        for name, value in (gate or {}).items():
            params[name] = value
        states = np.zeros(1, STATE)
        for name, value in (state or {}).items():
            states[name] = value
        out = np.zeros(1, SCAN)
        given = {**GOOD, **figures}
        for name, each in (
            ("forecast", "forecasts"),
            ("se", "errors"),
            ("snr", "snrs"),
            ("confidence", "confidences"),
        ):
            given.setdefault(each, given[name])  # every belief says the same unless asked otherwise
        for name, value in {"hold_sigma": given["sigma"], **given}.items():
            out[name] = value
        evaluate(states, 0, now, params, out, 0)
        row: NDArray[np.void] = out[0]
        return row

    return run


_BEGIN = 20_000 * 86_400 * SECOND + 9 * 3600 * SECOND
_ITEM = Instrument(
    "SOLUSDT", "Trading", Decimal("0.01"), Decimal("0.1"), Decimal("0.1"), Decimal(10**5), Decimal(10**5), Decimal(5),
    Decimal("0.01"), Decimal(10**5), Decimal(100), Decimal("0.01"), 480, Decimal("0.01"), Decimal("0.1"), Decimal("0.1"), 0,
    simulated_tiers(Decimal(100)),
)  # fmt: skip
_SECONDS = 400
_NOW = _BEGIN + (_SECONDS - 1) * SECOND + SECOND // 2


def _bars(n: int, seed: int, half_life_min: float) -> Any:
    """One-minute bars of an Ornstein-Uhlenbeck price around 150 that end at _BEGIN."""
    rng = np.random.default_rng(seed)
    phi = 0.5 ** (1 / half_life_min)
    y = np.zeros(n + 1)
    for i in range(n):
        y[i + 1] = phi * y[i] + rng.normal(0, 0.002)
    price = 150 * np.exp(y)
    out = np.zeros(n, BAR)
    out["ts"] = _BEGIN - (n - np.arange(n)) * MINUTE
    out["open"], out["close"] = price[:-1], price[1:]
    out["high"], out["low"] = (
        np.maximum(price[:-1], price[1:]) * 1.0003,
        np.minimum(price[:-1], price[1:]) * 0.9997,
    )
    out["volume"] = 1000.0
    out["turnover"] = 1000.0 * out["close"]
    return out


def _frames(price: float, drift_ticks: int, jump: float = 0.0) -> Any:
    """A second per frame: ten levels a side around a price in ticks, and one buy.

    Bids grow all the time; the price runs away by `jump` in the last minute.
    """
    rows = []
    for second in range(_SECONDS):
        ts = _BEGIN + second * SECOND
        mid = round(price * 100) + drift_ticks * second // 30
        mid += round(mid * jump * (max(0, second - _SECONDS + 60) / 59) ** 2)
        bid = 500 + second
        rows.append((ts, 0, 0, SNAPSHOT | FIRST, 0, 0))
        for level in range(10):
            rows.append((ts, bid, mid - 1 - level, LEVEL, 1, 0))
            rows.append((ts, 500, mid + 1 + level, LEVEL | (LAST if level == 9 else 0), -1, 0))
        rows.append((ts, 10, mid, TRADE | WHOLE, 1, 0))
    return np.array(rows, ROW)


@pytest.fixture(scope="session")
def reverting() -> SimpleNamespace:
    """A reverting market of one symbol: item, begin, now (ns), bars(n, seed, half_life_min), frames(price, drift_ticks)."""
    return SimpleNamespace(item=_ITEM, begin=_BEGIN, now=_NOW, bars=_bars, frames=_frames)


#: Noise under which there is a velocity in the second-by-second frames.
_NOISE = Noise(2e-6, 5e-5, 3e-5, True, 1.0, 0.0, 10.0, 10.0, 900)


@lru_cache(maxsize=64)
def _market(market: tuple[tuple[str, Any], ...], bars: int, drift: int, jump: float) -> Any:
    states = new_states([_ITEM], **dict(market))
    backfill(states, 0, _bars(bars, 5, 10.0))
    advance(states, 0, _frames(148.0, drift, jump), 0, _NOW)
    return states


@pytest.fixture(scope="session")
def measured() -> Measured:
    """measured(policy, equity, late_s=..., state={...}, bars=..., ...) -> the figures of a scan of the reverting market."""

    def run(
        policy: Policy | None = None,
        equity: str = "18",
        *,
        late_s: float = 0.0,
        state: dict[str, Any] | None = None,
        bars: int = 1500,
        drift: int = 1,
        jump: float = 0.0,
    ) -> NDArray[np.void]:
        rules, now = policy or Policy(belief=Belief.WEIGHED), _NOW + int(late_s * SECOND)
        states = _market(tuple(rules.market_parameters().items()), bars, drift, jump).copy()
        advance(states, 0, np.zeros(0, ROW), 0, now)
        for name, value in (state or {}).items():
            states[name] = value
        filters, out = new_filters(1), np.zeros(1, SCAN)
        set_noise(filters, 0, _NOISE)
        signals = rules.signal_parameters(rules.capital_tier(Decimal(equity)))
        measure(states, filters, 0, now, signals, out, 0)
        row: NDArray[np.void] = out[0]
        return row

    return run
