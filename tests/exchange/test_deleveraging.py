"""Automatic deleveraging: the venue closes a position against a liquidated one; its rank says how near that is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.messages import ExecutionMessage, OrderMessage, PositionMessage
from turbo_trader.market.events import SECOND

D = Decimal
MAKER = D("0.0002")
TAKER = D("0.00055")


def adl(desk: Any, **more: Any) -> Decimal:
    return Decimal(desk.x.deleverage(desk.now, "u", "BTCUSDT", **more))


def test_a_position_is_closed_at_the_mark_for_the_makers_fee(desk: Any) -> None:
    desk.market(1, "0.100")  # at 50,001.0
    desk.mark(520_000)
    assert adl(desk) == D("0.100")
    fill = desk.fills()[-1]
    assert (fill.kind, fill.create_type, fill.link_id) == ("AdlTrade", "CreateByAdl_PassThrough", "")
    assert (fill.side, fill.price, fill.qty, fill.closed_qty) == (-1, D("52000.0"), D("0.100"), D("0.100"))
    assert fill.fee == 5200 * MAKER
    assert desk.x.wallet("u") == 1000 - D("5000.1") * TAKER + D("199.9") - 5200 * MAKER
    entry = desk.x.accounts["u"].log[-1]
    assert (entry.kind, entry.cash_flow, entry.size) == ("ADL", D("199.9"), 0)


def test_a_part_is_closed_at_the_price_of_the_bankrupt(desk: Any) -> None:
    desk.market(-1, "0.100")
    assert adl(desk, qty=D("0.0305"), price=D("49000.05")) == D("0.030")  # on the step and on the tick
    assert (desk.size(), desk.fills()[-1].price) == (D("-0.070"), D("49000.0"))
    assert adl(desk, qty=D(5)) == D("0.070")
    assert adl(desk) == 0


def test_orders_end_first_and_stops_stay_with_what_is_left(desk: Any) -> None:
    desk.market(1, "0.100", stop_loss=D("49000.0"))
    desk.limit(1, "0.010", "49500.0", link_id="in")
    desk.limit(-1, "0.100", "51000.0", link_id="out", reduce_only=True)
    desk.x.drain()
    adl(desk, qty=D("0.040"))
    assert desk.ended() == {"in": "CancelAllBeforeAdl", "out": "CancelAllBeforeAdl"}
    assert [(order.stop_type, order.qty) for order in desk.x.open_orders("u")] == [("StopLoss", D("0.060"))]
    adl(desk)
    assert desk.ended() == {"": "CancelByTpSlTsClear"}


def test_the_status_says_what_the_venue_does(desk: Any) -> None:
    desk.market(1, "0.100")
    desk.x.drain()
    adl(desk)
    messages = [m for _, m in desk.x.drain()]
    assert [(m.status, m.size) for m in messages if isinstance(m, PositionMessage)] == [
        ("Adl", D("0.100")), ("Normal", 0),
    ]  # fmt: skip
    orders = [m for m in messages if isinstance(m, OrderMessage)]
    assert [(m.status, m.create_type, m.reduce_only) for m in orders] == [
        ("Filled", "CreateByAdl_PassThrough", True)
    ]
    desk.do(ask.SetLeverage("BTCUSDT", D(50)))
    desk.market(1, "0.100")
    desk.x.drain()
    desk.mark(450_000)
    told = [m for _, m in desk.x.drain() if isinstance(m, PositionMessage)]
    assert [(m.status, m.size) for m in told] == [("Liq", D("0.100")), ("Normal", 0)]


def test_one_side_of_hedge_mode_is_deleveraged_alone(desks: Any) -> None:
    desk = desks("2000")
    desk.hedge()
    desk.market(1, "0.100", position_idx=1)
    desk.market(-1, "0.050", position_idx=2)
    assert adl(desk) == 0  # there is no one-way position
    assert adl(desk, idx=2) == D("0.050")
    assert (desk.size(idx=1), desk.size(idx=2)) == (D("0.100"), 0)


def test_funding_that_was_due_is_charged_first(desk: Any) -> None:
    desk.mark(500_000)
    desk.funding("0.0001")
    desk.market(1, "0.010")
    desk.now = 1_767_600_000 * SECOND + 8 * 3600 * SECOND
    adl(desk)
    assert [fill.kind for fill in desk.fills()] == ["Trade", "Funding", "AdlTrade"]


@pytest.mark.parametrize(
    ("mark", "rank"),  # 0.1 at 50,001.0 with 10x: the margin is 502.49
    [(490_000, 1), (501_000, 2), (515_000, 3), (530_000, 4), (560_000, 5)],
)
def test_the_rank_grows_with_the_result_over_the_margin(desk: Any, mark: int, rank: int) -> None:
    assert desk.position().adl_rank == 0
    desk.market(1, "0.100")
    desk.mark(mark)
    assert desk.position().adl_rank == rank


def test_an_unknown_account_or_symbol_is_an_error(desk: Any) -> None:
    for uid, symbol in (("nobody", "BTCUSDT"), ("u", "FOO")):
        with pytest.raises(KeyError):
            desk.x.deleverage(desk.now, uid, symbol)
    assert not [m for _, m in desk.x.drain() if isinstance(m, ExecutionMessage)]
