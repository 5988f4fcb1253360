"""Tickers on the stream: a snapshot, then what changed."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest

from turbo_trader.exchange.protocol.channels import TickerChannel
from turbo_trader.exchange.protocol.market_data import MarketData

WHOLE = {"symbol": "BTCUSDT", "lastPrice": "10.0", "bid1Price": "9.9", "bid1Size": "1.000", "ask1Price": "10.1",
         "ask1Size": "2.000", "turnover24h": "5.0000", "volume24h": "1.0000"}  # fmt: skip


class Market:
    """Market data with one ticker."""

    def __init__(self) -> None:
        self.now: dict[str, Any] = WHOLE

    def ticker(self, s: int, now: int) -> dict[str, Any]:
        del s, now
        return self.now


@pytest.mark.parametrize(
    ("changed", "sent"),
    [
        (
            {"bid1Size": "3.000"},
            {"bid1Price", "bid1Size"},
        ),  # as Bybit: clients make a quote of price and size
        ({"ask1Price": "10.2"}, {"ask1Price", "ask1Size"}),
        ({"bid1Price": "9.8", "ask1Size": "1.000"}, {"bid1Price", "bid1Size", "ask1Price", "ask1Size"}),
        ({"turnover24h": "6.0000"}, {"turnover24h", "volume24h"}),
        ({"lastPrice": "10.1"}, {"lastPrice"}),
    ],
)
def test_a_quote_has_price_and_size_where_one_of_them_changed(
    changed: dict[str, str], sent: set[str]
) -> None:
    data = Market()
    channel = TickerChannel(cast("MarketData", data), 0)
    channel.snapshot(0)
    assert channel.push(0, ()) == []
    data.now = {**WHOLE, **changed}
    (frame,) = channel.push(1, ())
    found = json.loads(frame)
    assert (found["type"], set(found["data"])) == ("delta", {"symbol", *sent})
    assert found["data"].items() <= data.now.items()
