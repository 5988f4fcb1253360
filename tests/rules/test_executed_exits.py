"""Policy, EV and exits are one: the EV a scan is given is what its Bracket earns on paths of the model."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import Bracket, ClosePosition, MoveBackstop, exit_rules
from turbo_trader.rules.policy import Policy

D = Decimal
PATHS = 3000
STEP = 5  # s between looks at the price
TICK = D("0.000001")


def earned(policy: Policy, row: Any, rng: np.random.Generator) -> tuple[float, float]:
    """(mean net return of a Bracket on random paths, its standard error), the martingale part of each path as control variate."""
    sigma, drift = float(row["sigma"]), float(row["forecast"]) / float(row["horizon_s"])
    steps = int(float(row["hold_s"]) * float(policy.hold_factor)) // STEP
    pushed = np.where(np.arange(steps) * STEP < row["horizon_s"], drift * STEP, 0.0)
    noise = sigma * np.sqrt(STEP) * rng.standard_normal((PATHS, steps)) - 0.5 * sigma**2 * STEP
    x = np.cumsum(noise + pushed, axis=1)
    before = np.hstack([np.zeros((PATHS, 1)), x[:, :-1]])
    martingale = np.cumsum(np.exp(x) - np.exp(before + pushed), axis=1)
    confirmed = rng.random((PATHS, 16)) < float(policy.extension_share)
    gains = [
        np.exp(x[i, end]) - 1.0 - martingale[i, end]
        for i in range(PATHS)
        for end in [closed_at(policy, row, np.exp(x[i]), confirmed[i])]
    ]
    return float(np.mean(gains)) - float(row["cost"]), float(np.std(gains) / np.sqrt(PATHS))


def closed_at(policy: Policy, row: Any, prices: Any, confirmed: Any) -> int:
    """The step at which the Bracket, or the venue's stop or backstop, closes the position."""
    bracket = Bracket(
        direction=1,
        entry=D(1),
        tick=TICK,
        take_profit=D(repr(float(row["take_profit"]))),
        stop_loss=D(repr(float(row["stop_loss"]))),
        cost=D(repr(float(row["cost"]))),
        opened_ns=0,
        hold_ns=int(row["hold_s"]) * SECOND,
        rules=exit_rules(policy),
    )
    at, asked = 0, 0
    while at < len(prices):
        deadline = bracket.deadline_ns // (STEP * SECOND) - 1
        level = bracket.backstop if bracket.next_level is None else bracket.next_level
        left = prices[at:]
        hits = np.flatnonzero((left <= float(bracket.stop)) | (left >= float(level)))
        at = min(at + int(hits[0]) if len(hits) else len(prices), deadline)
        if at >= deadline:
            return min(at, len(prices) - 1)
        price = D(repr(float(prices[at])))
        if price <= bracket.stop or price >= bracket.backstop:
            return at
        for action in bracket.on_price(price, bool(confirmed[asked])):
            if isinstance(action, ClosePosition):
                return at
            if isinstance(action, MoveBackstop):
                bracket.backstop_confirmed(action.price)
                asked += 1
    return len(prices) - 1


def test_half_of_the_targets_are_expected_to_move_out(evaluated: Any) -> None:
    usual, none, every = (
        float(
            evaluated(
                policy=Policy.from_env({"BELIEF": "weighed", "MAX_EXTENSIONS": "1", **env}),
                sigma=0.00022,
                forecast=0.0045,
            )["ev"]
        )
        for env in ({}, {"EXTENSION_SHARE": "0"}, {"EXTENSION_SHARE": "1"})
    )
    assert none < every
    assert (usual - none) / (every - none) == pytest.approx(0.5, abs=1e-6)


@pytest.mark.long
@pytest.mark.parametrize(
    "change",
    [
        {},
        {"ZONE_ONE": "0.3"},
        {"ZONE_ONE": "0.6", "ZONE_TWO": "1.3"},
        {"LOCK_SHARE": "0.8", "EXTENSION": "1.2", "EXTENSION_SHARE": "0.9"},
        {"HOLD_FACTOR": "1", "TURBO_MAX_HOLD": "900", "TURBO_HORIZON": "900"},
        {"BREAK_EVEN_MIN": "0.25%", "MAX_EXTENSIONS": "1"},
        {"TP_WITHOUT_CONFIRMATION": "hold", "BACKSTOP_EXTRA": "1.0"},
    ],
)
def test_expected_value_is_what_the_bracket_earns(evaluated: Any, change: dict[str, str]) -> None:
    policy = Policy.from_env({"BELIEF": "weighed", **change, "MONITOR_INTERVAL": str(STEP)})
    row = evaluated(policy=policy, sigma=0.00022, forecast=0.0045)
    mean, error = earned(policy, row, np.random.default_rng(5))
    assert error < 1e-4
    assert abs(row["ev"] - mean) < 1e-4 + 2 * error


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("ZONE_ONE", "0.4"), ("ZONE_TWO", "1.2"), ("LOCK_SHARE", "0.6"), ("EXTENSION", "0.6"), ("MAX_EXTENSIONS", "2"),
        ("EXTENSION_SHARE", "0.6"), ("HOLD_FACTOR", "1.5"), ("BREAK_EVEN_MIN", "0.2%"), ("TP_WITHOUT_CONFIRMATION", "hold"),
    ],
)  # fmt: skip
def test_each_figure_of_the_exits_moves_the_expected_value(evaluated: Any, name: str, text: str) -> None:
    # a forecast that ends after T, so that the time limit counts
    figures: dict[str, Any] = {"sigma": 0.0003, "forecast": 0.006, "gate": {"max_hold_s": 500.0}}
    usual = float(evaluated(**figures)["ev"])
    assert usual > 0
    assert evaluated(policy=Policy.from_env({"BELIEF": "weighed", name: text}), **figures)["ev"] != usual


def test_holding_on_at_the_target_is_worth_more_of_a_lasting_drift(evaluated: Any) -> None:
    figures: dict[str, Any] = {"sigma": 0.0003, "forecast": 0.006}
    hold = Policy.from_env({"BELIEF": "weighed", "TP_WITHOUT_CONFIRMATION": "hold"})
    assert evaluated(policy=hold, **figures)["ev"] > evaluated(**figures)["ev"]
