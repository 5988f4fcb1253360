"""Book levels out of JSON text: the kernel reads what a JSON reader and `float` read, and refuses the rest."""

from __future__ import annotations

import json
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from turbo_trader.market.json_text import BAD, ROOM
from turbo_trader.market.levels import SHORTEST, read_book
from turbo_trader.market.rows import FIRST, LAST, LEVEL, ROW, SNAPSHOT, WHOLE, Rows

TS, PER_TICK, PER_LOT = 1_700_000_000_123_000_000, 10.0, 1000.0


def read(bids: bytes, asks: bytes, *, snapshot: bool = False) -> Rows | None:
    """The rows of both texts; None for what is refused."""
    text = np.frombuffer(
        bytearray(bids + asks + b"[" + bytes(ROOM)), np.uint8
    )  # what stands behind must not be read
    rows = cast("Rows", np.zeros((len(bids) + len(asks)) // SHORTEST + 1, ROW))
    count = read_book(text, len(bids), len(asks), snapshot, TS, PER_TICK, PER_LOT, rows)
    return None if count == BAD else rows[:count]


def by_hand(side: int, levels: list[list[str]]) -> list[tuple[Any, ...]]:
    return [
        (TS, round(float(size) * PER_LOT), round(float(price) * PER_TICK), LEVEL, side, 0)
        for price, size in levels
    ]


def decimals(most: int) -> st.SearchStrategy[str]:
    """Plain decimals with at most `most` digits before the point."""
    whole = st.integers(0, 10**most - 1).map(str)
    fraction = st.text("0123456789", max_size=15 - most)
    return st.builds(lambda a, b: f"{a}.{b}" if b else a, whole, fraction)


LEVELS = st.lists(st.tuples(decimals(7), decimals(9)).map(list), max_size=8)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": ")])


@given(LEVELS, LEVELS, SEPARATORS, st.booleans())
@example([], [], (",", ":"), True)
@example([["9999999.99999999", "0"]], [["0.1", "0.001"]], (",", ":"), False)
def test_levels_are_what_json_and_float_make_of_them(
    bids: list[list[str]], asks: list[list[str]], separators: tuple[str, str], snapshot: bool
) -> None:
    texts = [json.dumps(side, separators=separators).encode() for side in (bids, asks)]
    rows = read(*texts, snapshot=snapshot)
    assert rows is not None
    expected = [(TS, 0, 0, SNAPSHOT, 0, 0)] if snapshot else []
    expected += by_hand(1, bids) + by_hand(-1, asks)
    assert [(*row.tolist()[:3], int(row["kind"]) & ~WHOLE, *row.tolist()[4:]) for row in rows] == expected
    marks = [int(kind) & WHOLE for kind in rows["kind"]]
    firsts, lasts = [mark & FIRST for mark in marks], [mark & LAST for mark in marks]
    assert firsts == ([FIRST] + [0] * (len(rows) - 1) if len(rows) else [])
    assert lasts == ([0] * (len(rows) - 1) + [LAST] if len(rows) else [])


@pytest.mark.parametrize(
    "text",
    [
        b"", b"[", b"]", b"{}", b"null", b"[]]", b"[[]]", b"[,]", b'[["1"]]', b'[["1","2","3"]]', b'[["1","2"],]', b'[["1","2"]',
        b'[["1","2"] ["1","2"]]', b"[[1,2]]", b'[["","2"]]', b'[[".","2"]]', b'[["1.2.3","2"]]', b'[["-1","2"]]', b'[["1e3","2"]]',
        b'[["NaN","2"]]', b'[["inf","2"]]', b'[["1","2',  b'[["1","2"]]x', b'[["1234567890123456789","1"]]', b'[["300000000","1"]]',
        b'[["1","5000000000000000"]]',
    ],
)  # fmt: skip
def test_anything_else_is_refused(text: bytes) -> None:
    assert read(text, b"[]") is None
    assert read(b"[]", text) is None


@given(st.binary(max_size=60), st.booleans())
def test_no_text_makes_it_read_or_write_out_of_bounds(noise: bytes, before: bool) -> None:
    level = b'[["1","2"]]'
    rows = read(noise, level) if before else read(level, noise)
    if rows is not None:
        assert json.loads(noise) == [] or all(len(pair) == 2 for pair in json.loads(noise))


def test_compiled_and_plain_python_read_alike() -> None:
    plain = getattr(read_book, "py_func", read_book)
    text = b'[["100.5", "1.25"],["7","0.000"]]'
    for given_text in (text, b'[["100.5"]]'):
        buffer = np.frombuffer(bytearray(given_text + b"[]" + bytes(ROOM)), np.uint8)
        found = []
        for function in (read_book, plain):
            rows = cast("Rows", np.zeros(8, ROW))
            found.append(
                (function(buffer, len(given_text), 2, True, TS, PER_TICK, PER_LOT, rows), rows.tobytes())
            )
        assert found[0] == found[1]
