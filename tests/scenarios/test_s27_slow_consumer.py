"""S27: what comes faster than it is taken in never grows memory without bound, and nothing of the account is lost for it."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.bybit.endpoints import Keys
from turbo_trader.journal.store import Journal
from turbo_trader.live import feeds
from turbo_trader.live.clock import VenueClock
from turbo_trader.live.feeds import PrivateFeed, PublicFeed
from turbo_trader.live.settings import FeedSettings
from turbo_trader.market.reference import universe
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.events import Fill


class Undecoded:
    def decode(self, raw: bytes) -> None:
        return None


def public_feed(notes: list[str]) -> PublicFeed:
    settings = FeedSettings("ws://nowhere")
    return PublicFeed(
        [0], universe()[:1], settings, VenueClock(), lambda event: None, lambda why: None,
        lambda name, level, fields: notes.append(name), lambda s: 0, Undecoded,
    )  # fmt: skip


async def test_s27_public_frames_beyond_the_bound_are_dropped_and_the_connection_is_made_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feeds, "QUEUE", 100)
    notes: list[str] = []
    renewed: list[str] = []
    feed = public_feed(notes)
    monkeypatch.setattr(feed.stream, "renew", renewed.append)
    longest = 0
    for n in range(1_000):  # nobody consumes
        feed._arrived(b"%d" % n)
        longest = max(longest, len(feed._queue))
    assert longest == 100
    assert (
        len(renewed) == notes.count("slow-consumer") == 1_000 // 101
    )  # each time the bound is met; a snapshot follows


async def test_s27_private_messages_wait_for_nobody_and_none_is_dropped() -> None:
    heard: list[Any] = []
    feed = PrivateFeed("ws://nowhere", Keys("k", "s"), VenueClock(), heard.append, lambda *_: None)
    for n in range(5_000):
        feed._take(
            b'{"topic":"execution","data":[{"symbol":"BTCUSDT","execId":"%d","side":"Buy","execQty":"1","execPrice":"2"}]}'
            % n
        )
        assert (
            len(heard) == n + 1
        )  # delivered before the next is read: what is not read waits in the socket's own buffer
    assert [event.exec_id for event in heard if isinstance(event, Fill)] == [str(n) for n in range(5_000)]


def test_s27_a_journal_that_cannot_be_written_keeps_the_newest_state_and_lets_the_rest_go(
    tmp_path: Path,
) -> None:
    journal = Journal(tmp_path, ["BTCUSDT"])
    journal._db.execute("PRAGMA query_only = 1")  # as a full disk: every write fails
    try:
        longest = 0
        for n in range(30_000):
            journal.note(Note(n, "line", "info", {"n": n}))
            if n % 100 == 0:
                journal.persist(Persist(n, "ledger", {"n": Decimal(n)}))
                assert not journal.flush()
            longest = max(longest, len(journal._pending))
        assert longest <= 10_200
        journal._db.execute("PRAGMA query_only = 0")
        assert journal.flush()
        assert (journal.restored() or {})["ledger"] == {"n": "29900"}
    finally:
        journal.close(0, "end")
