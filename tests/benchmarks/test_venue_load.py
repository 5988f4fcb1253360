"""The simulated exchange at full cadence: every topic as often as it may be pushed, within one core."""

from __future__ import annotations

import json
from decimal import Decimal
from unittest.mock import Mock

import numpy as np
import pytest

from benchmarks.venue_load import EVERYTHING, START, SYMBOLS, SYNTHETIC, Client, Count, DenseMarket, measure
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.market.rows import SECOND

D = Decimal
#: Frames of a symbol a second, by topic, when its book changes all the time.
FULL = {
    "orderbook.1": 100,
    "orderbook.50": 50,
    "orderbook.200": 10,
    "orderbook.1000": 5,
    "tickers": 10,
    "publicTrade": 25,
    "kline.1": 1,
}


def test_the_made_up_market_makes_every_topic_speak_at_its_cadence() -> None:
    venue = Venue(DenseMarket(4.0), VenueConfig("key", "secret", D(100)))
    client = PublicClient(venue.feed, "one")
    venue.advance(START + SECOND)
    client.take(
        json.dumps({"op": "subscribe", "args": [f"{topic}.BTCUSDT" for topic in FULL]}).encode(), venue.now
    )
    reported: list[str] = []
    for n in range(1, 201):
        frames = client.push(venue.advance(START + SECOND + n * SECOND // 100))
        reported += [json.loads(frame)["topic"].removesuffix(".BTCUSDT") for frame in frames]
    for topic, rate in FULL.items():
        assert reported.count(topic) == pytest.approx(2 * rate, rel=0.1, abs=1), topic


@pytest.mark.slow  # a benchmark, not the product
def test_what_clients_count_is_what_was_sent() -> None:
    measured = measure(2, ("orderbook.1", "tickers"), 1.0)
    rates = {
        name: n / measured.seconds / measured.clients / SYMBOLS for name, n in measured.count.frames.items()
    }
    assert set(rates) == {"orderbook", "tickers"}
    assert 50 < rates["orderbook"] < 150
    assert 5 < rates["tickers"] < 15
    assert 0 < measured.cpu_s < 2 * measured.seconds
    assert np.median(measured.count.late) > 0
    assert measured.count.gaps == 0
    assert len(str(measured).splitlines()) == 6


def test_a_book_whose_update_does_not_follow_is_a_gap() -> None:
    count = Count()
    client = Client(["orderbook.50.BTCUSDT"], count)
    client.connection_made(Mock())
    client.data_received(b"HTTP/1.1 101\r\n\r\n")
    for kind, update in (("snapshot", 5), ("delta", 6), ("delta", 8), ("delta", 9)):
        text = f'{{"topic":"orderbook.50.BTCUSDT","ts":1,"type":"{kind}","data":{{"b":[],"a":[],"u":{update},"seq":1}}}}'
        client.data_received(b"\x81" + bytes((126, 0, len(text))) + text.encode())
    assert count.gaps == 1


@pytest.mark.slow
def test_fifteen_symbols_and_ten_clients_fit_in_one_core() -> None:
    measured = measure(10, EVERYTHING, 30.0)
    assert sum(measured.count.frames.values()) / measured.seconds > 0.9 * 10 * SYMBOLS * sum(FULL.values())
    assert measured.cpu_s < 0.8 * measured.seconds, str(measured)
    assert measured.slipped_s < 0.1


@pytest.mark.slow
@pytest.mark.clock
def test_fifty_clients_of_the_built_in_market_need_a_fifth_of_a_core() -> None:
    measured = measure(50, ("orderbook.50", "tickers", "publicTrade"), 20.0, SYNTHETIC)
    assert measured.count.gaps == 0
    assert measured.cpu_s < 0.4 * measured.seconds, str(measured)  # twice of what is promised: CI is busy
    assert measured.slipped_s < 0.1
