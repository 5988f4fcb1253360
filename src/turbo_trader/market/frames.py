"""Raw V5 public frames (order book, prints, ticker) to rows. One decoder per connection: it keeps the books' continuity.

Times are the matching engine's where the frame has them (`cts` of a book, `T` of a print), else the push time `ts`. A symbol's rows
never go back in time: an older row carries the last time seen, as topics overtake each other.

Not every print is the market's. Left out here, so that nothing behind it ever sees them, and counted in `left_out`:

- block trades (`BT`): agreed off the book at any price, they are no last price, no volume of the market and no flow;
- prints farther from a mark price of the last seconds than `OFF_MARKET` times the outer price band: no order may stand there;
- prints without a positive size and price;
- prints of the frame before, said again.

Prints against hidden quotes for retail orders (`RPI`) are trades at the market's price and stay. They are marked, as they take
nothing of the queue that the book shows.
"""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final, cast

import msgspec
import numpy as np

from turbo_trader.market.events import (
    FINE,
    FUNDING,
    GAP,
    INDEX,
    MARK,
    RATE,
    ROW,
    RPI,
    SECOND,
    TRADE,
    WHOLE,
    Rows,
)
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.levels import BAD, SHORTEST, read_book

BLOCK_TRADES: Final = "block trades"
REPEATED: Final = "prints said again"
OUTSIDE: Final = "prints far outside the price band"
IMPOSSIBLE: Final = "prints without a positive price and size"
OFF_MARKET: Final = 2  # the band follows the mark, and what rested before a move may be hit after it

_MARK_NS: Final = 5 * SECOND  # a mark price older than this judges no print
_MILLISECOND = 1_000_000
_LARGEST = 1e15  # of a price
_LATEST = 2**63 // _MILLISECOND - 1  # ms that a row's time can hold
_Row = tuple[int, int, int, int, int, int]
_packed = struct.Struct("<qqiBbH").pack  # a _Row as ROW lays it out


class _Head(msgspec.Struct):
    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    data: msgspec.Raw = msgspec.Raw(b"")


class _Book(msgspec.Struct):
    b: msgspec.Raw = msgspec.Raw(b"[]")
    a: msgspec.Raw = msgspec.Raw(b"[]")
    u: int = 0


class _Print(msgspec.Struct):
    T: int
    S: str
    v: str
    p: str
    i: str = ""  # the trade's id
    BT: bool = False  # a block trade
    RPI: bool = False  # against a hidden quote for retail orders


class _Ticker(msgspec.Struct, rename="camel"):
    mark_price: str = ""
    index_price: str = ""
    funding_rate: str = ""
    funding_interval_hour: str = ""


_head = msgspec.json.Decoder(_Head)
_book = msgspec.json.Decoder(_Book)
_prints = msgspec.json.Decoder(list[_Print])
_items = msgspec.json.Decoder(list[Any])
_ticker = msgspec.json.Decoder(_Ticker)


class _Symbol:
    """What one symbol's topics have said so far."""

    __slots__ = (
        "index", "interval", "last_ts", "mark", "mark_ts", "per_lot", "per_tick", "printed", "reach", "tick", "update",
    )  # fmt: skip

    def __init__(self, index: int, instrument: Instrument) -> None:
        self.index = index
        self.tick = instrument.tick
        self.per_tick = float(1 / instrument.tick)
        self.per_lot = float(1 / instrument.step)
        self.interval = instrument.funding_interval_min
        self.printed: frozenset[str] = frozenset()  # ids of the last frame's prints
        self.mark, self.mark_ts = 0, 0  # ticks, ns
        self.reach = OFF_MARKET * float(instrument.price_limit_y)  # of the mark; farther away nothing trades
        self.update = 0  # `u` of the last book frame; 0: a snapshot is needed
        self.last_ts = 0

    def time(self, milliseconds: int) -> int:
        if milliseconds > _LATEST:
            raise ValueError(f"a time that is none: {milliseconds}")
        self.last_ts = max(self.last_ts, milliseconds * _MILLISECOND)
        return self.last_ts

    def off_market(self, ts: int, ticks: int) -> bool:
        """Is a print farther from the mark than the market can be?"""
        known = self.mark > 0 and self.reach > 0 and ts - self.mark_ts <= _MARK_NS
        return known and abs(ticks - self.mark) > self.reach * self.mark


