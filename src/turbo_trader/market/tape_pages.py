"""The pages of a mapped tape: given back where a cursor has left them behind, so that memory does not grow with the tape."""

from __future__ import annotations

import mmap
from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from turbo_trader.market.rows import Rows

_MANY: Final = 2**16  # rows that are given back at once


def give_back(rows: Rows) -> None:
    """The memory of these rows of a file may be used for something else; read again, they come from the file.

    Nothing is done for rows that are not of a file. Changes made to rows of a file are lost.
    """
    mapped = _mapping(rows)
    if mapped is None:
        return
    first = rows.ctypes.data - np.frombuffer(mapped, np.uint8).ctypes.data
    begin = -(-first // mmap.PAGESIZE) * mmap.PAGESIZE
    length = (first + rows.nbytes) // mmap.PAGESIZE * mmap.PAGESIZE - begin
    if length > 0 and hasattr(mmap, "MADV_DONTNEED"):
        mapped.madvise(mmap.MADV_DONTNEED, begin, length)


def _mapping(rows: Rows) -> mmap.mmap | None:
    """The file's mapping that these rows are a part of."""
    owner: Any = rows
    while owner is not None and not isinstance(owner, mmap.mmap):
        owner = owner.obj if isinstance(owner, memoryview) else getattr(owner, "base", None)
    return owner


class Behind:
    """What cursors have left behind, a cursor for each symbol's rows."""

    def __init__(self, count: int) -> None:
        self._given = [0] * count  # rows before are given back

    def at(self, rows: Sequence[Rows], cursors: Sequence[int]) -> None:
        """The cursors are at these rows."""
        for s, (given, now) in enumerate(zip(self._given, cursors, strict=True)):
            if not 0 <= now - given < _MANY:  # a cursor may be put back
                give_back(rows[s][given:now])
                self._given[s] = now
