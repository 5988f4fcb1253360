"""Chaos in simulated time: deterministic, judged, exact at the end."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.chaos import OFTEN, Chaos, total
from turbo_trader.simulation.faults import parse_faults


@cache
def played(seed: int, faults: str = "heavy", hours: float = 0.5) -> dict[str, Any]:
    return Chaos(universe()[:3], Policy.from_env(OFTEN), parse_faults(faults), hours).play(seed)


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_no_invariant_breaks(seed: int) -> None:
    assert played(seed)["violation"] is None


def test_the_seeds_together_had_deaths_trades_and_every_common_fault() -> None:
    figures = total([played(seed) for seed in (1, 2, 3, 4)])
    assert figures["trades"] > 10
    assert figures["lives"] > 5
    assert {"lost", "reply_lost", "slow", "slow_reply", "duplicate", "private_cut", "public_cut"} <= set(
        figures["faults"]
    )
    assert figures["violations"] == []


def test_a_seed_is_played_again_the_same() -> None:
    first = played(1)
    played.cache_clear()
    again = played(1)
    times = ("cpu_seconds", "speed")
    assert {k: v for k, v in first.items() if k not in times} == {
        k: v for k, v in again.items() if k not in times
    }


def test_without_faults_nothing_dies_and_nothing_is_lost() -> None:
    result = played(1, "none")
    assert result["faults"] == {}
    assert result["lives"] == 1
    assert 0 < result["trades"] <= result["entries"]
    assert result["violation"] is None
