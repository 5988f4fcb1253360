"""Which folder a run makes and a verb reads: what a refused start made is gone; the last run is the one that was started last."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from turbo_trader.bybit.endpoints import Mode
from turbo_trader.console.folders import last_journal, made_for, run_folder
from turbo_trader.journal.schema import FILE
from turbo_trader.live.registry import Kind, Registration, Registry
from turbo_trader.market.errors import InputError, Refused


@pytest.fixture
def registration(tmp_path: Path) -> Registration:
    return Registry(Kind.DAEMON).claim("live", tmp_path / "base" / "live")


def journal(folder: Path, started: int) -> Path:
    folder.mkdir(parents=True)
    (folder / FILE).write_text("")
    (folder / "lock").write_text("1")
    os.utime(folder / "lock", (started, started))
    return folder


def refused(
    registration: Registration, folder: Path, error: BaseException, *made: Path, listening: bool = False
) -> None:
    """A start that makes folders and is refused."""
    with made_for(registration, folder):
        assert stat.S_IMODE(folder.stat().st_mode) & 0o077 == 0
        for path in made:
            path.mkdir()
        if listening:
            registration.listen(4711, "token")
        raise error


def test_a_run_that_is_refused_takes_away_what_was_made_for_it(
    tmp_path: Path, registration: Registration
) -> None:
    folder = run_folder(tmp_path / "base", Mode.LIVE)
    for error in (InputError("wrong key"), Refused("may withdraw"), KeyboardInterrupt()):
        with pytest.raises(type(error)):
            refused(registration, folder, error, folder / "lease")
        assert not list(tmp_path.iterdir())


def test_a_journal_that_was_there_outlives_a_start_that_is_refused(
    tmp_path: Path, registration: Registration
) -> None:
    folder = journal(tmp_path / "base" / "live", 1)
    folder.chmod(0o700)
    with pytest.raises(Refused):
        refused(registration, folder, Refused("may withdraw"))
    assert (folder / FILE).exists()


def test_once_it_has_traded_nothing_is_taken_away(tmp_path: Path, registration: Registration) -> None:
    folder = tmp_path / "base" / "live"
    with pytest.raises(InputError):
        refused(registration, folder, InputError("late"), listening=True)
    assert folder.exists()


def test_folders_that_others_use_too_stay(tmp_path: Path, registration: Registration) -> None:
    folder = tmp_path / "base" / "live"
    with pytest.raises(InputError):
        refused(registration, folder, InputError("wrong key"), tmp_path / "base" / "other")
    assert [path.name for path in (tmp_path / "base").iterdir()] == ["other"]


def test_the_run_started_last_is_read_whatever_was_read_or_written_since(tmp_path: Path) -> None:
    old, new = journal(tmp_path / "paper-2", 1_000), journal(tmp_path / "paper-1", 2_000)
    os.utime(old / FILE, (9_000, 9_000))
    (tmp_path / "notes").mkdir()
    assert last_journal(tmp_path, Path("var")) == new
    assert last_journal(old, Path("var")) == old
    assert last_journal(None, tmp_path) == new


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        last_journal(tmp_path / "typo", Path("var"))
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no such folder"):
        last_journal(tmp_path / "file", Path("var"))


def test_before_the_first_run_the_default_need_not_be_there(tmp_path: Path) -> None:
    assert last_journal(None, tmp_path / "var") == tmp_path / "var"
