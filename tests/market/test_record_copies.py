"""Copies of records as bytes are copies of the records."""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.record_copies import copied, copy_into, joined
from turbo_trader.market.rows import ROW, Rows


def made(ts: list[int]) -> Rows:
    rows = cast("Rows", np.zeros(len(ts), ROW))
    rows["ts"], rows["price"] = ts, [7 * each for each in ts]
    return rows


def test_copy_does_not_follow_its_source() -> None:
    rows = made([1, 2, 3])
    copy = copied(rows)
    assert copy.dtype == ROW
    rows["ts"] = 0
    assert copy["ts"].tolist() == [1, 2, 3]
    assert copy["price"].tolist() == [7, 14, 21]


def test_rows_are_written_over_others() -> None:
    target = made([1, 2])
    copy_into(target, made([5, 6]))
    assert target.tolist() == made([5, 6]).tolist()


def test_parts_are_joined_in_order() -> None:
    parts = [made([1, 2]), made([]), made([3])]
    found = joined(parts)
    assert found.dtype == ROW
    assert found.tolist() == np.concatenate(parts).tolist()


def test_only_part_is_taken_as_it_is_unless_it_cannot_be_written_to() -> None:
    rows = made([1, 2])
    assert joined([rows]) is rows
    rows.flags.writeable = False
    found = joined([rows])
    assert found.flags.writeable
    assert found.tolist() == rows.tolist()
