"""Empty accounts, silence, gaps and leftovers: nothing crashes, nothing new is opened, exits always go."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import numpy as np

from turbo_trader.market.rows import GAP, ROW, WHOLE, Rows
from turbo_trader.rules.gate import BLOCK
from turbo_trader.rules.gates import DATA
from turbo_trader.trader import events
from turbo_trader.trader.commands import Read, Scanned

D = Decimal


def last_scan(stage: Any) -> Any:
    return stage.last(Scanned).rows


def test_s07_a_fresh_and_empty_account_starts_cleanly(staged: Any) -> None:
    stage = staged()
    stage.recover("0")
    stage.wait(65)
    assert stage.notes("recovered")
    assert stage.entries == []
    assert not stage.notes("frozen")
    assert stage.trader.summary()["wallet_difference"] == 0


def test_s08_a_stop_filled_while_disconnected_is_seen_by_the_next_snapshot(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, False))
    stage.wait(31)  # a snapshot is read at least so often
    read = [each for each in stage.all(Read) if "wallet" in each.what][-1]
    fill = stage.fill("", -1, sent.qty, str(sent.stop_loss), closed=str(sent.qty), stop_type="StopLoss")
    stage.read(read, fills=(fill,), positions=(), wallet=stage.wallet("990"))
    assert stage.state().held == 0
    assert stage.notes("trade")[-1].fields["reason"] == "stop"


def test_s19_a_remainder_below_the_smallest_order_is_closed_all_the_same(stage: Any) -> None:
    sent = stage.hold()
    left = D("0.1")
    stage.deliver(stage.fill("", -1, sent.qty - left, "100", closed=str(sent.qty - left)))
    stage.deliver(stage.position(str(left), str(sent.stop_loss), str(sent.take_profit)))
    stage.quote("30.00", "30.01")  # 3 USDT: less than an entry may be
    stage.deliver(events.Control(stage.now, "flatten", "a person"))
    assert stage.closes[-1].qty == left
    assert stage.closes[-1].reduce_only


def test_s23_after_a_gap_nothing_is_opened_and_exits_still_go(stage: Any) -> None:
    sent = stage.hold()
    rows = np.zeros(1, ROW)
    rows["kind"], rows["ts"] = GAP | WHOLE, stage.now
    stage.deliver(events.MarketRows(stage.now, 0, cast("Rows", rows)))
    assert stage.trader.states["book_valid"][0] == 0
    assert stage.decide().value == BLOCK
    stage.deliver(events.Control(stage.now, "flatten", "a person"))
    assert stage.closes[-1].qty == sent.qty


def test_s26_stale_data_opens_nothing_and_closes_in_time(stage: Any) -> None:
    sent = stage.hold()
    stage.clock(301)  # no row of the market until the next scan
    assert (last_scan(stage)["fresh"] == 0).all()
    assert (last_scan(stage)["verdict"][:, DATA] == BLOCK).all()
    stage.clock(stage.policy.institutional_max_hold)
    assert stage.closes[-1].qty == sent.qty
    assert stage.notes("exit")[-1].fields["reason"] == "time"


def test_s33_an_entry_the_balance_does_not_carry_ends_and_is_not_repeated(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent, "rejected", 110007)
    stage.wait(5)
    assert stage.state().entry is None
    assert stage.entries == [sent]
