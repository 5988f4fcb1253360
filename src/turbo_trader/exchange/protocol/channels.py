"""Public topics: each makes one frame for all its subscribers, at the venue's cadence. Books are in `book_channel`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol

from turbo_trader.exchange.protocol.book_channel import RPI_DEPTH, BookChannel
from turbo_trader.exchange.protocol.candles import INTERVALS, following, merged
from turbo_trader.exchange.protocol.market_data import MarketData
from turbo_trader.exchange.protocol.render import text
from turbo_trader.exchange.protocol.shown_books import BOOK_CADENCE
from turbo_trader.exchange.protocol.symbol_market import Print
from turbo_trader.exchange.protocol.wire import encode
from turbo_trader.market.order_terms import Side

_MS: Final = 1_000_000
_TICKER: Final = 100 * _MS
_KLINE: Final = 1_000 * _MS
_BAND: Final = 300 * _MS
_MOST_TRADES: Final = 1_024
#: Topics by coin: there is no insurance fund here, and nobody is deleveraged unasked.
SILENT: Final = frozenset(
    f"{kind}.{coin}" for kind in ("adlAlert", "insurance") for coin in ("USDT", "USDC", "inverse")
)


class Channel(Protocol):
    """One topic. `cadence`: ns between pushes."""

    cadence: int

    def snapshot(self, now: int) -> list[bytes]:
        """What a new subscriber gets at once."""

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """What all subscribers get, `prints` being those since the last push."""


def channel(data: MarketData, topic: str) -> Channel | None:
    """The channel of a topic; None when there is no such topic, or none any more: its contract is closed."""
    kind, _, symbol = topic.rpartition(".")
    if topic in SILENT:
        return SilentChannel()
    s = data.exchange.index.get(symbol)
    if s is None or data.exchange.instruments[s].closed:
        return None
    head, _, what = kind.partition(".")
    if head == "orderbook" and what in map(str, BOOK_CADENCE):
        return BookChannel(data, s, int(what))
    if kind == "orderbook.rpi":
        return BookChannel(data, s, RPI_DEPTH, rpi=True)
    if head == "kline" and what in INTERVALS:
        return KlineChannel(data, s, what)
    if kind == "publicTrade":
        return TradeChannel(data, s)
    if kind == "tickers":
        return TickerChannel(data, s)
    if kind == "priceLimit":
        return BandChannel(data, s)
    return LiquidationChannel(data, s) if kind == "allLiquidation" else None


class SilentChannel:
    """A topic of which nothing is ever said here."""

    cadence = _KLINE

    def snapshot(self, now: int) -> list[bytes]:
        """Nothing."""
        del now
        return []

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """Nothing."""
        del now, prints
        return []


class TradeChannel:
    """publicTrade: up to 1024 a frame."""

    cadence = 0

    def __init__(self, data: MarketData, s: int) -> None:
        self._data, self._s = data, s

    def snapshot(self, now: int) -> list[bytes]:
        """Nothing: only what comes."""
        del now
        return []

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """The prints, in order."""
        items = self._data.items(self._s, prints)
        topic = f"publicTrade.{self._data.exchange.instruments[self._s].symbol}"
        return [
            encode(
                {"topic": topic, "type": "snapshot", "ts": now // _MS, "data": items[n : n + _MOST_TRADES]}
            )
            for n in range(0, len(items), _MOST_TRADES)
        ]


#: Figures of a ticker that are sent together, as in Bybit's frames: clients make one quote of price and size.
_PAIRS: Final = (
    ("bid1Price", "bid1Size"), ("ask1Price", "ask1Size"), ("turnover24h", "volume24h"),
    ("openInterestValue", "singleOpenInterestValue"),
)  # fmt: skip


class TickerChannel:
    """tickers: a snapshot, then the fields that changed."""

    cadence = _TICKER

    def __init__(self, data: MarketData, s: int) -> None:
        self._data, self._s = data, s
        self._ticker: dict[str, Any] = {}

    def snapshot(self, now: int) -> list[bytes]:
        """All fields, as last shown."""
        self._ticker = self._ticker or self._data.ticker(self._s, now)
        return [self._frame("snapshot", self._ticker, now)]

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """What changed; of a pair both where one of them did."""
        del prints
        before, self._ticker = self._ticker, self._data.ticker(self._s, now)
        names = {name for name, value in self._ticker.items() if before.get(name) != value}
        if not names:
            return []
        for pair in _PAIRS:
            names.update(pair if names.intersection(pair) else ())
        changed = {name: value for name, value in self._ticker.items() if name in names}
        return [self._frame("delta", {"symbol": self._ticker["symbol"], **changed}, now)]

    def _frame(self, kind: str, data: dict[str, Any], now: int) -> bytes:
        topic = f"tickers.{self._ticker['symbol']}"
        return encode({"topic": topic, "type": kind, "data": data, "cs": now // 1_000, "ts": now // _MS})


class KlineChannel:
    """kline: the running candle, and each once more with `confirm` when it has ended."""

    cadence = _KLINE

    def __init__(self, data: MarketData, s: int, interval: str) -> None:
        self._data, self._s, self._interval = data, s, interval
        self._open = 0  # minute of the candle last shown
        self._shown: list[str] = []

    def snapshot(self, now: int) -> list[bytes]:
        """The running candle."""
        bars = self._data.symbols[self._s].bars
        found = merged(bars, self._interval, 0, now // _MS, 1)
        if not found:
            return []
        shown = self._data.show(self._s, found[0])
        self._open = self._open or int(found[0][0])
        ends = following(int(found[0][0]), self._interval) * 60_000
        return [self._frame(shown, ends, now, confirm=False)] if now // _MS < ends else []

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """The running candle where it changed, after those that ended."""
        del prints
        bars = self._data.symbols[self._s].bars
        candles = merged(bars, self._interval, self._open * 60_000, now // _MS, 5)
        frames = []
        for bar in candles:
            ends = following(int(bar[0]), self._interval) * 60_000
            confirm = now // _MS >= ends
            shown = self._data.show(self._s, bar)
            if (not confirm and shown == self._shown) or (confirm and not self._open):
                continue
            frames.append(self._frame(shown, ends, now, confirm=confirm))
            self._shown = shown
            self._open = ends // 60_000 if confirm else int(bar[0])
        return frames

    def _frame(self, row: list[str], ends: int, now: int, *, confirm: bool) -> bytes:
        start, opened, high, low, close, volume, turnover = (plain(figure) for figure in row)
        item = {
            "start": int(start), "end": ends - 1, "interval": self._interval, "open": opened, "close": close,
            "high": high, "low": low, "volume": volume, "turnover": turnover, "confirm": confirm, "timestamp": now // _MS,
        }  # fmt: skip
        topic = f"kline.{self._interval}.{self._data.exchange.instruments[self._s].symbol}"
        return encode({"topic": topic, "data": [item], "ts": now // _MS, "type": "snapshot"})


class BandChannel:
    """priceLimit: the band of order prices."""

    cadence = _BAND

    def __init__(self, data: MarketData, s: int) -> None:
        self._data, self._s = data, s
        self._shown: dict[str, str] = {}

    def snapshot(self, now: int) -> list[bytes]:
        """The band of now."""
        return [self._frame(self._band(), now)]

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """The band where it moved."""
        del prints
        band = self._band()
        if band == self._shown:
            return []
        self._shown = band
        return [self._frame(band, now)]

    def _band(self) -> dict[str, str]:
        return self._data.band(self._s)

    def _frame(self, band: dict[str, str], now: int) -> bytes:
        symbol = self._data.exchange.instruments[self._s].symbol
        data = {"symbol": symbol, **band}
        return encode({"topic": f"priceLimit.{symbol}", "type": "snapshot", "ts": now // _MS, "data": data})


class LiquidationChannel:
    """allLiquidation: positions taken over here; tapes do not tell those of others."""

    cadence = 500 * _MS

    def __init__(self, data: MarketData, s: int) -> None:
        self._taken = data.exchange.settlement.taken_over[s]
        self._symbol = data.exchange.instruments[s].symbol
        self._reported = self._taken[-1][0] if self._taken else 0

    def snapshot(self, now: int) -> list[bytes]:
        """Nothing."""
        del now
        return []

    def push(self, now: int, prints: Sequence[Print]) -> list[bytes]:
        """Those since the last push. The side is that of the position: Buy where a long was liquidated."""
        del prints
        items = [
            {"T": ts // _MS, "s": self._symbol, "S": Side.opening(size).venue_name, "v": text(abs(size)), "p": text(price)}
            for number, ts, size, price in self._taken
            if number > self._reported
        ]  # fmt: skip
        self._reported += len(items)
        topic = f"allLiquidation.{self._symbol}"
        return (
            [encode({"topic": topic, "type": "snapshot", "ts": now // _MS, "data": items})] if items else []
        )


def plain(figure: str) -> str:
    """Without needless zeros, as candles of the stream are."""
    return figure.rstrip("0").rstrip(".") if "." in figure else figure
