"""The trading-stop request and what follows from it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

D = Decimal


def test_another_trigger_price_type_is_a_change(desk: Any) -> None:
    desk.mark(500_000)
    desk.market(1, "0.010", stop_loss=D("49000.0"))
    assert desk.stop(stop_loss=D("49000.0")) == 34040
    assert desk.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 0
    assert desk.stop(stop_loss=D("49000.0"), sl_trigger_by="MarkPrice") == 34040
    desk.trade(489_000)
    assert desk.size() == D("0.010")  # the last price does not fire it any more
    desk.mark(489_000)
    assert desk.size() == 0


def test_removing_what_is_not_there_is_no_change(desk: Any) -> None:
    desk.market(1, "0.010", stop_loss=D("49000.0"))
    assert desk.stop(take_profit=D(0), sl_trigger_by="MarkPrice") == 34040
    assert desk.stop(stop_loss=D(0)) == 0
    assert desk.stop(stop_loss=D(0), sl_trigger_by="MarkPrice") == 34040
