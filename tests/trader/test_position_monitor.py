"""Open positions: zones, backstop before target, time stop, one stop change in flight."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.trader import events
from turbo_trader.trader.commands import Read

D = Decimal


@pytest.fixture
def confirming(staged: Any) -> Any:
    """A long held, whose signals go on confirming it."""
    stage = staged()
    stage.recover()
    stage.inside._monitor._confirmed = lambda _: True
    stage.hold()
    return stage


def at_target(stage: Any) -> Any:
    """The price at the target; answers the stop change of the way there."""
    target = stage.state().bracket.target
    stage.quote(str(target), str(target + D("0.01")), mark=str(target))
    return target


def test_the_backstop_is_confirmed_before_the_target_moves(confirming: Any) -> None:
    target = at_target(confirming)
    bracket = confirming.state().bracket
    assert [(change.stop_loss is None, change.take_profit is None) for change in confirming.stops] == [
        (False, True)
    ]
    confirming.answer(confirming.stops[-1])
    while confirming.stops[-1].stop_loss is not None:
        confirming.answer(confirming.stops[-1])
    moved = confirming.stops[-1]
    assert moved.take_profit > target
    assert bracket.target == target
    confirming.answer(moved)
    assert bracket.target > target
    assert confirming.state().venue.backstop == moved.take_profit
    confirming.clock(3)
    assert confirming.stops[-1] == moved  # it is there: nothing is sent again
    assert confirming.closes == []


def test_a_backstop_of_unknown_outcome_leaves_the_target(confirming: Any) -> None:
    target = at_target(confirming)
    while confirming.stops[-1].stop_loss is not None:
        confirming.answer(confirming.stops[-1])
    confirming.answer(confirming.stops[-1], "unknown", -1)
    assert confirming.state().bracket.target == target
    state = confirming.state()
    again = confirming.position(str(state.held), str(state.venue.stop), str(state.venue.backstop))
    confirming.read(confirming.last(Read), positions=(again,))
    assert confirming.stops[-1].take_profit == state.bracket.pending_backstop


def test_a_refused_backstop_closes_at_the_target(confirming: Any) -> None:
    at_target(confirming)
    while confirming.stops[-1].stop_loss is not None:
        confirming.answer(confirming.stops[-1])
    confirming.answer(confirming.stops[-1], "rejected", 10001)
    assert confirming.state().close.reason == "target"
    assert confirming.closes[-1].reduce_only


def test_without_confirmation_the_target_closes(stage: Any) -> None:
    stage.hold()
    stage.inside._monitor._confirmed = lambda _: False
    at_target(stage)
    assert stage.state().close.reason == "target"


def test_the_time_stop_closes_and_a_clock_is_asked_for_by_then(stage: Any) -> None:
    stage.hold()
    deadline = stage.state().bracket.deadline_ns
    assert stage.trader.next_time() <= deadline
    stage.now = deadline - 1
    stage.clock()
    assert stage.closes == []
    stage.now = deadline
    stage.clock()
    assert stage.state().close.reason == "time"


def test_after_zone_one_the_time_doubles(stage: Any) -> None:
    stage.hold()
    opened = stage.state().trade.opened_ts
    stage.quote("100.60", "100.61", mark="100.60")
    assert stage.state().bracket.deadline_ns == opened + 1800 * SECOND


def test_a_mark_beyond_the_stop_closes(stage: Any) -> None:
    stage.hold()
    stage.quote("100.00", "100.01", mark="99.30")
    stage.clock(0)
    stage.clock(1)
    assert stage.state().close.reason == "mark"


def test_a_mark_beyond_the_stop_is_looked_at_again_after_a_second(stage: Any) -> None:
    stage.hold()
    stage.clock(0)
    stage.quote("100.00", "100.01", mark="99.30")
    assert stage.trader.next_time() <= stage.now + SECOND
    stage.clock(1)
    assert stage.state().close.reason == "mark"


def test_a_short_moves_its_stop_down(stage: Any) -> None:
    sent = stage.hold(direction=-1)
    stage.quote("99.30", "99.31", mark="99.30")
    assert stage.stops[-1].stop_loss < sent.price
    assert stage.stops[-1].stop_loss > D("99.31")


def test_no_stop_change_is_sent_while_closing(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.deliver(stage.position(str(sent.qty), None))
    assert stage.stops == []


def test_the_venues_stop_stays_while_the_close_goes_on(stage: Any) -> None:
    stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.wait(30)
    assert all(change.stop_loss for change in stage.stops)
    assert stage.state().venue.stop is not None


def test_the_price_is_watched_between_stop_and_next_level(stage: Any) -> None:
    sent = stage.hold()
    market, state = stage.trader.states, stage.state()
    assert market["watch_side"][0] == 1
    assert market["watch_low"][0] == int(sent.stop_loss * 100)
    assert market["watch_high"][0] == int(state.bracket.next_level * 100)
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty)))
    assert market["watch_side"][0] == 0


def test_a_position_larger_than_a_market_order_is_closed_in_parts(stage: Any) -> None:
    sent = stage.hold()
    state = stage.state()
    state.instrument = type(state.instrument)(
        **{name: getattr(state.instrument, name) for name in state.instrument.__dataclass_fields__}
        | {"max_market_qty": D(10)}
    )
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    assert stage.closes[-1].qty == 10
    assert sent.qty > 10


@pytest.mark.parametrize("report_first", [True, False])
def test_the_next_part_of_a_close_leaves_once_the_one_before_is_known(stage: Any, report_first: bool) -> None:
    sent = stage.hold()
    state = stage.state()
    state.instrument = replace(state.instrument, max_market_qty=D(10))
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    (first,) = stage.closes
    heard = [stage.order(first, "Filled", "10"), stage.fill(first.id, -1, "10", "100", closed="10")]
    for message in heard if report_first else reversed(heard):
        assert stage.closes == [first]
        stage.deliver(message)
    assert [close.qty for close in stage.closes] == [10, 10]
    assert state.held == sent.qty - 10


def test_a_close_decided_on_an_old_snapshot_is_over_once_both_reports_say_flat(stage: Any) -> None:
    sent = stage.hold()
    qty = str(sent.qty)
    stage.deliver(stage.fill("", -1, qty, "99.50", closed=qty, stop_type="StopLoss"))
    stage.deliver(stage.position(qty, "99.50"))  # read before the stop filled, heard after
    stage.deliver(events.Control(stage.now, "flatten", "owner"))
    assert len(stage.closes) == 1
    stage.deliver(stage.position("0"))
    stage.deliver(events.Control(stage.now, "resume", "owner"))
    stage.wait(20)
    stage.hold()
    stage.wait(5)
    assert len(stage.closes) == 1  # what is opened later is not closed for it


def test_a_tighter_stop_on_the_venue_stands_and_is_never_loosened(stage: Any) -> None:
    """It left just before an end and was not kept, or a person set it."""
    sent = stage.hold()
    again = stage.restart()
    target = stage.state().bracket.target
    tighter = target - D("0.02")
    again.recover(positions=[stage.position(str(sent.qty), str(tighter), str(sent.take_profit))])
    assert again.state().bracket.stop == tighter
    again.quote(str(target), str(target + D("0.01")), mark=str(target))
    assert [stop.stop_loss for stop in again.stops if stop.stop_loss is not None] == []


def test_a_book_of_before_the_fill_moves_neither_stop_nor_target(stage: Any) -> None:
    # the price jumped while a short was on its way: it is filled far better, and the book still shows where the price was
    sent = stage.enter(direction=-1)
    stage.answer(sent)
    stage.now += SECOND
    part = sent.qty / 2
    for price in ("103.00", "103.01"):  # their average is on no tick
        stage.deliver(stage.fill(sent.id, -1, part, price))
    stage.deliver(stage.position(str(-sent.qty), str(sent.stop_loss), str(sent.take_profit)))
    stage.clock(1)
    assert stage.state().bracket.entry == D("103.005")
    assert stage.stops == []
    stage.quote("98.00", "98.01", mark="98.00")  # the price has come back since: now it counts
    assert stage.stops != []


def test_a_change_that_the_venue_shows_counts_though_its_answer_never_came(confirming: Any) -> None:
    at_target(confirming)
    stop = confirming.stops[-1]
    assert stop.take_profit is None
    confirming.clock(3)  # no answer so far; the stream shows the position as it now is
    held, backstop = str(confirming.state().held), str(confirming.state().venue.backstop)
    confirming.deliver(confirming.position(held, str(stop.stop_loss), backstop))
    assert confirming.state().venue.stop == stop.stop_loss
    moved = confirming.stops[-1]
    assert moved.id != stop.id
    assert moved.take_profit is not None
    before = len(confirming.stops)
    confirming.answer(stop, "unknown", -1)  # too late to say anything
    assert len(confirming.stops) == before


def test_an_entry_filled_whole_is_no_crumb_however_good_its_price(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent)
    stage.state().entry.floor = sent.qty * sent.price  # sized at the least there is
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price - 1)))
    assert not stage.state().trade.crumb


def test_a_stop_found_tighter_than_the_one_wanted_stands(stage: Any) -> None:
    sent = stage.hold()
    d = int(sent.side)
    beyond = sent.price * (1 + d * stage.state().bracket.take_profit * D("0.7"))
    stage.quote(f"{beyond:.2f}", f"{beyond + D('0.01'):.2f}")
    wanted = stage.stops[-1].stop_loss
    better = wanted + d * D("0.05")
    stage.answer(stage.stops[-1], "unknown")
    stage.read(
        stage.last(Read, symbol=sent.symbol),
        positions=(stage.position(str(d * sent.qty), str(better), str(sent.take_profit)),),
    )
    assert stage.state().amendment.stop is None
    assert stage.state().bracket.stop == better
    stage.wait(5)
    assert stage.stops[-1].stop_loss == wanted


def test_once_a_close_is_decided_no_price_wakes_anybody(stage: Any) -> None:
    stage.hold()
    assert stage.trader.states["watch_side"][0] == 1
    stage.deliver(events.Control(stage.now, "flatten", "me"))
    assert stage.closes
    assert stage.trader.states["watch_side"][0] == 0
    assert stage.quote("90.00", "90.01", mark="90.00") == []


def test_the_view_of_a_position_beyond_its_time_has_none_left(stage: Any) -> None:
    stage.hold()
    (shown,) = stage.trader.view().positions
    assert shown.seconds_left == 900
    stage.clock(901)
    (shown,) = stage.trader.view().positions
    assert (shown.seconds, shown.seconds_left, shown.reason) == (901, 0, "time")


def test_a_close_without_an_answer_is_looked_at_after_two_seconds(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "me"))
    before = len(stage.all(Read, symbol=sent.symbol))
    stage.clock(1.9)
    assert len(stage.all(Read, symbol=sent.symbol)) == before
    stage.clock(0.1)
    assert len(stage.all(Read, symbol=sent.symbol)) == before + 1


def test_a_refused_backstop_is_not_asked_for_again_where_the_position_is_held_on(staged: Any) -> None:
    stage = staged(policy=Policy.from_env({"BELIEF": "weighed", "TP_WITHOUT_CONFIRMATION": "hold"}))
    stage.recover()
    stage.inside._monitor._confirmed = lambda _: True
    stage.hold()
    at_target(stage)
    while stage.stops[-1].stop_loss is not None:
        stage.answer(stage.stops[-1])
    refused = stage.stops[-1]
    stage.answer(refused, "rejected", 10001)
    stage.wait(5)
    assert [each for each in stage.stops if each.take_profit is not None] == [refused]
    assert stage.closes == []


@pytest.mark.parametrize("bid", [100.61, 99.4], ids=["level", "stop"])
def test_a_price_that_nobody_has_looked_at_yet_keeps_a_position_restless(stage: Any, bid: float) -> None:
    stage.hold()
    monitor, state = stage.inside._monitor, stage.state()
    assert not monitor.restless(state)
    market = stage.trader.states  # advanced by a shell whose event is still to come
    market["bid"][0], market["book_ts"][0] = round(bid * 100), stage.now
    assert monitor.restless(state)


def test_a_mark_beyond_the_stop_keeps_a_position_restless(stage: Any) -> None:
    stage.hold()
    stage.quote("100.00", "100.01", mark="99.30")
    assert stage.state().close.reason == ""
    assert stage.inside._monitor.restless(stage.state())
