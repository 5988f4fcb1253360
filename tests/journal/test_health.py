"""A journal's health is seen without touching it."""

from __future__ import annotations

from pathlib import Path

import pytest

from turbo_trader.journal import health
from turbo_trader.journal.health import integrity, owner
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal


def test_no_journal_is_not_a_fault(tmp_path: Path) -> None:
    assert integrity(tmp_path / "absent") is None
    assert owner(tmp_path / "absent") == ""
    assert not (tmp_path / "absent").exists()


def test_a_sound_one_in_use_and_after(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ["BTCUSDT"])
    assert integrity(tmp_path) == ""
    assert owner(tmp_path).isdigit()
    journal.close(0, "end")
    assert (integrity(tmp_path), owner(tmp_path)) == ("", "")


def test_a_damaged_one_is_named(tmp_path: Path) -> None:
    Journal(tmp_path, ["BTCUSDT"]).close(0, "end")
    path = tmp_path / FILE
    data = bytearray(path.read_bytes())
    data[4096:12288] = b"\x5a" * 8192
    path.write_bytes(bytes(data))
    assert str(path) in (integrity(tmp_path) or "")
    path.write_bytes(b"not a database, by far not")
    assert "not a database" in (integrity(tmp_path) or "")


def test_a_folder_that_is_closed_counts_where_no_other_is_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("closed", "notes"):
        (tmp_path / name).mkdir()

    def started(folder: Path) -> int:
        if folder.name == "closed":
            raise PermissionError
        return 0

    monkeypatch.setattr(health, "_started", started)
    assert health.newest(tmp_path) == tmp_path / "closed"
