"""Which public topics there are, and what of a subscription is in force when one of them is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from turbo_trader.exchange.protocol.public_stream import PublicClient, PublicFeed

Face = Any  # conftest.Face


def subscribed(face: Face, *topics: str, client: PublicClient | None = None) -> list[dict[str, Any]]:
    client = client or PublicClient(PublicFeed(face.data), "one")
    raw = json.dumps({"op": "subscribe", "req_id": "7", "args": topics}).encode()
    return [json.loads(frame) for frame in client.take(raw, face.now)]


def test_a_refused_topic_is_named_and_nothing_of_the_request_is_in_force(face: Face) -> None:
    client = PublicClient(PublicFeed(face.data), "one")
    answers = subscribed(face, "tickers.BTCUSDT", "tickers.NOSUCH", "kline.7.BTCUSDT", client=client)
    assert answers == [
        {
            "success": False, "ret_msg": "error:handler not found,topic:tickers.NOSUCH", "conn_id": "one", "req_id": "7",
            "op": "subscribe",
        }
    ]  # fmt: skip
    assert client.push({"tickers.BTCUSDT": [b"{}"]}) == []
    assert subscribed(face, "tickers.BTCUSDT", client=client)[0]["success"]
    assert client.push({"tickers.BTCUSDT": [b"{}"]}) == [b"{}"]


@pytest.mark.parametrize(
    "kind", ["orderbook.50", "publicTrade", "tickers", "kline.1", "priceLimit", "allLiquidation"]
)
def test_topics_of_a_closed_contract_are_refused_and_old_listeners_stay(face: Face, kind: str) -> None:
    topic, feed = f"{kind}.BTCUSDT", PublicFeed(face.data)
    listening = PublicClient(feed, "old")
    assert subscribed(face, topic, client=listening)[0]["success"]
    face.exchange.listing.relist(replace(face.exchange.instruments[0], status="Closed"))
    answer = subscribed(face, topic, client=PublicClient(feed, "new"))[0]
    assert (answer["success"], answer["ret_msg"]) == (False, f"error:handler not found,topic:{topic}")
    assert listening.push({topic: [b"{}"]}) == [b"{}"]
    feed.push(face.now + 1, {})


@pytest.mark.parametrize("topic", ["adlAlert.USDT", "insurance.USDT", "insurance.inverse"])
def test_topics_by_coin_are_taken_and_stay_silent(face: Face, topic: str) -> None:
    feed = PublicFeed(face.data)
    client = PublicClient(feed, "one")
    (answer,) = subscribed(face, topic, client=client)
    assert answer["success"]
    assert client.push(feed.push(face.now + 10_000_000_000, {})) == []
