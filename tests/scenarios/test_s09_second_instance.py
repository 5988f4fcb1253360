"""S09: two instances on one account. Each knows the starts of its own journal; an order of another start is another instance's."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.journal import readers
from turbo_trader.market.errors import Refused
from turbo_trader.trader import events
from turbo_trader.trader.commands import CancelOrder

D = Decimal
THEIRS = "tt-beef-1-entry"


def venue_with(shells: Any, *orders: str) -> Any:
    """A venue that has orders with these link ids in its history."""

    class Known(shells.Venue):  # type: ignore[misc]
        def answer(self, target: str, body: bytes) -> dict[str, Any]:
            reply: dict[str, Any] = super().answer(target, body)
            if target.startswith("/v5/order/history"):
                made = str(shells.NOW_MS - 60_000)
                reply["result"] = {"list": [{"orderLinkId": name, "createdTime": made} for name in orders]}
            return reply

    return Known()


async def test_s09_a_start_beside_another_instance_is_refused_with_what_to_do(
    shells: Any, tmp_path: Path
) -> None:
    venue, trader = venue_with(shells, THEIRS, "by-hand"), shells.Scripted(shells.nothing)
    with pytest.raises(Refused, match=r"start beef; the last at 2026-02-02 02:39:00 UTC.*--take-over"):
        await shells.run(venue, trader, tmp_path)
    assert venue.created == []
    assert trader.events == []


async def test_s09_a_venue_that_cannot_answer_yet_is_asked_again_before_anything_starts(
    shells: Any, tmp_path: Path
) -> None:
    class Late(shells.Venue):  # type: ignore[misc]
        asked = 0

        def answer(self, target: str, body: bytes) -> dict[str, Any]:
            reply: dict[str, Any] = super().answer(target, body)
            if target.startswith("/v5/order/history"):
                self.asked += 1
                if self.asked <= 4:  # more often than a read is tried
                    return {"retCode": 10016, "retMsg": "Server error", "result": {}}
            return reply

    venue, trader = Late(), shells.Scripted(shells.nothing)
    summary = await shells.run(venue, trader, tmp_path, duration_s=0.1)
    assert not summary.failed
    assert venue.asked == 5


async def test_s09_taken_over_its_orders_are_ours_from_then_on(shells: Any, tmp_path: Path) -> None:
    venue = venue_with(shells, THEIRS)
    for take_over in (True, False):
        trader = shells.Scripted(shells.nothing)
        await shells.run(venue, trader, tmp_path, duration_s=0.1, take_over=take_over)
        assert "beef" in trader.restored["boots"]["nonces"]
    (note,) = readers.notes(tmp_path, "taken-over")
    assert note["boots"] == ["beef"]


def seen(stage: Any, how: str) -> None:
    """An order or a fill of another instance comes to our ears."""
    sent = stage.enter()
    stage.answer(sent, "rejected", 110007)
    report = replace(stage.order(sent, "New"), link_id=THEIRS)
    match how:
        case "order":
            stage.deliver(report)
        case "fill":
            stage.deliver(stage.fill(THEIRS, 1, "1", "100"))
        case "snapshot":
            stage.clock(31)
            stage.snapshot("1000", orders=(report,))
        case "fill of a snapshot":
            stage.clock(31)
            stage.snapshot("1000", fills=(stage.fill(THEIRS, 1, "1", "100"),))
        case "order on another symbol":
            stage.deliver(replace(report, symbol="ZZZUSDT"))


@pytest.mark.parametrize(
    "how", ["order", "fill", "snapshot", "fill of a snapshot", "order on another symbol"]
)
def test_s09_an_order_of_another_instance_stops_entries_until_a_person_has_looked(
    stage: Any, how: str
) -> None:
    seen(stage, how)
    (note,) = stage.notes("second-instance")
    assert (note.level, note.fields["boot"]) == ("error", "beef")
    assert THEIRS in stage.trader.view().refusal
    assert not stage.all(CancelOrder)  # it is theirs
    new = stage.restart()
    new.recover()
    assert THEIRS in new.trader.view().refusal
    new.deliver(events.Control(new.now, "resume", "a person"))
    assert new.trader.view().refusal == ""


def test_s09_it_is_reported_once_a_start_and_a_person_who_says_go_on_is_believed(stage: Any) -> None:
    for _ in range(3):
        seen(stage, "order")
    stage.deliver(events.Control(stage.now, "resume", "a person"))
    seen(stage, "order")
    assert len(stage.notes("second-instance")) == 1
    assert stage.trader.view().refusal == ""


def test_s09_what_is_held_is_managed_on(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(replace(stage.order(sent, "New"), link_id=THEIRS))
    stage.quote("100.60", "100.61", mark="100.60")
    assert stage.stops[-1].stop_loss > sent.stop_loss


def test_s09_their_fill_on_our_symbol_is_not_taken_for_ours(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill(THEIRS, 1, "2", "100"))
    assert stage.state().held == sent.qty
    assert stage.state().blocks.frozen


def test_s09_orders_of_our_own_earlier_starts_and_of_strangers_alarm_nobody(stage: Any) -> None:
    sent = stage.enter()
    new = stage.restart()
    new.recover()
    new.deliver(stage.order(sent, "Cancelled"))
    new.deliver(replace(stage.order(sent, "New"), link_id="by-hand-1"))
    assert not new.notes("second-instance")
