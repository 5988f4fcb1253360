"""Announced maintenance, reported and kept."""

from __future__ import annotations

import json
from typing import Any

from turbo_trader.exchange.protocol.maintenance import Notices, StatusFeed
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange.protocol.rest_face import RestFace

SECOND = 1_000_000_000


def test_it_is_announced_begins_and_is_over(face: Any) -> None:
    notices = Notices()
    face.rest = RestFace(face.data, face.keys, notices=notices)
    notices.announce(face.now + 10 * SECOND, face.now + 20 * SECOND, "upgrade")
    states, codes = [], []
    for _ in range(3):
        (row,) = face.ask("GET", "/v5/system/status")["result"]["list"]
        states.append(row["state"])
        codes.append(face.ask("GET", "/v5/market/tickers", category="linear")["retCode"])
        codes.append(face.limit_order("")["retCode"])
        assert face.ask("GET", "/v5/market/time")["retCode"] == 0
        face.now += 10 * SECOND
    assert states == ["scheduled", "ongoing", "completed"]
    assert codes == [0, 0, 10016, 10016, 0, 0]
    assert len(face.exchange.accounts["1"].orders) == 2  # nothing was processed meanwhile
    assert face.ask("GET", "/v5/system/status", state="ongoing")["result"]["list"] == []


def test_its_topic_reports_every_change_to_who_listens() -> None:
    notices, said = Notices(), []
    feed = StatusFeed(notices)
    client = PublicClient(feed, "one")
    answer = json.loads(client.take(b'{"op":"subscribe","args":["system.status"]}', 0)[0])
    assert answer["success"]
    assert not json.loads(client.take(b'{"op":"subscribe","args":["tickers.BTCUSDT"]}', 0)[0])["success"]
    for now in range(0, 40 * SECOND, SECOND):
        if now == 5 * SECOND:
            notices.announce(10 * SECOND, 20 * SECOND, "upgrade")
        said += [(now // SECOND, json.loads(raw)) for raw in client.push(feed.push(now))]
    assert [(at, frame["data"][0]["state"]) for at, frame in said] == [
        (5, "scheduled"),
        (10, "ongoing"),
        (20, "completed"),
    ]
    assert said[0][1]["topic"] == "system.status"
