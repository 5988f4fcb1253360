"""`assess` end to end: bars and book frames in, a judged row out, quick and the same on any call."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.events import BAR, FIRST, LAST, LEVEL, MINUTE, ROW, SECOND, SNAPSHOT, TRADE, WHOLE
from turbo_trader.market.instruments import Instrument, simulated_tiers
from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.state import new_states
from turbo_trader.rules.assess import assess
from turbo_trader.rules.explain import explain
from turbo_trader.rules.gates import CONSENSUS, DATA, EV, PRE_FILTER, TIER, Code
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import GATES, NOT_ASSESSED, PASS, SCAN
from turbo_trader.signals.filters import new_filters

D = Decimal
BEGIN = 20_000 * 86_400 * SECOND + 9 * 3600 * SECOND
ITEM = Instrument(
    "SOLUSDT", "Trading", D("0.01"), D("0.1"), D("0.1"), D(10**5), D(10**5), D(5), D("0.01"), D(10**5), D(100), D("0.01"),
    480, D("0.01"), D("0.1"), D("0.1"), 0, simulated_tiers(D(100)),
)  # fmt: skip
SECONDS = 400
NOW = BEGIN + (SECONDS - 1) * SECOND + SECOND // 2

Scan = Callable[..., Any]


def bars(n: int, seed: int, half_life_min: float) -> Any:
    """One-minute bars of an Ornstein-Uhlenbeck price around 150 that end at BEGIN."""
    rng = np.random.default_rng(seed)
    phi = 0.5 ** (1 / half_life_min)
    y = np.zeros(n + 1)
    for i in range(n):
        y[i + 1] = phi * y[i] + rng.normal(0, 0.002)
    price = 150 * np.exp(y)
    out = np.zeros(n, BAR)
    out["ts"] = BEGIN - (n - np.arange(n)) * MINUTE
    out["open"], out["close"] = price[:-1], price[1:]
    out["high"], out["low"] = (
        np.maximum(price[:-1], price[1:]) * 1.0003,
        np.minimum(price[:-1], price[1:]) * 0.9997,
    )
    out["volume"] = 1000.0
    out["turnover"] = 1000.0 * out["close"]
    return out


def frames(price: float, drift_ticks: int) -> Any:
    """A second per frame: ten levels a side around a price in ticks, and one buy."""
    rows = []
    for second in range(SECONDS):
        ts = BEGIN + second * SECOND
        mid = round(price * 100) + drift_ticks * second // 30
        rows.append((ts, 0, 0, SNAPSHOT | FIRST, 0, 0))
        for level in range(10):
            rows.append((ts, 500 + second, mid - 1 - level, LEVEL, 1, 0))
            rows.append((ts, 500, mid + 1 + level, LEVEL | (LAST if level == 9 else 0), -1, 0))
        rows.append((ts, 10, mid, TRADE | WHOLE, 1, 0))
    return np.array(rows, ROW)


@pytest.fixture
def scan() -> Scan:
    """scan(equity, now=..., history=True, half_life=...) -> rows with one judged row."""

    def run(
        equity: str = "18", now: int = NOW, history: bool = True, half_life: float = 10.0, last: float = 148.0
    ) -> Any:
        policy = Policy()
        tier = policy.capital_tier(D(equity))
        states, filters = new_states([ITEM], **policy.market_parameters()), new_filters(1)
        if history:
            backfill(states, 0, bars(1500, 5, half_life))
        advance(states, 0, frames(last, 1), 0, now)
        out = np.zeros(1, SCAN)
        blocker = assess(
            states,
            filters,
            0,
            now,
            policy.signal_parameters(tier),
            policy.gate_parameters(tier, D(equity)),
            out,
            0,
        )
        assert blocker == out[0]["blocker"]
        return out

    return run


def test_a_reverting_price_far_below_its_centre_is_a_long_candidate(scan: Scan) -> None:
    row = scan()[0]
    assert row["verdict"][DATA] == PASS
    assert (row["candidate"], row["direction"], row["ou_valid"]) == (1, 1, 1)
    assert row["verdict"][PRE_FILTER] == PASS
    assert row["verdict"][TIER] == PASS
    assert row["p_tp"] + row["p_sl"] + row["p_timeout"] == pytest.approx(1.0, abs=1e-9)
    assert row["ev"] > 0
    assert np.all(row["verdict"][: EV + 1] != NOT_ASSESSED)
    assert np.all(row["verdict"][EV + 1 :] == NOT_ASSESSED)


def test_without_history_it_is_not_warm(scan: Scan) -> None:
    row = scan(history=False)[0]
    assert row["block_code"] == Code.NOT_WARM
    assert row["candidate"] == 0


def test_silence_is_stale(scan: Scan) -> None:
    assert scan(now=NOW + 60 * SECOND)[0]["block_code"] == Code.STALE


def test_a_bigger_account_has_stricter_gates(scan: Scan) -> None:
    turbo, institutional = scan("18")[0], scan("5000")[0]
    assert turbo["horizon_s"] == 900
    assert institutional["horizon_s"] == 1800
    assert institutional["min_ev"] == 0.0006
    assert institutional["verdict"][CONSENSUS] >= turbo["verdict"][CONSENSUS]


def test_every_figure_is_finite_and_explainable(scan: Scan) -> None:
    for rows in (scan(), scan(history=False), scan(now=NOW + 3600 * SECOND), scan(last=1e6)):
        for name in SCAN.names or ():
            assert np.all(np.isfinite(rows[name])), name
        text = explain(Policy(), rows, 0, "SOLUSDT")
        assert sum(line.startswith("gate ") for line in text) == len(GATES)


def test_a_blocked_scan_stays_within_its_budget(scan: Scan) -> None:
    from time import perf_counter

    policy = Policy()
    tier = policy.capital_tier(D(18))
    states, filters = new_states([ITEM], **policy.market_parameters()), new_filters(1)
    backfill(states, 0, bars(1500, 5, 10.0))
    advance(states, 0, frames(150.0, 0), 0, NOW)
    signal, gate, out = policy.signal_parameters(tier), policy.gate_parameters(tier, D(18)), np.zeros(1, SCAN)
    best = 1.0
    for _ in range(20):
        begin = perf_counter()
        for _ in range(50):
            assess(states, filters, 0, NOW, signal, gate, out, 0)
        best = min(best, (perf_counter() - begin) / 50)
    assert best < 50e-6  # 5 us on an idle machine; the bound only catches an order of magnitude
