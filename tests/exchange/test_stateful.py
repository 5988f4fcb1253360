"""Whatever is asked of the Exchange, in whatever order, while its market moves: money, positions and orders add up.

`scripts/test tests/exchange/test_stateful.py -m slow` plays longer and more often.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.exchange.random_play import ACTIONS, HOUR, UIDS, Play

from turbo_trader.exchange.exchange_machine import ExchangeConfig
from turbo_trader.exchange.orders import STOP_TYPES

pytestmark = pytest.mark.long


class Machine(RuleBasedStateMachine):
    """A play whose actions hypothesis chooses; its rules are added below."""

    def __init__(self, rigs: Any) -> None:
        super().__init__()
        self.play = Play(rigs)

    @invariant()
    def holds(self) -> None:
        self.play.invariants.check()

    def teardown(self) -> None:
        self.play.finish()


def _rule(name: str) -> Callable[[Machine, tuple[int, ...]], None]:
    def act(self: Machine, numbers: tuple[int, ...]) -> None:
        getattr(self.play, name)(*numbers)

    act.__name__ = name
    return act


for _name, _ranges in ACTIONS.items():
    setattr(Machine, _name, rule(numbers=st.tuples(*(st.integers(*r) for r in _ranges)))(_rule(_name)))


def search(rigs: Any, examples: int, steps: int) -> None:
    profile = settings(
        max_examples=examples,
        stateful_step_count=steps,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )

    class Here(Machine):
        def __init__(self) -> None:
            super().__init__(rigs)

    run_state_machine_as_test(Here, settings=profile)


def test_whatever_is_asked_money_positions_and_orders_add_up(rigs: Any) -> None:
    search(rigs, 40, 40)


@pytest.mark.slow
def test_the_same_for_longer(rigs: Any) -> None:
    search(rigs, 2_000, 100)


def walk(rigs: Any, seed: int, requests: int, every: int = 500, config: ExchangeConfig | None = None) -> Play:
    """So many requests and what the market does between them, checked now and then, closed in the end. An Exchange that forgets is
    not checked: what it was is not there to compare with."""
    draw, play = random.Random(seed), Play(rigs, config)
    steps = 0
    while sum(play.codes.values()) < requests:
        name = draw.choice([*ACTIONS, *["create"] * 6])
        getattr(play, name)(*(draw.randint(*r) for r in ACTIONS[name]))
        steps += 1
        if config is None and steps % every == 0:
            play.invariants.check()
    return play


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_ten_thousand_requests_add_up(rigs: Any, seed: int) -> None:
    play = walk(rigs, seed, 10_000)
    play.finish()
    fills = [fill for uid in UIDS for fill in play.rig.fills(uid)]
    assert len(fills) > 2_000
    assert {fill.stop_type for fill in fills} >= {*STOP_TYPES, "Stop"}
    assert {fill.kind for fill in fills} == {"Trade", "Funding", "BustTrade"}
    assert play.codes[0] > 2_000


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(10, 30))
def test_ten_thousand_requests_add_up_at_every_tenth_step(rigs: Any, seed: int) -> None:
    walk(rigs, seed, 10_000, every=10).finish()


def test_to_forget_what_is_over_changes_nothing_that_is_not(rigs: Any) -> None:
    whole, short = (
        walk(rigs, 5, 4_000, config=config)
        for config in (ExchangeConfig(), ExchangeConfig(keep_ns=12 * HOUR))
    )
    for uid in UIDS:
        one, other = (play.rig.x.accounts[uid] for play in (whole, short))
        assert one.balance == other.balance
        assert one.positions == other.positions
        assert list(one.open_orders.values()) == list(other.open_orders.values())
        assert len(other.orders) < len(one.orders) / 10
        since = short.rig.now - 12 * HOUR
        for name in ("executions", "log"):
            assert [e for e in getattr(one, name) if e.ts >= since] == list(getattr(other, name))
    assert whole.rig.x.drain() == short.rig.x.drain()
    short.invariants.alive()
