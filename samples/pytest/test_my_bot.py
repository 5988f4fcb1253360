"""A bot that buys with a stop, tested while the market falls: replace `my_bot` by yours."""

from __future__ import annotations

import time
from typing import Any

from pybit.unified_trading import HTTP


def my_bot(url: str, key: str, secret: str) -> None:
    """Buys one contract and guards it."""
    session = HTTP(api_key=key, api_secret=secret)
    session.endpoint = url
    session.client.trust_env = False
    linear: dict[str, Any] = {"category": "linear", "symbol": "BTCUSDT"}
    tickers: Any = session.get_tickers(**linear)
    stop = float(tickers["result"]["list"][0]["lastPrice"]) * 0.98
    session.place_order(**linear, side="Buy", orderType="Market", qty="0.001", stopLoss=f"{stop:.1f}")


def test_the_stop_closes_the_position_when_the_market_falls(bybit: Any) -> None:
    my_bot(bybit.url, bybit.key, bybit.secret)
    assert bybit.account()["positions"] == [{"symbol": "BTCUSDT", "positionIdx": 0, "size": "0.001"}]
    bybit.control("market", symbol="BTCUSDT", move="jump", percent=-5)
    deadline = time.monotonic() + 30
    while bybit.account()["positions"] and time.monotonic() < deadline:
        time.sleep(0.05)
    assert bybit.account()["positions"] == []
    assert bybit.account()["trades"] == 2