class FrameDecoder:
    """Decodes the frames of one connection. Symbols are identified by their index in `instruments`."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        self._symbols = {i.symbol: _Symbol(n, i) for n, i in enumerate(instruments)}
        self.left_out: Counter[str] = Counter()  # prints that are not the market's, by reason
        self._grow(8192)

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
        if topic.startswith("orderbook."):
            rows = self._book(symbol, head)
        elif topic in ("publicTrade", "tickers"):
            rows = self._others(symbol, topic, head)
        else:
            return None
        return (symbol.index, rows) if rows is not None else None

    def _book(self, symbol: _Symbol, head: _Head) -> Rows | None:
        ts = symbol.time(head.cts or head.ts)
        try:
            book = _book.decode(head.data)
        except ValueError:
            return self._void(symbol, ts)
        snapshot = head.type == "snapshot" or book.u == 1
        if not snapshot:
            if not symbol.update:
                return None
            if book.u != symbol.update + 1:
                return self._void(symbol, ts)
        symbol.update = book.u
        rows, count = self._levels(symbol, book, ts, snapshot=snapshot)
        if count == BAD:
            return self._void(symbol, ts)
        return rows[:count] if count else None

    def _levels(self, symbol: _Symbol, book: _Book, ts: int, *, snapshot: bool) -> tuple[Rows, int]:
        bids, asks = bytes(book.b), bytes(book.a)
        size = len(bids) + len(asks)
        if size > len(self._text):
            self._grow(2 * size)
        self._view[:size] = bids + asks
        rows = cast("Rows", np.empty(size // SHORTEST + 1, ROW))
        return rows, read_book(
            self._text, len(bids), len(asks), snapshot, ts, symbol.per_tick, symbol.per_lot, rows
        )

    def _grow(self, size: int) -> None:
        """Where the kernel reads: an array and the same memory for bytes."""
        text = bytearray(size)
        self._text, self._view = np.frombuffer(text, np.uint8), memoryview(text)

    @staticmethod
    def _void(symbol: _Symbol, ts: int) -> Rows:
        """The book is unknown until the next snapshot."""
        symbol.update = 0
        return _as_rows([(ts, 0, 0, GAP | WHOLE, 0, 0)])

    def _others(self, symbol: _Symbol, topic: str, head: _Head) -> Rows | None:
        try:
            rows = self._prints(symbol, head) if topic == "publicTrade" else self._ticker(symbol, head)
            return _as_rows(rows) if rows else None
        except (ArithmeticError, struct.error) as error:  # "inf", or beyond what a row can hold
            raise ValueError(f"{head.topic}: a figure that is no number") from error

    def _prints(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        """The market's own prints; one of the frame before counts once, for frames may come twice."""
        (prints, odd), before = self._read_prints(head.data), symbol.printed
        symbol.printed = frozenset(each.i for each in prints if each.i)
        rows: list[_Row] = []
        for each in prints:
            if each.i in before:
                self.left_out[REPEATED] += 1
            elif each.BT:
                self.left_out[BLOCK_TRADES] += 1
            else:
                lots, ticks = _rounded(each.v, symbol.per_lot), _rounded(each.p, symbol.per_tick)
                if lots is None or ticks is None:
                    odd += 1
                elif lots <= 0 or ticks <= 0:
                    self.left_out[IMPOSSIBLE] += 1
                elif symbol.off_market(ts := symbol.time(each.T), ticks):
                    self.left_out[OUTSIDE] += 1
                else:
                    side = 1 if each.S == "Buy" else -1
                    rows.append((ts, lots, ticks, TRADE | WHOLE, side, RPI if each.RPI else 0))
        if odd and not rows:
            raise ValueError(f"{head.topic}: no print that can be read")
        if odd:
            self.left_out[IMPOSSIBLE] += odd
        return rows

    @staticmethod
    def _read_prints(data: msgspec.Raw) -> tuple[list[_Print], int]:
        """All of them at once; where one cannot be read, each by itself, so that it costs no neighbour. And how many cannot."""
        try:
            return _prints.decode(data), 0
        except msgspec.ValidationError:
            items, found = _items.decode(data), []
            for item in items:
                with contextlib.suppress(msgspec.ValidationError):
                    found.append(msgspec.convert(item, _Print))
            return found, len(items) - len(found)

    def _ticker(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        ticker = _ticker.decode(head.data)
        ts = symbol.time(head.ts)
        rows: list[_Row] = []
        for kind, text in ((MARK, ticker.mark_price), (INDEX, ticker.index_price)):
            if text:
                if not 0 < float(text) < _LARGEST:
                    raise ValueError(f"a price that is none: {text[:40]}")
                fine = int(Decimal(text) / symbol.tick * FINE)
                ticks = round(fine / FINE)
                rows.append((ts, fine, ticks, kind | WHOLE, 0, 0))
                if kind == MARK:
                    symbol.mark, symbol.mark_ts = ticks, ts
        if ticker.funding_interval_hour:
            symbol.interval = int(ticker.funding_interval_hour) * 60
        if ticker.funding_rate:
            if not abs(float(ticker.funding_rate)) < 1:
                raise ValueError(f"a funding rate that is none: {ticker.funding_rate[:40]}")
            rows.append(
                (ts, int(Decimal(ticker.funding_rate) * RATE), 0, FUNDING | WHOLE, 0, symbol.interval)
            )
        return rows


def _rounded(text: str, per_unit: float) -> int | None:
    """A figure of a print in its units; None for what is no number."""
    try:
        return round(float(text) * per_unit)
    except (ValueError, OverflowError):
        return None


def _as_rows(rows: list[_Row]) -> Rows:
    return cast("Rows", np.frombuffer(bytearray(b"".join([_packed(*row) for row in rows])), ROW))
