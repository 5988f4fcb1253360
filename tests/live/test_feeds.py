"""What is made of a frame: rows for the Trader, or a new connection where the frame cannot be true."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.live.clock import VenueClock
from turbo_trader.live.feeds import PublicFeeds
from turbo_trader.live.settings import FeedSettings
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe

SYMBOL = universe()[0].symbol
NOW_MS = 1_767_600_000_000


@pytest.mark.parametrize(("ahead_s", "believed"), [(0, True), (59, True), (61, False), (86_400, False)])
def test_a_book_dated_ahead_of_the_venues_clock_is_not_believed_and_asked_for_anew(
    ahead_s: int, believed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, renewed = list[Any](), list[str]()
    clock = VenueClock(steady=lambda: 0, wall=lambda: NOW_MS * 1_000_000)
    public = PublicFeeds(
        FeedSettings("ws://127.0.0.1:1", silence_s=10), universe()[:1], clock, heard.append, lambda *_: None,
        last_ts=lambda _: 0, new_decoder=lambda: FrameDecoder(universe()[:1]),
    )  # fmt: skip
    (feed,) = public.feeds
    monkeypatch.setattr(feed.stream, "renew", renewed.append)
    levels = {"b": [["60000", "1"]], "a": [["60001", "1"]]}
    frame = {
        "topic": f"orderbook.50.{SYMBOL}",
        "type": "snapshot",
        "ts": NOW_MS + 1000 * ahead_s,
        "data": {"s": SYMBOL, **levels, "u": 1},
    }
    feed._take(json.dumps(frame).encode())
    assert len(heard) == believed
    assert renewed == ([] if believed else [f"a frame of {SYMBOL} dated {ahead_s:,} s ahead"])
