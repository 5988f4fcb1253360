"""What of a journal is on disk after a killed process, and after a machine without power."""

from __future__ import annotations

from turbo_trader.market.rows import SECOND
from turbo_trader.simulation.journal_in_memory import JournalInMemory
from turbo_trader.trader.commands import Persist


def written(journal: JournalInMemory, key: str) -> None:
    journal.persist(Persist(0, key, {"is": "there"}))


def test_a_killed_process_leaves_what_it_handed_to_the_disk() -> None:
    journal = JournalInMemory()
    written(journal, "flushed")
    journal.flush(SECOND)
    written(journal, "recorded")
    assert {"flushed"} == {key for key in journal.restored(SECOND) if key in ("flushed", "recorded")}


def test_a_power_cut_tears_off_what_was_handed_over_last() -> None:
    journal = JournalInMemory()
    written(journal, "old")
    journal.flush(SECOND)
    written(journal, "waited for")
    journal.commit(2 * SECOND)
    written(journal, "young")
    journal.flush(3 * SECOND)
    journal.lose_power(3 * SECOND + SECOND // 2)
    restored = journal.restored(4 * SECOND)
    assert "old" in restored
    assert "waited for" in restored
    assert "young" not in restored


def test_a_full_disk_takes_nothing_until_there_is_room() -> None:
    journal = JournalInMemory()
    journal.failed = "no space left on the disk"
    written(journal, "waits")
    journal.commit(SECOND)
    journal.mend(2 * SECOND)
    journal.lose_power(10 * SECOND)
    assert "waits" in journal.restored(10 * SECOND)
