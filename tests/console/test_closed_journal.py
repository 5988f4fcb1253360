"""The journal of another user: `run` makes its folder private, so others may not look in. It is named, never taken for none."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from turbo_trader.console import main as console
from turbo_trader.journal.health import integrity, newest
from turbo_trader.journal.store import Journal
from turbo_trader.trader.commands import Note, Persist

NOBODY = 65_534
TRADE = {"symbol": "BTCUSDT", "id": "t1", "tier": "A", "direction": 1, "net": "1", "net_fraction": 0.01, "fees": "0.1",
         "reason": "stop", "seconds": 60, "qty": "1", "entry": "100", "exit": "101", "ev": 0.001}  # fmt: skip
VERBS = (
    ("status",), ("report",), ("report", "--json"), ("report", "--html", "page.html"), ("funnel",), ("calibration",),
    ("explain", "BTCUSDT"), ("explain", "--trade", "t1"), ("logs",), ("replay",), ("qualify",), ("journal", "backup"),
    ("journal", "export"),
)  # fmt: skip


def written(folder: Path) -> None:
    """A journal with a trade."""
    journal = Journal(folder, ("BTCUSDT",), "testnet")
    journal.note(Note(10**18, "trade", "info", TRADE))
    journal.persist(Persist(10**18, "session", {"halted": ""}))
    journal.commit()
    journal.close(10**18, "test")


@pytest.fixture
def closed() -> Iterator[Path]:
    """The folder that journals are in, open to all; the run's own folder in it is closed."""
    if os.geteuid() != 0:
        pytest.skip("only root can become another user")
    with TemporaryDirectory() as place:  # pytest closes its own folders to others
        base = Path(place) / "var"
        written(base / "testnet")
        Path(place).chmod(0o711)
        base.chmod(0o755)
        yield base


@contextlib.contextmanager
def another_user() -> Iterator[None]:
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def ended(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit code of a verb."""
    monkeypatch.setattr("sys.argv", ["turbo-trader", *arguments])
    with pytest.raises(SystemExit) as end:
        console.main()
    return int(end.value.code or 0)


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
def test_a_closed_folder_of_another_user_is_named_not_taken_for_none(
    closed: Path, tmp_path: Path, verb: tuple[str, ...],
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    arguments = (*verb, "--journal-dir", str(closed))
    ended(monkeypatch, *arguments)  # as root: loads modules that the other user cannot reach
    capsys.readouterr()
    monkeypatch.setenv("XDG_STATE_HOME", str(closed))
    with another_user():
        code = ended(monkeypatch, *arguments)
    out, error = capsys.readouterr()
    assert (code, out) == (2, ""), out
    assert error.startswith("turbo-trader: ")
    assert str(closed) in error
    assert "right" in error or "Permission denied" in error


def test_the_list_of_runs_names_a_closed_one(
    closed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("report", "--list", "--journal-dir", str(closed))
    assert ended(monkeypatch, *arguments) == 0
    capsys.readouterr()
    with another_user():
        assert ended(monkeypatch, *arguments) == 0
    assert "give its user the right" in " ".join(capsys.readouterr().out.split())


def test_where_not_even_the_folder_of_journals_may_be_listed_it_is_named(
    closed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    closed.chmod(0o700)
    with another_user():
        assert newest(closed) == closed
        assert ended(monkeypatch, "report", "--list", "--journal-dir", str(closed)) == 2
    assert "Permission denied" in capsys.readouterr().err


def test_doctor_names_it(closed: Path) -> None:
    with another_user():
        assert "give its user the right" in (integrity(closed / "testnet") or "")


def test_a_journal_of_ones_own_is_found_beside_closed_ones(closed: Path) -> None:
    written(closed / "mine")
    (closed / "mine").chmod(0o755)
    os.utime(closed / "mine" / "lock", (1, 1))  # long ago
    with another_user():
        assert newest(closed) == closed / "mine"
