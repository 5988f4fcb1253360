"""Public market routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol.market_data import MarketData

Params = Mapping[str, Any]
_INTERVALS = {
    "1": 1,
    "3": 3,
    "5": 5,
    "15": 15,
    "30": 30,
    "60": 60,
    "120": 120,
    "240": 240,
    "360": 360,
    "720": 720,
    "D": 1440,
}


class MarketRoutes:
    """Answers from the market data; `now` in ns. Each returns the `result` of the envelope."""

    def __init__(self, data: MarketData) -> None:
        self._data = data
        self._index = data.exchange.index

    def time(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/time."""
        del params
        return {"timeSecond": str(now // 1_000_000_000), "timeNano": str(now)}

    def instruments(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/instruments-info; other categories have nothing."""
        del now
        category = read.word(params, "category")
        status = params.get("status", "Trading")
        listed = self._data.exchange.instruments if category == "linear" and status == "Trading" else ()
        symbol, coin = params.get("symbol"), params.get("baseCoin")
        if symbol and category == "linear" and symbol not in self._index:
            raise read.Refused("params error: symbol invalid")
        found = [
            render.instrument(i)
            for i in listed
            if symbol in (None, i.symbol) and coin in (None, i.symbol.removesuffix("USDT"))
        ]
        return {"category": category, "list": found, "nextPageCursor": ""}

    def risk_limit(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/risk-limit."""
        del now
        read.linear(params)
        symbol = params.get("symbol")
        rows = [
            {
                "id": n,
                "symbol": i.symbol,
                "riskLimitValue": render.text(tier.limit),
                "maintenanceMargin": render.text(tier.maintenance_rate),
                "initialMargin": render.text(tier.initial_rate),
                "isLowestRisk": 1 if n == 1 else 0,
                "maxLeverage": render.text(tier.max_leverage),
                "mmDeduction": render.text(tier.deduction) if tier.deduction else "",
            }
            for i in self._data.exchange.instruments
            if symbol in (None, i.symbol)
            for n, tier in enumerate(i.tiers, 1)
        ]
        return {"category": "linear", "list": rows, "nextPageCursor": ""}

    def tickers(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/tickers."""
        read.linear(params)
        chosen = [self._symbol(params)] if params.get("symbol") else range(len(self._index))
        return {"category": "linear", "list": [self._data.ticker(s, now) for s in chosen]}

    def orderbook(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/orderbook."""
        read.linear(params)
        s = self._symbol(params)
        bids, asks = self._data.levels(s, read.whole(params, "limit", 25, 1, 1000))
        update = int(self._data.exchange.states["book_ts"][s]) // 1_000_000
        return {
            "s": self._data.exchange.instruments[s].symbol,
            "b": [[self._data.price(s, p), self._data.size(s, q)] for p, q in bids.items()],
            "a": [[self._data.price(s, p), self._data.size(s, q)] for p, q in asks.items()],
            "ts": now // 1_000_000,
            "u": update,
            "seq": update,
            "cts": update,
        }

    def trades(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/recent-trade, newest first."""
        del now
        read.linear(params)
        s = self._symbol(params)
        market, symbol = self._data.symbols[s], self._data.exchange.instruments[s].symbol
        limit = read.whole(params, "limit", 500, 1, 1000)
        rows = [
            {
                "execId": f"{symbol}-{market.numbers - n}", "symbol": symbol, "price": self._data.price(s, price),
                "size": self._data.size(s, lots), "side": render.side(side), "time": str(ts // 1_000_000),
                "isBlockTrade": False, "isRPITrade": False, "seq": str(market.numbers - n),
            }
            for n, (ts, price, lots, side) in enumerate(list(market.prints)[::-1][:limit])
        ]  # fmt: skip
        return {"category": "linear", "list": rows}

    def klines(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/kline, newest first."""
        read.linear(params)
        s = self._symbol(params)
        interval = read.word(params, "interval")
        if interval not in _INTERVALS:
            raise read.Refused("params error: interval invalid")
        end = read.whole(params, "end", now // 1_000_000, 0, 10**15)
        start = read.whole(params, "start", 0, 0, 10**15)
        limit = read.whole(params, "limit", 200, 1, 1000)
        rows = self._data.klines(s, _INTERVALS[interval], start, end, limit)
        return {"symbol": self._data.exchange.instruments[s].symbol, "category": "linear", "list": rows}

    def funding_history(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/funding/history: the simulated venue keeps none."""
        del now
        read.linear(params)
        self._symbol(params)
        return {"category": "linear", "list": []}

    def price_limit(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/price-limit."""
        s = self._symbol(params)
        i, mark = self._data.exchange.instruments[s], self._data.exchange.mark(s)
        return {
            "symbol": i.symbol,
            "buyLmt": render.text(i.floor_price(mark * (1 + i.price_limit_y))),
            "sellLmt": render.text(i.ceil_price(mark * (1 - i.price_limit_y))),
            "ts": str(now // 1_000_000),
        }

    def _symbol(self, params: Params) -> int:
        s = self._index.get(read.word(params, "symbol"))
        if s is None:
            raise read.Refused("params error: Not supported symbols")
        return s
