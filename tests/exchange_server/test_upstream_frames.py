"""Whatever another venue says, ours goes on: what cannot be read is left out, the books add up."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.upstream import UpstreamMarket
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.order_terms import Side
from turbo_trader.market.reference import universe
from turbo_trader.trader.events import MarketRows

pytestmark = pytest.mark.long

TOPICS = ["orderbook.50.BTCUSDT", "publicTrade.BTCUSDT", "tickers.BTCUSDT"]
NOW = 1_767_603_700_000
GOOD = [
    {"topic": "orderbook.50.BTCUSDT", "type": "snapshot", "ts": NOW, "cts": NOW,
     "data": {"s": "BTCUSDT", "b": [["100.0", "1"], ["99.9", "2"]], "a": [["100.1", "1"]], "u": 5, "seq": 7}},
    {"topic": "orderbook.50.BTCUSDT", "type": "delta", "ts": NOW, "cts": NOW,
     "data": {"s": "BTCUSDT", "b": [["100.0", "0"]], "a": [["100.1", "3"]], "u": 6, "seq": 8}},
    {"topic": "publicTrade.BTCUSDT", "type": "snapshot", "ts": NOW,
     "data": [{"T": NOW, "s": "BTCUSDT", "S": "Buy", "v": "0.001", "p": "100.1", "L": "PlusTick", "i": "a", "BT": False}]},
    {"topic": "tickers.BTCUSDT", "type": "snapshot", "ts": NOW, "cs": 1,
     "data": {"symbol": "BTCUSDT", "markPrice": "100.05", "indexPrice": "100", "fundingRate": "0.0001", "lastPrice": "100"}},
]  # fmt: skip
ODD: Any = st.one_of(
    st.sampled_from(["", "0", "-1", "1e400", "nan", "inf", "99999999999999999999", "100.05", "0.0000001", None, True, [], {}, [[]],
                     0, -1, 10**30, 2**63, 1.5, "snapshot", "orderbook.50.BTCUSDT", "orderbook.1.BTCUSDT", [["1", "1"]]]),
    st.integers(), st.text(max_size=4),
)  # fmt: skip


def changed(value: Any, draw: Any) -> Any:
    """The same with one thing in it another one, or gone."""
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        name = draw(st.sampled_from(sorted(value)))
        kept = {key: each for key, each in value.items() if key != name}
        return {**kept, name: changed(value[name], draw)} if draw(st.integers(0, 5)) else kept
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], changed(value[at], draw), *value[at + 1 :]]
    return draw(ODD)


class Fed:
    """A venue that listens to whatever it is fed with; its account has a position and resting orders of BTC."""

    def __init__(self) -> None:
        self.now = NOW * 1_000_000
        clock = VenueClock(lambda: 0, lambda: self.now)
        self.market = UpstreamMarket("fed", universe()[:1], clock, lambda *_: None)
        config = VenueConfig("key", "secret", Decimal(1_000))
        self.venue = Venue(self.market, config, frames=self.market, clock=clock.now)
        self.decoder = self.market.decoder()

    def say(self, raw: bytes) -> None:
        self.now += 1_000_000
        try:
            found = self.decoder.decode(raw)
        except ValueError:
            found = None
        if found is not None:
            self.market.take(MarketRows(self.now, *found))
        self.venue.advance(self.now + 1)

    def order(self, side: int, **more: Any) -> None:
        exchange = self.venue.exchange
        exchange.handle(
            self.now, "1", ask.CreateOrder(symbol="BTCUSDT", side=Side(side), qty=Decimal("0.060"), **more)
        )


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_whatever_an_upstream_says_the_venue_goes_on(
    sound: Callable[[Any], None], data: st.DataObject
) -> None:
    fed = Fed()
    for good in (GOOD[0], GOOD[3]):
        fed.say(json.dumps(good).encode())
    fed.order(1, order_type="Market", stop_loss=Decimal(90))
    fed.order(1, order_type="Limit", price=Decimal("99.9"))
    client = PublicClient(fed.venue.feed, "one")
    client.take(json.dumps({"op": "subscribe", "args": TOPICS}).encode(), fed.now)
    for _ in range(data.draw(st.integers(1, 6))):
        frame = data.draw(st.sampled_from(GOOD))
        raw = json.dumps(changed(frame, data.draw) if data.draw(st.booleans()) else frame).encode()
        if not data.draw(st.integers(0, 9)):
            at = data.draw(st.integers(0, len(raw)))
            raw = raw[:at] + data.draw(st.binary(max_size=3)) + raw[at + data.draw(st.integers(0, 3)) :]
        fed.say(raw)
    assert fed.venue.feed.unreadable == 0  # all that was passed on could be read
    sound(fed.venue.exchange)
    client.take(json.dumps({"op": "subscribe", "args": ["orderbook.1.BTCUSDT"]}).encode(), fed.now)
    for good in (GOOD[0], GOOD[3]):
        fed.say(json.dumps(good).encode())
    assert fed.venue.data.levels(0, 1) != ({}, {})
