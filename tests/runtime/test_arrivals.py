"""What arrives never moves the Trader's clock beyond the measured venue clock."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import SECOND
from turbo_trader.runtime.arrivals import AHEAD, Alarm, Arrivals
from turbo_trader.trader.events import (
    Fill,
    OrderReport,
    Outcome,
    PositionReport,
    ReadResult,
    Unread,
    WalletReport,
)

NOW = 1_770_000_000_000_000_000
ONE = Decimal(1)
FILL = Fill(
    ts=NOW,
    symbol="BTCUSDT",
    exec_id="e",
    order_id="o",
    link_id="l",
    side=Side.BUY,
    qty=ONE,
    price=ONE,
    fee=ONE,
    kind="Trade",
    closed_qty=ONE,
    is_maker=False,
    seq=1,
)
ORDER = OrderReport(
    ts=NOW,
    symbol="BTCUSDT",
    order_id="o",
    link_id="l",
    parent_link_id="",
    side=Side.BUY,
    qty=ONE,
    filled=ONE,
    price=None,
    avg_price=None,
    status="New",
    reduce_only=False,
)
POSITION = PositionReport(
    ts=NOW,
    symbol="BTCUSDT",
    size=ONE,
    entry_price=ONE,
    leverage=ONE,
    stop_loss=None,
    take_profit=None,
    liq_price=None,
    mark_price=None,
    margin=None,
    seq=1,
)
WALLET = WalletReport(NOW, ONE, ONE, ONE, ONE, ONE)
REPORTS: list[Any] = [FILL, ORDER, POSITION, WALLET]


@pytest.mark.parametrize("report", REPORTS)
@pytest.mark.parametrize("ahead", [AHEAD + 1, 86_400 * SECOND, 2**62])
def test_report_from_the_future_is_refused_counted_and_logged(report: Any, ahead: int) -> None:
    events: list[tuple[str, dict[str, Any]]] = []
    arrivals = Arrivals("private", lambda name, level, fields: events.append((name, fields)))
    for _ in range(3):
        found = arrivals.event(replace(report, ts=min(NOW + ahead, 2**63 - 1)), NOW)
        assert isinstance(found, Unread)
        assert found.ts == NOW
    assert arrivals.refused.count == 3
    assert [name for name, _ in events] == ["future-refused"]


@pytest.mark.parametrize("report", REPORTS)
def test_report_a_little_ahead_is_taken_as_of_now(report: Any) -> None:
    arrivals = Arrivals("private", lambda *_: None)
    assert arrivals.event(replace(report, ts=NOW + AHEAD), NOW) == replace(report, ts=NOW)
    assert arrivals.event(replace(report, ts=NOW - 5), NOW) == replace(report, ts=NOW - 5)


def test_rows_of_a_read_from_the_future_leave_their_symbol_unread() -> None:
    late = NOW + 3_600 * SECOND
    foreign = replace(ORDER, symbol="ETHUSDT")
    result = ReadResult(
        ts=NOW,
        id="r",
        outcome=Outcome.CONFIRMED,
        asked_ts=NOW,
        orders=(replace(ORDER, ts=late), foreign),
        fills=(replace(FILL, ts=late),),
        positions=(POSITION,),
        wallet=replace(WALLET, ts=late),
    )
    found = Arrivals("rest", lambda *_: None).read(result, NOW)
    assert (found.orders, found.fills, found.positions, found.wallet) == ((foreign,), (), (POSITION,), None)
    assert found.unread == ("BTCUSDT", "USDT")


def test_alarm_is_logged_at_most_once_a_minute_with_its_count() -> None:
    counts: list[int] = []
    alarm = Alarm(lambda name, level, fields: counts.append(fields["count"]), "x", "rest")
    for second in range(121):
        alarm.add(NOW + second * SECOND)
    assert counts == [1, 61, 121]
