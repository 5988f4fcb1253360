"""S15, S16, S17, S45, S49: stop changes never leave a position without a stop and never loosen one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.trader import events
from turbo_trader.trader.commands import Read

D = Decimal
ZONE_ONE, FARTHER = ("100.60", "100.61"), ("101.20", "101.21")


def in_zone_one(stage: Any) -> Any:
    """A long held from about 100.05, the price half-way to its target: the stop goes to break-even."""
    stage.hold()
    stage.quote(*ZONE_ONE, mark="100.60")
    change: Any = stage.stops[-1]
    return change


def report(stage: Any, stop: Any) -> Any:
    state = stage.state()
    return stage.position(str(state.held), None if stop is None else str(stop), "105")


def test_zone_one_moves_the_stop_beyond_the_entry(stage: Any) -> None:
    change = in_zone_one(stage)
    assert change.take_profit is None
    assert stage.state().trade.entry < change.stop_loss < D("100.60")


def test_s15_not_modified_is_success(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.answer(change, "rejected", 34040)
    assert stage.state().venue.stop == change.stop_loss
    assert stage.state().amendment.stop is None
    assert stage.closes == []


def test_s16_an_unprotected_position_gets_its_stop_again(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(report(stage, None))
    assert stage.stops[-1].stop_loss == sent.stop_loss
    assert stage.notes("unprotected")


def test_s16_no_stop_seen_before_the_fill_is_noticed_with_the_fill(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.position(str(sent.qty), None))
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    assert stage.stops
    assert stage.stops[-1].stop_loss == sent.stop_loss


@pytest.mark.parametrize("code", [10001, 110057, 110020, 110074, 30208, 110001])
def test_s17_a_stop_refused_once_is_looked_at_and_sent_once_more(stage: Any, code: int) -> None:
    change = in_zone_one(stage)
    standing = stage.state().venue.stop
    stage.answer(change, "rejected", code)
    assert stage.closes == []
    assert len(stage.stops) == 1
    stage.read(stage.last(Read), positions=(report(stage, standing),))
    again = stage.stops[-1]
    assert (again.id != change.id, again.stop_loss) == (True, change.stop_loss)
    stage.answer(again)
    assert stage.state().venue.stop == change.stop_loss
    assert stage.closes == []


def test_s17_a_stop_refused_twice_closes_at_market(stage: Any) -> None:
    change = in_zone_one(stage)
    standing = stage.state().venue.stop
    stage.answer(change, "rejected", 10001)
    stage.read(stage.last(Read), positions=(report(stage, standing),))
    stage.answer(stage.stops[-1], "rejected", 10001)
    assert stage.closes[-1].order_type == "Market"
    assert stage.state().close.reason == "stop-refused"


def test_s17_a_stop_refused_once_is_sent_again_though_the_read_fails(stage: Any) -> None:
    change = in_zone_one(stage)
    standing = stage.state().venue.stop
    stage.answer(change, "rejected", 10001)
    stage.read(stage.last(Read), "unknown")
    stage.wait(3)
    assert stage.closes == []
    stage.read(stage.last(Read), positions=(report(stage, standing),))
    assert len(stage.stops) == 2


def test_s17_a_refused_stop_whose_position_is_gone_closes_nothing(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.answer(change, "rejected", 10001)
    stage.deliver(stage.fill("", -1, str(stage.state().held), "99.5", closed=str(stage.state().held)))
    stage.read(stage.last(Read), positions=(stage.position("0"),))
    stage.wait(5)
    assert stage.closes == []
    assert len(stage.stops) == 1


@pytest.mark.parametrize("code", [110092, 110093])
def test_s17_a_stop_the_price_has_passed_closes_at_once(stage: Any, code: int) -> None:
    stage.answer(in_zone_one(stage), "rejected", code)
    assert stage.state().close.reason == "stop-refused"


def test_s17_a_stop_refused_beside_the_price_closes_at_once(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.quote(str(change.stop_loss + D("0.02")), str(change.stop_loss + D("0.03")))
    stage.answer(change, "rejected", 10001)
    assert stage.state().close.reason == "stop-refused"


def test_s17_a_refused_stop_of_a_position_without_one_closes_at_once(stage: Any) -> None:
    stage.hold()
    stage.deliver(report(stage, None))
    stage.answer(stage.stops[-1], "rejected", 10001)
    assert stage.state().close.reason == "stop-refused"


def test_s17_a_key_that_may_do_nothing_closes_nothing_while_a_stop_stands(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.deliver(
        events.CommandResult(
            ts=stage.now,
            id=change.id,
            outcome=events.Outcome.REJECTED,
            code=33004,
            message="expired",
            barred_key=True,
        )
    )
    stage.wait(10)
    assert stage.closes == []
    assert stage.state().amendment.stop == change.stop_loss  # sent again once the account can be read


def test_s17_an_unknown_stop_is_read_then_sent_again(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.answer(change, "unknown", -1)
    assert len(stage.stops) == 1
    assert stage.closes == []
    stage.read(stage.last(Read), positions=(report(stage, stage.state().venue.stop),))
    assert len(stage.stops) == 2
    assert stage.stops[-1].stop_loss == change.stop_loss


def test_s17_an_unknown_stop_is_sent_again_though_the_read_failed(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.answer(change, "unknown", -1)
    stage.read(stage.last(Read), "unknown")
    stage.wait(3)
    stage.read(stage.last(Read), positions=(report(stage, stage.state().venue.stop),))
    assert stage.stops[-1].stop_loss == change.stop_loss
    assert len(stage.stops) == 2


def test_s45_one_change_in_flight_and_the_newest_stop_wins(stage: Any) -> None:
    stage.inside._monitor._confirmed = lambda _: True
    first = in_zone_one(stage)
    stage.quote(*FARTHER, mark="101.20")
    assert stage.stops == [first]
    wanted = stage.state().amendment.stop
    assert wanted > first.stop_loss
    stage.answer(first)
    assert stage.stops[1].stop_loss == wanted
    stage.answer(stage.stops[1])
    assert stage.stops[2].stop_loss is None
    assert stage.stops[2].take_profit == stage.state().bracket.pending_backstop


def test_s45_a_newer_stop_follows_the_answer(stage: Any) -> None:
    first = in_zone_one(stage)
    newer = first.stop_loss + D("0.20")
    stage.state().amendment.stop = newer
    stage.state().bracket.stop = newer
    assert stage.stops == [first]
    stage.answer(first)
    assert [change.stop_loss for change in stage.stops] == [first.stop_loss, newer]


def test_s45_an_old_change_that_lands_late_is_tightened_again(stage: Any) -> None:
    first = in_zone_one(stage)
    stage.answer(first, "unknown", -1)
    newer = first.stop_loss + D("0.20")
    stage.state().amendment.stop = stage.state().bracket.stop = newer
    stage.read(stage.last(Read), positions=(report(stage, stage.state().venue.stop),))
    stage.answer(stage.stops[-1])
    assert stage.state().venue.stop == newer
    stage.deliver(report(stage, first.stop_loss))  # the first one after all, and later
    assert stage.stops[-1].stop_loss == newer
    assert stage.notes("stop-loosened")


def test_s45_a_tighter_stop_on_the_venue_is_left_alone(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(report(stage, sent.stop_loss + D("0.10")))
    assert stage.stops == []


def test_s49_a_liquidation_price_before_the_stop_is_closed(stage: Any) -> None:
    sent = stage.hold()
    near = stage.position(str(sent.qty), str(sent.stop_loss), liq_price=sent.stop_loss + D("0.10"))
    stage.deliver(near)
    assert stage.state().close.reason == "liquidation-near"


def test_s49_an_older_report_on_the_position_is_passed_over(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.position("0", seq=0))
    assert stage.state().venue.size == sent.qty


@pytest.mark.parametrize("code", [10002, 10006, 10019])
def test_s17_a_stop_refused_for_now_is_tried_again_and_closes_nothing(stage: Any, code: int) -> None:
    change = in_zone_one(stage)
    stage.answer(change, "rejected", code)
    assert stage.stops == [change]
    stage.wait(3)
    stage.read(stage.last(Read), positions=(report(stage, stage.state().venue.stop),))
    assert [each.stop_loss for each in stage.stops] == [change.stop_loss] * 2
    assert stage.closes == []


def test_s17_patience_with_a_stop_refused_for_now_begins_with_the_answer(stage: Any) -> None:
    change = in_zone_one(stage)
    stage.clock(1)
    stage.answer(change, "rejected", 10006)
    reads = len(stage.all(Read, symbol=change.symbol))
    stage.clock(1.5)
    assert len(stage.all(Read, symbol=change.symbol)) == reads
    stage.clock(0.5)
    assert len(stage.all(Read, symbol=change.symbol)) == reads + 1


def test_s45_a_report_from_before_our_change_loosens_nothing(stage: Any) -> None:
    sent = stage.hold()
    stage.quote(*ZONE_ONE, mark="100.60")
    change = stage.stops[-1]
    asked = stage.now
    stage.clock(1)
    stage.answer(change)
    stage.deliver(
        replace(report(stage, sent.stop_loss), ts=asked - 1)
    )  # on its way while the change was asked for
    assert not stage.notes("stop-loosened")
    assert stage.state().venue.stop == change.stop_loss
    assert stage.stops == [change]


def test_s45_a_stop_loosened_after_our_change_is_set_again(stage: Any) -> None:
    sent = stage.hold()
    stage.quote(*ZONE_ONE, mark="100.60")
    change = stage.stops[-1]
    stage.answer(change)
    stage.clock(1)
    stage.deliver(report(stage, sent.stop_loss))
    assert stage.notes("stop-loosened")
    assert stage.stops[-1].stop_loss == change.stop_loss
    assert len(stage.stops) == 2
