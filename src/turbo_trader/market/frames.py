"""Raw V5 public frames (order book, prints, ticker) to rows. One decoder per connection: it keeps the books' continuity.

Book and print frames as the venue writes them are read by one kernel (`market.frame_reader`); what it leaves is read here.

Times are the matching engine's where the frame has them (`cts` of a book, `T` of a print), else the push time `ts`. A symbol's rows
never go back in time: an older row carries the last time seen, as topics overtake each other.

Not every print is the market's. Left out here, so that nothing behind it ever sees them, and counted in `left_out`:

- block trades (`BT`): agreed off the book at any price, they are no last price, no volume of the market and no flow;
- prints farther from a mark price of the last seconds than `OFF_MARKET` times the outer price band: no order may stand there;
- prints without a positive size and price, and those dated a minute or more after the push that brings them;
- prints of the frame before, said again.

Prints against hidden quotes for retail orders (`RPI`) are trades at the market's price and stay. They are marked, as they take
nothing of the queue that the book shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import linked
from turbo_trader.market.frame_json import (
    BLOCK_TRADES,
    IMPOSSIBLE,
    OUTSIDE,
    REPEATED,
    JsonFrames,
    Unread,
    one_by_one,
)
from turbo_trader.market.frame_reader import FEED, read_frame, read_frames
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.json_text import BAD, ROOM
from turbo_trader.market.levels import SHORTEST
from turbo_trader.market.rows import ROW, Rows

_REASONS: Final = (REPEATED, BLOCK_TRADES, IMPOSSIBLE, OUTSIDE)  # in the kernel's order
_AT_ONCE: Final = 64  # frames
_FEW: Final = 4  # fewer are read sooner one by one
_CHUNK: Final = 4096  # rows allocated at once: frames are slices of them


class FrameDecoder:
    """Decodes the frames of one connection. Symbols are identified by their index in `instruments`."""

    def __init__(self, instruments: Sequence[Instrument]) -> None:
        last = {i.symbol: (n, i) for n, i in enumerate(instruments)}
        self._feeds = cast("Rows", np.zeros(len(last), FEED))
        self._indices = [n for n, _ in last.values()]
        self.any_json = JsonFrames(last, self._feeds)
        self.left_out = self.any_json.left_out  # prints that are not the market's, by reason
        self._rows, self._at = cast("Rows", np.empty(_CHUNK, ROW)), 0  # where the next frame's rows go
        self._grow(8192)
        self._read = linked(read_frame, self._text, 0, self._feeds, self._rows, 0)
        self._ends, self._parts = np.empty(_AT_ONCE, np.int64), np.empty((_AT_ONCE, 3), np.int64)
        self._read_all = linked(read_frames, self._text, self._ends, self._feeds, self._rows, 0, self._parts)

    def decode(self, raw: bytes) -> tuple[int, Rows] | None:
        """Symbol index and rows of a data frame; None for replies, other topics and symbols, and deltas of a void book.

        A book frame that does not follow the last one (`u`), or that cannot be read, becomes a GAP row; then deltas are passed
        over until a snapshot. ValueError for anything else that is not the venue's JSON or holds a figure that is no number.
        """
        length = len(raw)
        self._make_room(length, length // SHORTEST + 2)
        self._view[:length] = raw
        at = self._at
        k, end, left_out = self._read(self._text, length, self._feeds, self._rows, at)
        if end == BAD:
            return self.any_json.decode(raw)
        if left_out:
            self._count(self._feeds["left_out"][k])
        self._at = end
        return (self._indices[k], self._rows[at:end]) if end > at else None

    def decode_all(self, raws: Sequence[bytes], unread: Unread) -> Iterable[tuple[int, Rows]]:
        """Frames that came together, in as few calls as can be: what `decode` makes of each, but that neighbours of one topic are
        one. `unread` gets the error of a frame that cannot be read."""
        if len(raws) < _FEW:
            return one_by_one(self.decode, raws, unread)
        found: list[tuple[int, Rows]] = []
        done = 0
        while done < len(raws):
            done += self._several(raws[done : done + _AT_ONCE], found)
            if done < len(raws):  # one for the other reader, or more than are read at once
                found += one_by_one(self.decode, raws[done : done + 1], unread)
                done += 1
        return found

    def _several(self, raws: Sequence[bytes], found: list[tuple[int, Rows]]) -> int:
        """How many of them the kernel reads."""
        text, ends = b"".join(raws), self._ends[: len(raws)]
        ends[:] = list(accumulate(map(len, raws)))
        self._make_room(len(text), len(text) // SHORTEST + 2 * len(raws))
        self._view[: len(text)] = text
        done, count, left_out = self._read_all(
            self._text, ends, self._feeds, self._rows, self._at, self._parts
        )
        for k, first, end in self._parts[:count].tolist():
            found.append((self._indices[k], self._rows[first:end]))
            self._at = end
        if left_out:
            for each in self._feeds["left_out"]:
                self._count(each)
        return done

    def _make_room(self, size: int, most: int) -> None:
        """For a text of `size` bytes and `most` rows."""
        if size + ROOM > len(self._text):
            self._grow(2 * size)
        if self._at + most > len(self._rows):
            self._rows, self._at = cast("Rows", np.empty(max(_CHUNK, most), ROW)), 0

    def _count(self, left_out: NDArray[np.int64]) -> None:
        """Take over what the kernel left out."""
        for reason, count in zip(_REASONS, left_out.tolist(), strict=True):
            if count:
                self.left_out[reason] += count
        left_out[:] = 0

    def _grow(self, size: int) -> None:
        """Where the kernel reads: an array and the same memory for bytes."""
        text = bytearray(size + ROOM)
        self._text, self._view = np.frombuffer(text, np.uint8), memoryview(text)
