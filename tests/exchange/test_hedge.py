"""Hedge mode: a long and a short side of one symbol, each with its own orders, stops, funding, liquidation and results."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.messages import PositionMessage
from turbo_trader.market.rows import SECOND

D = Decimal
T0 = 1_767_600_000 * SECOND
LONG, SHORT = 1, 2
FEE = D("0.00055")


@pytest.fixture
def hedged(rigs: Any) -> Any:
    """A rig in hedge mode, long 0.020 at 50,001.0 and short 0.010 at 50,000.0."""
    rig = rigs("10000")
    assert rig.hedge() == 0
    assert rig.market(1, "0.020", position_idx=LONG) == 0
    assert rig.market(-1, "0.010", position_idx=SHORT) == 0
    return rig


# -- switching


def test_the_mode_switches_both_ways_and_says_when_it_is_so_already(rig: Any) -> None:
    assert rig.hedge(on=False) == 110025
    assert rig.hedge() == 0
    assert [p.position_idx for p in rig.x.positions("u", "BTCUSDT", rig.now)] == [1, 2]
    assert rig.hedge() == 110025
    assert rig.hedge(on=False) == 0
    assert [p.position_idx for p in rig.x.positions("u", "BTCUSDT", rig.now)] == [0]


def test_the_mode_is_not_switched_over_a_position_or_an_order(rig: Any) -> None:
    rig.limit(1, "0.010", "49000.0", link_id="resting")
    assert rig.hedge() == 110028
    rig.do(ask.CancelOrder("BTCUSDT", link_id="resting"))
    rig.market(1, "0.010")
    assert rig.hedge() == 110024
    rig.market(-1, "0.010", reduce_only=True)
    assert rig.hedge() == 0


def test_switching_every_symbol_passes_over_those_in_use(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.market(1, "0.010")
    everything = ask.SwitchMode("", True)
    assert rig.do(everything) == 0
    assert rig.size() == D("0.010")  # still one-way
    assert rig.do(everything, "u2") == 0
    assert [p.position_idx for p in rig.x.positions("u2", "BTCUSDT", rig.now)] == [1, 2]
    assert rig.do(everything, "u2") == 0  # by coin, the mode in force is no refusal


def test_leverage_outlives_the_switch(rig: Any) -> None:
    rig.do(ask.SetLeverage("BTCUSDT", D(7)))
    rig.hedge()
    assert [rig.position(idx=idx).leverage for idx in (LONG, SHORT)] == [7, 7]


# -- orders


@pytest.mark.parametrize(("hedge", "idx", "code"), [(False, 0, 0), (False, 1, 10001), (False, 2, 10001),
                                                   (True, 0, 10001), (True, 1, 0)])  # fmt: skip
def test_the_position_index_must_be_one_of_the_mode(rig: Any, hedge: bool, idx: int, code: int) -> None:
    if hedge:
        rig.hedge()
    assert rig.market(1, "0.010", position_idx=idx) == code
    if code:
        assert rig.last.message == "position idx not match position mode"


def test_the_sides_are_held_at_once(hedged: Any) -> None:
    assert (hedged.size(idx=LONG), hedged.size(idx=SHORT)) == (D("0.020"), D("-0.010"))
    assert hedged.position(idx=LONG).entry_price == D("50001.0")
    assert hedged.position(idx=SHORT).entry_price == D("50000.0")
    assert hedged.x.wallet("u") == 10_000 - (D("0.020") * D("50001.0") + D("0.010") * 50_000) * FEE


@pytest.mark.parametrize(("side", "idx", "left"), [(-1, LONG, D("0.015")), (1, SHORT, D("-0.005"))])
def test_the_opposite_order_of_a_side_closes_whether_it_says_so_or_not(
    hedged: Any, side: int, idx: int, left: Decimal
) -> None:
    other = SHORT if idx == LONG else LONG
    before = hedged.size(idx=other)
    assert hedged.market(side, "0.005", position_idx=idx, link_id="out") == 0
    assert hedged.order("out").reduce_only
    assert (hedged.size(idx=idx), hedged.size(idx=other)) == (left, before)


def test_a_closing_order_is_cut_to_its_side_and_never_flips_it(hedged: Any) -> None:
    assert hedged.market(-1, "5.000", position_idx=LONG, link_id="out") == 0
    assert (hedged.order("out").filled, hedged.size(idx=LONG)) == (D("0.020"), 0)
    assert hedged.size(idx=SHORT) == D("-0.010")


@pytest.mark.parametrize("reduce_only", [False, True])
def test_a_side_that_is_flat_has_nothing_to_close(rig: Any, reduce_only: bool) -> None:
    rig.hedge()
    rig.market(1, "0.010", position_idx=LONG)
    assert rig.market(1, "0.010", position_idx=SHORT, reduce_only=reduce_only) == 110017


def test_a_reduce_only_order_that_would_open_its_side_is_refused(hedged: Any) -> None:
    assert hedged.market(1, "0.010", position_idx=LONG, reduce_only=True) == 110017


def test_resting_closing_orders_follow_their_own_side(hedged: Any) -> None:
    hedged.limit(-1, "0.020", "50100.0", position_idx=LONG, link_id="long-out")
    hedged.limit(1, "0.010", "49900.0", position_idx=SHORT, link_id="short-out")
    hedged.market(-1, "0.015", position_idx=LONG)
    assert hedged.order("long-out").leaves == D("0.005")
    assert hedged.order("short-out").leaves == D("0.010")
    hedged.market(-1, "0.005", position_idx=LONG)
    assert (hedged.order("long-out").status, hedged.order("long-out").cancel_type) == (
        "Cancelled", "CancelByReduceOnly",
    )  # fmt: skip
    assert hedged.order("short-out").open


def test_an_opening_order_needs_margin_though_the_other_side_would_be_closed_by_it(rigs: Any) -> None:
    # one-way, a sell against a long of the same size needs none; on the short side of hedge mode it opens
    for hedge, code in ((False, 0), (True, 110007)):
        rig = rigs("600")
        if hedge:
            rig.hedge()
        idx = {"position_idx": LONG} if hedge else {}
        assert rig.market(1, "0.100", **idx) == 0  # 5,000.1 at 10x
        idx = {"position_idx": SHORT} if hedge else {}
        assert rig.limit(-1, "0.100", "50050.0", **idx) == code


# -- stops


def test_each_side_has_its_own_stops(hedged: Any) -> None:
    assert hedged.stop(stop_loss=D("49800.0"), position_idx=LONG) == 0
    assert hedged.stop(stop_loss=D("50200.0"), take_profit=D("49000.0"), position_idx=SHORT) == 0
    assert hedged.stop(stop_loss=D("50200.0"), position_idx=LONG) == 10001  # above the last price of a long
    assert hedged.stop(stop_loss=D("50200.0")) == 10001
    assert hedged.last.message == "position idx not match position mode"
    assert [o.position_idx for o in hedged.x.open_orders("u")] == [LONG, SHORT, SHORT]
    hedged.book(497_990, 498_010)
    hedged.trade(498_000)
    assert (hedged.size(idx=LONG), hedged.size(idx=SHORT)) == (0, D("-0.010"))
    assert hedged.position(idx=SHORT).stop_loss == D("50200.0")


def test_stops_attached_to_an_entry_go_to_its_side(rig: Any) -> None:
    rig.hedge()
    rig.market(1, "0.010", position_idx=LONG, stop_loss=D("49000.0"))
    rig.market(-1, "0.010", position_idx=SHORT, stop_loss=D("51000.0"))
    stops = [rig.position(idx=idx).stop_loss for idx in (LONG, SHORT)]
    assert stops == [D("49000.0"), D("51000.0")]


def test_stops_cannot_be_attached_to_an_order_that_closes_its_side(hedged: Any) -> None:
    assert hedged.market(-1, "0.005", position_idx=LONG, stop_loss=D("51000.0")) == 10001


def test_a_conditional_closing_order_is_cut_to_its_side_when_it_fires(hedged: Any) -> None:
    hedged.market(
        -1, "0.500", position_idx=LONG, link_id="c", trigger_price=D("49900.0"), trigger_direction=2
    )
    hedged.trade(499_000)
    assert (hedged.order("c").status, hedged.order("c").filled) == ("Filled", D("0.020"))
    assert hedged.size(idx=SHORT) == D("-0.010")


# -- money


def test_each_side_pays_or_receives_its_own_funding(hedged: Any) -> None:
    hedged.mark(500_000)
    hedged.funding("0.0001")
    before = hedged.x.wallet("u")
    hedged.x.settle(T0 + 8 * 3600 * SECOND)
    charged = [(e.side, e.qty, e.fee) for e in hedged.fills() if e.kind == "Funding"]
    assert charged == [(1, D("0.020"), D("0.1")), (-1, D("0.010"), D("-0.05"))]
    assert before - hedged.x.wallet("u") == D("0.05")
    assert [e.size for e in list(hedged.x.accounts["u"].log)[-2:]] == [D("0.020"), D("-0.010")]


def test_a_liquidation_takes_one_side_and_its_orders(rigs: Any) -> None:
    rig = rigs("10000")
    rig.do(ask.SetLeverage("BTCUSDT", D(50)))
    rig.hedge()
    rig.market(1, "0.100", position_idx=LONG)
    rig.market(-1, "0.100", position_idx=SHORT)
    rig.limit(1, "0.010", "49000.0", position_idx=LONG, link_id="long-in")
    rig.limit(-1, "0.010", "51000.0", position_idx=SHORT, link_id="short-in")
    rig.mark(int(rig.position(idx=LONG).liq_price * 10) - 1)
    assert (rig.size(idx=LONG), rig.size(idx=SHORT)) == (0, D("-0.100"))
    assert (rig.fills()[-1].kind, rig.fills()[-1].side) == ("BustTrade", -1)
    assert (rig.order("long-in").cancel_type, rig.order("short-in").status) == (
        "CancelAllBeforeLiq", "New",
    )  # fmt: skip


def test_messages_name_the_side(hedged: Any) -> None:
    hedged.x.drain()
    hedged.market(1, "0.005", position_idx=SHORT)
    reported = [m for _, m in hedged.x.drain() if isinstance(m, PositionMessage)]
    assert [(m.position_idx, m.size) for m in reported] == [(SHORT, D("-0.005"))]


def test_results_belong_to_the_side_that_made_them(hedged: Any) -> None:
    hedged.market(-1, "0.020", position_idx=LONG)  # 50,001.0 -> 50,000.0
    fees = D("0.020") * (D("50001.0") + 50_000) * FEE
    assert hedged.position(idx=LONG).realised_ever == D("-0.020") - fees
    assert hedged.position(idx=SHORT).realised_ever == -D("0.010") * 50_000 * FEE
