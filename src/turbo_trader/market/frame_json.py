"""Frames of any JSON to rows: what the kernel of `market.frame_reader` leaves, and tickers."""

from __future__ import annotations

import contextlib
import struct
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, TypeAlias, cast

import msgspec
import numpy as np

from turbo_trader.market.frame_reader import AHEAD_MS, ID_PARTS, MARK_NS, MILLISECOND, NAME, PRINTS, Feeds
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.json_text import BAD, ROOM
from turbo_trader.market.levels import SHORTEST, read_book
from turbo_trader.market.order_terms import SIDES
from turbo_trader.market.rows import FINE, FUNDING, GAP, INDEX, MARK, RATE, ROW, RPI, TRADE, WHOLE, Rows

BLOCK_TRADES: Final = "block trades"
REPEATED: Final = "prints said again"
OUTSIDE: Final = "prints far outside the price band"
IMPOSSIBLE: Final = "prints without a positive price and size"
EARLY: Final = "prints dated after their own frame"
OFF_MARKET: Final = 2  # the band follows the mark, and what rested before a move may be hit after it

_ID_BYTES = 8 * ID_PARTS
_LARGEST = 1e15  # of a price
_LEAP = 2.0  # a mark price so many times the last one, or one so many times it, is believed when the next says the same
_LATEST = 2**63 // MILLISECOND - 1  # ms that a row's time can hold
_MOST_UPDATES = 2**62
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
    """What one symbol's topics have said so far: its FEED record, which the kernel reads and writes too."""

    __slots__ = ("doubted", "feed", "index", "interval", "per_lot", "per_tick", "tick")

    def __init__(self, index: int, instrument: Instrument, feed: Any) -> None:
        self.index = index
        self.feed = feed
        self.tick = instrument.tick
        self.per_tick = float(1 / instrument.tick)
        self.per_lot = float(1 / instrument.step)
        self.interval = instrument.funding_interval_min
        self.doubted = 0  # a mark price that leapt, ticks; 0: the last did not
        name = instrument.symbol.encode()
        feed["name_length"] = len(name)  # one too long is never found by the kernel
        feed["name"][: len(name)] = np.frombuffer(name[:NAME], np.uint8)
        feed["per_tick"], feed["per_lot"] = self.per_tick, self.per_lot
        feed["reach"] = OFF_MARKET * float(instrument.price_limit_y)

    def time(self, milliseconds: int) -> int:
        if milliseconds > _LATEST:
            raise ValueError(f"not a time: {milliseconds}")
        latest = max(int(self.feed["last_ts"]), milliseconds * MILLISECOND)
        self.feed["last_ts"] = latest
        return latest

    def leaps(self, ticks: int) -> bool:
        """Is this mark price far from the last one, and from one that was doubted just before?"""
        known = [each for each in (int(self.feed["mark"]), self.doubted) if each > 0]
        leapt = bool(known) and all(max(ticks, each) > _LEAP * max(1, min(ticks, each)) for each in known)
        self.doubted = ticks if leapt else 0
        return leapt

    def off_market(self, ts: int, ticks: int) -> bool:
        """Is a print farther from the mark than the market can be?"""
        mark, mark_ts, reach = (self.feed[name].item() for name in ("mark", "mark_ts", "reach"))
        return bool(mark > 0 and reach > 0 and ts - mark_ts <= MARK_NS and abs(ticks - mark) > reach * mark)

    def printed(self, ids: Sequence[str]) -> list[bool]:
        """Which of these prints were in the frame before; they are what the next frame is compared with."""
        half = int(self.feed["id_half"])
        packed = [text.encode("utf-8", "surrogatepass")[:_ID_BYTES].ljust(_ID_BYTES, b"\0") for text in ids]
        text = self.feed["ids"][half, : self.feed["id_count"][half]].tobytes()
        before = {text[at : at + _ID_BYTES] for at in range(0, len(text), _ID_BYTES)}
        kept = b"".join([each for name, each in zip(ids, packed, strict=True) if name][:PRINTS])
        count = len(kept) // _ID_BYTES
        self.feed["ids"][1 - half, :count] = np.frombuffer(kept, np.int64).reshape(count, ID_PARTS)
        self.feed["id_count"][1 - half] = count
        self.feed["id_half"] = 1 - half
        return [name != "" and each in before for name, each in zip(ids, packed, strict=True)]


Unread: TypeAlias = Callable[[Exception], None]


def one_by_one(
    decode: Callable[[bytes], tuple[int, Rows] | None], raws: Iterable[bytes], unread: Unread
) -> Iterator[tuple[int, Rows]]:
    """What `decode` makes of each frame that it can read, a frame decoded when it is asked for; `unread` gets the error of another:
    whatever bytes from outside raise."""
    for raw in raws:
        try:
            one = decode(raw)
        except Exception as error:
            unread(error)
        else:
            if one is not None:
                yield one


