"""Topics whose frames the market has itself, from a recording or from another venue: passed on byte for byte.

Kept of each is what a later subscriber gets first, as the venue gives it: of a book or a ticker all that holds, of a candle or a
price band the last frame, of prints nothing. What the frames say is shown in REST answers too.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import Any, Final, NotRequired, Protocol, TypedDict

import msgspec

from turbo_trader.exchange.protocol.wire import encode

_PRINTS: Final = 1_000


class Head(msgspec.Struct):
    """What stands around the data of any frame."""

    topic: str = ""
    type: str = ""
    ts: int = 0
    cts: int = 0
    cs: int = 0
    data: msgspec.Raw = msgspec.Raw(b"")


class _Book(msgspec.Struct):
    s: str
    b: list[tuple[str, str]]
    a: list[tuple[str, str]]
    u: int
    seq: int


class _Print(TypedDict):
    T: int
    s: str
    S: str
    v: str
    p: str
    L: NotRequired[str]
    i: str
    BT: bool
    RPI: NotRequired[bool]
    seq: NotRequired[int]


_head = msgspec.json.Decoder(Head)
_book = msgspec.json.Decoder(_Book)
_record = msgspec.json.Decoder(dict[str, Any])
_prints = msgspec.json.Decoder(list[_Print])


def read(raw: bytes) -> Head:
    """Head and data of a frame; ValueError where it is none."""
    return _head.decode(raw)


def check(raw: bytes) -> None:
    """ValueError where a frame could not be passed on, whatever came before it."""
    head = read(raw)
    passed(head.topic).hear(raw, head)


class Passed(Protocol):
    """What is kept of one topic."""

    def hear(self, raw: bytes, head: Head) -> bool:
        """Take a frame; False where it cannot be used, being the difference to something unknown. ValueError where it is none."""

    def snapshot(self) -> list[bytes]:
        """What a new subscriber gets at once."""

    def forget(self) -> None:
        """What was said holds no more."""


def passed(topic: str) -> Passed:
    """The keeper of a topic."""
    kind = topic.partition(".")[0]
    if kind == "orderbook" and not topic.startswith("orderbook.1."):
        return PassedBook()
    if kind == "tickers":
        return PassedTicker()
    return PassedPrints() if kind == "publicTrade" else PassedLast()


class PassedBook:
    """A book of differences: its levels as they were written, and the numbers of the last frame."""

    def __init__(self) -> None:
        self._sides: tuple[dict[str, tuple[float, str]], dict[str, tuple[float, str]]] = ({}, {})
        self._last: tuple[Head, _Book] | None = None

    def hear(self, raw: bytes, head: Head) -> bool:
        """Apply a snapshot, or a difference to what is known."""
        del raw
        book = _book.decode(head.data)
        if head.type == "snapshot" or book.u == 1:
            self.forget()
        elif self._last is None:
            return False
        self._last = head, book
        for side, levels in zip(self._sides, (book.b, book.a), strict=True):
            for price, size in levels:
                if float(size):
                    side[price] = float(price), size
                else:
                    side.pop(price, None)
        return True

    def snapshot(self) -> list[bytes]:
        """The whole book under the numbers of the frame it was last changed by: the next difference follows it."""
        if self._last is None:
            return []
        head, book = self._last
        levels = (sorted((at, price, size) for price, (at, size) in side.items()) for side in self._sides)
        bids, asks = ([[price, size] for _, price, size in side] for side in levels)
        data = {"s": book.s, "b": bids[::-1], "a": asks, "u": book.u, "seq": book.seq}
        frame = {"topic": head.topic, "type": "snapshot", "ts": head.ts, "data": data, "cts": head.cts}
        return [encode(frame)]

    def forget(self) -> None:
        """Nothing is known."""
        self._last = None
        for side in self._sides:
            side.clear()


class PassedTicker:
    """A ticker: `record` holds every field as last said; it is empty while nothing is known."""

    def __init__(self) -> None:
        self.record: dict[str, Any] = {}
        self._head = Head()

    def hear(self, raw: bytes, head: Head) -> bool:
        """Apply a snapshot, or a difference to what is known."""
        del raw
        fields = _record.decode(head.data)
        if head.type != "snapshot" and not self.record:
            return False
        if head.type == "snapshot":
            self.record.clear()
        self.record.update(fields)
        self._head = head
        return True

    def snapshot(self) -> list[bytes]:
        """All fields."""
        head = self._head
        frame = {"topic": head.topic, "type": "snapshot", "data": self.record, "cs": head.cs, "ts": head.ts}
        return [encode(frame)] if self.record else []

    def forget(self) -> None:
        """Nothing is known."""
        self.record.clear()


class PassedPrints:
    """Prints: the last ones, as they were said, oldest first."""

    def __init__(self) -> None:
        self.items: deque[Mapping[str, Any]] = deque(maxlen=_PRINTS)

    def hear(self, raw: bytes, head: Head) -> bool:
        """Keep them."""
        del raw
        self.items.extend(_prints.decode(head.data))
        return True

    def snapshot(self) -> list[bytes]:
        """Nothing: only what comes."""
        return []

    def forget(self) -> None:
        """What was traded was traded."""


class PassedLast:
    """A topic each of whose frames is whole."""

    def __init__(self) -> None:
        self._raw = b""

    def hear(self, raw: bytes, head: Head) -> bool:
        """Keep it."""
        del head
        self._raw = raw
        return True

    def snapshot(self) -> list[bytes]:
        """The last one."""
        return [self._raw] if self._raw else []

    def forget(self) -> None:
        """Nothing is known."""
        self._raw = b""
