"""Which folder a verb reads: the latest run's, the one given, and never a typing error taken for an empty journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from turbo_trader.console.folders import journal_folder, new_run_folder
from turbo_trader.market.errors import InputError


def test_the_latest_run_below_the_folder_given_is_read(tmp_path: Path) -> None:
    assert journal_folder(tmp_path) == tmp_path
    made = new_run_folder(tmp_path, "paper")
    assert journal_folder(tmp_path) == made


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        journal_folder(tmp_path / "typo")
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="no such folder"):
        journal_folder(tmp_path / "file")


def test_before_the_first_run_the_default_need_not_be_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("JOURNAL_DIR", raising=False)
    assert journal_folder(None) == Path("var")
