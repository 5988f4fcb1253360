"""What takes the daemon its feed, its right to write, or the account: noticed, reported, and nothing leaves."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from turbo_trader.journal import readers
from turbo_trader.journal.epochs import EpochFiles
from turbo_trader.journal.lease import GUARD, Lease, LeaseRules
from turbo_trader.market.rows import GAP, KIND_MASK, TRADE
from turbo_trader.trader.events import (
    Control,
    MarketRows,
    StreamStatus,
    Woken,
)


async def test_s30_an_order_refused_for_keys_sake_halts_the_trader_until_a_person_says_so(
    shells: Any,
    tmp_path: Path,
) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        return (
            [shells.entry("e1")]
            if isinstance(event, StreamStatus) and event.stream == "private" and event.up
            else []
        )

    venue, trader = shells.Venue(), shells.Scripted(script)
    venue.on_create = lambda: {"retCode": 10005, "retMsg": "Permission denied", "result": {}}
    await shells.run(venue, trader, tmp_path)
    (halt,) = [event for event in trader.of(Control) if event.verb == "halt"]
    assert halt.by == "the venue: the key lacks this permission (10005)"


async def test_s22_a_lost_feed_voids_the_book_and_comes_back(shells: Any, tmp_path: Path) -> None:
    venue = shells.Venue()

    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, MarketRows) and len(venue.sockets) == 2:
            for socket in venue.sockets:
                socket.transport.abort()
        return []

    trader = shells.Scripted(script)
    await shells.run(venue, trader, tmp_path, duration_s=1.5)
    kinds = [int(event.rows["kind"][0]) & KIND_MASK for event in trader.of(MarketRows)]
    assert GAP in kinds
    assert kinds[kinds.index(GAP) :].count(TRADE) >= 1
    public = [status.up for status in trader.of(StreamStatus) if status.stream == "public"]
    assert public[:3] == [True, False, True]


async def test_s47_once_another_holds_a_higher_epoch_nothing_leaves_and_the_daemon_ends(
    shells: Any,
    tmp_path: Path,
) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            assert Lease(EpochFiles(tmp_path), GUARD).take()
            return [shells.entry("e1")]
        return []

    venue, trader = shells.Venue(), shells.Scripted(script)
    summary = await shells.run(venue, trader, tmp_path, duration_s=10)
    assert (summary.reason, summary.failed) == ("fenced: the guard holds epoch 2", True)
    assert venue.created == []
    assert readers.overview(tmp_path)["intents"] in ({"rejected": 1}, {"open": 1})


async def test_s47_a_trader_that_hung_loses_lease_and_reads_venue_again_before_it_goes_on(
    shells: Any,
    tmp_path: Path,
) -> None:
    def script(trader: Any, event: Any) -> Sequence[Any]:
        if isinstance(event, StreamStatus) and event.stream == "private" and event.up:
            time.sleep(0.6)
            return [shells.entry("e1")]
        return []

    venue, trader = shells.Venue(), shells.Scripted(script)
    rules = LeaseRules(renew_ns=0, fence_ns=500_000_000, window_ns=500_000_000)
    summary = await shells.run(venue, trader, tmp_path, duration_s=2.0, lease=rules)
    assert not summary.failed
    assert [event.epoch for event in trader.of(Woken)] == [2]
    assert readers.notes(tmp_path, "lease-out")
