"""S14, S18, S50: exits are reduce-only, go on until flat, and never touch a newer position."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.trader import events
from turbo_trader.trader.commands import Read

D = Decimal


def flatten(stage: Any) -> Any:
    stage.deliver(events.Control(stage.now, "flatten", "test"))
    return stage.closes[-1]


def test_s14_every_exit_is_reduce_only(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    assert (close.reduce_only, close.side, close.qty, close.order_type) == (True, -1, sent.qty, "Market")


def test_s14_position_is_zero_reads_the_position_again(stage: Any) -> None:
    stage.hold()
    close = flatten(stage)
    reads = len(stage.all(Read))
    stage.answer(close, "rejected", 110017)
    assert len(stage.all(Read)) == reads + 1
    assert "positions" in stage.last(Read).what
    assert len(stage.closes) == 1


def test_s14_flat_after_the_stops_own_fill_ends_the_exit(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    stage.answer(close, "rejected", 110017)
    fill = stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss")
    stage.read(stage.last(Read), fills=(fill,), positions=(stage.position("0"),))
    stage.wait(5)
    assert not stage.state().open
    assert len(stage.closes) == 1


def test_an_unanswered_close_is_tried_again_with_a_new_id(stage: Any) -> None:
    stage.hold()
    first = flatten(stage)
    stage.wait(4)
    assert len(stage.closes) >= 2
    assert len({close.id for close in stage.closes}) == len(stage.closes)
    assert first in stage.closes


def test_a_partly_filled_close_goes_on_with_the_rest(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    stage.answer(close)
    stage.deliver(stage.fill(close.id, -1, "0.5", "100", closed="0.5"))
    stage.deliver(stage.position(str(sent.qty - D("0.5")), str(sent.stop_loss)))
    stage.deliver(stage.order(close, "Cancelled", "0.5"))
    stage.clock(1)
    assert stage.closes[-1].qty == sent.qty - D("0.5")


def test_s18_a_stop_that_should_have_fired_is_escalated(stage: Any) -> None:
    stage.hold()
    stage.quote("99.40", "99.41")
    stage.wait(6)
    assert stage.closes[-1].reduce_only
    assert stage.state().close.reason == "stop-late"


def test_s50_no_entry_while_a_close_may_still_land(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    stage.answer(close, "unknown", -1)
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))
    assert not stage.state().open
    assert "may still land" in stage.state().unresolved
    stage.wait(11)
    assert stage.state().unresolved == ""


def test_s50_a_close_that_waits_to_leave_may_land_for_as_long_as_it_waits(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    stage.deliver(stage.position("0"))
    stage.wait(60)  # behind a ban, a limit, a dead network: it has not left yet
    assert "may still land" in stage.state().unresolved
    stage.answer(close, "unknown", -1)
    stage.wait(9)
    assert "may still land" in stage.state().unresolved
    stage.wait(2)
    assert stage.state().unresolved == ""


@pytest.mark.parametrize("who", ["tt-b1-7-close", "tt-g1-7-guard"])
def test_s50_a_close_under_way_when_its_process_died_holds_entries_back_in_next_life(
    stage: Any, who: str
) -> None:
    """The daemon's own, or the guard's: both are intents in the journal."""
    stage.kept["intents"] = {
        "unresolved": [
            {"id": who, "ts": stage.now, "symbol": "AAAUSDT", "command": {"reduce_only": True}},
            {"id": "tt-b1-8-entry", "ts": stage.now, "symbol": "BBBUSDT", "command": {"reduce_only": False}},
        ]
    }
    new = stage.restart()
    new.recover()
    assert ["may still land" in new.state(s).unresolved for s in (0, 1)] == [True, False]
    new.wait(11)
    assert new.state().unresolved == ""


def test_s50_an_answered_close_holds_nothing_up(stage: Any) -> None:
    sent = stage.hold()
    close = flatten(stage)
    stage.deliver(stage.fill(close.id, -1, sent.qty, "100", closed=str(sent.qty)))
    stage.deliver(stage.position("0"))
    stage.answer(close)
    assert stage.state().unresolved == ""


def test_s50_a_fill_older_than_the_trade_moves_money_but_not_the_position(stage: Any) -> None:
    sent = stage.hold()
    old = stage.fill("tt-b0-1-close", -1, "1", "99", closed="1", pnl=D(-1), ts=stage.now - 60 * SECOND)
    stage.deliver(old)
    assert stage.state().held == sent.qty
    assert stage.inside._state.ledger.results == -1
    assert stage.state().blocks.frozen == ""