class JsonFrames:
    """Reads the frames of one connection. It keeps what the next frame needs in `feeds`, as the kernel does."""

    def __init__(self, symbols: Mapping[str, tuple[int, Instrument]], feeds: Feeds) -> None:
        """`symbols`: index and instrument by name. `feeds`: a record for each of them, empty."""
        self._symbols = {
            name: _Symbol(*one, feed) for (name, one), feed in zip(symbols.items(), feeds, strict=True)
        }
        self.left_out: Counter[str] = Counter()  # prints that are not the market's, by reason

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """As `FrameDecoder.decode`, without the kernel for whole frames."""
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
        early = head.ts and head.cts > head.ts + AHEAD_MS
        ts = symbol.time(head.ts if early else head.cts or head.ts)
        try:
            book = _book.decode(head.data)
        except ValueError:
            return self._void(symbol, ts)
        snapshot = head.type == "snapshot" or book.u == 1
        if not snapshot:
            update = int(symbol.feed["update"])
            if not update:
                return None
            if book.u != update + 1:
                return self._void(symbol, ts)
        if not 0 <= book.u < _MOST_UPDATES:
            return self._void(symbol, ts)
        symbol.feed["update"] = book.u
        rows, count = self._levels(symbol, book, ts, snapshot=snapshot)
        if count == BAD:
            return self._void(symbol, ts)
        return rows[:count] if count else None

    def _levels(self, symbol: _Symbol, book: _Book, ts: int, *, snapshot: bool) -> tuple[Rows, int]:
        bids, asks = bytes(book.b), bytes(book.a)
        text = np.frombuffer(bytearray(bids + asks + bytes(ROOM)), np.uint8)
        rows = cast("Rows", np.empty((len(bids) + len(asks)) // SHORTEST + 1, ROW))
        return rows, read_book(
            text, len(bids), len(asks), snapshot, ts, symbol.per_tick, symbol.per_lot, rows
        )

    @staticmethod
    def _void(symbol: _Symbol, ts: int) -> Rows:
        """The book is unknown until the next snapshot."""
        symbol.feed["update"] = 0
        return _as_rows([(ts, 0, 0, GAP | WHOLE, 0, 0)])

    def _others(self, symbol: _Symbol, topic: str, head: _Head) -> Rows | None:
        try:
            rows = self._prints(symbol, head) if topic == "publicTrade" else self._ticker(symbol, head)
            return _as_rows(rows) if rows else None
        except (ArithmeticError, struct.error) as error:  # "inf", or beyond what a row can hold
            raise ValueError(f"{head.topic}: a figure that is no number") from error

    def _prints(self, symbol: _Symbol, head: _Head) -> list[_Row]:
        """The market's own prints; one of the frame before counts once, for frames may come twice."""
        prints, odd = self._read_prints(head.data)
        rows: list[_Row] = []
        for each, known in zip(prints, symbol.printed([each.i for each in prints]), strict=True):
            early = head.ts and head.ts + AHEAD_MS < each.T
            reason, row = (REPEATED, None) if known else (EARLY, None) if early else self._row(symbol, each)
            if row is not None:
                rows.append(row)
            elif reason:
                self.left_out[reason] += 1
            else:
                odd += 1
        if odd and not rows:
            raise ValueError(f"{head.topic}: no print that can be read")
        if odd:
            self.left_out[IMPOSSIBLE] += odd
        return rows

    @staticmethod
    def _row(symbol: _Symbol, each: _Print) -> tuple[str, _Row | None]:
        """The row of a print, or why there is none ("": it cannot be read)."""
        if each.BT:
            return BLOCK_TRADES, None
        lots, ticks = _rounded(each.v, symbol.per_lot), _rounded(each.p, symbol.per_tick)
        if lots is None or ticks is None:
            return "", None
        side = SIDES.get(each.S, 0)
        if lots <= 0 or ticks <= 0 or not side:
            return IMPOSSIBLE, None
        ts = symbol.time(each.T)
        if symbol.off_market(ts, ticks):
            return OUTSIDE, None
        return "", (ts, lots, ticks, TRADE | WHOLE, side, RPI if each.RPI else 0)

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
                    raise ValueError(f"not a price: {text[:40]}")
                fine = int(Decimal(text) / symbol.tick * FINE)
                ticks = round(fine / FINE)
                if kind == MARK and symbol.leaps(ticks):
                    raise ValueError(f"a mark price that leaps: {text[:40]}")
                rows.append((ts, fine, ticks, kind | WHOLE, 0, 0))
                if kind == MARK:
                    symbol.feed["mark"], symbol.feed["mark_ts"] = ticks, ts
        if ticker.funding_interval_hour:
            symbol.interval = int(ticker.funding_interval_hour) * 60
        if ticker.funding_rate:
            if not abs(float(ticker.funding_rate)) < 1:
                raise ValueError(f"not a funding rate: {ticker.funding_rate[:40]}")
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
