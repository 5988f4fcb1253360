"""What is over is forgotten: unfilled orders after a day, the rest when the venue's time for it is over; never what is open."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange import retention
from turbo_trader.exchange.exchange_machine import ExchangeConfig
from turbo_trader.market.rows import DAY, SECOND

D = Decimal
WEEK = 7 * DAY


@pytest.fixture
def rig(rigs: Any) -> Any:
    return rigs("1000", config=ExchangeConfig(keep_ns=WEEK))


def known(rig: Any) -> set[str]:
    """Link ids of the orders that can still be asked for."""
    return {order.link_id for order in rig.x.accounts["u"].orders.values()}


def passes(rig: Any, ns: int) -> None:
    rig.now += ns
    rig.x.settle(rig.now)


def test_unfilled_orders_go_after_a_day_filled_ones_after_a_week_open_ones_never(
    rig: Any,
) -> None:
    rig.limit(1, "0.001", "40000", link_id="rests")
    rig.limit(1, "0.001", "40000", link_id="cancelled")
    rig.do(ask.CancelOrder("BTCUSDT", link_id="cancelled"))
    rig.market(1, "0.001", link_id="filled")
    passes(rig, DAY)
    assert known(rig) == {"rests", "cancelled", "filled"}
    passes(rig, SECOND)
    assert known(rig) == {"rests", "filled"}
    passes(rig, 6 * DAY)
    assert known(rig) == {"rests"}
    assert [e.kind for e in rig.fills()].count("Trade") == 0
    assert len(rig.x.accounts["u"].log) == len(
        rig.fills()
    )  # the funding of a week, without the transfer and the trade
    assert rig.size() == D("0.001")
    passes(rig, 100 * DAY)
    assert known(rig) == {"rests"}


def test_a_link_id_is_taken_for_as_long_as_its_order_is_known(rig: Any) -> None:
    assert rig.limit(1, "0.001", "40000", link_id="once") == 0
    rig.do(ask.CancelOrder("BTCUSDT", link_id="once"))
    assert rig.limit(1, "0.001", "40000", link_id="once") == 110072
    passes(rig, DAY + SECOND)
    assert rig.limit(1, "0.001", "40000", link_id="once") == 0
    assert rig.order("once").open


def test_there_is_a_most_of_each(rig: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "MOST", 5)
    for n in range(20):
        rig.limit(1, "0.001", "40000", link_id=f"c{n}")
        rig.do(ask.CancelOrder("BTCUSDT", link_id=f"c{n}"))
        rig.market(1 if n % 2 else -1, "0.001", link_id=f"f{n}")
    passes(rig, SECOND)
    assert known(rig) == {f"{kind}{n}" for kind in "cf" for n in range(15, 20)}
    account = rig.x.accounts["u"]
    assert (len(account.executions), len(account.log), len(account.links)) == (5, 5, 10)


def test_a_venue_that_was_asked_nothing_keeps_everything(rigs: Callable[..., Any]) -> None:
    rig = rigs("1000")
    rig.limit(1, "0.001", "40000", link_id="cancelled")
    rig.do(ask.CancelOrder("BTCUSDT", link_id="cancelled"))
    passes(rig, 1000 * DAY)
    assert known(rig) == {"cancelled"}


def test_the_fee_of_opening_is_known_after_its_execution_is_forgotten(rig: Any) -> None:
    rig.market(1, "0.002")
    opening = rig.fills()[0].fee
    passes(rig, WEEK + DAY)
    rig.market(-1, "0.001")
    closing = rig.fills()[-1]
    assert (closing.open_fee, closing.leverage) == (opening / 2, D(10))
    rig.market(-1, "0.003")  # closes the rest and opens a short
    assert rig.fills()[-1].open_fee == opening / 2
    rig.market(1, "0.002")
    fee = rig.fills()[-2].fee
    assert rig.fills()[-1].open_fee == fee * 2 / 3
