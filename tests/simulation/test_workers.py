"""Scans shared among threads decide, and say, what one thread does: also where a row passes on the way or the leader moves."""

from __future__ import annotations

from decimal import Decimal
from threading import get_ident
from typing import Any

import numpy as np
import pytest
from tests.simulation.test_decisions import FORCED
from tests.simulation.test_scanning_ahead import EAGER, Kept, Market, made_up

from turbo_trader.rules.policy import Policy
from turbo_trader.signals.noise import fit_noise
from turbo_trader.simulation import process
from turbo_trader.simulation.backtest import Backtest
from turbo_trader.simulation.workers import Threads
from turbo_trader.trader import scan_groups
from turbo_trader.trader.scan_groups import ScanGroups


def run(market: Market, policy: Policy, threads: int) -> tuple[dict[str, Any], list[Any]]:
    kept = Kept()
    test = Backtest(market.tape, policy, Decimal(18), recorder=kept, threads=threads)
    result = test.run(market.history)
    return {name: value for name, value in result.items() if name != "seconds"}, kept.lines


@pytest.fixture
def put_back(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many symbols were put back, each time; stretches are shared however short they are."""
    times: list[int] = []
    really = scan_groups._put_back

    def counted(group: scan_groups.Group, *given: Any) -> None:
        times.append(len(group.symbols))
        really(group, *given)

    monkeypatch.setattr(scan_groups, "_put_back", counted)
    monkeypatch.setattr(scan_groups, "_WORTH", 0)
    return times


@pytest.mark.parametrize(("seed", "changes"), [(4, FORCED), (6, EAGER)])
def test_threads_decide_what_one_does(seed: int, changes: dict[str, Any], put_back: list[int]) -> None:
    market, policy = made_up(seed, 40), Policy(**changes)
    alone = run(market, policy, 1)
    assert alone[0]["trades"] > 0
    assert not put_back
    for threads in (2, 3):
        assert run(market, policy, threads) == alone
    assert put_back
    assert max(put_back) < len(market.tape.instruments)


def test_noise_is_fitted_by_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    by: set[int] = set()

    def fitted(*given: Any) -> Any:
        by.add(get_ident())
        return fit_noise(*given)

    monkeypatch.setattr(process, "fit_noise", fitted)
    run(made_up(4, 20), Policy(), 2)
    assert len(by) == 2


def test_a_big_move_of_the_leader_is_known_to_every_group(put_back: list[int]) -> None:
    market, policy = made_up(4, 40), Policy(btc_move=Decimal("0.0002"))
    assert run(market, policy, 2) == run(market, policy, 1)
    assert max(put_back) == len(market.tape.instruments)


def test_groups_of_neighbours_have_about_the_same_to_do() -> None:
    groups = ScanGroups([np.zeros(5, np.int64)], -1, 4, Threads(2))
    groups.share(np.array([9_000, 1_000, 1_000, 6_000, 1_000]), 1)
    assert [group.symbols.tolist() for group in groups._several] == [[0], [1, 2, 3, 4]]


def test_nothing_left_on_the_tape_is_shared_out_too() -> None:
    groups = ScanGroups([np.zeros(3, np.int64)], -1, 4, Threads(2))
    groups.share(np.zeros(3, np.int64), 0)
    assert sorted(s for group in groups._several for s in group.symbols.tolist()) == [0, 1, 2]


def test_jobs_give_their_results_in_order() -> None:
    workers = Threads(3)
    assert workers.run([lambda n=n: n * n for n in range(7)]) == [n * n for n in range(7)]  # type: ignore[misc]
    workers.close()
