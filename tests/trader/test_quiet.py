"""Hours without a trade are said, with what stops the scans."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.trader.events import Control


def hours(stage: Any, count: int) -> None:
    """Five minutes after five minutes."""
    for _ in range(12 * count):
        stage.clock(300)


def test_nothing_traded_is_said_from_the_sixth_hour_on_once_an_hour(stage: Any) -> None:
    hours(stage, 5)
    assert not stage.notes("no-trades")
    hours(stage, 3)
    said = stage.notes("no-trades")
    assert 2 <= len(said) <= 3
    first = said[0].fields
    assert 6 <= first["hours"] <= 7
    assert first["gate"] == "data"  # no streams, no warm-up
    assert first["gates"]["data"] == first["share"] == 1.0
    assert first["scans"] > 0
    assert first["refusal"] == ""
    assert said[1].fields["hours"] > first["hours"]


def test_a_halt_is_part_of_why_nothing_is_traded(stage: Any) -> None:
    stage.deliver(Control(stage.now, "halt", "me"))
    hours(stage, 7)
    assert stage.notes("no-trades")[0].fields["refusal"] == "halted: halted by command"


def test_a_position_that_is_held_is_a_trade(stage: Any) -> None:
    hours(stage, 5)
    quiet = stage.inside._scanner.counts._hourly._quiet
    stage.state().held = Decimal(1)
    quiet.add(Funnel(scans=10), 1.0, trades=0)
    stage.state().held = Decimal(0)
    quiet.add(Funnel(scans=10), 5.0, trades=0)
    assert not stage.notes("no-trades")
    quiet.add(Funnel(scans=10), 1.0, trades=0)
    stage.clock(1)
    assert stage.notes("no-trades")


def test_a_closed_trade_begins_the_count_again(stage: Any) -> None:
    quiet = stage.inside._scanner.counts._hourly._quiet
    quiet.add(Funnel(scans=10), 5.9, trades=0)
    quiet.add(Funnel(scans=10), 1.0, trades=1)
    quiet.add(Funnel(scans=10), 5.9, trades=0)
    stage.clock(1)
    assert not stage.notes("no-trades")
