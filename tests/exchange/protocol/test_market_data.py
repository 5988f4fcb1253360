"""What the venue shows of its market."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import numpy as np

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.public_stream import PublicClient, PublicFeed
from turbo_trader.market.rows import BAR, SECOND


def test_who_is_liquidated_here_is_reported_by_the_stream(rigs: Any) -> None:
    rig = rigs("1000")
    feed = PublicFeed(MarketData(rig.x, {"BTCUSDT": np.zeros(0, BAR)}))
    client = PublicClient(feed, "one")
    client.take(b'{"op":"subscribe","args":["allLiquidation.BTCUSDT"]}', rig.now)
    rig.do(ask.SetLeverage("BTCUSDT", Decimal(50)))
    reported = []
    for side, mark in ((1, 490_000), (-1, 512_000)):
        rig.book(500_000, 500_010)
        rig.mark(500_005)
        assert rig.market(side, "0.100") == 0
        rig.mark(mark)
        assert rig.size() == 0
        rig.now += SECOND
        reported += [item for raw in client.push(feed.push(rig.now, {})) for item in json.loads(raw)["data"]]
    assert [(item["S"], item["v"], item["s"]) for item in reported] == [
        ("Buy", "0.1", "BTCUSDT"),
        ("Sell", "0.1", "BTCUSDT"),
    ]
    assert reported[0]["p"] == "49000.9"  # 50,001 x (1 - 1/50), on the tick below
    assert client.push(feed.push(rig.now + SECOND, {})) == []
