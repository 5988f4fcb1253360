"""Automatic deleveraging: the venue closes a position against a liquidated one; its rank says how near that is."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.messages import ExecutionMessage, OrderMessage, PositionMessage
from turbo_trader.market.rows import SECOND

D = Decimal
MAKER = D("0.0002")
TAKER = D("0.00055")


def adl(rig: Any, **more: Any) -> Decimal:
    return Decimal(rig.x.deleverage(rig.now, "u", "BTCUSDT", **more))


def test_a_position_is_closed_at_the_mark_for_the_makers_fee(rig: Any) -> None:
    rig.market(1, "0.100")  # at 50,001.0
    rig.mark(520_000)
    assert adl(rig) == D("0.100")
    fill = rig.fills()[-1]
    assert (fill.kind, fill.create_type, fill.link_id) == ("AdlTrade", "CreateByAdl_PassThrough", "")
    assert (fill.side, fill.price, fill.qty, fill.closed_qty) == (-1, D("52000.0"), D("0.100"), D("0.100"))
    assert fill.fee == 5200 * MAKER
    assert rig.x.wallet("u") == 1000 - D("5000.1") * TAKER + D("199.9") - 5200 * MAKER
    entry = rig.x.accounts["u"].log[-1]
    assert (entry.kind, entry.cash_flow, entry.size) == ("ADL", D("199.9"), 0)


def test_a_part_is_closed_at_the_price_of_the_bankrupt(rig: Any) -> None:
    rig.market(-1, "0.100")
    assert adl(rig, qty=D("0.0305"), price=D("49000.05")) == D("0.030")  # on the step and on the tick
    assert (rig.size(), rig.fills()[-1].price) == (D("-0.070"), D("49000.0"))
    assert adl(rig, qty=D(5)) == D("0.070")
    assert adl(rig) == 0


def test_orders_end_first_and_stops_stay_with_what_is_left(rig: Any) -> None:
    rig.market(1, "0.100", stop_loss=D("49000.0"))
    rig.limit(1, "0.010", "49500.0", link_id="in")
    rig.limit(-1, "0.100", "51000.0", link_id="out", reduce_only=True)
    rig.x.drain()
    adl(rig, qty=D("0.040"))
    assert rig.ended() == {"in": "CancelAllBeforeAdl", "out": "CancelAllBeforeAdl"}
    assert [(order.stop_type, order.qty) for order in rig.x.open_orders("u")] == [("StopLoss", D("0.060"))]
    adl(rig)
    assert rig.ended() == {"": "CancelByTpSlTsClear"}


def test_the_status_says_what_the_venue_does(rig: Any) -> None:
    rig.market(1, "0.100")
    rig.x.drain()
    adl(rig)
    messages = [m for _, m in rig.x.drain()]
    assert [(m.status, m.size) for m in messages if isinstance(m, PositionMessage)] == [
        ("Adl", D("0.100")), ("Normal", 0),
    ]  # fmt: skip
    orders = [m for m in messages if isinstance(m, OrderMessage)]
    assert [(m.status, m.create_type, m.reduce_only) for m in orders] == [
        ("Filled", "CreateByAdl_PassThrough", True)
    ]
    rig.do(ask.SetLeverage("BTCUSDT", D(50)))
    rig.market(1, "0.100")
    rig.x.drain()
    rig.mark(450_000)
    reported = [m for _, m in rig.x.drain() if isinstance(m, PositionMessage)]
    assert [(m.status, m.size) for m in reported] == [("Liq", D("0.100")), ("Normal", 0)]


def test_one_side_of_hedge_mode_is_deleveraged_alone(rigs: Any) -> None:
    rig = rigs("2000")
    rig.hedge()
    rig.market(1, "0.100", position_idx=1)
    rig.market(-1, "0.050", position_idx=2)
    assert adl(rig) == 0  # there is no one-way position
    assert adl(rig, idx=2) == D("0.050")
    assert (rig.size(idx=1), rig.size(idx=2)) == (D("0.100"), 0)


def test_funding_that_was_due_is_charged_first(rig: Any) -> None:
    rig.mark(500_000)
    rig.funding("0.0001")
    rig.market(1, "0.010")
    rig.now = 1_767_600_000 * SECOND + 8 * 3600 * SECOND
    adl(rig)
    assert [fill.kind for fill in rig.fills()] == ["Trade", "Funding", "AdlTrade"]


@pytest.mark.parametrize(
    ("mark", "rank"),  # 0.1 at 50,001.0 with 10x: the margin is 502.49
    [(490_000, 1), (501_000, 2), (515_000, 3), (530_000, 4), (560_000, 5)],
)
def test_the_rank_grows_with_the_result_over_the_margin(rig: Any, mark: int, rank: int) -> None:
    assert rig.position().adl_rank == 0
    rig.market(1, "0.100")
    rig.mark(mark)
    assert rig.position().adl_rank == rank


def test_an_unknown_account_or_symbol_is_an_error(rig: Any) -> None:
    for uid, symbol in (("nobody", "BTCUSDT"), ("u", "FOO")):
        with pytest.raises(KeyError):
            rig.x.deleverage(rig.now, uid, symbol)
    assert not [m for _, m in rig.x.drain() if isinstance(m, ExecutionMessage)]
