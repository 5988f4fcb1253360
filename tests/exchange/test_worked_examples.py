"""The Exchange against examples worked by hand: fees, margin, stops, funding, liquidation, refusals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.exchange.margin import bankruptcy_price, initial_margin, liquidation_price, order_cost
from turbo_trader.exchange.messages import ExecutionMessage, OrderMessage, PositionMessage, WalletMessage
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import (
    FINE,
    FIRST,
    FUNDING,
    LAST,
    LEVEL,
    MARK,
    RATE,
    ROW,
    SECOND,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)

BTC = universe()[0]  # tick 0.1, step 0.001
D = Decimal
T0 = 1_767_600_000 * SECOND  # a multiple of 8 h


def rows(*items: tuple[int, int, int, int, int, int]) -> Rows:
    return np.array(list(items), ROW)


def book(ts: int, bid: int, ask_: int, lots: int = 1000) -> Rows:
    """A fresh book of three levels a side, ten ticks apart."""
    levels = [(ts, lots, bid - 10 * k, LEVEL, 1, 0) for k in range(3)] + [
        (ts, lots, ask_ + 10 * k, LEVEL, -1, 0) for k in range(3)
    ]
    first, *middle, last = [(ts, 0, 0, SNAPSHOT, 0, 0), *levels]
    return rows((*first[:3], first[3] | FIRST, *first[4:]), *middle, (*last[:3], last[3] | LAST, *last[4:]))


def trade(ts: int, price: int, lots: int = 5, side: int = 1) -> Rows:
    return rows((ts, lots, price, TRADE | WHOLE, side, 0))


def test_a_market_order_walks_the_book_and_pays_the_taker_fee(rigs: Any) -> None:
    rig = rigs("10000")
    assert rig.market(1, "1.500") == 0  # 1.000 at 50,001.0 and 0.500 at 50,002.0
    value = D("50001.0") + D("0.5") * D("50002.0")
    assert rig.position().entry_price == value / D("1.5")
    assert rig.x.wallet("u") == 10_000 - value * D("0.00055")
    assert (
        int(rig.x.states["ask"][0]) == 500_020
    )  # consumed levels leave a footprint until the tape writes them again


def test_margin_and_liquidation_are_those_of_the_venues_help_pages() -> None:
    # 0.1 BTC long at 50,000, 10x: value 5,000; closing fee 5,000 x 0.9 x 0.00055
    assert initial_margin(D("0.1"), D(50_000), D(50_000), D(10), D("0.00055")) == 500 + D("2.475")
    assert order_cost(D("0.1"), D(50_000), 1, D(10), D("0.00055")) == 500 + D("2.75") + D("2.475")
    assert bankruptcy_price(D("0.1"), D(50_000), D(10)) == 45_000
    assert bankruptcy_price(D("-0.1"), D(50_000), D(10)) == 55_000
    # mmr 1 / (2 x 100) = 0.005: 45,000 / 0.995
    price, falling = liquidation_price(BTC, (D("0.1"),), D("-0.1") * 45_000, D(50_000))
    assert falling
    assert price is not None
    assert abs(price - D(45_000) / D("0.995")) < D("1e-20")


def test_an_attached_stop_becomes_a_child_follows_size_and_fires_at_last_price(
    rigs: Any,
) -> None:
    rig = rigs()
    assert rig.market(1, "0.100", stop_loss=D("49800.0"), take_profit=D("50500.0")) == 0
    assert (rig.position().stop_loss, rig.position().take_profit) == (D("49800.0"), D("50500.0"))
    rig.x.drain()
    rig.feed(book(rig.now + SECOND, 497_990, 498_010), trade(rig.now + SECOND, 498_000))
    assert rig.position().size == 0
    assert not rig.x.open_orders("u")
    fills = [m for _, m in rig.x.drain() if isinstance(m, ExecutionMessage)]
    assert (fills[0].stop_type, fills[0].create_type, fills[0].price) == (
        "StopLoss",
        "CreateByStopLoss",
        D("49799.0"),
    )


def test_trading_stop_moves_refuses_and_says_when_nothing_changes(rigs: Any) -> None:
    rig = rigs()
    assert rig.do(ask.SetTradingStop(symbol="BTCUSDT", stop_loss=D("49900"))) == 10001  # no position
    rig.market(1, "0.100", stop_loss=D("49800.0"))
    assert rig.do(ask.SetTradingStop(symbol="BTCUSDT", stop_loss=D("49900"))) == 0
    assert rig.do(ask.SetTradingStop(symbol="BTCUSDT", stop_loss=D("49900"))) == 34040
    assert (
        rig.do(ask.SetTradingStop(symbol="BTCUSDT", stop_loss=D("50100"))) == 10001
    )  # above the last price of a long
    assert rig.position().stop_loss == D("49900")


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (ask.CreateOrder(symbol="FOO", side=Side.BUY, order_type="Market", qty=D(1)), 10001),
        (ask.CreateOrder(symbol="BTCUSDT", side=Side.BUY, order_type="Market", qty=D("0.0005")), 10001),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Limit", qty=D("0.001"), price=D("50000.05")
            ),
            10001,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Limit", qty=D("0.001"), price=D("4000")
            ),
            110094,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Limit", qty=D("0.001"), price=D("60000")
            ),
            30208,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.SELL, order_type="Limit", qty=D("0.001"), price=D("40000")
            ),
            30209,
        ),
        (ask.CreateOrder(symbol="BTCUSDT", side=Side.BUY, order_type="Market", qty=D(1)), 110007),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.SELL, order_type="Market", qty=D("0.001"), reduce_only=True
            ),
            110017,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Market", qty=D("0.001"), position_idx=1
            ),
            10001,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT",
                side=Side.BUY,
                order_type="Market",
                qty=D("0.001"),
                trigger_price=D("49000"),
                trigger_direction=1,
            ),
            110092,
        ),
        (
            ask.CreateOrder(
                symbol="BTCUSDT",
                side=Side.BUY,
                order_type="Market",
                qty=D("0.001"),
                trigger_price=D("51000"),
                trigger_direction=2,
            ),
            110093,
        ),
        (ask.CancelOrder("BTCUSDT", link_id="none"), 110001),
        (ask.SetLeverage("BTCUSDT", D(101)), 110013),
        (ask.SetLeverage("BTCUSDT", D(10)), 110043),
    ],
)
def test_each_refusal_has_its_code(rigs: Any, request_: ask.Request, code: int) -> None:
    rig = rigs()
    rig.x.accounts["u"].moves_prices = False
    assert rig.do(request_) == code


def test_a_market_order_has_no_price_before_the_market_has_one() -> None:
    x = Exchange(universe()[:1], ExchangeConfig())
    x.add_account("u", D(1_000))
    assert (
        x.handle(
            0, "u", ask.CreateOrder(symbol="BTCUSDT", side=Side.BUY, order_type="Market", qty=D("0.001"))
        ).code
        == 110118
    )


def test_a_link_id_is_taken_once(rigs: Any) -> None:
    rig = rigs()
    assert rig.market(1, "0.001", link_id="a") == 0
    assert rig.market(1, "0.001", link_id="a") == 110072


def test_funding_is_charged_at_interval_to_who_holds_and_logged_with_opposite_sign(
    rigs: Any,
) -> None:
    rig = rigs()
    rig.feed(
        rows(
            (rig.now, int(D("0.0001") * RATE), 0, FUNDING | WHOLE, 0, 480),
            (rig.now, 500_000 * FINE, 500_000, MARK | WHOLE, 0, 0),
        )
    )
    rig.market(1, "0.100")
    before = rig.x.wallet("u")
    settlement = T0 + 8 * 3600 * SECOND
    assert rig.x.next_time() == settlement
    rig.x.settle(settlement - 1)
    assert rig.x.wallet("u") == before
    rig.x.settle(settlement)
    assert before - rig.x.wallet("u") == D("0.1") * 50_000 * D("0.0001")
    rig.x.settle(settlement + SECOND)
    assert before - rig.x.wallet("u") == D("0.5")
    entry = rig.x.accounts["u"].log[-1]
    assert (entry.kind, entry.funding, entry.change) == ("SETTLEMENT", D("-0.5"), D("-0.5"))


def test_a_mark_at_the_liquidation_price_takes_the_position_over_at_bankruptcy(rigs: Any) -> None:
    rig = rigs()
    rig.do(ask.SetLeverage("BTCUSDT", D(50)))
    rig.market(1, "0.100")
    liquidation = rig.position().liq_price
    assert liquidation is not None
    mark = int(liquidation / BTC.tick) - 1
    rig.feed(rows((rig.now + SECOND, mark * FINE, mark, MARK | WHOLE, 0, 0)))
    assert rig.position().size == 0
    fills = [m for _, m in rig.x.drain() if isinstance(m, ExecutionMessage)]
    assert fills[-1].kind == "BustTrade"
    assert fills[-1].price == D("49000.9")  # 50,001 x (1 - 1/50) = 49,000.98, on the tick below


def test_a_resting_order_waits_for_its_queue_and_pays_the_maker_fee(rigs: Any) -> None:
    rig = rigs()
    assert (
        rig.do(
            ask.CreateOrder(
                symbol="BTCUSDT", side=Side.BUY, order_type="Limit", qty=D("0.010"), price=D("50000.0")
            )
        )
        == 0
    )  # behind 1,000 lots
    rig.feed(trade(rig.now + SECOND, 500_000, 1000, -1))
    assert rig.position().size == 0
    rig.feed(trade(rig.now + SECOND, 500_000, 4, -1))
    assert rig.position().size == D("0.004")
    rig.feed(trade(rig.now + SECOND, 499_990, 100, -1))  # through it
    assert rig.position().size == D("0.010")
    assert rig.x.wallet("u") == 1000 - D("0.010") * 50_000 * D("0.0002")


def test_messages_of_a_fill_come_as_order_execution_position_wallet(rigs: Any) -> None:
    rig = rigs()
    rig.x.drain()
    rig.market(1, "0.001")
    kinds = [type(message) for _, message in rig.x.drain()]
    assert kinds == [OrderMessage, ExecutionMessage, PositionMessage, WalletMessage]
