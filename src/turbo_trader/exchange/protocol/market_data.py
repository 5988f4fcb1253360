"""What the venue shows of its market: books, tickers and prints, from the Exchange's states and rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from turbo_trader.exchange import price_band
from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.exchange.protocol.candles import Bar
from turbo_trader.exchange.protocol.decimals import Figures
from turbo_trader.exchange.protocol.passing import Passed, PassedPrints, PassedTicker
from turbo_trader.exchange.protocol.render import text
from turbo_trader.exchange.protocol.render_market import trade_id
from turbo_trader.exchange.protocol.shown_books import (
    BOOK_CADENCE,
    DEEPEST,
    ShownBook,
    Sides,
    as_levels,
    standing,
)
from turbo_trader.exchange.protocol.symbol_market import INTEREST_NS, Print, SymbolMarket
from turbo_trader.market.order_terms import Side
from turbo_trader.market.rows import FINE, MINUTE, Rows

_TICKER_NS = 100_000_000


class MarketData:
    """All symbols."""

    def __init__(self, exchange: Exchange, history: Mapping[str, Rows]) -> None:
        self.exchange = exchange
        self.symbols = [SymbolMarket(history[i.symbol]) for i in exchange.instruments]
        self.figures = Figures(exchange.instruments)
        self.books = [ShownBook(exchange, self.figures, s, DEEPEST) for s in range(len(exchange.instruments))]
        self._books_due = 0
        self._tickers: dict[int, tuple[int, dict[str, Any]]] = {}
        self._sent_tickers: dict[
            int, dict[str, Any]
        ] = {}  # by the market itself; empty while nothing is known
        self._sent_prints: dict[int, Sequence[Mapping[str, Any]]] = {}
        self._noted = 0
        self._funded = [0] * len(exchange.instruments)

    def regrid(self, s: int, k: int, m: int) -> None:
        """The ticks and steps of symbol `s` are `k` and `m` times finer from now on."""
        self.figures.change(s, self.exchange.instruments[s])
        self.symbols[s].regrid(k, m)
        self.books[s].forget()
        self._tickers.pop(s, None)

    def follow(self, topic: str, kept: Passed) -> None:
        """From now on show what the market itself says of a ticker or of prints."""
        symbol = topic.rpartition(".")[2]
        if isinstance(kept, PassedTicker):
            self._sent_tickers[self.exchange.index[symbol]] = kept.record
        elif isinstance(kept, PassedPrints):
            self._sent_prints[self.exchange.index[symbol]] = kept.items

    def take(self, s: int, rows: Rows) -> list[Print]:
        """Note the prints of newly released rows of symbol `s`."""
        return self.symbols[s].take(rows, *self.figures.scale(s)) if len(rows) else []

    def note(self, now: int) -> None:
        """Show the deepest books at their cadence; once a second note what minutes, funding and open interest came to."""
        if now >= self._books_due:
            self._books_due = now - now % BOOK_CADENCE[DEEPEST] + BOOK_CADENCE[DEEPEST]
            for book in self.books:
                book.look(now)
        if now - self._noted < 1_000_000_000:
            return
        self._noted = now
        for s, market in enumerate(self.symbols):
            market.roll(now // MINUTE)
            mark, index = float(self.exchange.mark(s)), float(self.exchange.states[s]["index"])
            market.note(now // MINUTE, mark, index or mark)
            boundary = now // self.exchange.interval(s) * self.exchange.interval(s)
            if boundary > self._funded[s] > 0:
                market.fundings.append((boundary, self.exchange.funding_rate(s)))
            self._funded[s] = boundary
            shown = self.ticker(s, now)
            both, single = (str(shown.get(name, "0")) for name in ("openInterest", "singleOpenInterest"))
            market.interest(now // INTEREST_NS * INTEREST_NS, both, single)

    def levels(self, s: int, depth: int) -> Sides:
        """(bids, asks) of the best `depth` levels, price in ticks to lots, best first; empty while the book is void."""
        return as_levels(standing(self.exchange.states, s, depth))

    def ticker(self, s: int, now: int) -> dict[str, Any]:
        """All figures of a ticker, at most 100 ms old."""
        if reported := self._sent_tickers.get(s):
            return reported
        made, shown = self._tickers.get(s, (-_TICKER_NS, {}))
        if now - made >= _TICKER_NS or not shown:
            shown = self._ticker(s, now)
            self._tickers[s] = (now, shown)
        return shown

    def _ticker(self, s: int, now: int) -> dict[str, Any]:
        x, states, instrument = self.exchange, self.exchange.states, self.exchange.instruments[s]
        last = int(states["last"][s]) or (int(states["bid"][s]) + int(states["ask"][s])) // 2
        bids, asks = self.levels(s, 1)
        day = self.symbols[s].day()
        now_price = last * self.figures.scale(s)[0]
        decimals = self.figures.formats(s)[0]
        bid, ask = next(iter(bids), 0), next(iter(asks), 0)
        interval = x.interval(s)
        index = (
            Decimal(round(float(states["index"][s]) / float(instrument.tick) * FINE)) * instrument.tick / FINE
        )
        return {
            "symbol": instrument.symbol,
            "tickDirection": self.symbols[s].direction,
            "price24hPcnt": format(now_price / day.first - 1 if day.first else 0.0, ".6f"),
            "lastPrice": self.figures.price(s, last),
            "prevPrice24h": format(day.first, decimals),
            "highPrice24h": format(day.high, decimals),
            "lowPrice24h": format(day.low, decimals),
            "prevPrice1h": format(day.hour, decimals),
            "markPrice": format(x.mark(s), decimals),
            "indexPrice": format(index if index else x.mark(s), decimals),
            "openInterest": self.figures.size(s, 0),
            "openInterestValue": "0.00",
            "turnover24h": format(day.turnover, ".4f"),
            "volume24h": format(day.volume, ".4f"),
            "fundingIntervalHour": str(interval // (60 * MINUTE)),
            "fundingCap": str(instrument.funding_cap),
            "singleOpenInterest": self.figures.size(s, 0),
            "singleOpenInterestValue": "0.00",
            "nextFundingTime": str((now // interval + 1) * interval // 1_000_000),
            "fundingRate": text(round(x.funding_rate(s), 8)),
            "bid1Price": self.figures.price(s, bid),
            "bid1Size": self.figures.size(s, bids.get(bid, 0)),
            "ask1Price": self.figures.price(s, ask),
            "ask1Size": self.figures.size(s, asks.get(ask, 0)),
            "preOpenPrice": "",
            "preQty": "",
            "curPreListingPhase": "",
        }

    def band(self, s: int) -> dict[str, str]:
        """Highest price of a buy and lowest of a sell."""
        high, low = (text(price_band.edge(self.exchange, s, side)) for side in (1, -1))
        return {"buyLmt": high, "sellLmt": low}

    def trades(self, s: int) -> list[Mapping[str, Any]]:
        """The last thousand prints as publicTrade has them, oldest first."""
        reported = self._sent_prints.get(s)
        return list(self.items(s, self.symbols[s].prints) if reported is None else reported)

    def items(self, s: int, prints: Iterable[Print]) -> list[dict[str, Any]]:
        """Prints as publicTrade has them."""
        symbol, written = self.exchange.instruments[s].symbol, self.figures
        return [
            {
                "T": ts // 1_000_000, "s": symbol, "S": Side(taker).venue_name,
                "v": written.size(s, lots), "p": written.price(s, price),
                "L": direction, "i": trade_id(symbol, number), "BT": False, "RPI": False, "seq": ts // 1_000,
            }
            for number, ts, price, lots, taker, direction in prints
        ]  # fmt: skip

    def show(self, s: int, bar: Bar) -> list[str]:
        """A candle as the venue shows it: opening in ms, four prices, and where it has them volume and turnover."""
        price, size = self.figures.formats(s)
        shown = [str(int(bar[0]) * 60_000), *(format(value, price) for value in bar[1:5])]
        return shown + ([format(bar[5], size), format(bar[6], ".4f")] if len(bar) > 5 else [])
