"""Gates 6 and 7 at their boundaries, and the model's own numbers in a row."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import evaluate, reprice
from turbo_trader.rules.gate import BLOCK, PASS
from turbo_trader.rules.gates import EV, FEE, settle
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.worth_gates import ev_gate, fee_gate
from turbo_trader.signals.passage import two_barrier

P = Policy(belief=Belief.WEIGHED)


def evaluated_alone(kernel: Any, equity: str, policy: Policy = P, **figures: float) -> Any:
    params = policy.gate_parameters(policy.capital_tier(Decimal(equity)), Decimal(equity))
    out = np.zeros(1, SCAN)
    out["blocker"] = -1
    for name, value in figures.items():
        out[name] = value
    settle(out, 0, FEE if kernel is fee_gate else EV, kernel(params, 0, out, 0))
    return out[0]


@pytest.mark.parametrize(
    ("equity", "p_tp", "verdict"),
    [
        ("18", 0.125, PASS), ("18", 0.1249, BLOCK), ("99.99", 0.125, PASS), ("100", 0.3125, PASS), ("100", 0.3124, BLOCK),
        ("1000", 0.3125, PASS), ("1000", 0.3124, BLOCK),
    ],
)  # fmt: skip
def test_fee_p_tp_times_target_covers_multiplier_times_cost(equity: str, p_tp: float, verdict: int) -> None:
    row = evaluated_alone(fee_gate, equity, p_targets=p_tp, take_profit=0.008, cost=0.001)
    assert row["verdict"][FEE] == verdict
    assert row["block_code"] == (Code.NONE if verdict == PASS else Code.FEE)


@pytest.mark.parametrize(
    ("target", "cost", "code"),
    [
        (0.0021, 0.0005, Code.NONE),  # half of it exceeds 0.10 %
        (0.0020, 0.0005, Code.TARGET_BELOW_COST),
        (0.0040, 0.0020, Code.TARGET_BELOW_COST),
        (0.0041, 0.0020, Code.NONE),
    ],
)
def test_reject_where_half_target_does_not_exceed_max_of_tenth_of_a_percent_and_cost(
    target: float, cost: float, code: Code
) -> None:
    assert evaluated_alone(fee_gate, "18", p_targets=1.0, take_profit=target, cost=cost)["block_code"] == code


@pytest.mark.parametrize(
    ("equity", "ev", "verdict"),
    [
        ("18", 0.0, PASS), ("18", -1e-9, BLOCK), ("25", 0.0, PASS), ("25.01", 0.0008, PASS), ("25.01", 0.00079, BLOCK),
        ("100", 0.0007, PASS), ("100", 0.00069, BLOCK), ("1000", 0.0006, PASS), ("1000", 0.00059, BLOCK),
    ],
)  # fmt: skip
def test_net_ev_at_least_the_minimum(equity: str, ev: float, verdict: int) -> None:
    row = evaluated_alone(ev_gate, equity, evs=ev)
    assert row["verdict"][EV] == verdict
    assert row["block_code"] == (Code.NONE if verdict == PASS else Code.MIN_EV)


def test_probabilities_sum_to_one_and_a_farther_target_is_never_likelier(evaluated: Any) -> None:
    last = 1.0
    for sigma in (0.00005, 0.0002, 0.00028, 0.0003):
        row = evaluated(sigma=sigma, forecast=0.0)
        assert row["p_tp"] + row["p_sl"] + row["p_timeout"] == pytest.approx(1.0, abs=1e-9)
    for target in ("0.008", "0.010", "0.012", "0.015"):
        wide = Policy.from_env({"BELIEF": "weighed", "TP_MIN": target, "SL_MIN": "0.6%"})
        p_tp = evaluated(policy=wide, sigma=0.0001)["p_tp"]
        assert p_tp <= last
        last = p_tp


def test_probabilities_are_those_of_a_volatility_that_is_not_known_for_sure(evaluated: Any) -> None:
    row = evaluated(sigma=0.0002, se=0.0)  # of a drift that is
    tp, sl, drift = (float(row[name]) for name in ("take_profit", "stop_loss", "forecast"))
    sd = 0.6  # of the log variance; three points of Gauss-Hermite
    expected = 0.0
    for weight, node in ((1 / 6, -(3**0.5)), (2 / 3, 0.0), (1 / 6, 3**0.5)):
        sigma = 0.0002 * np.exp((sd * node - sd * sd / 2) / 2)
        expected += (
            weight * two_barrier(np.log1p(tp), np.log1p(-sl), drift / 900, sigma, 900.0, 1800.0, 1.0)[0]
        )
    assert row["p_tp"] == pytest.approx(expected, rel=1e-6)


def test_without_drift_the_net_ev_is_minus_the_cost(evaluated: Any) -> None:
    row = evaluated(forecast=1e-12)
    assert row["ev"] == pytest.approx(-row["cost"], abs=1e-6)
    assert row["block_code"] in (Code.MIN_EV, Code.FEE)


def test_a_drift_the_right_way_earns(evaluated: Any) -> None:
    assert evaluated()["ev"] > 0
    assert evaluated()["ev"] < evaluated()["forecast"]
    assert evaluated(direction=-1, forecast=-0.004)["ev"] > 0


def test_reprice_rechecks_fee_and_ev_at_another_cost(evaluated: Any) -> None:
    params = P.gate_parameters(P.capital_tier(Decimal(18)), Decimal(18))
    out = np.zeros(1, SCAN)
    out[0] = evaluated()
    ev, cost = float(out[0]["ev"]), float(out[0]["cost"])
    assert reprice(params, 0, out, 0, cost + 0.0005)
    assert out[0]["ev"] < ev
    assert out[0]["cost"] == cost + 0.0005
    assert not reprice(params, 0, out, 0, cost + 0.003)
    assert out[0]["blocker"] in (FEE, EV)


def test_kernels_equal_plain_python(evaluated: Any) -> None:
    if not hasattr(evaluate, "py_func"):
        pytest.skip("kernels are plain Python already (NUMBA_DISABLE_JIT)")
    from turbo_trader.market.state import STATE

    params = P.gate_parameters(P.capital_tier(Decimal(18)), Decimal(18))
    out = np.zeros(2, SCAN)
    row = evaluated()
    out[0], out[1] = row, row
    states = np.zeros(1, STATE)
    now = 20_000 * 86_400_000_000_000 + 43_200_000_000_000
    assert evaluate(states, 0, now, params, out, 0) == evaluate.py_func(states, 0, now, params, out, 1)
    assert out[0].tobytes() == out[1].tobytes()
