"""Recordings of raw V5 public frames: one JSON object a line, `{"t": "recv", "data": "<frame>"}` for what was received."""

from __future__ import annotations

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import cast

import msgspec
import numpy as np

from turbo_trader.market.errors import InputError
from turbo_trader.market.events import ROW, Rows
from turbo_trader.market.frames import FrameDecoder
from turbo_trader.market.instruments import Instrument


class _Line(msgspec.Struct):
    t: str = ""
    data: str = ""


_line = msgspec.json.Decoder(_Line)


def is_recording(path: Path) -> bool:
    """Is it one, by its name?"""
    return path.name.removesuffix(".gz").endswith(".jsonl")


def frames(path: Path) -> Iterator[tuple[int, bytes]]:
    """(line number, raw frame) of everything received; InputError names a line that is not of this format."""
    opener = gzip.open if path.suffix == ".gz" else open
    number = 0
    try:
        with opener(path, "rb") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                read = _line.decode(line)
                if read.t == "recv":
                    yield number, read.data.encode()
    except (OSError, EOFError) as error:
        raise InputError(f"{path}, line {number + 1}: cannot be read: {error}") from None
    except msgspec.DecodeError as error:
        raise InputError(f"{path}, line {number}: not a recorded frame: {error}") from None


def read_recording(path: Path, instruments: Sequence[Instrument]) -> tuple[Rows, ...]:
    """The rows of each instrument in a recording (none where it has none); InputError names a line that cannot be decoded."""
    decoder = FrameDecoder(instruments)
    parts: list[list[Rows]] = [[] for _ in instruments]
    for number, raw in frames(path):
        try:
            found = decoder.decode(raw)
        except ValueError as error:
            raise InputError(f"{path}, line {number}: not a V5 frame: {error}") from None
        if found is not None:
            parts[found[0]].append(found[1])
    empty = cast("Rows", np.zeros(0, ROW))
    return tuple(cast("Rows", np.concatenate(part)) if part else empty for part in parts)
