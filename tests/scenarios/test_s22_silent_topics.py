"""S22: a topic that falls silent on a connection that lives is noticed by its age, and all of them are asked for again."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from turbo_trader.bybit.endpoints import loopback
from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.exchange_server.server import serve
from turbo_trader.live import feeds
from turbo_trader.live.daemon_settings import FeedSettings
from turbo_trader.live.feeds import PublicFeeds
from turbo_trader.live.silence import BOOK, LONGEST_S, TICKER, Silence
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import FUNDING, GAP, KIND_MASK, LEVEL, MARK, SNAPSHOT, TRADE
from turbo_trader.trader.events import MarketRows, StreamStatus

SYMBOL = universe()[0].symbol


def book(n: int) -> dict[str, Any]:
    data = {"s": SYMBOL, "b": [["60000", f"{1 + n % 5}"]], "a": [["60001", "1"]], "u": n, "seq": n}
    kind = "snapshot" if n == 1 else "delta"
    return {"topic": f"orderbook.50.{SYMBOL}", "type": kind, "ts": n, "data": data}


def ticker(n: int) -> dict[str, Any]:
    kind = "snapshot" if n == 1 else "delta"
    return {"topic": f"tickers.{SYMBOL}", "type": kind, "ts": n, "data": {"markPrice": f"{60000 + n}"}}


def prints(n: int) -> dict[str, Any]:
    item = {"T": n, "s": SYMBOL, "S": "Buy", "v": "1", "p": "60000", "i": f"{n}", "BT": False}
    return {"topic": f"publicTrade.{SYMBOL}", "type": "snapshot", "ts": n, "data": [item]}


FRAMES = {BOOK: book, TICKER: ticker, "prints": prints}


def kinds(heard: list[Any], after: int) -> list[int]:
    """What rows began with, from the first of a kind on."""
    all_ = [int(event.rows["kind"][0]) & KIND_MASK for event in heard if isinstance(event, MarketRows)]
    return all_[all_.index(after) + 1 :] if after in all_ else []


class Script:
    """A market that says a frame of each topic at every step of the venue; `silent` says its first one alone."""

    def __init__(self, silent: str) -> None:
        self.topics = [frame(1)["topic"] for frame in FRAMES.values()]
        self.silent = silent
        self._n = 0

    def said(self, until: int) -> list[bytes]:
        del until
        self._n += 1
        due = [frame for name, frame in FRAMES.items() if self._n == 1 or name != self.silent]
        return [json.dumps(frame(self._n)).encode() for frame in due]


@pytest.mark.parametrize("topic", [BOOK, TICKER])
async def test_s22_a_topic_silent_among_others_is_noticed_and_its_connection_made_again(
    topic: str, make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feeds, "WATCH_S", 0.02)
    script, heard = Script(topic), list[Any]()
    instruments = universe()[:1]
    FrameDecoder(instruments).decode(json.dumps(book(1)).encode())  # compiled: a hung loop hears nobody

    def hear(event: Any) -> None:
        heard.append(event)
        if isinstance(event, StreamStatus) and not event.up:
            script.silent = ""

    async with serve(make_venue((SYMBOL,), frames=script)) as port:
        public = PublicFeeds(
            FeedSettings(loopback(port).public, silence_s=0.5), instruments, VenueClock(), hear, lambda *_: None,
            last_ts=lambda _: 0, new_decoder=lambda: FrameDecoder(instruments),
        )  # fmt: skip
        (feed,) = public.feeds
        jobs = [asyncio.create_task(feed.stream.run()), asyncio.create_task(feed.watch())]
        async with asyncio.timeout(20):
            while not {SNAPSHOT, LEVEL, MARK, TRADE} <= set(kinds(heard, after=GAP)):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        for job in jobs:
            job.cancel()
    changes = [(event.up, event.reason) for event in heard if isinstance(event, StreamStatus)]
    assert changes[:3] == [(True, ""), (False, f"silent: {topic} of {SYMBOL}"), (True, "")]
    assert kinds(heard, after=GAP)[0] == SNAPSHOT  # no frame of a void book was believed before


async def test_s22_prints_are_not_waited_for_and_a_ticker_only_once_it_was_heard() -> None:
    silence = Silence([0, 1], 10.0)
    silence.begin(100.0)
    for symbol in (0, 1):
        silence.heard(symbol, SNAPSHOT, 100.0)
    silence.heard(0, FUNDING, 100.0)
    silence.heard(0, TRADE, 100.0)
    for now in np.arange(101.0, 200.0):
        for symbol in (0, 1):
            silence.heard(symbol, LEVEL, now)
        assert silence.silent(now) == ([(0, TICKER)] if now in (111.0, 121.0, 141.0, 181.0) else [])


def test_s22_a_book_that_sends_no_snapshot_is_silent() -> None:
    silence = Silence([0], 10.0)
    silence.begin(0.0)
    for now in range(1, 11):
        silence.heard(0, GAP, float(now))
        silence.heard(0, TRADE, float(now))
    assert silence.silent(10.5) == [(0, BOOK)]


def test_s22_a_market_that_stands_still_costs_its_neighbours_ever_fewer_connections() -> None:
    silence, renewed = Silence([0, 1], 10.0), list[int]()
    silence.begin(0.0)
    for now in range(7_200):
        silence.heard(1, LEVEL, float(now))
        if silence.silent(float(now)):
            renewed.append(now)
            silence.begin(float(now))
    gaps = np.diff(renewed)
    assert renewed[0] == 11
    assert (gaps[:5] == [21, 41, 81, 161, 321]).all()
    assert (gaps[6:] == LONGEST_S + 1).all()
    for now in range(7_200, 7_900):  # it speaks again, and after ten minutes it is looked after as before
        silence.heard(0, LEVEL, float(now))
    silence.heard(1, LEVEL, 7_910.0)
    assert silence.silent(7_910.0) == [(0, BOOK)]
