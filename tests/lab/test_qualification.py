"""Qualification of closed trades, ruin in whole lots, and what both may change."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from turbo_trader.console.verbs.qualify import lines
from turbo_trader.lab.qualification import DAY_NS, Closed, Trials, prior_shift, qualify
from turbo_trader.lab.ruin import Sizing, chances
from turbo_trader.lab.verdict import Verdict
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import stage_rules


def trades(mean: float, days: int = 30, a_day: int = 20, sd: float = 0.0037, seed: int = 1) -> list[Closed]:
    net = np.random.default_rng(seed).normal(mean, sd, days * a_day)
    return [Closed(k // a_day * DAY_NS + k % a_day * 10**12, float(x), 36.0) for k, x in enumerate(net)]


@pytest.mark.parametrize("p", [0.45, 0.5, 0.55])
def test_one_lot_a_trade_is_the_gamblers_ruin(p: float) -> None:
    """Feller, An Introduction to Probability Theory I, chapter XIV.2."""
    wins = round(100 * p)
    returns = [0.01] * wins + [-0.01] * (100 - wins)
    found = chances(returns, lambda _: 10.0, start=18.0, floor=17.0, goal=20.0, step=0.1)
    odds = (1 - p) / p
    expected = 1 / 3 if p == 0.5 else (1 - odds**10) / (1 - odds**30)
    assert found.goal == pytest.approx(expected, abs=1e-6)
    assert found.stuck == pytest.approx(0.0, abs=1e-6)


def test_chance_of_30_before_minus_20_percent_is_that_of_a_simulation() -> None:
    rng = np.random.default_rng(2)
    returns = rng.choice([0.004, -0.003, 0.001], 60)
    sizing = Sizing(share=12.0, lot=9.0, least=9.0)
    equity = np.full(4_000, 18.0)
    alive = np.ones(4_000, bool)
    for _ in range(20_000):
        if not alive.any():
            break
        notional = np.floor(12.0 * equity / 9.0 + 1e-9) * 9.0
        equity = np.where(alive, equity + notional * rng.choice(returns, 4_000), equity)
        alive &= (equity < 30.0) & (equity > 14.4)
    found = chances(returns, sizing.notional, start=18.0, floor=14.4, goal=30.0)
    assert found.goal == pytest.approx(np.mean(equity >= 30.0), abs=0.025)


def test_trades_of_one_hour_show_neither_an_interval_nor_a_distance_from_luck() -> None:
    found = qualify([Closed(k * 10**12, 0.001, 36.0) for k in range(3)], 18.0)
    said = " ".join(lines(found))
    assert "3 trades on 1 day:" in said
    assert "nothing to tell it from luck by" in said
    assert "no interval" in said
    assert "standard errors" not in said
    assert "too few trades for a chance of ruin: at least 30 are wanted" in said
    assert (found["ruin"], found["goal"]) == (None, None)


def test_account_below_the_smallest_order_is_stuck() -> None:
    found = chances([0.5, -0.5], Sizing(1.0, lot=5.0).notional, start=7.0, floor=0.5, goal=20.0, step=0.5)
    assert found.stuck > 0.3
    assert found.goal + found.floor + found.stuck == pytest.approx(1.0)


@pytest.mark.long
@pytest.mark.parametrize(
    ("mean", "days", "verdict"),
    [
        (0.0008, 30, "edge"),
        (-0.0008, 30, "no edge"),
        (0.0002, 30, "not enough evidence"),
        (0.002, 5, "not enough evidence"),
    ],
)
def test_verdict_follows_the_trades(mean: float, days: int, verdict: str) -> None:
    found = qualify(trades(mean, days), 18.0)
    assert found["verdict"] == verdict
    assert found["reasons"]
    assert json.loads(json.dumps(found, allow_nan=False))
    wanted = (
        "verdict",
        "trades",
        "win_rate",
        "break_even",
        "ev",
        "ev_interval",
        "psr",
        "dsr",
        "pbo",
        "trials",
        "ruin",
    )
    assert set(wanted) <= set(found)


def test_no_trades_are_an_answer() -> None:
    found = qualify([], 18.0)
    assert (found["verdict"], found["trades"], found["ruin"]) == ("not enough evidence", 0, None)


def test_trials_deflate_and_overfitting_speaks() -> None:
    record = trades(0.0005)
    assert qualify(record, 18.0)["verdict"] == "edge"
    many = Trials(tuple(np.random.default_rng(3).normal(0, 0.25, 500)), None)
    assert qualify(record, 18.0, many)["verdict"] == "not enough evidence"
    assert qualify(record, 18.0, Trials((0.1, 0.2), 0.6))["verdict"] == "not enough evidence"


def test_win_rate_and_break_even_are_those_of_the_trades() -> None:
    made = [Closed(k * DAY_NS, x, 20.0) for k, x in enumerate([0.006, -0.003, -0.003, 0.006])]
    found = qualify(made, 18.0)
    assert found["win_rate"] == 0.5
    assert found["break_even"] == pytest.approx(1 / 3)


def test_prior_is_made_worse_or_raised_to_nothing_at_most() -> None:
    cost = float(Policy().round_trip_fee)
    means = {}
    for verdict, ev in ((Verdict.EDGE, 0.02), (Verdict.NONE, -0.002), (Verdict.NOT_ENOUGH, 0.02)):
        shift = f"{prior_shift(verdict, ev):.5f}"
        means[verdict] = stage_rules(Policy.from_env({"EVIDENCE_PRIOR_SHIFT": shift})).prior.mean
    assert means[Verdict.EDGE] == 0.0
    assert means[Verdict.NONE] == pytest.approx(-cost - 0.002)
    assert means[Verdict.NOT_ENOUGH] == pytest.approx(-cost)


def test_qualification_leaves_the_fills_that_are_asked_for() -> None:
    with_edge = stage_rules(Policy.from_env({"EVIDENCE_PRIOR_SHIFT": "0.05"}))
    plain = stage_rules(Policy())
    assert (with_edge.fills, with_edge.days, with_edge.promote) == (plain.fills, plain.days, plain.promote)
    assert math.isclose(with_edge.prior.sd, plain.prior.sd)
