"""Recordings of raw V5 public frames, one JSON object a line: the frame itself, as in the venue's public archives (`.data`), or
`{"t": "recv", "data": "<frame>"}` for what was received (`.jsonl`).

Whatever is left out is counted by its reason.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from turbo_trader.market.archive import content_name, lines
from turbo_trader.market.errors import InputError
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import GAP, KIND_MASK, ROW, Rows

NOT_RECEIVED = "lines that are not received frames"
TORN = "torn last lines"
NO_DATA = "replies and other frames without data"
OTHER_TOPICS = "frames of other topics"
OTHER_SYMBOLS = "frames of other symbols"
NOTHING_NEW = "frames that say nothing new"
UNKNOWN_BOOK = "book changes before a snapshot or after a gap"
GAPS = "gaps in a book"

_AT_ONCE = 2**17  # rows of an instrument
_LATEST_MS = 2**63 // 1_000_000
_TOPICS = ("orderbook", "publicTrade", "tickers")


class _Line(msgspec.Struct):
    t: str = ""
    data: msgspec.Raw = msgspec.Raw(b"")
    topic: str = ""
    op: str = ""


class _Head(msgspec.Struct):
    topic: str = ""
    ts: int = 0


_line = msgspec.json.Decoder(_Line)
_head = msgspec.json.Decoder(_Head)
_text = msgspec.json.Decoder(str)


def is_recording(path: Path) -> bool:
    """Is it one, by its name?"""
    return content_name(path).endswith((".jsonl", ".data"))


def frames(path: Path, left_out: Counter[str] | None = None) -> Iterator[tuple[int, bytes]]:
    """(line number, raw frame) of everything received; InputError names a line that is not of this format."""
    counts = Counter[str]() if left_out is None else left_out
    torn: InputError | None = None
    for number, line in lines(path, keep_ends=True):
        if not line.strip():
            continue
        if torn is not None:
            raise torn
        try:
            read = _line.decode(line)
            data = bytes(read.data)
            if not read.t:
                yield number, line.rstrip()
            elif read.t == "recv":
                yield number, _text.decode(data).encode() if data.startswith(b'"') else data
            else:
                counts[NOT_RECEIVED] += 1
        except (ValueError, RecursionError) as error:
            torn = InputError(f"{path}, line {number}: not a recorded frame: {error}")
            if not _may_be_torn(line):
                raise torn from None
    if torn is not None:  # nothing follows it: the recorder was killed while it wrote
        counts[TORN] += 1


def _may_be_torn(line: bytes) -> bool:
    """Does it begin as a line of a recording does, and lack its end?"""
    return line.startswith(b'{"') and not line.endswith(b"\n")


def read_recording(
    path: Path, instruments: Sequence[Instrument], left_out: Counter[str] | None = None
) -> tuple[Rows, ...]:
    """The rows of each instrument in a recording (none where it has none); what is not read is counted in `left_out`.

    InputError names a line that cannot be decoded, and one whose topic goes back in time.
    """
    parts: list[list[Rows]] = [[] for _ in instruments]
    for s, rows in recorded_parts(path, instruments, Counter() if left_out is None else left_out):
        parts[s].append(rows)
    empty = cast("Rows", np.zeros(0, ROW))
    return tuple(cast("Rows", np.concatenate(part)) if part else empty for part in parts)


def recorded_parts(
    path: Path, instruments: Sequence[Instrument], left_out: Counter[str]
) -> Iterator[tuple[int, Rows]]:
    """The same in parts, each with the index of its instrument: those of one are in order, and no more is in memory than one part
    of each. `left_out` is complete after the last one."""
    waiting: list[list[Rows]] = [[] for _ in instruments]
    sizes = [0] * len(instruments)
    for s, rows in _decoded(path, instruments, left_out):
        waiting[s].append(rows)
        sizes[s] += len(rows)
        if sizes[s] >= _AT_ONCE:
            yield s, _joined(waiting[s], left_out)
            sizes[s] = 0
    for s, parts in enumerate(waiting):
        if parts:
            yield s, _joined(parts, left_out)


def _joined(parts: list[Rows], left_out: Counter[str]) -> Rows:
    rows = cast("Rows", np.concatenate(parts))
    parts.clear()
    left_out[GAPS] += int(np.count_nonzero((rows["kind"] & KIND_MASK) == GAP))
    return rows


def _decoded(
    path: Path, instruments: Sequence[Instrument], counts: Counter[str]
) -> Iterator[tuple[int, Rows]]:
    """Frame by frame."""
    decoder = FrameDecoder(instruments)
    symbols = {instrument.symbol for instrument in instruments}
    latest: dict[str, int] = {}
    for number, raw in frames(path, counts):
        try:
            head = _head.decode(raw)
            found = decoder.decode(raw)
        except (ValueError, ArithmeticError, RecursionError) as error:
            raise InputError(f"{path}, line {number}: not a V5 frame: {error}") from None
        if head.ts >= _LATEST_MS:
            raise InputError(f"{path}, line {number}: not a V5 frame: not a time")
        if head.ts < latest.get(head.topic, 0):
            back = (latest[head.topic] - head.ts) / 1000
            raise InputError(
                f"{path}, line {number}: {head.topic} goes back in time by {back:g} s: sort the file by time"
            )
        latest[head.topic] = head.ts
        if found is None:
            counts[_reason(head.topic, symbols)] += 1
            continue
        yield found
    counts.update(decoder.left_out)


def _reason(topic: str, symbols: set[str]) -> str:
    kind, _, symbol = topic.partition(".")[0], *topic.rpartition(".")[1:]
    if not topic:
        return NO_DATA
    if kind not in _TOPICS:
        return OTHER_TOPICS
    if symbol not in symbols:
        return OTHER_SYMBOLS
    return UNKNOWN_BOOK if kind == "orderbook" else NOTHING_NEW
