"""Scans: what passes is ranked by the EV the gates used."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.gate import BLOCK, PASS
from turbo_trader.trader import scanning
from turbo_trader.trader.commands import Scanned, SetLeverage

D = Decimal


def test_the_first_scan_without_data_blocks_every_symbol(stage: Any) -> None:
    row = stage.last(Scanned).rows
    assert len(row) == 2
    assert list(row["verdict"][:, 0]) == [BLOCK, BLOCK]
    assert stage.entries == []


def test_scans_fall_on_the_boundaries_of_the_capital_tier(stage: Any) -> None:
    tier = stage.policy.capital_tier(D(1000))
    assert stage.inside._scanner.next_ns % tier.scan_interval_ns == 0
    stage.now = stage.inside._scanner.next_ns
    scans = len(stage.all(Scanned))
    stage.clock()
    stage.clock()
    assert len(stage.all(Scanned)) == scans + 1


def test_candidates_are_ranked_by_the_ev_the_gates_used(stage: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    used, model = {0: 0.002, 1: 0.004}, {0: 0.009, 1: 0.001}

    def assess_all(*args: Any) -> bool:
        for s, row in enumerate(args[7]):
            for name, value in {"direction": 1, "ev": model[s], "used_ev": used[s], "blocker": -1}.items():
                row[name] = value
        return True

    asked: list[int] = []
    monkeypatch.setattr(scanning, "assess_all", assess_all)
    monkeypatch.setattr(stage.inside._scanner, "_enter", lambda s, *_: asked.append(s))
    stage.now = stage.inside._scanner.next_ns
    stage.clock()
    assert asked == [1, 0]


def test_a_symbol_with_an_open_position_is_not_entered_again(stage: Any) -> None:
    stage.hold()
    scanner = stage.inside._scanner
    scanner._rows["direction"] = 1
    assert not scanner._limits(scanner._rows, 0, scanner.tier)
    assert scanner._limits(scanner._rows, 1, scanner.tier)


def allowed(stage: Any, s: int, direction: int) -> bool:
    """Does gate 8 let a symbol be entered in a direction?"""
    scanner = stage.inside._scanner
    scanner._rows["direction"] = direction
    return bool(scanner._limits(scanner._rows, s, scanner.tier))


@pytest.mark.parametrize("restarted", [False, True])
def test_a_stop_out_bars_its_symbol_and_direction_for_h_restart_or_not(stage: Any, restarted: bool) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.4", closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))
    stopped = stage.now
    if restarted:
        stage = stage.restart()
        stage.recover()
    horizon = stage.policy.capital_tier(D(1000)).horizon_ns
    for at, long in ((stage.now, False), (stopped + horizon - 1, False), (stopped + horizon, True)):
        stage.inside._state.now = at
        assert [allowed(stage, s, d) for s, d in ((0, 1), (0, -1), (1, 1))] == [long, True, True]


@pytest.mark.parametrize("stop_type", ["TakeProfit", ""])
def test_another_end_than_a_stop_bars_nothing(stage: Any, stop_type: str) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.9", closed=str(sent.qty), stop_type=stop_type))
    stage.deliver(stage.position("0"))
    assert allowed(stage, 0, 1)


def test_an_open_position_keeps_the_times_of_the_tier_it_was_opened_in(stage: Any) -> None:
    stage.hold(hold_s=1800.0)  # turbo's, before the account grew
    opened = stage.state().trade.opened_ts
    for later in (stage, stage.restart()):
        later.recover()
        assert later.inside._scanner.tier.max_hold_s == 2700
        assert later.state().bracket.deadline_ns == opened + 1800 * SECOND


def test_the_limit_price_spends_half_the_margin_of_the_ev_used(stage: Any) -> None:
    sent = stage.enter(ev=0.009, used_ev=0.0014)  # a margin of 4 bp: half of it is 2 bp
    assert sent.price == D("100.03")


def test_what_does_not_pay_at_the_limit_is_not_sent(stage: Any) -> None:
    assert stage.decide(forecast=0.004, ev=0.01, used_ev=0.01, min_ev=0.0).value in (PASS, BLOCK)
    thin = stage.decide(1, forecast=0.0001, se=0.00001, used_ev=0.004)
    assert thin.value == BLOCK
    assert "beyond the touch" in thin.text
    assert [c.symbol for c in stage.all(SetLeverage)] in ([], ["AAAUSDT"])


def test_the_funnel_counts_every_row(stage: Any) -> None:
    stage.now = stage.inside._scanner.next_ns
    stage.clock()
    assert stage.trader.summary()["scans"] == 4
    assert np.all(stage.last(Scanned).rows["blocker"] == 0)


def test_the_cost_of_a_scan_walks_the_book_of_the_symbol_both_ways(stage: Any) -> None:
    def slippage(lots: int) -> list[float]:
        stage.quote("100.00", "100.01", lots=lots)
        stage.now = stage.inside._scanner.next_ns
        stage.clock()
        return [float(value) for value in stage.inside._scanner._gates["slippage"]]

    deep = slippage(10**6)
    assert deep == [0.0, 0.0]
    thin = slippage(1)  # one level of one lot: the thin rate, in and out
    assert thin[0] == pytest.approx(2 * float(stage.policy.entry_slip_max))
    assert thin[1] == 0.0


def test_the_exact_size_is_priced_by_its_own_walk_in_place_of_the_reference(stage: Any) -> None:
    assert stage.decide(cost=0.0032, slippage=0.002, gate={"slippage": 0.002}).value == PASS
    entry = stage.state().entry
    assert float(entry.cost) == pytest.approx(0.0012)  # the book is deep at this size
    reach = float(entry.limit) / 100.01 - 1
    assert float(stage.rows["slippage"][0]) == pytest.approx(reach)
    assert float(stage.rows["cost"][0]) == pytest.approx(0.0012 + reach)


def test_the_exact_size_is_left_through_the_side_it_closes_on(stage: Any) -> None:
    stage.quote("100.00", "100.01", lots=1)
    assert stage.decide().value == PASS
    thin = stage.policy.entry_slip_max  # one lot on the bids: less than the size
    assert stage.state().entry.cost == D("0.0012") + thin
    assert float(stage.rows["slippage"][0]) > float(thin)
