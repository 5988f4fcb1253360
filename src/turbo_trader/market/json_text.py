"""Kernels that read plain JSON from bytes: each takes a place in the text and gives what it read and the place behind it, or BAD.

Spaces may stand where JSON has them. They read up to the end of `text`, however short the document in it is: whoever calls looks
whether it ended where it must. A place that is BAD stays BAD, so that calls can be chained.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel

Text: TypeAlias = NDArray[np.uint8]

BAD: Final = -1  # no such text
MOST_DIGITS: Final = 15  # of a whole number, and of a decimal whose float is the nearest one
OPEN, CLOSE, BEGIN, END, COMMA, COLON, POINT = (ord(c) for c in "[]{},:.")
ZERO, NINE, QUOTE = (ord(c) for c in '09"')

_SPACE, _ESCAPE, _LAST_ASCII = (ord(c) for c in " \\~")
_TRUE, _FALSE = np.frombuffer(b"true", np.uint8), np.frombuffer(b"false", np.uint8)
_POWERS = np.array([10.0**n for n in range(19)])
_DIGITS = 18  # of a decimal: its mantissa stays below 2**63


def packed(text: str) -> int:
    """At most eight ASCII characters as one number, as `short_text` reads them."""
    return int.from_bytes(text.encode(), "little")


@kernel
def expect(text: Text, i: int, byte: int) -> int:
    """The place after `byte`, which must come next but for spaces; BAD where it does not, or where `i` is BAD."""
    if i == BAD:
        return BAD
    while i < len(text):
        if text[i] == byte:
            return i + 1
        if text[i] != _SPACE:
            break
        i += 1
    return BAD


@kernel
def read_number(text: Text, i: int) -> tuple[float, int]:
    """A decimal in quotes and the place after it (BAD for anything else)."""
    i = expect(text, i, QUOTE)
    if i == BAD:
        return 0.0, BAD
    first = i
    point = -1  # where it is; -1: it has not come
    mantissa = np.int64(0)
    while i < len(text):
        c = text[i]
        if ZERO <= c <= NINE:
            mantissa = mantissa * 10 + (np.int64(c) - ZERO)
        elif c == POINT and point < 0:
            point = i
        else:
            break
        i += 1
    digits = i - first - (point >= 0)
    if i == len(text) or text[i] != QUOTE or digits < 1 or digits > _DIGITS:
        return 0.0, BAD
    return mantissa / _POWERS[i - point - 1 if point >= 0 else 0], i + 1


@kernel
def after(text: Text, i: int, expected: Text) -> int:
    """The place behind `expected`, which must stand at `i`; BAD where it does not."""
    if i == BAD or i + len(expected) > len(text):
        return BAD
    for j in range(len(expected)):
        if text[i + j] != expected[j]:
            return BAD
    return i + len(expected)


@kernel
def string(text: Text, i: int) -> tuple[int, int]:
    """(first character, place behind the quote) of a text of plain ASCII."""
    i = expect(text, i, QUOTE)
    start = i
    while i != BAD:
        if i == len(text) or not _SPACE <= text[i] <= _LAST_ASCII or text[i] == _ESCAPE:
            return start, BAD
        if text[i] == QUOTE:
            return start, i + 1
        i += 1
    return start, BAD


@kernel
def eight_of(text: Text, i: int) -> tuple[int, int]:
    """(packed, place behind) of the next eight characters of a text of plain ASCII, or fewer where it ends before."""
    packed: Any = np.int64(0)
    for j in range(8):
        if i == BAD or i == len(text):
            break
        c = text[i]
        if c in (QUOTE, _ESCAPE) or not _SPACE <= c <= _LAST_ASCII:
            break
        packed |= np.int64(c) << np.int64(8 * j)
        i += 1
    return packed, i


@kernel
def short_text(text: Text, i: int) -> tuple[int, int]:
    """(packed, place behind) of a text of at most eight characters."""
    packed, i = eight_of(text, expect(text, i, QUOTE))
    ended = i != BAD and i < len(text) and text[i] == QUOTE
    return packed, i + 1 if ended else BAD


@kernel
def whole(text: Text, i: int) -> tuple[int, int]:
    """(value, place behind) of a whole number, not negative, as JSON writes it."""
    while i != BAD and i < len(text) and text[i] == _SPACE:
        i += 1
    start = i
    value: Any = np.int64(0)
    while i != BAD and i < len(text) and ZERO <= text[i] <= NINE and i - start <= MOST_DIGITS:
        value = value * 10 + (np.int64(text[i]) - ZERO)
        i += 1
    digits = i - start
    if i == BAD or not 1 <= digits <= MOST_DIGITS or (digits > 1 and text[start] == ZERO):
        return value, BAD
    return value, i


@kernel
def flag(text: Text, i: int) -> tuple[bool, int]:
    """(value, place behind) of true or false."""
    while i != BAD and i < len(text) and text[i] == _SPACE:
        i += 1
    end = after(text, i, _TRUE)
    return (True, end) if end != BAD else (False, after(text, i, _FALSE))


@kernel
def goes_on(text: Text, i: int, close: int) -> tuple[bool, int]:
    """(does a comma follow, place behind it or behind the closing bracket)."""
    comma = expect(text, i, COMMA)
    return (True, comma) if comma != BAD else (False, expect(text, i, close))
