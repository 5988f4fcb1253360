"""The account's snapshot kept in step with the venue."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.trader import events
from turbo_trader.trader.commands import Read
from turbo_trader.trader.recovery import EVERY


def test_a_fresh_account_starts_cleanly(staged: Any) -> None:
    stage = staged()
    stage.recover("18")
    assert stage.inside._state.ledger.start == 18
    assert stage.trader.view().refusal == ""
    assert stage.trader.summary()["wallet_difference"] == 0


def test_nothing_is_decided_before_the_first_snapshot(staged: Any) -> None:
    stage = staged()
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, True))
    stage.wait(3)
    assert stage.trader.summary()["scans"] == 0


def test_nothing_is_scanned_while_the_private_stream_is_down(stage: Any) -> None:
    before = stage.trader.summary()["scans"]
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, False, "lost"))
    for _ in range(20):
        stage.clock(31)
    assert stage.trader.summary()["scans"] == before
    assert before


def test_the_snapshot_is_read_every_half_minute_and_after_a_reconnect(stage: Any) -> None:
    count = len(stage.all(Read))
    stage.now += EVERY
    stage.clock()
    assert len(stage.all(Read)) == count + 1
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, False))
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, True))
    assert stage.trader.next_time() == stage.now
    stage.clock()
    assert len(stage.all(Read)) == count + 2


def test_fills_are_asked_for_from_before_the_last_known_one(stage: Any) -> None:
    stage.hold()
    filled = stage.now
    stage.clock(31)
    assert stage.last(Read).since == filled - 60 * 10**9


def test_fills_of_a_time_without_a_process_are_asked_for_at_the_next_start(
    stage: Any,
) -> None:
    new = stage.restart(seconds=3_600)
    new.clock()
    assert new.last(Read).since <= stage.now < new.now - 3_000 * 10**9


def test_fills_are_asked_for_from_the_last_whole_read_though_later_ones_are_known(stage: Any) -> None:
    """The stream was away for minutes; the first fill it brings says nothing of those before it."""
    stage.clock(31)
    stage.snapshot("1000")
    agreed = stage.last(Read)
    stage.hold()
    stage.now += 600 * 10**9
    stage.fill("", 1, "0.3", "100", ts=stage.now)
    stage.clock(31)
    assert stage.last(Read).id != agreed.id
    assert stage.last(Read).since < stage.now - 600 * 10**9


def test_a_position_that_differs_in_one_read_decides_nothing(stage: Any) -> None:
    sent = stage.hold()
    stage.clock(31)
    stage.snapshot("999.99")
    assert stage.state().held == sent.qty
    assert not stage.notes("closed-outside")
    assert stage.trader.next_time() <= stage.now + 2 * 10**9


def test_a_restored_run_counts_on(stage: Any) -> None:
    sent = stage.hold()
    stage.deliver(stage.fill("", -1, sent.qty, "99.5", closed=str(sent.qty), stop_type="StopLoss"))
    new = stage.restart()
    assert new.trader.summary()["trades"] == 1
    assert new.inside._state.evidence == stage.inside._state.evidence
    assert new.inside._state.session.losses == 1


def test_s47_after_having_been_away_nothing_is_scanned_before_a_new_snapshot(stage: Any) -> None:
    before = stage.trader.summary()["scans"]
    assert before
    stage.now += 3600 * 10**9
    stage.deliver(events.Woken(stage.now, 2))
    reads = len(stage.all(Read))
    stage.clock()
    assert stage.trader.summary()["scans"] == before
    assert len(stage.all(Read)) == reads + 1
    stage.clock(31)
    assert stage.trader.summary()["scans"] == before


def test_a_snapshot_asked_for_before_a_fill_decides_nothing_if_our_clock_is_ahead(
    stage: Any,
) -> None:
    sent = stage.enter()
    stage.answer(sent)
    early = []
    for _ in range(2):  # asked for while it was flat, answered when it no longer is
        stage.clock(31)
        early.append((stage.last(Read, symbol=""), stage.now))
    stage.now += 10**9
    stage.deliver(stage.fill(sent.id, 1, sent.qty, str(sent.price), ts=stage.now - 120 * 10**9))
    for read, asked in early:
        stage.read(read, asked=asked, wallet=stage.wallet("1000"))
    assert stage.state().held == sent.qty
    assert not stage.notes("closed-outside")


def test_s47_what_a_guard_ordered_while_we_were_away_is_ours(stage: Any) -> None:
    sent = stage.hold()
    stage.now += 20 * 10**9
    stage.deliver(events.Woken(stage.now, 3, ("b1", "gfeed")))
    stage.deliver(stage.fill("tt-gfeed-1-guard", -1, sent.qty, "99.9", closed=str(sent.qty)))
    assert not stage.notes("second-instance")
    assert stage.notes("trade")[-1].fields["reason"] == "guard"


def test_a_venue_slower_than_the_interval_of_reads_is_still_understood(staged: Any) -> None:
    stage = staged()
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, True))
    stage.clock()
    slow = stage.last(Read)
    stage.clock(31)  # the next snapshot is asked for before the first one came
    assert stage.last(Read) is not slow
    stage.read(slow, wallet=stage.wallet("1000"))
    assert stage.notes("recovered")


def test_a_snapshot_older_than_one_already_seen_counts_no_more(stage: Any) -> None:
    stage.clock(31)
    slow = stage.last(Read)
    stage.clock(31)
    stage.snapshot("1000")
    stage.read(slow, wallet=stage.wallet("900"), positions=(stage.position("5"),))
    assert not stage.notes("transfer")
    stage.wait(3)
    assert not stage.state().blocks.frozen


def test_what_was_traded_before_the_first_start_is_in_the_wallet_it_started_with(stage: Any) -> None:
    """After a fill the look-back reaches before the start: what lies there is not booked again."""
    started = stage.now - 10 * 10**9
    before = stage.fill("", 1, "0.3", "100", fee=Decimal(1), ts=started - 20 * 10**9)
    stage.hold()
    stage.clock(31)
    assert stage.last(Read).since < before.ts
    paid = stage.inside._state.ledger.fees
    stage.snapshot("999.99", fills=(before,), positions=(stage.position("0"),))
    assert stage.inside._state.ledger.fees == paid
    new = stage.restart()
    new.recover("999.99", fills=(before,))
    assert new.inside._state.ledger.fees == paid


def test_a_fill_heard_before_the_first_wallet_is_in_it(staged: Any) -> None:
    """Somebody else's, in USDT and in another coin."""
    stage = staged()
    fill = stage.fill("by-hand", 1, "1", "100", fee=Decimal("0.1"), coin_fees=(("MNT", Decimal(2)),))
    stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PRIVATE, True))
    stage.deliver(fill)
    stage.recover("18", fills=(fill,), coins={"MNT": Decimal(5)})
    ledger = stage.inside._state.ledger
    assert (ledger.balance, ledger.fees) == (18, Decimal("0.1"))
    assert (ledger.coins["MNT"].balance, ledger.coins["MNT"].fees) == (5, 2)
    stage.clock(31)
    stage.snapshot("18", coins={"MNT": Decimal(5)})
    assert not ledger.discrepancies()
    assert not stage.all(Read, what=("transfers",))


