"""A file system's errors as one line: what is wrong is named, not what happens to be there."""

import sqlite3
from pathlib import Path

import pytest

from turbo_trader.journal.connection import open_file
from turbo_trader.journal.journal_errors import UnsoundJournal, explained, readable_values


def test_a_folder_is_blamed_only_where_it_is_in_the_way(tmp_path: Path) -> None:
    assert "a folder is in its place" in str(explained(tmp_path, IsADirectoryError(21, "Is a directory")))
    with pytest.raises(sqlite3.Error) as refused:
        open_file(tmp_path)
    assert "a folder is in its place" in str(explained(tmp_path, refused.value))
    full = str(explained(tmp_path, OSError(28, "No space left on device")))
    assert "No space left on device; make room or mend the disk" in full
    assert "folder is in its place" not in full


def test_a_value_that_cannot_be_read_takes_a_line_however_long_it_is(tmp_path: Path) -> None:
    with pytest.raises(UnsoundJournal) as refused, readable_values(tmp_path):
        raise ValueError("x" * 500 + "\nand more")
    text = str(refused.value)
    assert text.count("x" * 120) == 1
    assert "x" * 121 not in text
    assert "\n" not in text
