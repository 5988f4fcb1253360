"""Raw V5 public frames (order book, prints, ticker) to rows. One decoder per connection: it keeps the books' continuity.

Times are the matching engine's where the frame has them (`cts` of a book, `T` of a print), else the push time `ts`. A symbol's rows
never go back in time: an older row carries the last time seen, as topics overtake each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import cast

import msgspec
import numpy as np

from turbo_trader.market.events import (
    FINE,
    FIRST,
    FUNDING,
    GAP,
    INDEX,
    LAST,
    LEVEL,
    MARK,
    RATE,
    ROW,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.instruments import Instrument

_MILLISECOND = 1_000_000
_Row = tuple[int, int, int, int, int, int]


class _Head(msgspec.Struct):
    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    data: msgspec.Raw = msgspec.Raw(b"")


class _Book(msgspec.Struct):
    b: list[tuple[str, str]] = []
    a: list[tuple[str, str]] = []
    u: int = 0


class _Print(msgspec.Struct):
    T: int
    S: str
    v: str
    p: str


class _Ticker(msgspec.Struct, rename="camel"):
    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    funding_interval_hour: str = ""


_head = msgspec.json.Decoder(_Head)
_book = msgspec.json.Decoder(_Book)
_prints = msgspec.json.Decoder(list[_Print])
_ticker = msgspec.json.Decoder(_Ticker)


class _Symbol:
    """What one symbol's topics have said so far."""

    __slots__ = ("index", "interval", "last_ts", "per_lot", "per_tick", "tick", "update")

    def __init__(self, index: int, instrument: Instrument) -> None:
        self.index = index
        self.tick = instrument.tick
        self.per_tick = float(1 / instrument.tick)
        self.per_lot = float(1 / instrument.step)
        self.interval = instrument.funding_interval_min
        self.update = 0  # `u` of the last book frame; 0: a snapshot is needed
        self.last_ts = 0

    def time(self, milliseconds: int) -> int:
        self.last_ts = max(self.last_ts, milliseconds * _MILLISECOND)
        return self.last_ts


class FrameDecoder:
    """Decodes the frames of one connection. Symbols are told by their index in `instruments`."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._symbols = {i.symbol: _Symbol(n, i) for n, i in enumerate(instruments)}

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """Symbol index and rows of a data frame; None for replies, other topics and symbols, and deltas of a void book.

        A book frame that does not follow the last one (`u`), or that cannot be read, becomes a GAP row; then deltas are passed
        over until a snapshot. ValueError for anything else that is not the venue's JSON or holds a figure that is no number.
        """
        head = _head.decode(raw)
        topic, _, name = head.topic.rpartition(".")
        symbol = self._symbols.get(name)
        if symbol is None:
            return None
        try:
            return self._rows(symbol, topic, head)
        except ArithmeticError as error:  # "inf", or beyond what a row can hold
            raise ValueError(f"{head.topic}: a figure that is no number") from error

    def _rows(self, symbol: _Symbol, topic: str, head: _Head) -> tuple[int, Rows] | None:
        if topic.startswith("orderbook."):
            return self._whole_book(symbol, head)
        if topic == "publicTrade":
            rows = self._prints(symbol, head)
        elif topic == "tickers":
            rows = self._ticker(symbol, head)
        else:
            return None
        return _told(symbol, rows)

    def _whole_book(self, symbol: _Symbol, head: _Head) -> tuple[int, Rows] | None:
        """A book frame that cannot be read leaves the book unknown."""
        try:
            return _told(symbol, self._book(symbol, head))
        except (ValueError, ArithmeticError):
            symbol.update = 0
            return _told(symbol, [(symbol.time(head.cts or head.ts), 0, 0, GAP | WHOLE, 0, 0)])

    def _book(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        book = _book.decode(head.data)
        snapshot = head.type == "snapshot" or book.u == 1
        ts = symbol.time(head.cts or head.ts)
        if not snapshot:
            if not symbol.update:
                return []
            if book.u != symbol.update + 1:
                symbol.update = 0
                return [(ts, 0, 0, GAP | WHOLE, 0, 0)]
        symbol.update = book.u
        rows: list[_Row] = [(ts, 0, 0, SNAPSHOT, 0, 0)] if snapshot else []
        per_tick, per_lot = symbol.per_tick, symbol.per_lot
        for side, levels in ((1, book.b), (-1, book.a)):
            rows += [
                (ts, round(float(size) * per_lot), round(float(price) * per_tick), LEVEL, side, 0)
                for price, size in levels
            ]
        return _framed(rows)

    def _prints(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        return [
            (
                symbol.time(each.T), round(float(each.v) * symbol.per_lot), round(float(each.p) * symbol.per_tick),
                TRADE | WHOLE, 1 if each.S == "Buy" else -1, 0,
            )
            for each in _prints.decode(head.data)
        ]  # fmt: skip

    def _ticker(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        ticker = _ticker.decode(head.data)
        ts = symbol.time(head.ts)
        rows: list[_Row] = []
        for kind, text in ((MARK, ticker.mark_price), (INDEX, ticker.index_price)):
            if text:
                fine = int(Decimal(text) / symbol.tick * FINE)
                rows.append((ts, fine, round(fine / FINE), kind | WHOLE, 0, 0))
        if ticker.funding_interval_hour:
            symbol.interval = int(ticker.funding_interval_hour) * 60
        if ticker.funding_rate:
            rows.append(
                (ts, int(Decimal(ticker.funding_rate) * RATE), 0, FUNDING | WHOLE, 0, symbol.interval)
            )
        return rows


def _told(symbol: _Symbol, rows: list[_Row]) -> tuple[int, Rows] | None:
    return (symbol.index, cast("Rows", np.array(rows, ROW))) if rows else None


def _framed(rows: list[_Row]) -> list[_Row]:
    """Mark the first and the last row of a frame."""
    if rows:
        first, last = rows[0], rows[-1]
        rows[-1] = (*last[:3], last[3] | LAST, *last[4:])
        first = rows[0]
        rows[0] = (*first[:3], first[3] | FIRST, *first[4:])
    return rows
