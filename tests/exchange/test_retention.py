"""What is over is forgotten: unfilled orders after a day, the rest when the venue's time for it is over; never what is open."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange import retention
from turbo_trader.exchange.machine import ExchangeConfig
from turbo_trader.market.events import DAY, SECOND

D = Decimal
WEEK = 7 * DAY


@pytest.fixture
def desk(desks: Any) -> Any:
    return desks("1000", config=ExchangeConfig(keep_ns=WEEK))


def known(desk: Any) -> set[str]:
    """Link ids of the orders that can still be asked for."""
    return {order.link_id for order in desk.x.accounts["u"].orders.values()}


def passes(desk: Any, ns: int) -> None:
    desk.now += ns
    desk.x.settle(desk.now)


def test_unfilled_orders_are_forgotten_after_a_day_filled_ones_after_a_week_open_ones_never(
    desk: Any,
) -> None:
    desk.limit(1, "0.001", "40000", link_id="rests")
    desk.limit(1, "0.001", "40000", link_id="cancelled")
    desk.do(ask.CancelOrder("BTCUSDT", link_id="cancelled"))
    desk.market(1, "0.001", link_id="filled")
    passes(desk, DAY)
    assert known(desk) == {"rests", "cancelled", "filled"}
    passes(desk, SECOND)
    assert known(desk) == {"rests", "filled"}
    passes(desk, 6 * DAY)
    assert known(desk) == {"rests"}
    assert [e.kind for e in desk.fills()].count("Trade") == 0
    assert len(desk.x.accounts["u"].log) == len(
        desk.fills()
    )  # the funding of a week, without the transfer and the trade
    assert desk.size() == D("0.001")
    passes(desk, 100 * DAY)
    assert known(desk) == {"rests"}


def test_a_link_id_is_taken_for_as_long_as_its_order_is_known(desk: Any) -> None:
    assert desk.limit(1, "0.001", "40000", link_id="once") == 0
    desk.do(ask.CancelOrder("BTCUSDT", link_id="once"))
    assert desk.limit(1, "0.001", "40000", link_id="once") == 110072
    passes(desk, DAY + SECOND)
    assert desk.limit(1, "0.001", "40000", link_id="once") == 0
    assert desk.order("once").open


def test_there_is_a_most_of_each(desk: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 5)
    for n in range(20):
        desk.limit(1, "0.001", "40000", link_id=f"c{n}")
        desk.do(ask.CancelOrder("BTCUSDT", link_id=f"c{n}"))
        desk.market(1 if n % 2 else -1, "0.001", link_id=f"f{n}")
    passes(desk, SECOND)
    assert known(desk) == {f"{kind}{n}" for kind in "cf" for n in range(15, 20)}
    account = desk.x.accounts["u"]
    assert (len(account.executions), len(account.log), len(account.links)) == (5, 5, 10)


def test_a_venue_that_was_told_nothing_keeps_everything(desks: Callable[..., Any]) -> None:
    desk = desks("1000")
    desk.limit(1, "0.001", "40000", link_id="cancelled")
    desk.do(ask.CancelOrder("BTCUSDT", link_id="cancelled"))
    passes(desk, 1000 * DAY)
    assert known(desk) == {"cancelled"}


def test_the_fee_of_opening_is_known_after_its_execution_is_forgotten(desk: Any) -> None:
    desk.market(1, "0.002")
    opening = desk.fills()[0].fee
    passes(desk, WEEK + DAY)
    desk.market(-1, "0.001")
    closing = desk.fills()[-1]
    assert (closing.open_fee, closing.leverage) == (opening / 2, D(10))
    desk.market(-1, "0.003")  # closes the rest and opens a short
    assert desk.fills()[-1].open_fee == opening / 2
    desk.market(1, "0.002")
    fee = desk.fills()[-2].fee
    assert desk.fills()[-1].open_fee == fee * 2 / 3
