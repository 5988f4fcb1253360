"""Funding of every boundary, each position by its own clock; liquidation ends orders and takes over in the venue's favour."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.exchange.requests import SetLeverage
from turbo_trader.market.events import SECOND

D = Decimal
T0 = 1_767_600_000 * SECOND
EIGHT_HOURS = 8 * 3600 * SECOND


def test_every_funding_that_passed_is_charged(desk: Any) -> None:
    desk.mark(500_000)
    desk.funding("0.0001")
    desk.market(1, "0.010")
    before = desk.x.wallet("u")
    desk.x.settle(T0 + 3 * EIGHT_HOURS + SECOND)
    assert before - desk.x.wallet("u") == 3 * D("0.010") * 50_000 * D("0.0001")
    times = [fill.ts for fill in desk.fills() if fill.kind == "Funding"]
    assert times == [T0 + k * EIGHT_HOURS for k in (1, 2, 3)]


def test_an_opening_by_one_account_leaves_the_funding_of_another_due(desks: Any) -> None:
    desk = desks("1000", "1000")
    desk.mark(500_000)
    desk.funding("0.0001")
    desk.market(1, "0.010", link_id="held")
    desk.limit(1, "0.010", "49999.0", uid="u2")
    before = desk.x.wallet("u")
    desk.now = T0 + EIGHT_HOURS + SECOND
    desk.trade(499_980, 100, -1)  # the other account's order fills before anybody settled
    assert desk.size("u2") == D("0.010")
    desk.x.settle(desk.now)
    assert before - desk.x.wallet("u") == D("0.010") * 50_000 * D("0.0001")
    assert not [fill for fill in desk.fills("u2") if fill.kind == "Funding"]


def test_a_fill_after_a_settlement_does_not_change_what_that_settlement_charges(desk: Any) -> None:
    desk.mark(500_000)
    desk.funding("0.0001")
    desk.market(1, "0.010")
    desk.limit(1, "0.010", "49999.0")
    desk.now = T0 + EIGHT_HOURS + SECOND
    desk.trade(499_980, 100, -1)  # doubles the position a second after the settlement
    desk.x.settle(desk.now)
    charged = [(fill.qty, fill.ts) for fill in desk.fills() if fill.kind == "Funding"]
    assert charged == [(D("0.010"), T0 + EIGHT_HOURS)]


def test_shorts_receive_what_longs_pay(desks: Any) -> None:
    desk = desks("1000", "1000")
    desk.mark(500_000)
    desk.funding("0.0001")
    desk.market(1, "0.010")
    desk.market(-1, "0.010", uid="u2")
    before = desk.x.wallet("u"), desk.x.wallet("u2")
    desk.x.settle(T0 + EIGHT_HOURS)
    assert before[0] - desk.x.wallet("u") == desk.x.wallet("u2") - before[1] == D("0.05")


def test_a_short_is_taken_over_at_the_tick_above_its_bankruptcy_price(desk: Any) -> None:
    desk.do(SetLeverage("BTCUSDT", D(30)))
    desk.market(-1, "0.100")  # at 50,000.0: bankrupt at 50,000 x (1 + 1/30) = 51,666.67
    desk.mark(int(desk.position().liq_price * 10) + 1)
    assert desk.size() == 0
    assert (desk.fills()[-1].kind, desk.fills()[-1].price) == ("BustTrade", D("51666.7"))


def test_a_liquidation_ends_every_order_of_the_contract(desk: Any) -> None:
    desk.do(SetLeverage("BTCUSDT", D(50)))
    desk.market(1, "0.100", stop_loss=D("40000.0"))
    desk.limit(-1, "0.100", "50100.0", link_id="resting")
    desk.market(-1, "0.1", link_id="own", reduce_only=True, trigger_price=D("49500"), trigger_direction=2)
    desk.x.drain()
    desk.mark(int(desk.position().liq_price * 10) - 1)
    assert desk.size() == 0
    assert desk.ended() == {
        "resting": "CancelAllBeforeLiq", "own": "CancelAllBeforeLiq", "": "CancelByTpSlTsClear",
    }  # fmt: skip
    assert not desk.x.open_orders("u")


def test_funding_that_takes_the_last_margin_liquidates_at_its_settlement(desks: Any) -> None:
    desk = desks("110")
    desk.mark(500_000)
    desk.funding("0.02")
    desk.do(SetLeverage("BTCUSDT", D(50)))
    desk.market(1, "0.100")  # 5,000 USDT: binds 100 of margin, and a settlement takes as much
    assert desk.position().liq_price < 50_000
    desk.x.settle(T0 + EIGHT_HOURS)
    assert desk.size() == 0
    assert [(fill.kind, fill.ts) for fill in desk.fills()[1:]] == [
        ("Funding", T0 + EIGHT_HOURS), ("BustTrade", T0 + EIGHT_HOURS),
    ]  # fmt: skip


def test_what_is_opened_beyond_its_liquidation_price_is_liquidated_at_once(desks: Any) -> None:
    desk = desks("1000", "1000")
    desk.do(SetLeverage("BTCUSDT", D(50)))
    desk.mark(480_000)  # 4 % below the book
    assert desk.market(1, "0.100") == 0
    assert (desk.size(), [fill.kind for fill in desk.fills()]) == (0, ["Trade", "BustTrade"])
    desk.market(1, "0.100", uid="u2")  # at 10x it stands
    assert desk.size("u2") == D("0.100")
