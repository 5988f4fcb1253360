"""Recorded frames are passed on as they were: every byte of them, at any speed."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import websockets

from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import RecordedFrames, TapeSource
from turbo_trader.exchange_server.server import serve
from turbo_trader.market.recording import frames
from turbo_trader.market.tape import read_tape

RECORDING = (
    Path(__file__).resolve().parents[2].parent
    / "shared/data/bybit-v5-session-20260809/linear_BTCUSDT_DOGEUSDT.jsonl.gz"
)
KINDS = ("orderbook.200", "publicTrade", "tickers", "kline.1")
TOPICS = [f"{kind}.{symbol}" for kind in KINDS for symbol in ("BTCUSDT", "DOGEUSDT")]
ASK = json.dumps({"op": "subscribe", "args": TOPICS}).encode()
pytestmark = pytest.mark.skipif(not RECORDING.exists(), reason="needs the recorded session in ../shared/data")

ByTopic = dict[str, list[bytes]]


def by_topic(raws: list[bytes]) -> ByTopic:
    found: ByTopic = defaultdict(list)
    for raw in raws:
        found[json.loads(raw).get("topic", "")].append(raw)
    found.pop("", None)
    return found


@pytest.fixture(scope="module")
def recorded() -> ByTopic:
    return by_topic([raw for _, raw in frames(RECORDING)])


def played(speed: float = 1.0) -> Venue:
    source = TapeSource(read_tape(RECORDING))
    config = VenueConfig("key", "secret", Decimal(100), speed)
    return Venue(source, config, frames=RecordedFrames(RECORDING, source.start))


def run(venue: Venue, client: PublicClient, seconds: float, step_ms: int) -> list[bytes]:
    raws = []
    end = venue.now + int(seconds * 1e9)
    while venue.now < end:
        raws += client.push(venue.advance(venue.now + step_ms * 1_000_000))
    return raws


@pytest.mark.parametrize("step_ms", [10, 2_000])
def test_subscribers_of_recorded_topics_get_the_recorded_bytes(recorded: ByTopic, step_ms: int) -> None:
    venue = played()
    client = PublicClient(venue.feed, "one")
    client.take(ASK, venue.now)
    assert by_topic(run(venue, client, 60, step_ms)) == recorded


def test_a_later_subscriber_gets_a_snapshot_that_the_recorded_differences_follow(recorded: ByTopic) -> None:
    venue = played()
    run(venue, PublicClient(venue.feed, "nobody"), 20, 10)
    client = PublicClient(venue.feed, "two")
    begun = by_topic(client.take(ASK, venue.now))
    rest = by_topic(run(venue, client, 60, 10))
    for topic in TOPICS:
        assert rest[topic] == recorded[topic][-len(rest[topic]) :]
        if topic.startswith("publicTrade"):
            assert topic not in begun
            continue
        (snapshot,) = map(json.loads, begun[topic])
        before = json.loads(recorded[topic][-len(rest[topic]) - 1])
        assert list(snapshot) == list(json.loads(recorded[topic][0]))
        assert {name: snapshot[name] for name in ("topic", "ts")} == {
            name: before[name] for name in ("topic", "ts")
        }
        assert snapshot["type"] == "snapshot"
    for topic in TOPICS[:2]:
        assert book([*begun[topic], *rest[topic]]) == book(recorded[topic])
    for topic in TOPICS[4:6]:
        assert merged([*begun[topic], *rest[topic]]) == merged(recorded[topic])


def book(raws: list[bytes]) -> tuple[int, dict[str, str], dict[str, str]]:
    """`u` and both sides after these frames, which follow each other without a gap."""
    bids: dict[str, str] = {}
    asks: dict[str, str] = {}
    update = 0
    for message in map(json.loads, raws):
        assert message["type"] == "snapshot" or message["data"]["u"] == update + 1
        update = message["data"]["u"]
        for side, name in ((bids, "b"), (asks, "a")):
            side |= dict(message["data"][name])
    return update, *({p: q for p, q in side.items() if q != "0"} for side in (bids, asks))  # type: ignore[return-value]


def merged(raws: list[bytes]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for message in map(json.loads, raws):
        record |= message["data"]
    return record


def test_rest_shows_what_the_frames_say(recorded: ByTopic) -> None:
    venue = played()
    run(venue, PublicClient(venue.feed, "nobody"), 60, 10)
    shown = venue.data.ticker(venue.exchange.index["BTCUSDT"], venue.now)
    assert shown == merged(recorded["tickers.BTCUSDT"])
    prints = [item for raw in recorded["publicTrade.BTCUSDT"] for item in json.loads(raw)["data"]]
    assert venue.data.trades(venue.exchange.index["BTCUSDT"]) == prints


async def test_the_bytes_are_the_same_over_a_socket_twenty_times_as_fast(recorded: ByTopic) -> None:
    venue = played(20.0)
    raws = []
    async with (
        serve(venue) as port,
        websockets.connect(f"ws://127.0.0.1:{port}/v5/public/linear", proxy=None) as stream,
    ):
        await stream.send(ASK)
        ended = False
        while not ended:
            raw = (await asyncio.wait_for(stream.recv(), 10)).encode()  # type: ignore[union-attr]
            raws.append(raw)
            ended = raw == recorded["orderbook.200.DOGEUSDT"][-1]
    for topic, passed in by_topic(raws).items():
        if topic.startswith("orderbook"):
            following = passed[1:]  # after the snapshot
            assert len(following) > 100
            began = recorded[topic].index(following[0])
            assert recorded[topic][began : began + len(following)] == following
