"""What is private, and what stays as its owner made it."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from tests.journal.test_marker import halted

from turbo_trader.journal.backup import backup
from turbo_trader.journal.export import write
from turbo_trader.journal.private_files import private_folder, private_opener
from turbo_trader.journal.schema import FILE


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder of the user's that others may enter."""
    folder = tmp_path / "shared"
    folder.mkdir()
    (folder / "notes").write_text("mine")
    folder.chmod(0o755)
    return folder


def test_a_folder_with_other_things_in_it_stays_as_it_is(shared: Path) -> None:
    private_folder(shared)
    assert mode(shared) == 0o755


@pytest.mark.parametrize("name", ["", FILE])
def test_an_empty_folder_and_a_journals_are_closed(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "journal"
    folder.mkdir()
    folder.chmod(0o755)
    if name:
        (folder / name).touch()
        (folder / "notes").touch()
    private_folder(folder)
    assert mode(folder) == 0o700


def test_a_new_folder_and_its_new_parents_are_private_and_the_old_ones_are_not(shared: Path) -> None:
    private_folder(shared / "one" / "two")
    assert [mode(each) for each in (shared / "one" / "two", shared / "one", shared)] == [0o700, 0o700, 0o755]


def test_a_backup_and_an_export_leave_the_folder_they_are_put_into_open(tmp_path: Path, shared: Path) -> None:
    halted(tmp_path / "journal")
    copy = backup(tmp_path / "journal", shared / "copy.sqlite")
    tables = write({"trades": []}, shared, "json")
    assert mode(shared) == 0o755
    assert {mode(copy), mode(tables["trades"])} == {0o600}


def test_what_is_no_file_keeps_its_rights(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    pipe.chmod(0o666)
    os.close(private_opener(str(pipe), os.O_RDONLY))
    assert mode(pipe) == 0o666


def test_a_folder_that_is_everybodys_is_not_closed(tmp_path: Path) -> None:
    folder = tmp_path / "tmp"
    folder.mkdir()
    folder.chmod(0o1777)
    private_folder(folder)
    assert mode(folder) == 0o1777
