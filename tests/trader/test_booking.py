"""Fills become positions and trades, each once."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.trader import events
from turbo_trader.trader.commands import SetLeverage

D = Decimal


def test_a_fill_counts_once_whichever_channel_brings_it(stage: Any) -> None:
    sent = stage.enter()
    fill = stage.fill(sent.id, 1, "1", str(sent.price))
    for _ in range(3):
        stage.deliver(fill)
    assert stage.state().held == 1
    assert stage.inside._state.ledger.fees == fill.fee


def test_part_fills_make_one_trade_at_their_average(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.fill(sent.id, 1, "1", "100.00"))
    stage.deliver(stage.fill(sent.id, 1, "3", "100.04"))
    trade = stage.state().trade
    assert (trade.qty, trade.entry) == (4, D("100.03"))
    assert stage.state().bracket.entry == D("100.03")


def test_a_late_part_fill_never_takes_a_moved_stop_back(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.fill(sent.id, 1, "1", str(sent.price)))
    stage.quote("100.60", "100.61", mark="100.60")
    moved = stage.state().bracket.stop
    assert moved > sent.stop_loss
    stage.deliver(stage.fill(sent.id, 1, "1", str(sent.price)))
    assert stage.state().bracket.stop == moved
    assert stage.state().held == 2


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"stop_type": "StopLoss"}, "stop"),
        ({"stop_type": "TakeProfit"}, "backstop"),
        ({"kind": "BustTrade"}, "liquidation"),
        ({"kind": "AdlTrade"}, "adl"),
        ({"kind": "Delivery"}, "delivery"),
        ({"kind": "BlockTrade"}, "block trade"),
        ({"kind": "MovePosition", "stop_type": "StopLoss"}, "moved position"),
        ({"kind": "CorporateAction"}, "corporate action"),
        ({"kind": "TomorrowTrade"}, "TomorrowTrade"),
        ({"kind": "Trade"}, "outside"),
        ({}, "outside"),
    ],
)
def test_a_trade_ends_with_the_reason_of_its_last_fill(stage: Any, more: dict[str, str], reason: str) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), **more))
    trade = stage.notes("trade")[-1].fields
    assert trade["reason"] == reason
    assert trade["net"] == trade["result"] - trade["fees"] + trade["funding"]
    assert stage.kept["position:AAAUSDT"] == {}


@pytest.mark.parametrize(("more", "reason"), [({"stop_type": "StopLoss"}, "stop"), ({}, "outside")])
def test_what_closed_a_position_is_reported_though_a_close_of_ours_was_decided(
    stage: Any, more: dict[str, str], reason: str
) -> None:
    sent = stage.hold()
    stage.clock(1_000)
    assert stage.state().close.reason == "time"
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), **more))
    assert stage.notes("trade")[-1].fields["reason"] == reason


def test_the_venues_own_figure_of_the_result_is_taken(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), pnl=D("-80.123")))
    assert stage.inside._state.ledger.results == D("-80.123")


def test_a_close_before_its_opening_waits_for_it(stage: Any) -> None:
    sent = stage.enter()
    close = stage.fill("", -1, "1", "99.5", closed="1", stop_type="StopLoss", ts=stage.now + 2)
    opening = stage.fill(sent.id, 1, "1", str(sent.price), ts=stage.now + 1)
    stage.deliver(close)
    stage.deliver(close)
    state = stage.state()
    assert (state.held, state.blocks.frozen, len(state.early)) == (0, "", 1)
    stage.deliver(opening)
    assert (state.held, state.early) == (0, [])
    assert stage.notes("trade")[-1].fields["reason"] == "stop"


def test_a_close_whose_opening_never_comes_is_booked_as_money(stage: Any) -> None:
    sent = stage.enter()
    stage.deliver(stage.fill("", -1, "1", "99.5", closed="1", pnl=D(-1)))
    stage.deliver(stage.order(sent, "Cancelled"))
    stage.state().ended[sent.id] = stage.state().entry or stage.state().ended[sent.id]
    stage.clock(31)
    stage.snapshot("998.99")
    assert stage.state().early == []
    assert stage.inside._state.ledger.balance == D("998.99")
    assert stage.inside._state.ledger.transfers == 0


def test_the_time_without_a_stop_is_counted_in_the_venues_time(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.position(str(sent.qty), None))
    stage.now += 2 * 10**9
    stage.deliver(stage.position(str(sent.qty), str(sent.stop_loss)))
    assert stage.trader.summary()["unguarded_seconds"] == 2


def test_time_without_a_stop_that_nobody_reported_is_not_counted(stage: Any) -> None:
    """The fill is heard and the position's own report is not, for 398 s, until the stop ends it."""
    stage.recover()
    sent = stage.enter()
    stage.answer(sent)
    stage.deliver(stage.fill(sent.id, sent.side, sent.qty, str(sent.price)))
    stage.now += 398 * 10**9
    stage.deliver(stage.fill("", -sent.side, sent.qty, "99.5", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    assert stage.trader.summary()["unguarded_seconds"] == 0


def test_a_restart_beside_a_standing_stop_counts_nothing(stage: Any) -> None:
    sent = stage.hold()
    again = stage.restart(seconds=300)
    again.deliver(again.fill(sent.id, sent.side, sent.qty, str(sent.price), ts=stage.now))
    again.deliver(again.position(str(sent.qty), str(sent.stop_loss)))
    assert again.trader.summary()["unguarded_seconds"] == 0


def test_the_end_of_a_position_ends_its_time_without_a_stop(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.position(str(sent.qty), None))
    stage.now += 3 * 10**9
    stage.deliver(stage.fill("", -sent.side, sent.qty, "99.5", closed=str(sent.qty)))
    stage.now += 60 * 10**9  # the report of the flat position is late
    stage.deliver(stage.position("0"))
    assert stage.trader.summary()["unguarded_seconds"] == 3


def test_time_without_a_stop_is_counted_while_it_lasts(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.position(str(sent.qty), None))
    stage.clock(5)
    assert stage.trader.summary()["unguarded_seconds"] == 5


def test_thirty_losing_trades_halt_by_the_edge_watchdog(stage: Any) -> None:
    for i in range(30):
        sent = stage.enter()
        stage.answer(sent)
        stage.deliver(stage.fill(sent.id, 1, "1", "100", ts=stage.now))
        stage.deliver(stage.fill("", -1, "1", f"99.{80 + i % 10}", closed="1", ts=stage.now + 1))
        stage.deliver(stage.order(sent, "Cancelled", "1"))
        stage.clock(1)
    assert "edge watchdog: 30 trades leave less than 5% hope" in stage.inside._state.session.refusal(
        stage.now
    )
    assert [note.fields["what"] for note in stage.notes("halt")] == ["watchdog"]
    again = stage.restart()
    assert again.inside._state.evidence == stage.inside._state.evidence
    again.deliver(events.Control(again.now, "resume", "alice"))
    assert again.inside._state.session.refusal(again.now) == ""
    assert (
        again.restart("b3").inside._state.evidence.trades == 0
    )  # what was resumed from is not held against it again


def test_the_opening_s_fee_counts_in_the_session_after_a_restart_too(stage: Any) -> None:
    stage.hold()
    session = stage.inside._state.session
    assert session.realised < 0
    assert stage.restart().inside._state.session.realised == session.realised


def test_a_wallet_message_that_was_overtaken_changes_nothing(stage: Any) -> None:
    late = stage.wallet("900")
    stage.clock(1)
    stage.deliver(stage.wallet("950"))
    stage.deliver(late)
    assert stage.inside._state.wallet.balance == 950


@pytest.mark.parametrize("early", [0, 10**6, 86_400 * 10**9])
def test_a_fill_dated_before_its_entry_left_opens_the_position_when_it_left(stage: Any, early: int) -> None:
    sent = stage.enter()
    fill = replace(stage.fill(sent.id, 1, "1", str(sent.price)), ts=early)
    stage.deliver(fill)
    assert stage.state().trade.opened_ts == stage.now
    stage.clock(1)
    assert not stage.state().close.reason


def test_a_sequence_number_that_cannot_be_hides_no_report_for_longer_than_a_minute(stage: Any) -> None:
    sent = stage.hold()
    odd = stage.position(sent.qty, stop=str(sent.stop_loss))
    stage.deliver(replace(odd, seq=10**17))
    stage.now += 59 * 10**9
    read = replace(odd, ts=stage.now, seq=5, leverage=D(3), source=events.Source.REST)
    stage.deliver(read)
    assert stage.state().venue.leverage != 3
    stage.now += 2 * 10**9
    stage.deliver(replace(read, ts=stage.now))
    assert (stage.state().venue.leverage, stage.state().venue.seq) == (3, 5)


def test_a_fill_that_comes_after_the_exits_have_moved_on_is_kept(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent)
    d, half = int(sent.side), sent.qty / 2
    stage.deliver(stage.fill(sent.id, d, half, str(sent.price)))
    stage.deliver(stage.position(str(d * half), str(sent.stop_loss), str(sent.take_profit)))
    beyond = sent.price * (1 + d * stage.state().bracket.take_profit * D("0.7"))
    stage.quote(f"{beyond:.2f}", f"{beyond + D('0.01'):.2f}")
    assert stage.state().bracket.zone == 1
    stop = stage.state().bracket.stop
    stage.deliver(stage.fill(sent.id, d, sent.qty - half, str(sent.price)))
    kept = stage.kept[f"position:{sent.symbol}"]
    assert D(kept["trade"]["qty"]) == sent.qty
    assert D(kept["bracket"]["stop"]) == stop


def test_a_fill_with_a_time_that_cannot_be_opens_the_position_when_the_order_left(stage: Any) -> None:
    """Not when it was decided: its leverage was set first."""
    stage.decide()
    stage.clock(5)
    stage.answer(stage.last(SetLeverage))
    (sent,) = stage.entries
    stage.deliver(replace(stage.fill(sent.id, 1, "1", str(sent.price)), ts=0))
    assert stage.state().trade.opened_ts == stage.now
