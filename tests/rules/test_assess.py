"""`assess` end to end: bars and book frames in, a judged row out, quick and the same on any call."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.kernel import advance, backfill
from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import new_states
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import assess
from turbo_trader.rules.explanation import explain
from turbo_trader.rules.gate import NOT_ASSESSED, PASS
from turbo_trader.rules.gates import CONSENSUS, DATA, EV, GATES, PRE_FILTER, TIER
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.filters import new_filters

D = Decimal
Scan = Callable[..., Any]


@pytest.fixture
def scan(reverting: Any) -> Scan:
    """scan(equity, now=..., history=True, half_life=...) -> rows with one judged row."""

    def run(
        equity: str = "18",
        now: int | None = None,
        history: bool = True,
        half_life: float = 10.0,
        last: float = 148.0,
    ) -> Any:
        now = reverting.now if now is None else now
        policy = Policy(belief=Belief.WEIGHED)
        tier = policy.capital_tier(D(equity))
        states, filters = new_states([reverting.item], **policy.market_parameters()), new_filters(1)
        if history:
            backfill(states, 0, reverting.bars(1500, 5, half_life))
        advance(states, 0, reverting.frames(last, 1), 0, now)
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


def test_silence_is_stale(scan: Scan, reverting: Any) -> None:
    assert scan(now=reverting.now + 60 * SECOND)[0]["block_code"] == Code.STALE


def test_a_bigger_account_has_stricter_gates(scan: Scan) -> None:
    turbo, institutional = scan("18")[0], scan("5000")[0]
    assert turbo["horizon_s"] == 900
    assert institutional["horizon_s"] == 1800
    assert institutional["min_ev"] == 0.0006
    assert institutional["verdict"][CONSENSUS] >= turbo["verdict"][CONSENSUS]


def test_every_figure_is_finite_and_explainable(scan: Scan, reverting: Any) -> None:
    for rows in (scan(), scan(history=False), scan(now=reverting.now + 3600 * SECOND), scan(last=1e6)):
        for name in SCAN.names or ():
            assert np.all(np.isfinite(rows[name])), name
        text = explain(Policy(belief=Belief.WEIGHED), rows, 0, "SOLUSDT")
        assert sum(line.startswith("gate ") for line in text) == len(GATES)


@pytest.mark.clock
def test_a_blocked_scan_stays_within_its_budget(reverting: Any) -> None:
    from time import perf_counter

    policy = Policy(belief=Belief.WEIGHED)
    tier = policy.capital_tier(D(18))
    states, filters = new_states([reverting.item], **policy.market_parameters()), new_filters(1)
    backfill(states, 0, reverting.bars(1500, 5, 10.0))
    advance(states, 0, reverting.frames(150.0, 0), 0, reverting.now)
    signal, gate, out = policy.signal_parameters(tier), policy.gate_parameters(tier, D(18)), np.zeros(1, SCAN)
    best = 1.0
    for _ in range(20):
        begin = perf_counter()
        for _ in range(50):
            assess(states, filters, 0, reverting.now, signal, gate, out, 0)
        best = min(best, (perf_counter() - begin) / 50)
    assert best < 50e-6  # 5 us on an idle machine; the bound only catches an order of magnitude
