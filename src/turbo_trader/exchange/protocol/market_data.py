"""What the venue shows of its market: books, tickers, prints and one-minute bars, from the Exchange's states and rows."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import numpy as np

from turbo_trader.exchange.machine import Exchange
from turbo_trader.exchange.protocol.render import text
from turbo_trader.market.events import FINE, KIND_MASK, MINUTE, TRADE, Rows

_PRINTS = 1_000
_BARS = 4_000
_DAY_MINUTES = 1_440


class SymbolMarket:
    """One symbol's bars and prints, kept for reads."""

    def __init__(self, history: Rows) -> None:
        self.bars: deque[list[float]] = deque(
            maxlen=_BARS
        )  # minute, open, high, low, close, volume, turnover
        for bar in history[-_BARS:]:
            self.bars.append([int(bar["ts"]) // MINUTE, *(float(bar[name]) for name in bar.dtype.names[1:])])
        self.prints: deque[tuple[int, int, int, int]] = deque(maxlen=_PRINTS)  # ts, price, lots, side
        self.numbers = 0

    def take(self, rows: Rows, tick: float, lot: float) -> list[tuple[int, int, int, int, int]]:
        """Note the prints of these rows in bars and list; returns (number, ts, price, lots, side) of each."""
        trades = rows[(rows["kind"] & KIND_MASK) == TRADE]
        told = []
        for ts, lots, price, side in zip(
            trades["ts"].tolist(),
            trades["lots"].tolist(),
            trades["price"].tolist(),
            trades["side"].tolist(),
            strict=True,
        ):
            self.numbers += 1
            self.prints.append((ts, price, lots, side))
            told.append((self.numbers, ts, price, lots, side))
            self._bar(ts // MINUTE, price * tick, lots * lot)
        return told

    def _bar(self, minute: int, price: float, volume: float) -> None:
        bar = self.bars[-1] if self.bars else None
        if bar is None or bar[0] != minute:
            self.bars.append([minute, price, price, price, price, volume, volume * price])
            return
        bar[2] = max(bar[2], price)
        bar[3] = min(bar[3], price)
        bar[4] = price
        bar[5] += volume
        bar[6] += volume * price


class MarketData:
    """All symbols. Prices are shown with the decimals of their tick."""

    def __init__(self, exchange: Exchange, history: Mapping[str, Rows]) -> None:
        self.exchange = exchange
        self.symbols = [SymbolMarket(history[i.symbol]) for i in exchange.instruments]
        self._formats = [
            (f".{max(0, -int(i.tick.as_tuple().exponent))}f", f".{max(0, -int(i.step.as_tuple().exponent))}f")
            for i in exchange.instruments
        ]
        self._scales = [(float(i.tick), float(i.step)) for i in exchange.instruments]

    def take(self, s: int, rows: Rows) -> list[tuple[int, int, int, int, int]]:
        """Note the prints of newly released rows of symbol `s`."""
        return self.symbols[s].take(rows, *self._scales[s]) if len(rows) else []

    def price(self, s: int, ticks: int) -> str:
        """Ticks as the venue shows a price."""
        return format(ticks * self._scales[s][0], self._formats[s][0])

    def size(self, s: int, lots: int) -> str:
        """Lots as the venue shows a quantity."""
        return format(lots * self._scales[s][1], self._formats[s][1])

    def levels(self, s: int, depth: int) -> tuple[dict[int, int], dict[int, int]]:
        """(bids, asks) of the best `depth` levels, price in ticks to lots, best first; empty while the book is void."""
        state = self.exchange.states[s]
        if not state["book_valid"]:
            return {}, {}
        sides = []
        for i in (0, 1):
            n = int(state["levels"][i])
            first = max(0, n - depth)
            keys = np.abs(state["key"][i, first:n])[::-1].tolist()
            sides.append(dict(zip(keys, state["lots"][i, first:n][::-1].tolist(), strict=True)))
        return sides[0], sides[1]

    def ticker(self, s: int, now: int) -> dict[str, Any]:
        """All figures of a ticker."""
        x, state, instrument = self.exchange, self.exchange.states[s], self.exchange.instruments[s]
        last = int(state["last"]) or (int(state["bid"]) + int(state["ask"])) // 2
        bids, asks = self.levels(s, 1)
        day = list(self.symbols[s].bars)[-_DAY_MINUTES:]
        first = day[0][1] if day else 0.0
        hour = day[-60][1] if len(day) >= 60 else first
        now_price = last * self._scales[s][0]
        decimals = self._formats[s][0]
        bid, ask = next(iter(bids), 0), next(iter(asks), 0)
        interval = x.interval(s)
        index = Decimal(round(float(state["index"]) / float(instrument.tick) * FINE)) * instrument.tick / FINE
        return {
            "symbol": instrument.symbol,
            "tickDirection": "ZeroPlusTick",
            "price24hPcnt": format(now_price / first - 1 if first else 0.0, ".6f"),
            "lastPrice": self.price(s, last),
            "prevPrice24h": format(first, decimals),
            "highPrice24h": format(max((bar[2] for bar in day), default=0.0), decimals),
            "lowPrice24h": format(min((bar[3] for bar in day), default=0.0), decimals),
            "prevPrice1h": format(hour, decimals),
            "markPrice": text(x.mark(s)),
            "indexPrice": text(index if index else x.mark(s)),
            "openInterest": "0",
            "openInterestValue": "0",
            "turnover24h": format(sum(bar[6] for bar in day), ".4f"),
            "volume24h": format(sum(bar[5] for bar in day), ".4f"),
            "fundingIntervalHour": str(interval // (60 * MINUTE)),
            "fundingCap": str(instrument.funding_cap),
            "nextFundingTime": str((now // interval + 1) * interval // 1_000_000),
            "fundingRate": text(x.funding_rate(s)),
            "bid1Price": self.price(s, bid),
            "bid1Size": self.size(s, bids.get(bid, 0)),
            "ask1Price": self.price(s, ask),
            "ask1Size": self.size(s, asks.get(ask, 0)),
        }

    def klines(self, s: int, minutes: int, start_ms: int, end_ms: int, limit: int) -> list[list[str]]:
        """Candles newest first as 7 strings, of `minutes` each; the first may be unfinished."""
        merged: dict[int, list[float]] = {}
        for bar in self.symbols[s].bars:
            opened = int(bar[0]) // minutes * minutes
            if not start_ms <= opened * 60_000 <= end_ms:
                continue
            kept = merged.get(opened)
            if kept is None:
                merged[opened] = [opened, *bar[1:]]
            else:
                kept[2], kept[3], kept[4] = max(kept[2], bar[2]), min(kept[3], bar[3]), bar[4]
                kept[5] += bar[5]
                kept[6] += bar[6]
        price, size = self._formats[s]
        rows = sorted(merged.values(), key=lambda bar: -bar[0])[:limit]
        return [
            [
                str(int(b[0]) * 60_000),
                *(format(v, price) for v in b[1:5]),
                format(b[5], size),
                format(b[6], ".4f"),
            ]
            for b in rows
        ]
