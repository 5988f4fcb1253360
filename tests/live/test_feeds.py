"""What is made of a frame: rows for the Trader, or a new connection where the frame cannot be true."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import Any

import pytest

from turbo_trader.bybit.topics import RefusedTopic
from turbo_trader.live import feeds
from turbo_trader.live.daemon_settings import FeedSettings
from turbo_trader.live.feeds import PublicFeeds
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe

SYMBOL = universe()[0].symbol
NOW_MS = 1_767_600_000_000


@pytest.mark.parametrize(("ahead_s", "believed"), [(0, True), (59, True), (61, False), (86_400, False)])
def test_a_book_dated_ahead_of_the_venues_clock_is_not_believed_and_asked_for_again(
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
    feed._take([json.dumps(frame).encode()])
    assert len(heard) == believed
    assert renewed == ([] if believed else [f"a frame of {SYMBOL} dated {ahead_s:,} s ahead"])


async def test_closed_symbols_are_not_asked_for_at_the_start_nor_after_they_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instruments = (replace(universe()[0], status="Closed"), *universe()[1:3])
    renewed = list[str]()
    public = PublicFeeds(
        FeedSettings("ws://127.0.0.1:1"), instruments, VenueClock(), lambda _: None, lambda *_: None,
        last_ts=lambda _: 0, new_decoder=lambda: FrameDecoder(instruments),
    )  # fmt: skip
    (feed,) = public.feeds
    monkeypatch.setattr(feed.stream, "renew", renewed.append)
    assert symbols(feed.stream.config.topics) == {universe()[1].symbol, universe()[2].symbol}
    public.listed(replace(universe()[1], status="Closed"))
    public.listed(universe()[2])
    assert symbols(feed.stream.config.topics) == {universe()[2].symbol}
    public.listed(universe()[0])  # it opens again
    assert symbols(feed.stream.config.topics) == {SYMBOL, universe()[2].symbol}
    assert len(renewed) == 2


def symbols(topics: tuple[str, ...]) -> set[str]:
    return {topic.rpartition(".")[2] for topic in topics}


async def test_silence_of_a_refused_book_does_not_renew_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    reported, renewed = list[str](), list[str]()
    public = PublicFeeds(
        FeedSettings("ws://127.0.0.1:1", silence_s=0.01), universe()[:1], VenueClock(), lambda _: None,
        lambda name, level, fields: reported.append(name), last_ts=lambda _: 0, new_decoder=lambda: FrameDecoder(universe()[:1]),
    )  # fmt: skip
    (feed,) = public.feeds
    monkeypatch.setattr(feeds, "WATCH_S", 0.02)
    monkeypatch.setattr(feed.stream, "renew", renewed.append)
    feed._on_topic_refused(RefusedTopic(f"orderbook.50.{SYMBOL}", "error:handler not found"))
    feed._on_up()
    watching = asyncio.create_task(feed.watch())
    await asyncio.sleep(0.1)
    assert (reported, renewed) == (["topic-refused"], [])
    feed._on_down("lost")
    feed._on_up()  # asked for again, and given
    await asyncio.sleep(0.1)
    watching.cancel()
    assert renewed


def test_a_symbol_in_lasting_trouble_costs_its_neighbours_ever_fewer_connections(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now, renewed = 0, list[int]()
    clock = VenueClock(steady=lambda: now * 10**9, wall=lambda: (NOW_MS // 1000 + now) * 10**9)
    public = PublicFeeds(
        FeedSettings("ws://127.0.0.1:1", silence_s=10), universe()[:2], clock, lambda _: None, lambda *_: None,
        last_ts=lambda _: 0, new_decoder=lambda: FrameDecoder(universe()[:2]),
    )  # fmt: skip
    (feed,) = public.feeds
    monkeypatch.setattr(feed.stream, "renew", lambda _: renewed.append(now))
    for now in range(1, 3_600):  # a ticker dated an hour ahead, each second
        stamp = NOW_MS + 1000 * now + 3_600_000
        frame = {
            "topic": f"tickers.{SYMBOL}",
            "type": "delta",
            "ts": stamp,
            "data": {"symbol": SYMBOL, "markPrice": "60000"},
        }
        feed._take([json.dumps(frame).encode()])
    assert renewed[:4] == [1, 4, 9, 18]
    assert len(renewed) < 15
    now += 2_000  # whole for long: the next trouble is met at once
    feed._take([json.dumps({**frame, "ts": stamp + 10**7}).encode()])
    assert renewed[-1] == now
