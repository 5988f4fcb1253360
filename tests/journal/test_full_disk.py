"""A disk without room: what is known stays readable, what is not written is said in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from turbo_trader.journal import readers
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.store import Journal
from turbo_trader.trader.commands import Note, Persist

SYMBOLS = ("BTCUSDT",)


@pytest.mark.usefixtures("fill")
def test_a_start_on_a_full_disk_says_to_make_room(small_disk: Path) -> None:
    with pytest.raises(JournalError, match="make room"):
        Journal(small_disk / "live", SYMBOLS)


def test_a_running_journal_fails_and_works_again_once_there_is_room(
    small_disk: Path, request: pytest.FixtureRequest
) -> None:
    journal = Journal(small_disk / "live", SYMBOLS)
    journal.persist(Persist(1, "session", {"halted": "a person"}))
    journal.commit()
    request.getfixturevalue("fill")
    for i in range(200):
        journal.note(Note(i, "line", "info", {"text": "x" * 4_000}))
    with pytest.raises(JournalError):
        journal.commit()
    assert "full" in journal.failed
    assert readers.state(small_disk / "live") == {"session": {"halted": "a person"}}
    (small_disk / "filler").unlink()
    assert journal.probe()
    assert journal.failed == ""
    journal.close(2, "test")
