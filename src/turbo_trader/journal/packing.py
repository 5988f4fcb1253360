"""Lossless packing of the journal's values: many scans in one value, and the JSON of events."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

import numpy as np

TOGETHER: Final = 20  # scans in one packed value
_FILTERS: Final = [{"id": lzma.FILTER_LZMA2, "preset": 1}]
_SHORT: Final = 60  # bytes: shorter JSON stays as it is
_NEWEST: Final = 1  # the file of typical events that is written with


def pack(times: Sequence[int], rows: Sequence[bytes], itemsize: int) -> bytes:
    """The records of several scans, with the time of each (ns). Bytes of one place lie side by side: they are alike."""
    places = np.frombuffer(b"".join(rows), np.uint8).reshape(-1, itemsize).T.tobytes()
    head = struct.pack(f"<I{len(times)}q", len(times), *times)
    return lzma.compress(head + places, lzma.FORMAT_RAW, filters=_FILTERS)


def unpack(value: bytes, itemsize: int) -> tuple[list[int], bytes]:
    """The times and the records of what `pack` made, scan after scan. ValueError for anything else."""
    try:
        whole = lzma.decompress(value, lzma.FORMAT_RAW, filters=_FILTERS)
        (count,) = struct.unpack_from("<I", whole)
        times = list(struct.unpack_from(f"<{count}q", whole, 4))
    except (lzma.LZMAError, struct.error) as error:
        raise ValueError(f"packed scans cannot be read: {error}") from None
    return times, np.frombuffer(whole[4 + 8 * count :], np.uint8).reshape(itemsize, -1).T.tobytes()


def shortened(text: bytes) -> bytes:
    """The JSON of an event, deflated against what events look like; a short one as it is."""
    if len(text) < _SHORT:
        return text
    deflate = zlib.compressobj(6, zlib.DEFLATED, -15, zdict=_typical(_NEWEST))
    return bytes([_NEWEST]) + deflate.compress(text) + deflate.flush()


def whole(value: bytes) -> bytes:
    """The JSON that `shortened` was given; JSON begins with a brace. ValueError for anything else."""
    if value[:1] == b"{":
        return value
    try:
        inflate = zlib.decompressobj(-15, zdict=_typical(value[0]))
        return inflate.decompress(value[1:]) + inflate.flush()
    except (zlib.error, OSError, IndexError) as error:
        raise ValueError(f"a deflated event cannot be read: {error}") from None


@cache
def _typical(number: int) -> bytes:
    """An event of each kind. A file that has been written with once never changes; new kinds get the next number."""
    return (Path(__file__).parent / "assets" / f"events-{number}.txt").read_bytes()
