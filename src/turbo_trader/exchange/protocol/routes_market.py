"""Public market routes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from turbo_trader.exchange.protocol import params as read
from turbo_trader.exchange.protocol import render
from turbo_trader.exchange.protocol import render_market as show
from turbo_trader.exchange.protocol.candles import INTERVALS, Bar, Span
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.market.instruments import InstrumentStatus
from turbo_trader.market.rows import MINUTE

Params = Mapping[str, Any]
_RISK_SYMBOLS = 15  # a page
_INTEREST_MINUTES = {"5min": 5, "15min": 15, "30min": 30, "1h": 60, "4h": 240, "1d": 1_440}


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
        category = read.string(params, "category", "")
        if category not in ("linear", *read.OTHERS):
            raise read.Refused("params error: Category is invalid")
        status = params.get("status") or InstrumentStatus.TRADING
        listed = self._data.exchange.instruments if category == "linear" else ()
        symbol, coin = params.get("symbol") or None, params.get("baseCoin") or None
        if symbol and category == "linear" and symbol not in self._index:
            raise read.Refused("params error: symbol invalid")
        found = [
            show.instrument(i)
            for i in listed
            if show.status(i) == status
            and symbol in (None, i.symbol)
            and coin in (None, i.symbol.removesuffix("USDT"))
        ]
        shown, cursor = read.page(found, params, 1000, 500, "symbol")
        return {"category": category, "list": shown, "nextPageCursor": cursor}

    def risk_limit(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/risk-limit; without a symbol 15 symbols a page."""
        del now
        read.linear(params)
        symbol = params.get("symbol") or None
        if symbol is not None and symbol not in self._index:
            raise read.Refused("params error: symbol invalid")
        chosen = [{"symbol": i.symbol} for i in self._data.exchange.instruments if symbol in (None, i.symbol)]
        paged = {"cursor": params.get("cursor", ""), "limit": _RISK_SYMBOLS}
        names, cursor = read.page(chosen, paged, _RISK_SYMBOLS, _RISK_SYMBOLS, "symbol")
        rows = [
            {
                "id": n,
                "symbol": name["symbol"],
                "riskLimitValue": render.text(tier.limit),
                "maintenanceMargin": render.text(tier.maintenance_rate),
                "initialMargin": render.text(tier.initial_rate),
                "isLowestRisk": 1 if n == 1 else 0,
                "maxLeverage": render.text(tier.max_leverage),
                "mmDeduction": render.text(tier.deduction) if tier.deduction else "",
            }
            for name in names
            for n, tier in enumerate(self._data.exchange.instruments[self._index[name["symbol"]]].tiers, 1)
        ]
        return {"category": "linear", "list": rows, "nextPageCursor": cursor}

    def tickers(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/tickers; other categories have none."""
        if params.get("category") in read.OTHERS and not params.get("symbol"):
            return {"category": params["category"], "list": []}
        read.linear(params)
        chosen = [self._symbol(params)] if params.get("symbol") else range(len(self._index))
        return {"category": "linear", "list": [show.ticker(self._data.ticker(s, now)) for s in chosen]}

    def orderbook(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/orderbook: as the 1000-level stream last showed it."""
        read.linear(params)
        s = self._symbol(params)
        return self._data.books[s].answer(read.whole(params, "limit", 25, 1, 1000), now)

    def trades(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/recent-trade, newest first."""
        del now
        read.linear(params)
        s = self._symbol(params)
        limit = read.whole(params, "limit", 500, 1, 1000)
        rows = [show.public_trade(item) for item in self._data.trades(s)[: -limit - 1 : -1]]
        return {"category": "linear", "list": rows}

    def klines(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/kline, newest first."""
        s, asked = self._candles(params, now)
        return self._shown(s, asked.of(self._data.symbols[s].bars))

    def mark_klines(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/mark-price-kline: rows without volume."""
        s, asked = self._candles(params, now)
        return self._shown(s, asked.of(self._data.symbols[s].marks))

    def index_klines(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/index-price-kline."""
        s, asked = self._candles(params, now)
        return self._shown(s, asked.of(self._data.symbols[s].indices))

    def premium_klines(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/premium-index-price-kline: (mark - index) / index of each price."""
        s, asked = self._candles(params, now)
        market = self._data.symbols[s]
        index = {bar[0]: bar for bar in asked.of(market.indices)}
        rows = []
        for bar in asked.of(market.marks):
            base = index.get(bar[0])
            if base is not None:
                values = [(m - i) / i for m, i in zip(bar[1:5], base[1:5], strict=True)]
                values[1:3] = max(values), min(values)
                rows.append([str(int(bar[0]) * 60_000), *(format(value, ".6f") for value in values)])
        return {"symbol": self._data.exchange.instruments[s].symbol, "category": "linear", "list": rows}

    def funding_history(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/funding/history, newest first: the settlements since the venue began."""
        read.linear(params)
        s = self._symbol(params)
        if params.get("startTime") and not params.get("endTime"):
            raise read.Refused("params error: endTime is required where startTime is given")
        start = read.whole(params, "startTime", 0, 0, 10**13) * 1_000_000
        end = read.whole(params, "endTime", now // 1_000_000, 0, 10**13) * 1_000_000
        symbol = self._data.exchange.instruments[s].symbol
        rows = [
            {"symbol": symbol, "fundingRate": render.text(rate), "fundingRateTimestamp": render.ms(at)}
            for at, rate in reversed(self._data.symbols[s].fundings)
            if start <= at <= end
        ]
        return {"category": "linear", "list": rows[: read.whole(params, "limit", 200, 1, 200)]}

    def open_interest(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/open-interest, newest first: what the tickers said of it since the venue began."""
        read.linear(params)
        s = self._symbol(params)
        apart = _INTEREST_MINUTES.get(read.string(params, "intervalTime"), 0) * MINUTE
        if not apart:
            raise read.Refused("params error: intervalTime invalid")
        start = read.whole(params, "startTime", 0, 0, 10**13) * 1_000_000
        end = read.whole(params, "endTime", now // 1_000_000, 0, 10**13) * 1_000_000
        rows = [
            {"openInterest": both, "singleOpenInterest": single, "timestamp": render.ms(ts)}
            for ts, both, single in reversed(self._data.symbols[s].interests)
            if start <= ts <= end and not ts % apart
        ]
        shown, cursor = read.page(rows, params, 200, 50, "timestamp")
        symbol = self._data.exchange.instruments[s].symbol
        return {"symbol": symbol, "category": "linear", "list": shown, "nextPageCursor": cursor}

    def adl_alert(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/adlAlert: there is no insurance fund, and no alert."""
        if params.get("symbol"):
            self._symbol(params)
        return {"updatedTime": str(now // MINUTE * MINUTE // 1_000_000), "list": []}

    def account_ratio(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/account-ratio: nobody else's positions are known here."""
        del now
        if read.string(params, "category") not in ("linear", "inverse"):
            raise read.Refused("params error: Category is invalid")
        if params["category"] == "linear":
            self._symbol(params)
        if read.string(params, "period") not in _INTEREST_MINUTES:
            raise read.Refused("params error: period invalid")
        return {"list": [], "nextPageCursor": ""}

    def price_limit(self, params: Params, now: int) -> dict[str, Any]:
        """GET /v5/market/price-limit."""
        s = self._symbol(params)
        symbol = self._data.exchange.instruments[s].symbol
        return {"symbol": symbol, **self._data.band(s), "ts": str(now // 1_000_000)}

    def _candles(self, params: Params, now: int) -> tuple[int, Span]:
        """Symbol and span of a request for candles."""
        read.linear(params, optional=True)
        s = self._symbol(params)
        interval = read.string(params, "interval")
        if interval not in INTERVALS:
            raise read.Refused("params error: interval invalid")
        end = read.whole(params, "end", now // 1_000_000, 0, 10**15)
        start = read.whole(params, "start", 0, 0, 10**15)
        limit = read.whole(params, "limit", 200, 1, 1000)
        return s, Span(interval, start, end, limit, earliest=bool(start) and not params.get("end"))

    def _shown(self, s: int, bars: list[Bar]) -> dict[str, Any]:
        symbol = self._data.exchange.instruments[s].symbol
        return {"symbol": symbol, "category": "linear", "list": [self._data.show(s, bar) for bar in bars]}

    def _symbol(self, params: Params) -> int:
        s = self._index.get(read.string(params, "symbol"))
        if s is None:
            raise read.Refused("params error: Not supported symbols")
        return s
