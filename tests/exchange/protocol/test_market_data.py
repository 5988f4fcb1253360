"""What the venue shows of its market."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.public import PublicClient, PublicFeed
from turbo_trader.market.events import BAR, SECOND


def test_who_is_liquidated_here_is_told_by_the_stream(desks: Any) -> None:
    desk = desks("1000")
    feed = PublicFeed(MarketData(desk.x, {"BTCUSDT": np.zeros(0, BAR)}))
    client = PublicClient(feed, "one")
    client.take(b'{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}', desk.now)
    desk.do(ask.SetLeverage("BTCUSDT", Decimal(50)))
    told = []
    for side, mark in ((1, 490_000), (-1, 512_000)):
        desk.book(500_000, 500_010)
        desk.mark(500_005)
        assert desk.market(side, "0.100") == 0
        desk.mark(mark)
        assert desk.size() == 0
        desk.now += SECOND
        told += [item for raw in client.push(feed.push(desk.now, {})) for item in json.loads(raw)["data"]]
    assert [(item["S"], item["v"], item["s"]) for item in told] == [
        ("Buy", "0.1", "BTCUSDT"),
        ("Sell", "0.1", "BTCUSDT"),
    ]
    assert told[0]["p"] == "49000.9"  # 50,001 x (1 - 1/50), on the tick below
    assert client.push(feed.push(desk.now + SECOND, {})) == []
