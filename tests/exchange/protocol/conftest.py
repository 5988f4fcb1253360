"""A V5 face over an Exchange whose book stands still, asked in bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlencode

import numpy as np
import pytest

from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.rate_limits import RateLimits
from turbo_trader.exchange.protocol.rest_face import HttpReply, HttpRequest, RestFace
from turbo_trader.exchange.protocol.signing import Key
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import BAR, Rows
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000  # 2026-01-05
BEGUN = START + 2_000_000_000


@cache
def market(instruments: tuple[Instrument, ...]) -> tuple[dict[str, Rows], tuple[Rows, ...]]:
    """Histories by symbol, and the rows of the first two seconds; made once."""
    source = SyntheticMarket(instruments, 1, START)
    rows = tuple(source.read(s, BEGUN) for s in range(len(instruments)))
    return {i.symbol: source.history(i.symbol) for i in instruments}, rows


class Face:
    """What a client of one key sees; `now` (ns) moves only by hand."""

    def __init__(self, limits: RateLimits | None = None, *, demo: bool = False) -> None:
        more = [replace(universe()[0], symbol=f"{name}USDT") for name in ("ONE", "TWO")]
        instruments = (*universe()[:15], *more)
        histories, rows = market(instruments[:2])
        self.exchange = Exchange(instruments, ExchangeConfig())
        self.exchange.add_account("1", Decimal(10_000))
        nothing = {i.symbol: np.zeros(0, BAR) for i in instruments}
        self.data = MarketData(self.exchange, nothing | histories)
        self.now = BEGUN
        for s, part in enumerate(rows):
            self.exchange.advance(s, part, 0, self.now)
            self.data.take(s, part)
        self.key = Key(key="k", secret="s", uid="1")
        self.keys = {"k": self.key}
        self.rest = RestFace(self.data, self.keys, limits=limits, demo=demo)

    def raw(self, method: str, path: str, query: bytes = b"", body: bytes = b"", **headers: str) -> HttpReply:
        """An answer to bytes."""
        return self.rest.handle(self.now, HttpRequest(method, path, query, headers, body))

    def ask(self, method: str, path: str, stamp_ms: int = 0, **params: Any) -> dict[str, Any]:
        """A signed request's envelope."""
        return dict(json.loads(self.reply(method, path, stamp_ms, **params).body))

    def reply(self, method: str, path: str, stamp_ms: int = 0, **params: Any) -> HttpReply:
        """A signed request's answer."""
        return self.sent(method, path, params, stamp_ms)

    def sent(self, method: str, path: str, params: Mapping[str, Any], stamp_ms: int = 0) -> HttpReply:
        """The same with parameters of any name, also such as no client can write into a query."""
        query = urlencode(params, errors="surrogatepass").encode() if method == "GET" else b""
        body = json.dumps(params).encode() if method == "POST" else b""
        return self.signed(method, path, query, body, stamp_ms)

    def signed(self, method: str, path: str, query: bytes, body: bytes, stamp_ms: int = 0) -> HttpReply:
        """The answer to bytes with a good signature."""
        stamp = str(stamp_ms or self.now // 1_000_000)
        headers = {
            "x-bapi-api-key": self.key.key, "x-bapi-timestamp": stamp, "x-bapi-recv-window": "5000",
            "x-bapi-sign": self.key.sign(f"{stamp}{self.key.key}5000".encode() + (query or body)),
        }  # fmt: skip
        return self.rest.handle(self.now, HttpRequest(method, path, query, headers, body))

    def limit_order(self, link_id: str, **params: Any) -> dict[str, Any]:
        """A resting buy far below the market."""
        order = {"symbol": "BTCUSDT", "side": "Buy", "orderType": "Limit", "qty": "0.001", "price": "50000"}
        given = {"category": "linear", **order, "orderLinkId": link_id, **params}
        return self.ask("POST", "/v5/order/create", **given)

    def positions(self, **chosen: Any) -> list[dict[str, Any]]:
        """Rows of position/list."""
        return list(self.ask("GET", "/v5/position/list", category="linear", **chosen)["result"]["list"])

    def trade(self, side: str, qty: str, **params: Any) -> None:
        """A market order that is accepted."""
        given = {"side": side, "orderType": "Market", "qty": qty, **params}
        answer = self.ask("POST", "/v5/order/create", category="linear", symbol="BTCUSDT", **given)
        assert answer["retCode"] == 0, answer


@pytest.fixture(scope="session")
def make_face() -> Callable[..., Face]:
    return Face


@pytest.fixture
def face() -> Face:
    return Face()
