"""Whatever is asked in both position modes and both margin modes, money, positions, margins and orders add up."""

from __future__ import annotations

import random
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.exchange import requests as ask
from turbo_trader.market.instruments import RiskTier
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe

pytestmark = pytest.mark.long

D = Decimal
TIERS = (
    RiskTier(D(2_000), D("0.005"), D("0.01"), D(100), D(0)),
    RiskTier(D(10_000), D("0.01"), D("0.02"), D(50), D(10)),
    RiskTier(D(50_000), D("0.02"), D("0.04"), D(25), D(110)),
)
BTC = replace(universe()[0], tiers=TIERS)
KINDS = 14


def request(kind: int, mid: int, shift: int, lots: int, idx: int) -> ask.Request:
    side = 1 if shift >= 0 else -1
    price, qty = BTC.price(mid + shift), BTC.qty(lots)
    leverage = D(1 + abs(shift) * lots % 100)
    requests: list[ask.Request] = [
        ask.CreateOrder(symbol="BTCUSDT", side=Side(side), order_type="Market", qty=qty, position_idx=idx),
        ask.CreateOrder(
            symbol="BTCUSDT", side=Side(side), order_type="Limit", qty=qty, price=price, position_idx=idx
        ),
        ask.CreateOrder(
            symbol="BTCUSDT",
            side=Side(side),
            order_type="Limit",
            qty=qty,
            price=price,
            reduce_only=True,
            position_idx=idx,
        ),
        ask.CreateOrder(
            symbol="BTCUSDT",
            side=Side(side),
            order_type="Market",
            qty=qty,
            stop_loss=BTC.price(mid - 40 * side),
            position_idx=idx,
        ),
        ask.SetTradingStop(
            symbol="BTCUSDT", take_profit=price, stop_loss=BTC.price(mid - shift), position_idx=idx
        ),
        ask.CancelAll("BTCUSDT"),
        ask.SetLeverage("BTCUSDT", leverage),
        ask.SetLeverage("BTCUSDT", leverage, D(lots)),
        ask.AddMargin("BTCUSDT", D(shift), idx),
        ask.SetAutoMargin("BTCUSDT", lots % 4 > 2, idx),
        ask.SwitchMode("BTCUSDT", lots % 2 > 0),
        ask.SetMarginMode(lots % 2 > 0),
    ]
    return requests[kind]


def step(rig: Any, mid: int, kind: int, shift: int, lots: int) -> int:
    """One request, a deleveraging or a move of the market; returns the middle of the book after it, ticks."""
    idx = lots % 3 if kind == 4 else rig.x.accounts["u"].indices("BTCUSDT")[-(lots % 2)]
    if kind < KINDS - 2:
        rig.do(request(kind, mid, shift, lots, idx))
        return mid
    if kind == KINDS - 2 and not lots % 10:
        rig.x.deleverage(rig.now, "u", "BTCUSDT", idx, BTC.qty(lots))
        return mid
    mid += shift * 150
    rig.book(mid - 5, mid + 5, 60)
    rig.trade(mid, lots, 1 if shift >= 0 else -1)
    carried(rig)
    return mid


def carried(rig: Any) -> None:
    """After the market has moved nothing stands that should be liquidated."""
    account, needs = rig.x.accounts["u"], rig.x.collateral
    for position in account.held():
        assert not needs.exhausted(account, position)


def must_hold(rig: Any) -> None:
    account = rig.x.accounts["u"]
    assert account.balance == sum((entry.change for entry in account.log), D(0))
    fills: dict[tuple[str, int], Decimal] = {}
    for fill in account.executions:
        if fill.kind != "Funding":
            key = account.orders[fill.order_id].key
            fills[key] = fills.get(key, D(0)) + fill.side * fill.qty
    for key, position in account.positions.items():
        assert position.size == fills.get(key, D(0))
        assert position.size * {0: 0, 1: 1, 2: -1}[position.idx] >= 0
        assert not position.size or position.idx in account.indices(position.symbol)
        assert position.cost >= 0
        assert not account.cross or not position.extra
        assert position.size or not (position.cost or position.extra)
        reducing = D(0)
        for order in account.open_orders.values():
            if order.key == key and order.resting and order.reduce_only:
                assert order.side * position.size < 0
                reducing += order.leaves
        assert reducing <= abs(position.size)
    for order in account.orders.values():
        assert 0 <= order.filled <= order.qty
        assert order.open == (order.order_id in account.open_orders)
        assert not order.open or order.position_idx in account.indices(order.symbol)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, KINDS - 1), st.integers(-40, 40), st.integers(1, 60)),
        min_size=1,
        max_size=40,
    )
)
def test_whatever_is_asked_of_positions_adds_up(rigs: Any, steps: list[tuple[int, int, int]]) -> None:
    rig, mid = rigs("500", of=(BTC,)), 500_005
    for kind, shift, lots in steps:
        mid = step(rig, mid, kind, shift, lots)
        must_hold(rig)


@pytest.mark.parametrize("seed", [0, *(pytest.param(n, marks=pytest.mark.slow) for n in (1, 2))])
def test_ten_thousand_requests_add_up(rigs: Any, seed: int) -> None:
    draw = random.Random(seed)
    rig, mid = rigs("3000", of=(BTC,)), 500_005
    account = rig.x.accounts["u"]
    kinds = set()
    for number in range(10_000):
        if number % 500 == 499:
            must_hold(rig)
        if account.balance < 100:
            kinds |= {fill.kind for fill in account.executions}
            rig = rigs("3000", of=(BTC,))
            account, mid = rig.x.accounts["u"], 500_005
        mid = step(rig, mid, draw.randrange(KINDS), draw.randint(-40, 40), draw.randint(1, 60))
    kinds |= {fill.kind for fill in account.executions}
    assert kinds == {"Trade", "BustTrade", "AdlTrade"}
