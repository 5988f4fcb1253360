"""A backtest runs the whole Trader on the simulated exchange: deterministic, exact in money, honest without an edge."""

from __future__ import annotations

from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.market.reference import universe
from turbo_trader.market.tape import Tape
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600 * SECOND


@cache
def result(
    seed: int = 1, edge: float = 1.0, minutes: int = 45, balance: int = 100, feed_ms: int = 20
) -> dict[str, Any]:
    instruments = universe()[:6]
    market = SyntheticMarket(instruments, seed, START, edge)
    rows = tuple(market.read(s, START + minutes * MINUTE) for s in range(len(instruments)))
    tape = Tape(instruments, rows, "made up", made_up=True)
    test = Backtest(tape, Policy(), Decimal(balance), Latency(feed=feed_ms * 1_000_000))
    return test.run(tuple(market.history(i.symbol) for i in instruments))


def test_it_trades_on_a_market_with_an_edge_and_ends_flat_and_guarded() -> None:
    report = result()
    assert report["trades"] > 0
    assert report["open_positions"] == 0
    assert report["unguarded_seconds"] == 0
    assert report["wins"] + report["losses"] == report["trades"]


@pytest.mark.parametrize("seed", [1, 2])
def test_the_wallet_adds_up_to_the_last_digit_and_is_the_venues(seed: int) -> None:
    report = result(seed=seed)
    assert (
        report["wallet"] == report["start_equity"] + report["realised"] - report["fees"] + report["funding"]
    )
    assert report["end_equity"] == report["wallet"]
    assert report["wallet_difference"] == 0


def test_twice_the_same_gives_the_same_decisions_and_another_seed_others() -> None:
    first = result()
    result.cache_clear()
    assert result()["decisions_sha256"] == first["decisions_sha256"]
    assert result(seed=2)["decisions_sha256"] != first["decisions_sha256"]


def test_latency_is_part_of_the_result() -> None:
    assert result(feed_ms=500)["decisions_sha256"] != result()["decisions_sha256"]


def test_the_funnel_narrows_and_its_blocks_add_up() -> None:
    funnel = result()["funnel"]
    assert (
        funnel["scans"]
        >= funnel["candidates"]
        >= funnel["pre_filter"]
        >= funnel["A"] + funnel["B"]
        >= funnel["passed"]
    )
    assert sum(funnel["blocks"].values()) + funnel["passed"] <= funnel["scans"]
    assert funnel["scans"] == result()["scans"]
