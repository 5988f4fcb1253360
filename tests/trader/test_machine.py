"""The Trader as a whole: control commands, clocks, views."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.rules.gate import PASS, TIER_B
from turbo_trader.trader import events
from turbo_trader.trader.commands import Note, Read, SetLeverage, Stopped

D = Decimal


def say(stage: Any, verb: str, **args: Any) -> list[Any]:
    commands: list[Any] = stage.deliver(events.Control(stage.now, verb, "test", args))
    return commands


def test_halt_and_resume(stage: Any) -> None:
    say(stage, "halt")
    assert "halted" in stage.trader.view().refusal
    assert stage.kept["session"]["halts"]
    say(stage, "resume")
    assert stage.trader.view().refusal == ""


def test_flatten_is_persisted_before_its_orders_and_ends_halted(stage: Any) -> None:
    sent = stage.hold()
    commands = say(stage, "flatten")
    names = [type(command).__name__ for command in commands]
    assert names.index("Persist") < names.index("PlaceOrder")
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    assert stage.notes("flat")
    assert len(stage.closes) == 1
    assert "halted" in stage.trader.view().refusal


def test_an_entry_on_its_way_is_closed_when_it_fills_during_a_flatten(stage: Any) -> None:
    sent = stage.enter()
    say(stage, "flatten")
    assert stage.closes == []
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price)))
    assert stage.closes[-1].qty == sent.qty
    assert not stage.notes("flat")


def test_an_entry_not_yet_sent_is_given_up_by_a_flatten(stage: Any) -> None:
    stage.decide()
    say(stage, "flatten")
    assert stage.state().entry is None
    assert stage.entries == []
    assert stage.notes("flat")


def test_stop_flattens_then_says_so(stage: Any) -> None:
    sent = stage.hold()
    assert not any(isinstance(command, Stopped) for command in say(stage, "stop"))
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    assert not stage.all(Stopped)  # the venue has not been read since
    stage.clock()
    stage.snapshot(str(stage.inside._state.ledger.balance))
    assert len(stage.all(Stopped)) == 1


def test_a_stop_ends_with_a_snapshot_of_the_venue_that_agrees(stage: Any) -> None:
    stage.clock(30)  # a read is under way already: it was asked too early
    early = stage.last(Read)
    say(stage, "stop")
    stage.read(early, wallet=stage.wallet("1000"))
    assert not stage.all(Stopped)
    stage.clock()
    stage.snapshot("999")  # a fill we have not heard of yet
    assert not stage.all(Stopped)
    stage.clock(2)
    stage.snapshot("1000")
    assert len(stage.all(Stopped)) == 1
    assert not stage.notes("ended-unconfirmed")


def test_a_stop_does_not_wait_for_ever_for_a_venue_that_differs(stage: Any) -> None:
    say(stage, "stop")
    for number in range(5):
        assert not stage.all(Stopped)
        stage.clock(2)
        stage.snapshot(str(900 - number))
    assert len(stage.all(Stopped)) == 1
    assert stage.notes("ended-unconfirmed")


def test_stop_may_leave_positions_to_their_stops(stage: Any) -> None:
    stage.hold()
    assert any(isinstance(command, Stopped) for command in say(stage, "stop", leave=True))
    assert stage.closes == []


@pytest.mark.parametrize("leave", [False, True])
def test_nothing_is_opened_after_the_end_was_reported_though_its_process_hears_on(
    stage: Any, leave: bool
) -> None:
    say(stage, "stop", leave=leave)
    stage.clock()
    stage.snapshot("1000")
    assert len(stage.all(Stopped)) == 1
    scans = stage.trader.summary()["scans"]
    for _ in range(3):
        stage.clock(60)
    assert stage.trader.summary()["scans"] == scans
    assert stage.entries == []


def test_an_entry_that_waits_for_its_leverage_is_given_up_at_the_end(stage: Any) -> None:
    stage.decide()
    asked = stage.last(SetLeverage)
    say(stage, "stop", leave=True)
    stage.answer(asked)
    assert stage.entries == []
    assert stage.state().entry is None


def test_an_unknown_command_changes_nothing(stage: Any) -> None:
    say(stage, "dance")
    assert stage.notes("control-unknown")
    assert stage.trader.view().refusal == ""


def test_what_is_not_an_event_is_refused(stage: Any) -> None:
    with pytest.raises(TypeError, match="not an event"):
        stage.trader.handle(Stopped(stage.now, ""))


def test_reports_of_other_symbols_are_passed_over(stage: Any) -> None:
    fill = stage.fill("x", 1, "1", "100")
    other = events.Fill(
        **{name: getattr(fill, name) for name in fill.__dataclass_fields__} | {"symbol": "ZZZUSDT"}
    )
    stage.deliver(other)
    assert not stage.trader.view().frozen


def test_while_something_is_held_the_session_is_looked_at_every_second(stage: Any) -> None:
    stage.hold()
    stage.clock()
    assert stage.trader.next_time() <= stage.now + 10**9
    stage.quote("100.50", "100.51", mark="100.50")
    stage.clock(1)
    assert stage.inside._state.session.equity > 1000


def test_frames_lead_to_nothing_until_the_next_time_while_their_symbols_are_flat(stage: Any) -> None:
    trader = stage.trader
    assert trader.idle_until((0, 1)) == trader.next_time() > stage.now
    sent = stage.enter()
    assert (trader.idle_until((0, 1)), trader.idle_until((1,))) == (0, trader.next_time())
    stage.answer(sent)
    stage.deliver(stage.fill(sent.id, sent.side, sent.qty, str(sent.price)))
    assert trader.idle_until((0,)) == 0
    stage.deliver(stage.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit)))
    assert trader.idle_until((0,)) == 0  # held and watched
    say(stage, "flatten")
    stage.deliver(stage.fill(stage.closes[-1].id, -1, sent.qty, "100", closed=str(sent.qty)))
    assert trader.idle_until((0,)) == 0  # the venue still reports it
    stage.deliver(stage.position("0"))
    assert trader.idle_until((0,)) == 0  # the close is not answered
    stage.answer(stage.closes[-1])
    assert trader.idle_until((0, 1)) == trader.next_time()


def test_the_view_shows_the_position(stage: Any) -> None:
    sent = stage.hold()
    (shown,) = stage.trader.view().positions
    assert (shown.symbol, shown.direction, shown.qty, shown.entry) == ("AAAUSDT", 1, sent.qty, sent.price)
    assert shown.stop == sent.stop_loss
    assert shown.price == D("100.00")


def test_fee_rates_and_limits_of_the_venue_are_taken_up(stage: Any) -> None:
    stage.deliver(events.FeeRates(stage.now, "AAAUSDT", D("0.0004"), D("0.0001")))
    state = stage.state()
    assert state.taker == D("0.0004")
    kept = {name: getattr(state.instrument, name) for name in state.instrument.__dataclass_fields__}
    stage.deliver(events.InstrumentUpdate(stage.now, type(state.instrument)(**kept | {"status": "Closed"})))
    scanner = stage.inside._scanner
    assert not scanner._limits(scanner._rows, state.s, scanner.tier)


def test_the_clock_offset_reaches_the_gates(stage: Any) -> None:
    stage.deliver(events.ClockOffset(stage.now, 123))
    stage.now = stage.inside._scanner.next_ns
    stage.clock()
    assert int(stage.inside._scanner._gates["clock_offset"][0]) == 123


def test_a_pause_that_ends_while_private_stream_is_down_is_not_due_again_and_again(stage: Any) -> None:
    """Nothing is decided then, so nothing may be due for it: the shell would turn round without end."""
    stage.inside._state.session.paused_until_ns = stage.now + 10**9
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, up=False))
    stage.wait(2)
    assert stage.trader.next_time() > stage.now
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, up=True))
    stage.clock()
    assert stage.inside._state.session.paused_until_ns == 0


def test_before_the_wallet_is_known_nothing_is_said_to_be_there(stage: Any) -> None:
    stage.hold()
    view = stage.restart().trader.view()
    assert (view.equity, view.reconciled) == (0, False)
    assert view.wallet > 0


def test_a_run_that_ends_is_summed_up_with_its_last_scan(stage: Any) -> None:
    stage.now = stage.inside._scanner.next_ns
    stage.clock()
    say(stage, "stop")
    stage.clock()
    stage.snapshot()
    summary = stage.notes("summary")[-1].fields
    assert summary["of"] == "run"
    assert summary["hours"] > 0
    assert stage.all(Stopped)


def test_a_flatten_closes_what_was_known_before_the_venue_has_been_read(stage: Any) -> None:
    sent = stage.hold()
    again = stage.restart()
    say(again, "flatten")
    assert [(each.symbol, each.qty) for each in again.closes] == [(sent.symbol, sent.qty)]


def test_each_hour_and_each_session_is_summed_up_with_its_own_trades(stage: Any) -> None:
    hour = 3600 * 10**9
    sent = stage.hold()
    stage.clock(31)
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))
    for hours in (1, 2, 14):
        stage.now = (stage.now // hour + hours) * hour
        stage.clock()
    summed = [(note.fields["of"], note.fields["trades"]) for note in stage.notes("summary")]
    assert summed == [("hour", 1), ("hour", 0), ("session", 0)]


def test_the_summary_of_a_run_adds_up(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    summary = stage.trader.summary()
    assert (summary["trades"], summary["trades_a"], summary["trades_b"]) == (1, 1, 0)
    assert summary["net_pnl"] == summary["end_equity"] - 1000 == summary["realised"] - summary["fees"]
    before = stage.restart().trader.summary()  # the wallet has not been read
    assert (before["end_equity"], before["wallet_difference"], before["trades"]) == (0, 0, 1)


def test_a_symbol_that_trades_on_is_not_announced_as_trading_again(stage: Any) -> None:
    known = stage.state().instrument
    for status in ("Trading", "Closed", "Closed", "Trading", "Trading"):
        stage.deliver(events.InstrumentUpdate(stage.now, replace(known, status=status)))
    names = [note.name for note in stage.all(Note) if note.name in ("not-trading", "trading-again")]
    assert names == ["not-trading", "trading-again"]


def test_the_hour_says_which_share_of_both_signal_tiers_passed_the_gates(stage: Any) -> None:
    stage.decide()
    rows, counts, state = stage.rows.copy(), stage.inside._scanner.counts, stage.inside._state
    rows["verdict"], rows["tier"][1], rows["blocker"][1] = PASS, TIER_B, 5
    counts.add(rows)
    for equity in (1000, 1010):
        state.now += 3600 * 10**9
        counts.look(D(equity))
        counts.add(rows)
    stage._keep(state.take())
    summary = stage.notes("summary")[-1].fields
    assert summary["growth"] == 0.01
    shares = {name: summary[name] for name in ("pre_filter", "a_share", "b_share", "gates_passed")}
    assert shares == {"pre_filter": 1.0, "a_share": 0.5, "b_share": 0.5, "gates_passed": 0.5}
