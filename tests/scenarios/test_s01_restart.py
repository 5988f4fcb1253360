"""S01, S02, S04, S05, S06, S46, S48: start-up is recovery; what is not ours is left alone."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

from turbo_trader.trader import events
from turbo_trader.trader.commands import CancelOrder, PlaceOrder, Read

D = Decimal


def again(stage: Any, **lists: Any) -> Any:
    """Killed and started again; the first snapshot answered."""
    new = stage.restart()
    new._seq, new._execs = 1000, 1000
    new.recover(str(stage.inside._state.ledger.balance), **lists)
    return new


def test_s01_a_warm_restart_keeps_position_bracket_and_money(stage: Any) -> None:
    sent = stage.hold()
    before = stage.inside._state.ledger.balance
    report = stage.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit))
    new = again(stage, positions=(report,))
    state = new.state()
    assert (state.held, state.venue.size, state.blocks.frozen) == (sent.qty, sent.qty, "")
    assert state.bracket == stage.state().bracket
    assert new.inside._state.ledger.balance == before
    assert [c for c in new.given if isinstance(c, PlaceOrder)] == []
    assert new.stops == []


def test_s01_the_clock_of_the_position_runs_on(stage: Any) -> None:
    sent = stage.hold()
    stage.now += 900 * 10**9
    new = again(stage, positions=(stage.position(str(sent.qty), str(sent.stop_loss)),))
    assert new.state().close.reason == "time"
    assert new.closes[-1].qty == sent.qty


def test_s01_a_target_whose_answer_was_never_read_moves_after_a_restart(stage: Any) -> None:
    sent = stage.hold()
    stage.inside._monitor._confirmed = lambda _: True
    stage.quote("101.20", "101.21", mark="101.20")  # at the target: the stop first, then the backstop
    stage.answer(stage.stops[-1])
    asked = stage.stops[-1]
    assert asked.take_profit == stage.state().bracket.pending_backstop
    stop = str(stage.state().bracket.stop)
    new = again(stage, positions=(stage.position(str(sent.qty), stop, str(sent.take_profit)),))
    assert new.stops[-1].take_profit == asked.take_profit
    before = new.state().bracket.target
    new.answer(new.stops[-1])
    assert new.state().bracket.pending_backstop is None
    assert new.state().bracket.target > before


def test_s01_a_mark_seen_beyond_the_stop_before_a_restart_does_not_turn_the_clock(stage: Any) -> None:
    stage.hold()
    stage.state().bracket.mark_since_ns = stage.now
    stage.inside._state.persist_position(stage.state())
    stage._keep(stage.inside._state.take())
    assert stage.restart().state().bracket.mark_since_ns is None


def test_s01_a_part_closed_position_is_kept_at_its_size(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, "0.5", "100.2", closed="0.5"))
    left = sent.qty - D("0.5")
    new = again(stage, positions=(stage.position(str(left), str(sent.stop_loss)),))
    assert new.state().held == left


def test_s02_closed_by_hand_while_down_with_its_fill(stage: Any) -> None:
    sent = stage.hold()
    fill = stage.fill("", -1, sent.qty, "100.2", closed=str(sent.qty))
    new = again(stage, fills=(fill,))
    assert not new.state().open
    assert new.notes("trade")[-1].fields["reason"] == "outside"
    assert new.stops == []


def test_s02_closed_by_hand_while_down_is_reported_though_its_time_was_up_as_well(stage: Any) -> None:
    sent = stage.hold()
    fill = stage.fill("", -1, sent.qty, "100.2", closed=str(sent.qty))
    stage.now += 3_600 * 10**9
    new = stage.restart()
    new._seq, new._execs = 1000, 1000
    new.clock(1)  # what is decided before the venue was read
    new.recover(str(stage.inside._state.ledger.balance), fills=(fill,))
    assert not new.state().open
    assert new.notes("trade")[-1].fields["reason"] == "outside"


def test_s02_closed_by_hand_without_a_trace_takes_two_reads(stage: Any) -> None:
    stage.hold()
    new = again(stage)
    assert new.state().held
    new.clock(3)
    new.snapshot("1000")
    assert not new.state().open
    assert new.notes("closed-outside")
    assert (new.stops, new.entries) == ([], [])


def test_s04_killed_between_send_and_fill_the_fill_is_ours(stage: Any) -> None:
    sent = stage.enter()
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    new = again(stage)
    look_up = new.last(Read, link_id=sent.id)
    report = stage.position(str(sent.qty), str(sent.stop_loss))
    new.read(look_up, orders=(stage.order(sent, "Filled", sent.qty),), fills=(fill,), positions=(report,))
    state = new.state()
    assert (state.held, state.blocks.frozen, state.entry) == (sent.qty, "", None)
    assert state.bracket.stop == sent.stop_loss
    assert new.entries == []


def test_s04_killed_between_intent_and_send_is_given_up_after_the_window(stage: Any) -> None:
    sent = stage.enter()
    new = again(stage)
    assert new.state().entry is not None
    new.clock(20)
    new.read(new.last(Read, link_id=sent.id))
    assert new.state().entry is None
    assert new.entries == []


def test_s05_orders_of_others_are_left_and_orphans_of_ours_cancelled(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "rejected", 1)
    orphan = stage.order(sent, "New")
    foreign = events.OrderReport(
        **{name: getattr(orphan, name) for name in orphan.__dataclass_fields__} | {"link_id": "mine"}
    )
    child = events.OrderReport(
        **{name: getattr(orphan, name) for name in orphan.__dataclass_fields__} | {"stop_type": "StopLoss"}
    )
    stage.clock(31)
    stage.snapshot("1000", orders=(foreign, orphan, child))
    assert [c.link_id for c in stage.all(CancelOrder)] == [sent.id]


def test_s06_a_position_nobody_can_explain_freezes_the_symbol(stage: Any) -> None:
    for _ in range(2):
        stage.clock(31)
        stage.snapshot("1000", positions=(stage.position("7"),))
    assert stage.state().blocks.frozen
    assert stage.state().unresolved
    assert stage.closes == []


def test_s48_a_foreign_fill_freezes_the_symbol_and_is_nobodys_trade(stage: Any) -> None:
    stage.deliver(stage.fill("by-hand", 1, "2", "100"))
    state = stage.state()
    assert state.blocks.frozen
    assert (state.held, state.trade) == (0, None)
    assert stage.notes("foreign-fill")
    assert stage.trader.summary()["trades"] == 0


def test_s48_a_foreign_fill_beside_our_position_leaves_ours_as_it_is(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("by-hand", 1, "2", "100"))
    assert stage.state().held == sent.qty
    assert stage.state().blocks.frozen


def test_s46_a_flatten_is_finished_after_a_restart(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    assert stage.kept["session"]["flattening"]
    new = again(stage, positions=(stage.position(str(sent.qty), str(sent.stop_loss)),))
    close = new.closes[-1]
    assert (close.qty, close.reduce_only) == (sent.qty, True)
    assert new.inside._state.session.flattening
    new.answer(close)
    new.deliver(new.fill(close.id, -1, sent.qty, "100", closed=str(sent.qty)))
    new.deliver(new.position("0"))
    assert new.notes("flat")
    assert not new.kept["session"]["flattening"]
    assert new.inside._state.session.halted


def test_s46_nothing_is_called_flat_before_the_venue_was_read(stage: Any) -> None:
    sent = stage.enter()  # killed before its fill was reported
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    new = stage.restart()
    new._seq = new._execs = 1000
    new.clock()
    assert new.inside._state.session.flattening
    assert not new.notes("flat")
    new.recover("1000", positions=(new.position(str(sent.qty), str(sent.stop_loss)),))
    assert new.closes[-1].qty == sent.qty


def test_s46_a_failed_read_is_asked_again_soon(stage: Any) -> None:
    new = stage.restart()
    new.clock()
    new.read(new.last(Read), "unknown")
    assert new.trader.next_time() <= new.now + 2 * 10**9


def test_s46_an_unreachable_venue_is_reported_as_unconfirmed_and_tried_on(stage: Any) -> None:
    stage.hold()
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    stage.answer(stage.closes[-1], "unknown", -1)
    stage.clock(31)
    stage.read([read for read in stage.all(Read) if "wallet" in read.what][-1], "unknown")
    assert stage.notes("flatten-unconfirmed")
    assert not stage.notes("flat")
    assert len(stage.closes) >= 2
    assert stage.inside._state.session.flattening


def test_s01_a_close_decided_before_the_end_is_gone_on_with(stage: Any) -> None:
    """Killed between the decision on disk and its order: the bracket has had its say and will not repeat it."""
    sent = stage.hold()
    stage.clock(1900)
    assert stage.closes[-1].qty == sent.qty
    new = again(stage, positions=(stage.position(str(sent.qty), str(sent.stop_loss)),))
    new.clock()
    assert new.state().close.reason == "time"
    assert new.closes[-1].qty == sent.qty
    new.clock()
    assert new.trader.next_time() - new.now > 10**8  # no timer that is due again and again


def test_s04_a_fill_reported_by_the_snapshot_is_on_disk_with_the_entry_it_fills(stage: Any) -> None:
    sent = stage.enter()
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    stage.clock(31)
    stage.snapshot("1000", fills=(fill,), positions=(stage.position(str(sent.qty), str(sent.stop_loss)),))
    assert stage.state().held == sent.qty
    assert D(stage.kept[f"entry:{sent.symbol}"]["filled"]) == sent.qty


def test_s04_an_entry_whose_fills_were_booked_in_an_earlier_life_is_over(stage: Any) -> None:
    """The journal has its fills, but not that they were its own: the look-up says so, once."""
    sent = stage.enter()
    before = stage.kept[f"entry:{sent.symbol}"]
    fill = stage.fill(sent.id, 1, sent.qty, str(sent.price))
    stage.answer(sent)
    stage.deliver(fill)
    stage.kept[f"entry:{sent.symbol}"] = before
    report = stage.position(str(sent.qty), str(sent.stop_loss))
    new = again(stage, positions=(report,))
    asked = len(new.all(Read, link_id=sent.id))
    new.read(new.last(Read, link_id=sent.id), orders=(stage.order(sent, "Filled", sent.qty),), fills=(fill,))
    assert new.state().entry is None
    assert new.state().held == sent.qty
    assert len(new.all(Read, link_id=sent.id)) == asked


def test_s04_a_look_up_that_lacks_the_fills_is_not_repeated_at_once(stage: Any) -> None:
    sent = stage.enter()
    new = again(stage)
    asked = len(new.all(Read, link_id=sent.id))
    report = replace(stage.order(sent, "Filled", sent.qty), source=events.Source.REST)
    new.read(new.last(Read, link_id=sent.id), orders=(report,))
    assert len(new.all(Read, link_id=sent.id)) == asked
    assert new.state().entry is not None
    new.clock(1)
    assert len(new.all(Read, link_id=sent.id)) == asked + 1
