"""Cross margin: one balance carries every position. Figures by hand; what is available, when it is gone, what is left."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FINE, MARK, ROW, SECOND, WHOLE

D = Decimal
BTC, ETH = universe()[:2]
FEE = D("0.00055")
LONG, SHORT = 1, 2


def set_cross(rig: Any, on: bool = True, uid: str = "u") -> int:
    return int(rig.do(ask.SetMarginMode(on), uid))


def wallet(rig: Any) -> Any:
    return rig.x.wallet_message("u", rig.now)


@pytest.fixture
def crossed(rigs: Any) -> Any:
    """1,000 USDT, cross, long 0.100 BTC at 50,001.0 with 10x; the mark is the last price, 50,000.5."""
    rig = rigs("1000")
    assert set_cross(rig) == 0
    assert rig.market(1, "0.100") == 0
    return rig


# -- figures

BALANCE = 1000 - D("5000.1") * FEE
CLOSING = D("4500.09") * FEE  # of closing at 50,001 x (1 - 1/10)


def test_margins_are_of_the_value_at_the_mark(crossed: Any) -> None:
    position = crossed.position()
    assert position.margin == D("500.005") + CLOSING
    assert position.maintenance == D("5000.05") * D("0.005") + CLOSING
    crossed.mark(520_000)
    assert crossed.position().margin == 520 + CLOSING


def test_unrealised_results_carry_new_orders(rigs: Any) -> None:
    for cross, code in ((False, 110007), (True, 0)):
        rig = rigs("600")
        set_cross(rig, cross)
        rig.market(1, "0.100")
        rig.mark(520_000)  # 199.9 ahead: 797.15 - 520 - 2.48 are free, isolated 597.25 - 500.01 - 2.48
        assert rig.limit(1, "0.040", "50000.0") == code


def test_unrealised_losses_bind_what_is_available(crossed: Any) -> None:
    crossed.mark(480_000)
    assert wallet(crossed).margin_balance == BALANCE - D("200.1")
    assert wallet(crossed).available == BALANCE - D("200.1") - 480 - CLOSING
    assert crossed.limit(1, "0.070", "47900.0") == 110007
    assert crossed.limit(1, "0.060", "47900.0") == 0


def test_the_liquidation_price_is_where_the_balance_meets_the_maintenance_margin(crossed: Any) -> None:
    price = crossed.position().liq_price
    assert abs(price - (D("5000.1") + CLOSING - BALANCE) / (D("0.1") * D("0.995"))) < D("1e-18")
    assert crossed.position().bust_price is None
    crossed.mark(int(price * 10) + 1)
    assert crossed.size() == D("0.100")
    assert (
        wallet(crossed).maintenance
        < wallet(crossed).margin_balance
        < wallet(crossed).maintenance * D("1.001")
    )
    crossed.mark(int(price * 10))
    assert crossed.size() == 0


def test_a_liquidation_spends_the_balance_and_no_more(crossed: Any) -> None:
    mark = int(crossed.position().liq_price * 10)
    crossed.mark(mark)
    bust = (D("0.1") * mark / 10 - BALANCE - D("0.1") * (D(mark) / 10 - D("50001.0"))) / (
        D("0.1") * (1 - FEE)
    )
    fill = crossed.fills()[-1]
    assert (fill.kind, fill.create_type) == ("BustTrade", "CreateByTakeOver_PassThrough")
    assert fill.price == BTC.ceil_price(bust)
    assert 0 <= crossed.x.wallet("u") < D("0.1") * BTC.tick


def test_a_mark_beyond_bankruptcy_leaves_no_debt(crossed: Any) -> None:
    crossed.mark(350_000)
    assert crossed.size() == 0
    assert 0 <= crossed.x.wallet("u") < D("0.1") * BTC.tick


def test_a_short_is_liquidated_rising(rigs: Any) -> None:
    rig = rigs("1000")
    set_cross(rig)
    rig.market(-1, "0.100")  # at 50,000.0; closing fee at 55,000
    balance, closing = 1000 - 5000 * FEE, 5500 * FEE
    price = rig.position().liq_price
    assert abs(price - (balance + 5000 - closing) / (D("0.1") * D("1.005"))) < D("1e-18")
    rig.mark(int(price * 10) + 1)
    assert rig.size() == 0


def test_orders_end_with_the_account_and_stops_with_their_position(crossed: Any) -> None:
    crossed.limit(1, "0.010", "48000.0", link_id="in")
    crossed.stop(stop_loss=D("30000.0"))
    crossed.x.drain()
    crossed.mark(int(crossed.position().liq_price * 10))
    assert crossed.ended() == {"in": "CancelAllBeforeLiq", "": "CancelByTpSlTsClear"}
    assert not crossed.x.open_orders("u")


# -- hedge mode


def test_a_hedged_account_falls_and_rises_with_what_is_left_open(rigs: Any) -> None:
    rig = rigs("1000")
    set_cross(rig)
    rig.hedge()
    rig.market(1, "0.100", position_idx=LONG)
    rig.market(-1, "0.060", position_idx=SHORT)
    closing = CLOSING + D("3300") * FEE
    rest = rig.x.wallet("u") - D("5000.1") + 3000 - closing
    expected = -rest / (D("0.040") - D("0.160") * D("0.005"))
    assert abs(rig.position(idx=LONG).liq_price - expected) < D("1e-18")
    assert rig.position(idx=SHORT).liq_price is None  # it gains on the way there
    rig.mark(int(expected * 10))
    assert rig.size(idx=LONG) == 0
    assert rig.size(idx=SHORT) == D("-0.060")  # carried, by what the tick left
    assert 0 <= wallet(rig).margin_balance - wallet(rig).maintenance < D("0.100") * BTC.tick


def test_leverage_is_one_figure_for_both_sides(rigs: Any) -> None:
    rig = rigs("1000")
    rig.hedge()
    unequal = ask.SetLeverage("BTCUSDT", D(5), D(8))
    assert rig.do(unequal) == 0
    assert set_cross(rig) == 3400045
    assert "must be equal" in rig.last.result["reasons"][0]["reasonMsg"]
    rig.do(ask.SetLeverage("BTCUSDT", D(5)))
    assert set_cross(rig) == 0
    assert rig.do(unequal) == 10001


# -- several symbols


def eth_mark(rig: Any, price: str) -> None:
    ticks = ETH.ticks(D(price))
    row = (rig.now + SECOND, ticks * FINE, ticks, MARK | WHOLE, 0, 0)
    rig.feed(np.array([row], ROW), s=1)


def test_a_loss_in_one_symbol_moves_the_liquidation_of_another(rigs: Any) -> None:
    rig = rigs("1000", of=(BTC, ETH))
    set_cross(rig)
    rig.market(1, "0.100")
    alone = rig.position().liq_price
    account = rig.x.accounts["u"]
    eth = account.position("ETHUSDT")
    eth.apply(1, D(2), D(2000), rig.now)
    eth_mark(rig, "1900")
    fee = 2 * D(1800) * FEE
    need = 2 * D(1900) / (2 * ETH.max_leverage) + fee
    expected = alone + (200 + need) / (D("0.1") * D("0.995"))
    assert abs(rig.position().liq_price - expected) < D("1e-18")
    eth_mark(rig, "1500")  # 1,000 behind: beyond what there is
    assert (rig.size(), eth.size) == (0, 0)
    assert [fill.symbol for fill in rig.fills() if fill.kind == "BustTrade"] == ["BTCUSDT", "ETHUSDT"]
    assert 0 <= rig.x.wallet("u") < D("0.1") * BTC.tick + 2 * ETH.tick


# -- the mode


def test_margin_added_is_free_again_and_none_can_be_added(rigs: Any) -> None:
    rig = rigs("1000")
    rig.market(1, "0.100")
    rig.do(ask.AddMargin("BTCUSDT", D(100)))
    assert set_cross(rig) == 0
    assert rig.position().margin == D("500.005") + CLOSING
    assert rig.do(ask.AddMargin("BTCUSDT", D(10))) == 110015
    assert set_cross(rig, False) == 0
    assert rig.position().margin == D("500.01") + CLOSING


def test_isolated_margin_is_refused_while_results_carry_the_positions(rigs: Any) -> None:
    rig = rigs("600")
    set_cross(rig)
    rig.market(1, "0.100")
    rig.mark(520_000)
    rig.limit(1, "0.040", "50000.0", link_id="in")
    assert set_cross(rig, False) == 3400045
    assert wallet(rig).cross
    rig.do(ask.CancelOrder("BTCUSDT", link_id="in"))
    assert set_cross(rig, False) == 0


def test_isolated_margin_is_refused_where_it_would_liquidate_at_once(crossed: Any) -> None:
    crossed.mark(445_000)  # isolated it is liquidated at 45,000.9 / 0.995 = 45,227
    assert crossed.size() == D("0.100")
    assert set_cross(crossed, False) == 3400045
    assert crossed.size() == D("0.100")


def test_leverage_of_a_cross_position_is_bound_by_what_is_available(crossed: Any) -> None:
    assert crossed.do(ask.SetLeverage("BTCUSDT", D(5))) == 110007
    assert crossed.do(ask.SetLeverage("BTCUSDT", D(20))) == 0
    assert crossed.position().margin == D("250.0025") + D("5000.1") * D("0.95") * FEE


def test_accounts_have_their_own_mode(rigs: Any) -> None:
    rig = rigs("1000", "1000")
    set_cross(rig, uid="u2")
    rig.market(1, "0.100")
    rig.market(1, "0.100", uid="u2")
    rig.mark(450_000)
    assert (rig.size(), rig.size("u2")) == (0, D("0.100"))


@pytest.mark.parametrize("seed", range(4))
def test_no_account_is_left_in_debt_or_below_its_maintenance_margin(rigs: Any, seed: int) -> None:
    draw = random.Random(seed)
    rig, mid = rigs("300"), 500_005
    set_cross(rig)
    rig.hedge()
    rig.do(ask.SetLeverage("BTCUSDT", D(50)))
    account, needs = rig.x.accounts["u"], rig.x.collateral
    for _ in range(400):
        idx = draw.choice((LONG, SHORT))
        side = draw.choice((1, 1, -1)) * (1 if idx == LONG else -1)
        rig.market(side, str(BTC.qty(draw.randint(1, 40))), position_idx=idx)
        mid += draw.randint(-9_000, 9_000)
        rig.book(mid - 5, mid + 5)
        rig.trade(mid)
        assert account.balance == sum((entry.change for entry in account.log), D(0))
        assert account.balance >= 0
        assert not account.held() or needs.required(account) < needs.balance(account)
    assert any(fill.kind == "BustTrade" for fill in rig.fills())
