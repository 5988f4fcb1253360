"""`turbo-trader journal`: each verb on a journal that is being written, and its exit codes."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journal.booked import NOW, BookedRun

from turbo_trader.console import exit_codes, main


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[BookedRun]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    run = BookedRun(tmp_path / "var" / "live")
    run.fill("1.25", "0.033")
    yield run
    with contextlib.suppress(sqlite3.ProgrammingError):  # a test has closed it
        run.journal.close(NOW, "test")


@pytest.fixture
def verb(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def ended(*given: str) -> tuple[int, Any]:
        monkeypatch.setattr("sys.argv", ["turbo-trader", "journal", *given])
        with pytest.raises(SystemExit) as end:
            main.main()
        out, err = capsys.readouterr()
        assert "Traceback" not in err
        return int(end.value.code or 0), json.loads(out) if "--json" in given and out else out + err

    return ended


def test_a_backup_goes_beside_the_journal_or_where_it_is_asked(
    run: BookedRun, verb: Any, tmp_path: Path
) -> None:
    code, found = verb("backup", "--json")
    assert code == exit_codes.OK
    copy = Path(found["backup"])
    assert (copy.parent.name, copy.name.startswith("live-")) == ("backups", True)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    code, _ = verb("backup", str(tmp_path / "mine.sqlite"))
    assert code == exit_codes.OK
    code, text = verb("backup", str(tmp_path / "mine.sqlite"))
    assert (code, "is there already" in text) == (exit_codes.USAGE, True)


def test_check_ends_with_0_where_the_books_add_up_and_1_where_not(run: BookedRun, verb: Any) -> None:
    code, found = verb("check", "--json")
    assert (code, found["ok"]) == (exit_codes.OK, True)
    run.fill("1", "0.1", noted=False)
    run.journal.close(NOW, "test")
    code, text = verb("check")
    assert (code, "WRONG books" in text) == (exit_codes.FAILED, True)
    code, found = verb("check", "--json")
    assert (code, found["ok"]) == (exit_codes.FAILED, False)


def test_check_of_nothing_is_a_usage_error(verb: Any, tmp_path: Path) -> None:
    code, text = verb("check", "--journal-dir", str(tmp_path))
    assert (code, "no journal here" in text) == (exit_codes.USAGE, True)


def test_export_names_its_files_and_their_rows(run: BookedRun, verb: Any, tmp_path: Path) -> None:
    code, found = verb("export", str(tmp_path / "out"), "--format", "json", "--json")
    assert code == exit_codes.OK
    assert found["files"]["fills"]["rows"] == 1
    assert Path(found["files"]["ledger"]["file"]).exists()
    code, text = verb("export", "--format", "xml")
    assert (code, "csv, json, parquet" in text) == (exit_codes.USAGE, True)


@pytest.mark.parametrize("place", ["/dev/null", "/proc/x", "taken"])
def test_an_export_that_cannot_be_written_names_its_folder_and_no_disk(
    run: BookedRun, verb: Any, tmp_path: Path, place: str
) -> None:
    (tmp_path / "taken" / "trades.csv").mkdir(parents=True)
    code, text = verb("export", place)
    assert code == exit_codes.USAGE
    assert text.startswith(f"turbo-trader: {place}: ")
    assert text.endswith("; name another folder\n")
    assert [each.name for each in (tmp_path / "taken").iterdir()] == ["trades.csv"]


def test_restore_puts_a_copy_back_once_nobody_writes(run: BookedRun, verb: Any, tmp_path: Path) -> None:
    copy = str(tmp_path / "copy #1 100%?.sqlite")  # what means something in an address
    assert verb("backup", copy)[0] == exit_codes.OK
    code, text = verb("restore", copy)
    assert (code, "in use by another instance" in text) == (exit_codes.USAGE, True)
    run.journal.close(NOW, "test")
    code, found = verb("restore", copy, "--json")
    assert (code, Path(found["before"]).exists()) == (exit_codes.OK, True)
    assert verb("check")[0] == exit_codes.OK


def test_a_folder_is_no_copy(run: BookedRun, verb: Any, tmp_path: Path) -> None:
    run.journal.close(NOW, "test")
    code, said = verb("restore", str(tmp_path))
    assert (code, f"{tmp_path}: a folder; name a copy" in " ".join(said.split())) == (exit_codes.USAGE, True)


def test_a_damaged_copy_is_named_as_the_copy_and_the_journal_is_as_it_was(
    run: BookedRun, verb: Any, tmp_path: Path
) -> None:
    run.journal.close(NOW, "test")
    folder = tmp_path / "var" / "live"
    before = (folder / "journal.sqlite").read_bytes()
    (tmp_path / "copy").write_text("no journal at all, but long enough to be one" * 100)
    code, said = verb("restore", str(tmp_path / "copy"), "--journal-dir", str(folder))
    assert code == exit_codes.REFUSED
    assert f"{tmp_path / 'copy'}: no whole copy of a journal; the journal is as it was" in " ".join(
        said.split()
    )
    assert (folder / "journal.sqlite").read_bytes() == before
