"""The file format of a recording: segments of framed blocks, appended and never changed.

A segment is a head of eight bytes, the last of which is the format's version, and blocks. A block is its length and its CRC-32
(four bytes each) and a msgpack body: first what the life began with, then steps. A process that dies while it writes leaves a block
that is not whole; it is recognised by its length or its checksum, and what is before it counts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Any, BinaryIO, Final, TypeAlias

import msgspec
import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import ROW

FOLDER: Final = "recording"  # of a journal's folder
SUFFIX: Final = ".rec"
VERSION: Final = 1
HEAD: Final = b"TTREC\x00\x00" + bytes([VERSION])
_FRAME: Final = struct.Struct("<II")  # length, CRC-32
_LEVEL: Final = 1  # of zlib: the fastest
_LONGEST: Final = 1 << 30


class Record(IntEnum):
    """The first byte of each record of a step. A step begins with its event; its commands follow, or why the Trader failed.
    Before the rows of an event stand the frames they were read from, and the decoders that read them."""

    ROWS = 1  # the event is market rows
    CLOCK = 2  # it is a time
    EVENT = 3  # it is any other
    COMMAND = 4
    ERROR = 5
    DECODER = 6
    FRAME = 7


ROWS_RECORD: Final = struct.Struct("<BqHIB")  # kind, ts, symbol, rows, 1: they are those of the frame before
CLOCK_RECORD: Final = struct.Struct("<Bq")  # kind, ts
PACKED_RECORD: Final = struct.Struct("<BI")  # kind, length of what follows
FRAME_RECORD: Final = struct.Struct("<BHI")  # kind, decoder, length of the frame


class Code(msgspec.Struct, frozen=True):
    """What decided: the program's version, a hash of the sources that decide, and what its figures may hang on besides."""

    version: str
    sources: str
    python: str
    numpy: str
    machine: str


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """What one start of the Trader was made of, and which segment of it this is. `first`: the step that follows."""

    boot: str
    segment: int
    first: int
    start_ts: int
    full: bool  # raw frames are recorded too
    policy: dict[str, str]  # every number, as `Policy.from_env` reads it
    instruments: tuple[Instrument, ...]
    code: Code
    scan: list[Any]  # fields of a scan's rows (layouts.described)
    restored: bytes | None  # packed; of a first segment alone
    outcomes: bytes  # rows of OUTCOME, with `restored`
    outcome: list[Any]  # their fields


class Steps(msgspec.Struct, frozen=True, tag="steps"):
    """Consecutive steps from the number `first` on: records, and apart from them, for they pack better so, rows and raw frames."""

    first: int
    count: int
    records: bytes
    rows: bytes
    frames: bytes

    @property
    def size(self) -> int:
        """Bytes, as they are in memory."""
        return len(self.records) + len(self.rows) + len(self.frames)


class End(msgspec.Struct, frozen=True, tag="end"):
    """The life has ended, after `first` steps. A life without it was killed, or still runs."""

    first: int


Block: TypeAlias = Begin | Steps | End


@dataclass(slots=True)
class Torn:
    """Where and why the reading of a segment ended before the file did; "" where it did not."""

    why: str = ""
    at: int = 0  # byte of the file
    tail: bool = True  # nothing follows it: a process died there while it wrote


def framed(block: Block) -> bytes:
    """A block as it is appended."""
    if isinstance(block, Steps):
        rows = zlib.compress(_shuffled(block.rows), _LEVEL)
        records, frames = (zlib.compress(part, _LEVEL) for part in (block.records, block.frames))
        block = Steps(block.first, block.count, records, rows, frames)
    body = msgspec.msgpack.encode(block)
    return _FRAME.pack(len(body), zlib.crc32(body)) + body


def read_blocks(path: Path, torn: Torn) -> Iterator[Block]:
    """The blocks of a segment as far as they are whole. InputError where it cannot be read or is not a segment of this version."""
    try:
        with path.open("rb") as file:
            _check_head(path, file.read(len(HEAD)), torn)
            torn.at = len(HEAD)
            while not torn.why and (body := _next_body(file, torn)) is not None:
                yield _read(path, body)
                torn.at += _FRAME.size + len(body)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None


def _next_body(file: BinaryIO, torn: Torn) -> bytes | None:
    """The body of the next block; None at the end of the file, and where the block is not whole: `torn` says why."""
    frame = file.read(_FRAME.size)
    if not frame:
        return None
    length, checksum = _FRAME.unpack(frame) if len(frame) == _FRAME.size else (_LONGEST + 1, 0)
    body = file.read(length) if length <= _LONGEST else b""
    if len(body) < length:
        torn.why = "its last block is not whole"
    elif zlib.crc32(body) != checksum:
        torn.why, torn.tail = "a block does not match its checksum", not file.read(1)
    return None if torn.why else body


def segments(folder: Path) -> list[Path]:
    """The segments of a recording's folder in the order they were begun; [] where there is none. OSError where it is closed."""
    try:
        return sorted(path for path in folder.iterdir() if path.name.endswith(SUFFIX))
    except (FileNotFoundError, NotADirectoryError):
        return []


def _check_head(path: Path, head: bytes, torn: Torn) -> None:
    if len(head) < len(HEAD) and HEAD.startswith(head):
        torn.why = "nothing of it was written"
    elif head[:-1] != HEAD[:-1]:
        raise InputError(f"{path}: not a recording of decisions")
    elif head != HEAD:
        raise InputError(f"{path}: recorded in format {head[-1]}; this version reads format {VERSION}")


def _read(path: Path, body: bytes) -> Block:
    try:
        block: Block = _decoder.decode(body)
        if not isinstance(block, Steps):
            return block
        records, frames = zlib.decompress(block.records), zlib.decompress(block.frames)
        return Steps(block.first, block.count, records, _in_order(zlib.decompress(block.rows)), frames)
    except (msgspec.DecodeError, zlib.error, ValueError) as error:
        raise InputError(f"{path}: a block that this version cannot read: {error}") from None


def _shuffled(rows: bytes) -> bytes:
    """Rows field by field and byte by byte, times as differences: a fifth of the size once packed."""
    table = np.frombuffer(rows, ROW)
    planes = []
    for name in ROW.names or ():
        column = np.ascontiguousarray(table[name])
        if name == "ts":
            column = np.diff(column, prepend=column.dtype.type(0))
        planes.append(column.view(np.uint8).reshape(len(table), column.itemsize).T.tobytes())
    return b"".join(planes)


def _in_order(planes: bytes) -> bytes:
    """The rows that `_shuffled` made `planes` of."""
    count, at = len(planes) // ROW.itemsize, 0
    table = np.zeros(count, ROW)
    for name in ROW.names or ():
        kind = ROW[name]
        size = kind.itemsize * count
        column = np.frombuffer(planes, np.uint8, size, at).reshape(kind.itemsize, count)
        values = np.ascontiguousarray(column.T).view(kind).reshape(count)
        table[name] = np.cumsum(values) if name == "ts" else values
        at += size
    return table.tobytes()


_decoder = msgspec.msgpack.Decoder[Any](Begin | Steps | End)
