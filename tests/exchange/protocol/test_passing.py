"""Frames passed on: what later subscribers get, and what cannot be used."""

from __future__ import annotations

import json
from typing import Any

import pytest

from turbo_trader.exchange.protocol.passing import PassedTicker, check, read
from turbo_trader.exchange.protocol.public_stream import PublicClient, PublicFeed

BOOK, TICKER, CANDLE, TRADES = (
    "orderbook.50.BTCUSDT",
    "tickers.BTCUSDT",
    "kline.1.BTCUSDT",
    "publicTrade.BTCUSDT",
)


def book(kind: str, u: int, bids: list[list[str]], asks: list[list[str]]) -> bytes:
    data = {"s": "BTCUSDT", "b": bids, "a": asks, "u": u, "seq": 10 * u}
    return json.dumps({"topic": BOOK, "type": kind, "ts": 1_000 + u, "data": data, "cts": 900 + u}).encode()


def ticker(kind: str, **fields: str) -> bytes:
    data = {"symbol": "BTCUSDT", **fields}
    return json.dumps({"topic": TICKER, "type": kind, "data": data, "cs": 7, "ts": 1_000}).encode()


@pytest.fixture
def feed(face: Any) -> PublicFeed:
    return PublicFeed(face.data, [BOOK, TICKER, CANDLE, TRADES, "orderbook.50.NOSUCH"])


def joined(feed: PublicFeed, *topics: str) -> tuple[PublicClient, list[Any]]:
    client = PublicClient(feed, "one")
    raws = client.take(json.dumps({"op": "subscribe", "args": topics}).encode(), 0)
    return client, [json.loads(raw) for raw in raws[1:]]


def test_a_frame_is_passed_on_in_its_own_bytes_once(feed: PublicFeed) -> None:
    client, begun = joined(feed, BOOK)
    raws = [
        book("snapshot", 5, [["1.0", "2"]], [["1.1", "3"]]),
        book("delta", 6, [["1.0", "0"], ["0.9", "1"]], []),
    ]
    for raw in raws:
        feed.hear(raw)
    assert begun == []
    assert client.push(feed.push(0, {})) == raws
    assert client.push(feed.push(1, {})) == []


def test_who_comes_later_gets_the_whole_under_the_last_numbers(feed: PublicFeed) -> None:
    feed.hear(book("snapshot", 5, [["1.00", "2"], ["0.90", "1"]], [["1.10", "3"]]))
    feed.hear(book("delta", 6, [["0.90", "0"], ["0.80", "4"]], [["1.05", "9"]]))
    feed.hear(ticker("snapshot", lastPrice="1", markPrice="2"))
    feed.hear(ticker("delta", markPrice="3"))
    candle = json.dumps({"topic": CANDLE, "type": "snapshot", "ts": 3, "data": [{"start": 1}]}).encode()
    feed.hear(candle)
    _, (levels, record, shown) = joined(feed, BOOK, TICKER, CANDLE, TRADES)
    assert levels["data"] == {
        "s": "BTCUSDT", "b": [["1.00", "2"], ["0.80", "4"]], "a": [["1.05", "9"], ["1.10", "3"]], "u": 6, "seq": 60,
    }  # fmt: skip
    assert (levels["type"], levels["ts"], levels["cts"]) == ("snapshot", 1_006, 906)
    assert record["data"] == {"symbol": "BTCUSDT", "lastPrice": "1", "markPrice": "3"}
    assert shown == json.loads(candle)


def test_differences_to_something_unknown_are_left_out(feed: PublicFeed) -> None:
    client, _ = joined(feed, BOOK, TICKER)
    feed.hear(book("delta", 6, [["1", "2"]], []))
    feed.hear(ticker("delta", markPrice="3"))
    assert client.push(feed.push(0, {})) == []
    feed.hear(book("delta", 1, [["1", "2"]], [["2", "1"]]))  # the service restarted: it is whole
    feed.hear(book("snapshot", 2, [["1", "2"]], [["2", "1"]]))
    feed.forget()
    feed.hear(book("delta", 3, [["1", "2"]], []))
    assert len(client.push(feed.push(0, {}))) == 2
    assert joined(feed, BOOK)[1] == []


def test_topics_that_are_not_passed_on_are_made(feed: PublicFeed) -> None:
    feed.hear(json.dumps({"topic": "tickers.ETHUSDT", "type": "snapshot", "data": {}}).encode())
    _, (made,) = joined(feed, "tickers.ETHUSDT")
    assert len(made["data"]) > 10
    assert not feed.has("orderbook.50.NOSUCH")


def test_rest_shows_what_was_said_and_its_own_when_nothing_is(face: Any, feed: PublicFeed) -> None:
    made = face.data.ticker(0, face.now)
    feed.hear(ticker("snapshot", lastPrice="1"))
    assert face.data.ticker(0, face.now) == {"symbol": "BTCUSDT", "lastPrice": "1"}
    feed.forget()
    assert face.data.ticker(0, face.now) == made
    item = {"T": 5, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "2", "L": "PlusTick", "i": "id", "BT": False}
    feed.hear(json.dumps({"topic": TRADES, "type": "snapshot", "data": [item]}).encode())
    (row,) = face.ask("GET", "/v5/market/recent-trade", category="linear", symbol="BTCUSDT")["result"]["list"]
    assert (row["execId"], row["time"], row["isRPITrade"]) == ("id", "5", False)


def print_frame(**changed: Any) -> bytes:
    item = {"T": 5, "s": "BTCUSDT", "S": "Buy", "v": "1", "p": "2", "L": "PlusTick", "i": "id", "BT": False}
    return json.dumps({"topic": TRADES, "type": "snapshot", "data": [item | changed]}).encode()


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"{", b"[]", b"null", b"\xff", b'{"topic":7}', ticker("snapshot", a="1").replace(b"1000", b'"x"'),
        print_frame(T="5"), print_frame(i=None), b'{"topic":"publicTrade.BTCUSDT","data":[{"p":"1"}]}',
        b'{"topic":"orderbook.50.BTCUSDT","type":"snapshot","data":[]}', b'{"topic":"tickers.BTCUSDT","type":"snapshot"}',
        book("snapshot", 5, [["x", "1"]], []), book("snapshot", 5, [["1", "x"]], []),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_left_out_and_counted(feed: PublicFeed, raw: bytes) -> None:
    client, _ = joined(feed, BOOK, TICKER, TRADES)
    with pytest.raises(ValueError):  # noqa: PT011 - of whichever kind the decoder has
        check(raw)
    feed.hear(raw)
    assert feed.unreadable == 1
    assert client.push(feed.push(0, {})) == []


def test_an_unreadable_difference_voids_the_book_until_its_next_snapshot(
    feed: PublicFeed,
) -> None:
    client, _ = joined(feed, BOOK)
    whole = [book("snapshot", u, [["1.0", "2"]], [["1.1", "3"]]) for u in (5, 9)]
    for raw in (whole[0], book("delta", 6, [["x", "2"]], []), book("delta", 7, [["0.9", "2"]], []), whole[1]):
        feed.hear(raw)
    assert client.push(feed.push(0, {})) == whole


def test_a_snapshot_replaces_what_was_known() -> None:
    kept = PassedTicker()
    for raw in (ticker("snapshot", a="1", b="2"), ticker("snapshot", a="3")):
        kept.hear(raw, read(raw))
    assert kept.record == {"symbol": "BTCUSDT", "a": "3"}
