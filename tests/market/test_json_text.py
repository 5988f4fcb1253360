"""Eight bytes at once are what one byte after the other is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from turbo_trader.market.json_text import (
    BAD,
    MOST_DIGITS,
    ROOM,
    eight_of,
    fixed,
    in_units,
    read_number,
    string,
    whole,
)

DIGITS = st.text("0123456789", max_size=20)


def on(kernel: Callable[..., Any], text: str, behind: bytes = bytes(ROOM)) -> Any:
    return kernel(np.frombuffer(bytearray(text.encode() + behind), np.uint8), 0)


@given(DIGITS, st.sampled_from(",} x:/;\x7f\u00b0"))
@example("12345678", ",")
@example("1234567812345678", ",")
def test_a_whole_number_ends_with_its_digits(digits: str, behind: str) -> None:
    value, end = on(whole, digits + behind)
    good = 1 <= len(digits) <= MOST_DIGITS and (digits == "0" or digits[0] != "0")
    assert (end, value if good else 0) == ((len(digits), int(digits)) if good else (BAD, 0))


@given(DIGITS, st.sampled_from(["", "."]), DIGITS)
@example("12345678", ".", "12345678")
@example("", ".", "5")
def test_a_decimal_is_its_digits_and_how_many_of_them_are_behind_the_point(
    before: str, point: str, after: str
) -> None:
    digits = before + (after if point else "")
    text = f'"{before}{point}{after if point else ""}"'
    found = on(read_number, text)
    if 1 <= len(digits) <= 18:
        assert found == (int(digits), len(after) if point else 0, len(text))
    else:
        assert found[2] == BAD


@given(st.text(max_size=24), st.binary(max_size=12))
@example("\x7f", b"")
@example("\x1f1234567", b"")
@example("1234567\\", b"")
@example("12345678", b"")
def test_a_text_ends_with_its_quote_and_holds_plain_ascii(text: str, behind: bytes) -> None:
    plain = all(" " <= c <= "~" and c not in '"\\' for c in text)
    end = on(string, f'"{text}"', behind + bytes(ROOM))
    if plain:
        assert end == len(text) + 2
    elif '"' not in text:
        assert end == BAD


@given(st.text(max_size=12))
def test_eight_characters_or_those_before_the_first_odd_one(text: str) -> None:
    plain = next((n for n, c in enumerate(text) if not " " <= c <= "~" or c in '"\\'), len(text))
    length = min(8, plain)
    assert on(eight_of, text) == (
        int.from_bytes(text[:length].encode(), "little", signed=length == 8),
        length,
    )


@pytest.mark.parametrize("kernel", [whole, read_number, string, eight_of])
def test_no_text_is_read_beyond_its_end(kernel: Callable[..., Any]) -> None:
    for text in ("12345678", '"1234567', '"', "1"):
        found = on(kernel, text, b"")
        assert BAD <= (found[-1] if isinstance(found, tuple) else found) <= len(text)


@given(
    st.integers(0, 10**MOST_DIGITS - 1),
    st.integers(0, 10),
    st.sampled_from([0.5, 1.0, 2.0, 10.0, 100.0, 1e4, 1e6]),
)
@example(105, 2, 10.0)  # on the half between two units
@example(115, 2, 10.0)
@example(25, 1, 1.0)
def test_units_are_those_of_a_division(mantissa: int, places: int, per_unit: float) -> None:
    exact = mantissa / 10**places * per_unit
    most = 2**62
    assert in_units(mantissa, places, per_unit, most) == (round(exact) if exact <= most else BAD)


def test_a_fixed_text_is_at_most_eight_characters() -> None:
    assert fixed('"topic":')[2] == ROOM
    with pytest.raises(OverflowError):
        fixed('"symbol":')
