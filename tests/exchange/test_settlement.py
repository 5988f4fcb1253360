"""Funding of every boundary, each position by its own clock; liquidation ends orders and takes over in the venue's favour."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.exchange.requests import SetLeverage
from turbo_trader.market.rows import SECOND

D = Decimal
T0 = 1_767_600_000 * SECOND
EIGHT_HOURS = 8 * 3600 * SECOND


def test_every_funding_that_passed_is_charged(rig: Any) -> None:
    rig.mark(500_000)
    rig.funding("0.0001")
    rig.market(1, "0.010")
    before = rig.x.wallet("u")
    rig.x.settle(T0 + 3 * EIGHT_HOURS + SECOND)
    assert before - rig.x.wallet("u") == 3 * D("0.010") * 50_000 * D("0.0001")
    times = [fill.ts for fill in rig.fills() if fill.kind == "Funding"]
    assert times == [T0 + k * EIGHT_HOURS for k in (1, 2, 3)]


def test_an_opening_by_one_account_leaves_the_funding_of_another_due(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.mark(500_000)
    rig.funding("0.0001")
    rig.market(1, "0.010", link_id="held")
    rig.limit(1, "0.010", "49999.0", uid="u2")
    before = rig.x.wallet("u")
    rig.now = T0 + EIGHT_HOURS + SECOND
    rig.trade(499_980, 100, -1)  # the other account's order fills before anybody settled
    assert rig.size("u2") == D("0.010")
    rig.x.settle(rig.now)
    assert before - rig.x.wallet("u") == D("0.010") * 50_000 * D("0.0001")
    assert not [fill for fill in rig.fills("u2") if fill.kind == "Funding"]


def test_a_fill_after_a_settlement_does_not_change_what_that_settlement_charges(rig: Any) -> None:
    rig.mark(500_000)
    rig.funding("0.0001")
    rig.market(1, "0.010")
    rig.limit(1, "0.010", "49999.0")
    rig.now = T0 + EIGHT_HOURS + SECOND
    rig.trade(499_980, 100, -1)  # doubles the position a second after the settlement
    rig.x.settle(rig.now)
    charged = [(fill.qty, fill.ts) for fill in rig.fills() if fill.kind == "Funding"]
    assert charged == [(D("0.010"), T0 + EIGHT_HOURS)]


def test_shorts_receive_what_longs_pay(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.mark(500_000)
    rig.funding("0.0001")
    rig.market(1, "0.010")
    rig.market(-1, "0.010", uid="u2")
    before = rig.x.wallet("u"), rig.x.wallet("u2")
    rig.x.settle(T0 + EIGHT_HOURS)
    assert before[0] - rig.x.wallet("u") == rig.x.wallet("u2") - before[1] == D("0.05")


def test_a_short_is_taken_over_at_the_tick_above_its_bankruptcy_price(rig: Any) -> None:
    rig.do(SetLeverage("BTCUSDT", D(30)))
    rig.market(-1, "0.100")  # at 50,000.0: bankrupt at 50,000 x (1 + 1/30) = 51,666.67
    rig.mark(int(rig.position().liq_price * 10) + 1)
    assert rig.size() == 0
    assert (rig.fills()[-1].kind, rig.fills()[-1].price) == ("BustTrade", D("51666.7"))


def test_a_liquidation_ends_every_order_of_the_contract(rig: Any) -> None:
    rig.do(SetLeverage("BTCUSDT", D(50)))
    rig.market(1, "0.100", stop_loss=D("40000.0"))
    rig.limit(-1, "0.100", "50100.0", link_id="resting")
    rig.market(-1, "0.1", link_id="own", reduce_only=True, trigger_price=D("49500"), trigger_direction=2)
    rig.x.drain()
    rig.mark(int(rig.position().liq_price * 10) - 1)
    assert rig.size() == 0
    assert rig.ended() == {
        "resting": "CancelAllBeforeLiq", "own": "CancelAllBeforeLiq", "": "CancelByTpSlTsClear",
    }  # fmt: skip
    assert not rig.x.open_orders("u")


def test_funding_that_takes_the_last_margin_liquidates_at_its_settlement(rigs: Any) -> None:
    rig = rigs("110")
    rig.mark(500_000)
    rig.funding("0.02")
    rig.do(SetLeverage("BTCUSDT", D(50)))
    rig.market(1, "0.100")  # 5,000 USDT: binds 100 of margin, and a settlement takes as much
    assert rig.position().liq_price < 50_000
    rig.x.settle(T0 + EIGHT_HOURS)
    assert rig.size() == 0
    assert [(fill.kind, fill.ts) for fill in rig.fills()[1:]] == [
        ("Funding", T0 + EIGHT_HOURS), ("BustTrade", T0 + EIGHT_HOURS),
    ]  # fmt: skip


def test_what_is_opened_beyond_its_liquidation_price_is_liquidated_at_once(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    rig.do(SetLeverage("BTCUSDT", D(50)))
    rig.mark(480_000)  # 4 % below the book
    assert rig.market(1, "0.100") == 0
    assert (rig.size(), [fill.kind for fill in rig.fills()]) == (0, ["Trade", "BustTrade"])
    rig.market(1, "0.100", uid="u2")  # at 10x it stands
    assert rig.size("u2") == D("0.100")