def test_a_fill_of_the_first_snapshot_is_in_its_wallet(staged: Any) -> None:
    stage = staged()
    stage.recover("18", fills=(stage.fill("by-hand", 1, "1", "100", fee=Decimal("0.1")),))
    assert stage.inside._state.ledger.balance == 18


def test_a_transfer_known_at_once_is_booked_once_and_is_no_profit(stage: Any) -> None:
    start = stage.trader.view().equity
    transfer = events.Transfer(stage.now, "t1", "USDT", Decimal("5.5"), "TRANSFER_IN")
    stage.deliver(events.Transferred(stage.now, transfer))
    stage.deliver(events.Transferred(stage.now, transfer))
    assert stage.inside._state.ledger.transfers == Decimal("5.5")
    assert stage.inside._state.session.start_equity == stage.inside._state.session.equity
    assert stage.trader.view().equity == start + Decimal("5.5")


def test_a_wallet_that_differs_while_an_entry_is_under_way_is_not_asked_about(stage: Any) -> None:
    """Its fills may have changed the wallet before they were heard of."""
    stage.enter()
    for _ in range(3):
        stage.clock(31)
        stage.snapshot("990")
    assert stage.state().entry is not None
    assert not stage.all(Read, what=("transfers",))


def test_a_public_feed_that_comes_back_asks_for_no_snapshot(stage: Any) -> None:
    count = len(stage.all(Read))
    for up in (False, True):
        stage.deliver(events.StreamStatus(stage.now, events.StreamKind.PUBLIC, up))
        stage.clock()
    stage.clock(1)
    assert len(stage.all(Read)) == count


def test_a_wallet_that_differs_in_one_read_is_read_again_before_the_log_is(stage: Any) -> None:
    log = ("transfers",)
    stage.clock(31)
    stage.snapshot("990")
    assert not stage.all(Read, what=log)
    stage.clock(2)
    stage.snapshot("990")
    assert len(stage.all(Read, what=log)) == 1


def one_symbol(stage: Any, *fills: events.Fill) -> None:
    """A read of one symbol brings these fills."""
    stage.read(Read("one", ("positions", "fills"), fills[0].symbol), fills=fills)


def test_a_fill_heard_of_by_a_read_of_one_symbol_makes_earlier_snapshots_old(stage: Any) -> None:
    """Our clock is far ahead of the venue's: by its time the fill came long before they were asked for."""
    sent = stage.hold()
    opened, qty, early = stage.now, str(sent.qty), []
    for _ in range(2):
        stage.clock(31)
        early.append((stage.last(Read, symbol=""), stage.now))
    stage.clock(1)
    one_symbol(stage, stage.fill("", -1, qty, "99.5", closed=qty, ts=opened + 10 * 10**9))
    for read, asked in early:
        stage.read(read, asked=asked, positions=(stage.position(qty),), wallet=stage.wallet("1000"))
    assert stage.state().held == 0
    assert not stage.notes("frozen")


def test_a_fill_heard_of_again_makes_no_snapshot_old(stage: Any) -> None:
    sent = stage.enter()
    stage.answer(sent)
    fill = stage.fill(sent.id, sent.side, sent.qty, str(sent.price))
    stage.deliver(fill)
    stage.deliver(stage.position(str(sent.qty), str(sent.stop_loss), str(sent.take_profit)))
    for _ in range(2):
        stage.clock(31)
        asked = stage.now
        stage.clock(1)
        one_symbol(stage, fill)
        stage.read(stage.last(Read, symbol=""), asked=asked, wallet=stage.wallet("999.99"))
    assert stage.notes("closed-outside")


def test_a_close_that_waits_for_its_opening_makes_no_snapshot_old(stage: Any) -> None:
    stage.answer(stage.enter(), "rejected", 110007)
    for _ in range(2):
        stage.clock(31)
        asked = stage.now
        stage.clock(1)
        stage.deliver(stage.fill("", -1, "3", "100", closed="3"))
        assert stage.state().early
        stage.read(
            stage.last(Read, symbol=""),
            asked=asked,
            positions=(stage.position("5"),),
            wallet=stage.wallet("1000"),
        )
    assert stage.notes("frozen")
