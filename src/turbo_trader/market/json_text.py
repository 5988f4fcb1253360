"""Kernels that read plain JSON from bytes: each takes a place in the text and gives what it read and the place behind it, or BAD.

Spaces may stand where JSON has them. Eight bytes are looked at in one step, so ROOM must follow every document: a text that ends
sooner is BAD. They read up to the end of `text`, however short the document in it is: whoever calls looks whether it
ended where it must. A place that is BAD stays BAD, so that calls can be chained.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.compiled import kernel

Text: TypeAlias = NDArray[np.uint8]

BAD: Final = -1  # no such text
ROOM: Final = 8  # bytes behind a document
MOST_DIGITS: Final = 15  # of a whole number, and of a decimal whose float is the nearest one
OPEN, CLOSE, BEGIN, END, COMMA, COLON, POINT = (ord(c) for c in "[]{},:.")
ZERO, NINE, QUOTE = (ord(c) for c in '09"')

_SPACE = ord(" ")
_POWERS = np.array([10.0**n for n in range(19)])
_TENTHS = np.array([10.0**-n for n in range(19)])
_NEAR = 0.1
_TENS = np.array([10**n for n in range(19)])
_DIGITS = 18  # of a decimal: its mantissa stays below 2**63


def _each(byte: int) -> np.uint64:
    """Eight times this byte."""
    return np.uint64(int.from_bytes(bytes([byte] * 8), "little"))


_ONE, _LOWEST, _HIGHEST, _BELOW_HIGHEST = np.uint64(1), _each(0x01), _each(0x80), _each(0x7F)
_QUOTES, _ESCAPES, _PRINTED, _DELETED = _each(QUOTE), _each(ord("\\")), _each(0xE0), _each(0x7F)
_ZEROS, _NO_DIGIT = _each(ZERO), _each(0x80 - 10)
_8, _16, _24, _32, _40, _48, _56, _64 = map(np.uint64, range(8, 65, 8))
_2, _3, _4, _5, _6, _7 = map(np.uint64, range(2, 8))
_10, _100, _10000, _COUNT = (np.uint64(each) for each in (10, 100, 10_000, 15))
_PAIRS, _FOURS, _EIGHT = (np.uint64(each) for each in (0x00FF00FF00FF00FF, 0x0000FFFF0000FFFF, 0xFFFFFFFF))


Fixed: TypeAlias = tuple[np.uint64, np.uint64, int]


def fixed(text: str) -> Fixed:
    """At most eight ASCII characters, as `stands` looks for them: which of eight bytes count, what they are, how many."""
    count = len(text)
    return np.uint64(256**count - 1), np.uint64(int.from_bytes(text.encode(), "little")), count


_TRUE, _FALSE = fixed("true"), fixed("false")


@kernel
def eight_bytes(text: Text, i: int) -> Any:
    """The eight bytes at `i`, the first the lowest. LLVM makes one load of it; an index without a sign needs no look at its end."""
    j = np.uint64(i)
    low = np.uint64(text[j]) | np.uint64(text[j + _ONE]) << _8 | np.uint64(text[j + _2]) << _16
    low |= np.uint64(text[j + _3]) << _24 | np.uint64(text[j + _4]) << _32 | np.uint64(text[j + _5]) << _40
    return low | np.uint64(text[j + _6]) << _48 | np.uint64(text[j + _7]) << _56


@kernel
def stands(each: Any, text: Fixed) -> bool:
    """Do the eight bytes `each` begin with this text?"""
    return bool(each & text[0] == text[1])


@kernel
def _zeros(each: Any) -> Any:
    """The highest bit of each byte that is 0. Nothing is carried from byte to byte."""
    return ~(((each & _BELOW_HIGHEST) + _BELOW_HIGHEST) | each | _BELOW_HIGHEST)


@kernel
def _before(marks: Any) -> Any:
    """How many bytes lie before the first one whose highest bit is set, of which there must be one."""
    below = ((marks & (~marks + _ONE)) - _ONE) & _LOWEST  # a 1 in each of them, and in that one
    below += below >> _32
    below += below >> _16
    below += below >> _8
    return np.int64(below & _COUNT) - 1


@kernel
def _other(each: Any) -> Any:
    """The highest bit of each byte that is no plain character of a text: a quote, an escape, not printed, not ASCII."""
    other = (
        _zeros(each ^ _QUOTES) | _zeros(each ^ _ESCAPES) | _zeros(each & _PRINTED) | _zeros(each ^ _DELETED)
    )
    return other | (each & _HIGHEST)


@kernel
def _value(digits: Any) -> Any:
    """Of eight digits, each a byte below 10, the first the lowest byte."""
    pairs = (digits * _10 + (digits >> _8)) & _PAIRS
    fours = (pairs * _100 + (pairs >> _16)) & _FOURS
    return np.int64((fours * _10000 + (fours >> _32)) & _EIGHT)


@kernel
def _digits(text: Text, i: int) -> tuple[int, int]:
    """(value, place behind) of the digits at `i`, of which there may be none; of more than _DIGITS the value is not theirs."""
    value: Any = np.int64(0)
    while i + ROOM <= len(text):
        each = eight_bytes(text, i) ^ _ZEROS
        other = (((each & _BELOW_HIGHEST) + _NO_DIGIT) | each) & _HIGHEST
        if other:
            count = _before(other)
            if count > 0:  # they become the highest bytes, zeros before them
                value = value * _TENS[count] + _value(each << (_64 - np.uint64(8 * count)))
            return value, i + count
        value = value * 100_000_000 + _value(each)
        i += 8
    return value, i


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
def read_number(text: Text, i: int) -> tuple[int, int, int]:
    """(digits as a whole number, how many of them are decimals, place behind) of a decimal in quotes."""
    i = expect(text, i, QUOTE)
    if i == BAD:
        return 0, 0, BAD
    mantissa, end = _digits(text, i)
    digits, places = end - i, 0
    if end < len(text) and text[end] == POINT:
        fraction, behind = _digits(text, end + 1)
        places = behind - end - 1
        digits += places
        end = behind
        if digits <= _DIGITS:
            mantissa = mantissa * _TENS[places] + fraction
    if end >= len(text) or text[end] != QUOTE or not 1 <= digits <= _DIGITS:
        return 0, 0, BAD
    return mantissa, places, end + 1


@kernel
def in_units(mantissa: int, places: int, per_unit: float, most: int) -> int:
    """round(mantissa / 10**places * per_unit); BAD above `most`.

    A division takes as long as all the rest. Two products come within 1e-15 of it: near a whole number that makes no difference.
    """
    found = mantissa * _TENTHS[places] * per_unit
    if not abs(found - np.rint(found)) < _NEAR:
        found = mantissa / _POWERS[places] * per_unit
    return round(found) if found <= most else BAD


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
def string(text: Text, i: int) -> int:
    """The place behind a text of plain ASCII and its quotes."""
    i = expect(text, i, QUOTE)
    while i != BAD and i + ROOM <= len(text):
        other = _other(eight_bytes(text, i))
        if other:
            i += _before(other)
            return i + 1 if text[i] == QUOTE else BAD
        i += 8
    return BAD


@kernel
def eight_of(text: Text, i: int) -> tuple[Any, int]:
    """(packed, place behind) of the next eight characters of a text of plain ASCII, or fewer where it ends before."""
    if i == BAD or i + ROOM > len(text):
        return 0, BAD
    each = eight_bytes(text, i)
    other = _other(each)
    if not other:
        return np.int64(each), i + 8
    count = _before(other)
    return np.int64(each & ((_ONE << np.uint64(8 * count)) - _ONE)), i + count


@kernel
def ahead(text: Text, i: int) -> tuple[Any, int]:
    """(the next eight bytes but for spaces before them, their place)."""
    while i != BAD and i < len(text) and text[i] == _SPACE:
        i += 1
    if i == BAD or i + ROOM > len(text):
        return np.uint64(0), BAD
    return eight_bytes(text, i), i


@kernel
def whole(text: Text, i: int) -> tuple[int, int]:
    """(value, place behind) of a whole number, not negative, as JSON writes it."""
    while i != BAD and i < len(text) and text[i] == _SPACE:
        i += 1
    if i == BAD:
        return 0, BAD
    value, end = _digits(text, i)
    digits = end - i
    if not 1 <= digits <= MOST_DIGITS or (digits > 1 and text[i] == ZERO):
        return value, BAD
    return value, end


@kernel
def flag(text: Text, i: int) -> tuple[bool, int]:
    """(value, place behind) of true or false."""
    each, i = ahead(text, i)
    if stands(each, _TRUE):
        return True, i + 4
    return False, i + 5 if stands(each, _FALSE) else BAD


@kernel
def goes_on(text: Text, i: int, close: int) -> tuple[bool, int]:
    """(does a comma follow, place behind it or behind the closing bracket)."""
    comma = expect(text, i, COMMA)
    return (True, comma) if comma != BAD else (False, expect(text, i, close))
