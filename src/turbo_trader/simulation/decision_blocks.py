"""The numbers of scans as the digest of decisions takes them: a block of eight-byte numbers a scan."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import inlined, kernel

_MINUS_ZERO: Final = np.uint64(1 << 63)
_ZERO: Final = np.uint64(0)


class Columns:
    """Where whole numbers and numbers of eight bytes with a fraction lie in a record."""

    def __init__(self, whole: list[tuple[np.dtype[Any], int]], real: list[int]) -> None:
        """Each whole number's type; the place of each number's first byte."""
        self._whole = len(whole)
        places = [(place, kind.itemsize, kind.kind == "i") for kind, place in whole]
        self._places = np.array([*places, *((place, 8, True) for place in real)], np.uint64)

    def blocks(self, records: NDArray[Any], count: int) -> NDArray[np.uint64]:
        """A line for each `count` records: the whole numbers of them all as int64, then the others as float64. Zero has no sign."""
        lines = np.ascontiguousarray(records).view(np.uint8).reshape(len(records), -1)
        out = np.empty((len(records) // count, count * len(self._places)), np.uint64)
        lay_out(lines, count, self._places, self._whole, out)
        return out


@kernel
def lay_out(
    lines: NDArray[np.uint8], count: int, places: NDArray[np.uint64], whole: int, out: NDArray[np.uint64]
) -> None:
    """Write out[k], the block of scan k. `places`: place, size, has it a sign; the first `whole` are of whole numbers."""
    for scan in range(len(out)):
        for column in range(len(places)):
            place, size, signed = places[column, 0], places[column, 1], places[column, 2]
            of_whole = column < whole
            width = whole if of_whole else len(places) - whole
            at = column if of_whole else (count - 1) * whole + column
            for row in range(scan * count, (scan + 1) * count):
                out[scan, at] = (
                    _whole(lines[row], place, size, signed) if of_whole else _real(lines[row], place)
                )
                at += width


@kernel
def _whole(line: NDArray[np.uint8], place: np.uint64, size: np.uint64, signed: np.uint64) -> np.uint64:
    if size == 8:
        return _bits(line, place, 8)
    bits = _bits(line, place, size)
    if signed and bits >> (8 * size - 1):
        bits |= ~_ZERO << (8 * size)
    return bits


@kernel
def _real(line: NDArray[np.uint8], place: np.uint64) -> np.uint64:
    bits = _bits(line, place, 8)
    return _ZERO if bits == _MINUS_ZERO else bits


@inlined
def _bits(line: NDArray[np.uint8], place: np.uint64, size: Any) -> np.uint64:
    """`size` bytes, the lowest first."""
    bits = _ZERO
    for byte in range(size):
        bits |= np.uint64(line[place + np.uint64(byte)]) << np.uint64(8 * byte)
    return bits
