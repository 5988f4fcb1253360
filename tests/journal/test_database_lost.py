"""The server of a journal dies, is gone for a while or comes back older: nothing that moves money is lost or doubled."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from tests.journal.kept import FILL, SYMBOLS, again, money, write_something
from tests.journal.postgres import Postgres
from tests.sent_orders import entry

from turbo_trader.journal import readers
from turbo_trader.journal.address import Address
from turbo_trader.journal.export import tables
from turbo_trader.journal.intents import Beside
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.store import Journal
from turbo_trader.trader.commands import Note, Persist
from turbo_trader.trader.events import CommandResult, Outcome


def test_what_was_committed_outlives_the_servers_death(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    server.execute("trading", "ALTER ROLE trader SET synchronous_commit = off")  # a commit asks for more
    journal = Journal(tmp_path, SYMBOLS, there=there)
    try:
        journal.intent(1, entry("e1"))
        journal.commit()
        server.kill()
        server.start()
        assert [each["id"] for each in tables(tmp_path)["orders"]] == ["e1"]
    finally:
        server.execute("trading", "ALTER ROLE trader RESET synchronous_commit")
        journal.close(2, "test")


@pytest.mark.clock
def test_a_lost_server_fails_at_once_and_costs_nothing_that_moves_money(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    server.kill()
    for ts in range(10, 15):
        journal.note(Note(ts, "fill", "info", {**FILL, "result": str(ts)}))
        journal.persist(Persist(ts, "position", {"at": ts}))
        began = time.monotonic()
        with pytest.raises(JournalError, match="is the server up"):
            journal.commit()
        assert time.monotonic() - began < 1
    assert "is the server up" in journal.failed
    assert journal.boots() if not journal.failed else True
    server.start()
    again(journal)
    assert journal.failed == ""
    assert money(tmp_path) == ["1.5", "10", "11", "12", "13", "14"]
    assert readers.state(tmp_path)["position"] == {"at": 14}
    journal.intent(20, entry("e9"))
    journal.commit()
    journal.close(21, "test")
    assert [each["id"] for each in tables(tmp_path)["orders"]] == ["e1", "e9"]


@pytest.mark.clock
@pytest.mark.parametrize("written", [True, False])
def test_a_commit_whose_answer_was_lost_is_there_once(
    tmp_path: Path, there: Address, server: Postgres, *, written: bool
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    server.hang()  # the commit reaches its socket; whether it is done is decided later
    try:
        journal.note(Note(10, "fill", "info", {**FILL, "result": "10"}))
        journal.intent(10, entry("e2"))
        began = time.monotonic()
        with pytest.raises(JournalError, match="no answer within"):
            journal.commit()
        assert time.monotonic() - began < 4
        if not written:
            server.kill()
            server.start()
    finally:
        server.go_on()
    journal.note(Note(11, "fill", "info", {**FILL, "result": "11"}))
    again(journal)
    assert money(tmp_path) == ["1.5", "10", "11"]
    assert sorted(each["id"] for each in tables(tmp_path)["orders"]) == ["e1", "e2"]
    journal.close(12, "test")


pytestmark = pytest.mark.external("postgres")


def test_what_was_written_without_waiting_outlives_the_servers_death(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    """It may be gone with the server: what is there is found, and the rest written again."""
    journal = Journal(tmp_path, SYMBOLS, there=there)
    for ts in range(10, 13):
        journal.note(Note(ts, "fill", "info", {**FILL, "result": str(ts)}))
        journal.flush()
    server.kill()
    journal.note(Note(13, "fill", "info", {**FILL, "result": "13"}))
    with pytest.raises(JournalError):
        journal.flush()
    server.start()
    again(journal)
    assert money(tmp_path) == ["10", "11", "12", "13"]
    journal.close(20, "test")


def test_transactions_that_are_gone_with_the_server_are_written_again(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    journal.note(Note(9, "fill", "info", {**FILL, "result": "9"}))
    journal.commit()
    for ts in (10, 11):
        journal.note(Note(ts, "fill", "info", {**FILL, "result": str(ts)}))
        journal.flush()
    lose = (
        f'DELETE FROM "{there.schema}".notes WHERE ts >= 10;'
        f" UPDATE \"{there.schema}\".meta SET value = regexp_replace(value, '[0-9]+$', '2') WHERE key = 'written'"
    )
    server.execute("trading", lose)
    server.kill()
    with pytest.raises(JournalError):
        write_something(journal)
    server.start()
    again(journal)
    assert money(tmp_path)[:3] == ["9", "10", "11"]
    assert len(money(tmp_path)) == 4
    journal.close(20, "test")


def test_a_server_that_is_older_than_what_was_written_is_not_believed(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    server.kill()
    with pytest.raises(JournalError):
        write_something(journal)
    server.start()
    older = "UPDATE \"{}\".meta SET value = split_part(value, ' ', 1) || ' 1' WHERE key = 'written'"
    server.execute("trading", older.format(there.schema))
    journal.revive()
    assert not journal.probe()
    assert "older than what was written" in journal.failed
    journal.close(9, "test")


def test_another_instance_that_wrote_meanwhile_keeps_this_one_out(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS, there=there)
    server.kill()
    with pytest.raises(JournalError):
        write_something(journal)
    server.start()
    other = Journal(tmp_path / "b", SYMBOLS, there=there, take_over=True)
    journal.revive()
    assert not journal.probe()
    assert "in use by another instance" in journal.failed
    other.close(9, "test")
    journal.revive()
    assert not journal.probe()
    assert "another instance has written it" in journal.failed
    journal.close(10, "test")


@pytest.mark.clock
def test_the_guard_writes_beside_the_daemon_and_goes_on_without_a_server(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    hand = Beside(tmp_path, "g1234", lambda: 5)
    assert hand.intent(entry("g1"))
    assert hand.outcome(CommandResult(ts=6, id="g1", outcome=Outcome.CONFIRMED, code=0, message=""))
    assert journal.boots()[-1] == journal.boot or "g1234" in journal.boots()
    server.kill()
    began = time.monotonic()
    assert not hand.intent(entry("g2"))
    assert time.monotonic() - began < 2
    server.start()
    journal.close(9, "test")
