"""Copies of records as bytes are copies of the records."""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.record_copies import copied, copy_into, joined, laid_together
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


def test_slices_that_lie_one_after_the_other_are_joined_without_a_copy() -> None:
    rows = made([1, 2, 3, 4, 5])
    found = joined([rows[:2], rows[2:2], rows[2:4]])
    assert np.shares_memory(found, rows)
    assert found.tolist() == rows[:4].tolist()
    assert found.dtype == ROW


def test_slices_with_a_hole_between_or_in_another_order_are_copied() -> None:
    rows = made([1, 2, 3, 4, 5])
    for parts in ([rows[:2], rows[3:]], [rows[2:], rows[:2]], [rows[:2], made([3])]):
        found = joined(parts)
        assert not np.shares_memory(found, rows)
        assert found.tolist() == np.concatenate(parts).tolist()


def test_parts_laid_together_are_the_same_and_need_no_copy_to_be_joined() -> None:
    parts = [made([1, 2]), made([]), made([3])]
    found = laid_together(parts)
    assert [part.tolist() for part in found] == [part.tolist() for part in parts]
    assert np.shares_memory(joined(found), found[0])
