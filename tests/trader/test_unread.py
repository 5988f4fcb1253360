"""Rows of an account read that cannot be read or believed: their symbol waits, nothing else does."""

from __future__ import annotations

from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.trader import events
from turbo_trader.trader.commands import Read
from turbo_trader.trader.events import Unread

EVERYTHING = ("positions", "orders", "fills", "wallet")


def test_unread_rows_keep_their_symbol_from_entries_until_they_can_be_read(stage: Any) -> None:
    symbol = stage.trader.symbols[0]
    stage.clock(31)
    stage.snapshot(unread=(symbol,))
    assert "cannot be read" in stage.state().unresolved
    assert len(stage.notes("rows-unread")) == 1
    assert stage.trader.next_time() <= stage.now + 2 * SECOND
    scans = stage.trader.summary()["scans"]
    stage.clock(301)
    assert stage.trader.summary()["scans"] > scans
    stage.snapshot()
    assert stage.state().unresolved == ""


def test_unread_rows_of_a_foreign_symbol_block_nothing(stage: Any) -> None:
    stage.clock(31)
    stage.snapshot(unread=("FOOUSDT",))
    assert stage.state().unresolved == ""
    assert stage.trader.next_time() > stage.now


def test_after_an_absence_nothing_is_sized_by_the_wallet_of_before(stage: Any) -> None:
    stage.clock(31)
    stage.deliver(events.Woken(stage.now, 2))
    stage.clock()
    stage.read(stage.last(Read, what=EVERYTHING), wallet=None, unread=("USDT",))
    scans = stage.trader.summary()["scans"]
    stage.clock(301)
    assert stage.trader.summary()["scans"] == scans
    stage.snapshot()
    stage.clock(301)
    assert stage.trader.summary()["scans"] > scans


def test_held_position_missing_beside_an_unread_row_is_not_closed_outside(stage: Any) -> None:
    sent = stage.hold()
    for unread in ("", stage.trader.symbols[0]):
        for _ in range(3):
            stage.clock(31)
            stage.snapshot("999.99", unread=(unread,))
    assert stage.state().held == sent.qty
    assert not stage.notes("closed-outside")


def test_message_that_cannot_be_read_asks_for_the_account_at_most_every_two_seconds(stage: Any) -> None:
    stage.clock(31)
    stage.snapshot()
    stage.now += 3 * SECOND
    count = len(stage.all(Read))
    for _ in range(50):
        stage.deliver(Unread(stage.now, ""))
        stage.clock()
    assert len(stage.all(Read)) == count + 1
    stage.deliver(Unread(stage.now, "FOOUSDT"))
    assert stage.trader.next_time() > stage.now


def test_times_of_the_future_are_not_restored(stage: Any) -> None:
    stage.hold()
    later = stage.now + 86_400 * SECOND
    stage.kept["ledger"]["last_fill_ts"] = later
    new = stage.restart()
    assert new.inside._state.ledger.last_fill_ts <= new.now
    assert new.trader.next_time() <= new.now


@pytest.mark.parametrize("unread", ["", "AAAUSDT"])
def test_a_wallet_that_differs_while_rows_are_unread_is_not_asked_about(stage: Any, unread: str) -> None:
    """A fill may be among them."""
    for _ in range(3):
        stage.clock(31)
        stage.snapshot("990", unread=(unread,))
    assert not stage.all(Read, what=("transfers",))
