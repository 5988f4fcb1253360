"""A journal in PostgreSQL keeps what one in a file keeps: durable before the wire, alone, and whole again after a lost server."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from tests.journal.kept import FILL, SYMBOLS, money, read_everything, rows, write_more, write_something
from tests.journal.postgres import PASSWORD, Postgres
from tests.sent_orders import entry

from turbo_trader.console.folders import made_for
from turbo_trader.journal import readers
from turbo_trader.journal.address import POINTER, Address, address
from turbo_trader.journal.backup import backup, restore
from turbo_trader.journal.connection import Database
from turbo_trader.journal.export import tables
from turbo_trader.journal.health import owner
from turbo_trader.journal.journal_check import examine
from turbo_trader.journal.journal_errors import JournalError, UnsoundJournal
from turbo_trader.journal.opening import discard, reading
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.server import ServerTables
from turbo_trader.journal.store import Journal
from turbo_trader.journal.trimming import Trimming
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.errors import InputError, Refused
from turbo_trader.market.rows import DAY
from turbo_trader.trader.commands import Note, Persist, Scanned
from turbo_trader.trader.events import CommandResult, Outcome

pytestmark = pytest.mark.external("postgres")


def test_it_reads_back_what_a_file_would(tmp_path: Path, there: Address) -> None:
    for name, database in (("file", None), ("server", there)):
        journal = Journal(tmp_path / name, SYMBOLS, there=database)
        write_something(journal)
        journal.close(9, "test")
    assert read_everything(tmp_path / "server") == read_everything(tmp_path / "file")
    assert readers.overview(tmp_path / "server")["journal"] == str(there)
    assert not (tmp_path / "server" / FILE).exists()


def test_a_restart_restores_state_intents_and_outcomes(tmp_path: Path, there: Address) -> None:
    first = Journal(tmp_path, SYMBOLS, there=there)
    write_something(first)
    first.intent(8, entry("e2"))
    first.commit()
    first.close(9, "test")
    second = Journal(tmp_path, SYMBOLS, there=there)
    assert second.restored() == {"session": {"halted": "a person"}}
    assert second.boots() == [first.boot, second.boot]
    assert [each["id"] for each in second.unresolved(since=0)] == ["e2"]
    assert len(second.outcomes()) == 2
    second.close(10, "test")


def test_two_daemons_on_one_journal_are_refused(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS, there=there)
    with pytest.raises(InputError, match=r"in use by another instance .*JOURNAL_NAME"):
        Journal(tmp_path / "b", SYMBOLS, there=there)
    with pytest.raises(InputError, match="in use by another instance"):
        Journal(tmp_path / "a", SYMBOLS, there=there)
    journal.close(9, "test")
    assert owner(tmp_path / "a") == ""


def test_a_refused_start_takes_its_schema_away(
    tmp_path: Path, there: Address, server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the folder of a file; one that an earlier start has written stays."""
    found = f"SELECT 1 FROM pg_namespace WHERE nspname = '{there.schema}'"
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))

    def start() -> None:
        with (
            Registry(Kind.DAEMON).claim("testnet", tmp_path / "a") as registration,
            made_for(registration, tmp_path / "a"),
        ):
            Journal(tmp_path / "a", SYMBOLS, there=there).close(1, "refused")
            assert server.execute("trading", found)
            raise Refused("keys that may withdraw")

    with pytest.raises(Refused):
        start()
    assert not server.execute("trading", found)

    Journal(tmp_path / "b", SYMBOLS, there=there).close(2, "ended")
    Journal(tmp_path / "b", SYMBOLS, there=there).close(3, "refused")
    discard(tmp_path / "b")
    running = Journal(tmp_path / "c", SYMBOLS, there=there, take_over=True)
    discard(tmp_path / "c")
    assert server.execute("trading", found)
    running.close(4, "ended")


def test_the_journal_of_another_folder_is_taken_only_if_a_person_says_so(
    tmp_path: Path, there: Address
) -> None:
    first = Journal(tmp_path / "a", SYMBOLS, there=there)
    write_something(first)
    first.close(9, "test")
    with pytest.raises(InputError, match="belongs to another folder"):
        Journal(tmp_path / "b", SYMBOLS, there=there)
    second = Journal(tmp_path / "b", SYMBOLS, there=there, take_over=True)
    assert second.restored() == {"session": {"halted": "a person"}}
    second.close(10, "test")
    with pytest.raises(InputError, match="belongs to another folder"):
        Journal(tmp_path / "a", SYMBOLS, there=there)


def test_who_writes_is_seen_from_another_folder(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS, there=there)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / POINTER).write_bytes((tmp_path / "a" / POINTER).read_bytes())
    assert owner(tmp_path / "b").startswith("turbo-trader ")
    journal.close(9, "test")
    assert owner(tmp_path / "b") == ""


def test_an_emptied_database_is_not_taken_for_a_new_journal(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    journal.close(9, "test")
    server.execute("trading", f'DROP SCHEMA "{there.schema}" CASCADE')
    with pytest.raises(UnsoundJournal, match="gone or empty"):
        Journal(tmp_path, SYMBOLS, there=there)
    with pytest.raises(UnsoundJournal, match="gone or empty"):
        readers.state(tmp_path)
    Journal(tmp_path, SYMBOLS, there=there, take_over=True).close(10, "test")


def test_a_newer_version_is_refused_and_an_earlier_one_brought_up(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    journal.close(9, "test")
    version = f"UPDATE \"{there.schema}\".meta SET value = '{{}}' WHERE key = 'version'"
    server.execute("trading", version.format(99))
    with pytest.raises(InputError, match="version 99 of a newer turbo-trader"):
        Journal(tmp_path, SYMBOLS, there=there)
    with pytest.raises(InputError, match="version 99"):
        readers.state(tmp_path)
    server.execute("trading", version.format(2))
    brought = Journal(tmp_path, SYMBOLS, there=there)
    assert brought.restored() == {"session": {"halted": "a person"}}
    brought.close(10, "test")
    copied = server.execute("trading", f'SELECT count(*) FROM "{there.schema}.v2".state')
    assert copied == [(1,)]


def test_a_damaged_table_is_named(tmp_path: Path, there: Address, server: Postgres) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    write_something(journal)
    journal.close(9, "test")
    server.execute("trading", f'ALTER TABLE "{there.schema}".notes DROP COLUMN level')
    (file,) = examine(tmp_path)[:1]
    assert not file.ok
    assert "notes lacks level" in file.text


def test_a_backup_is_a_file_and_comes_back_into_either(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS, there=there)
    write_something(journal)
    before = read_everything(tmp_path / "a")
    copy = backup(tmp_path / "a", tmp_path / "copy.sqlite")  # while it is written
    journal.persist(Persist(9, "session", {"halted": ""}))
    journal.commit()
    with pytest.raises(InputError, match="in use"):
        restore(tmp_path / "a", copy, "now", there)
    journal.close(9, "test")
    done = restore(tmp_path / "a", copy, "now", there)
    assert done.before == f"{there.schema}.before-now"
    assert not list((tmp_path / "a").glob("*.new"))
    after = read_everything(tmp_path / "a")
    assert after == before
    into_file = restore(tmp_path / "a", copy, "later")
    assert into_file.path == tmp_path / "a" / FILE
    assert read_everything(tmp_path / "a") == before
    write_more(Journal(tmp_path / "a", SYMBOLS))


def test_a_file_moves_into_the_database_and_goes_on_there(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path / "a", SYMBOLS)
    write_something(journal)
    journal.close(9, "test")
    before = read_everything(tmp_path / "a")
    with pytest.raises(InputError, match="a file, but JOURNAL_URL is set"):
        Journal(tmp_path / "a", SYMBOLS, there=there)
    restore(tmp_path / "a", backup(tmp_path / "a", tmp_path / "copy.sqlite"), "now", there)
    assert read_everything(tmp_path / "a") == before
    write_more(Journal(tmp_path / "a", SYMBOLS, there=there))  # numbers of rows go on
    assert money(tmp_path / "a") == ["1.5", "1.5"]
    with pytest.raises(InputError, match="set JOURNAL_URL"):
        Journal(tmp_path / "a", SYMBOLS)


def test_scans_are_packed_and_old_ones_let_go(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    for i in range(45):
        journal.scanned(Scanned(DAY + i, rows(float(i))))
    journal.note(Note(DAY, "gate", "info", {}))
    journal.note(Note(DAY, "fill", "info", FILL))
    journal.flush()
    trimming = Trimming(tmp_path, 1)
    for now in [DAY] * 4 + [3 * DAY] * 4:
        group = trimming.gather()
        journal.tend(lambda db, now=now, group=group: trimming.step(db, now, group))  # type: ignore[misc]
        if now == DAY and group is None:
            assert [float(row["ev"]) for row in readers.scans(tmp_path, "BTCUSDT", 3)] == [42, 43, 44]
            assert readers.overview(tmp_path)["scans"] == 45
    assert list(readers.all_scans(tmp_path)) == []
    assert [note["name"] for note in readers.notes(tmp_path)] == ["fill"]
    journal.close(4 * DAY, "test")


def test_no_message_file_or_repr_has_the_password(tmp_path: Path, there: Address, server: Postgres) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    said = [repr(there), str(there), repr(journal.__dict__), (tmp_path / POINTER).read_text()]
    server.kill()
    with pytest.raises(JournalError) as lost:
        write_something(journal)
    with pytest.raises(JournalError) as down:
        readers.state(tmp_path)
    server.start()
    journal.close(9, "test")
    said += [str(lost.value), str(down.value), json.dumps(tables(tmp_path))]
    for secret in (PASSWORD, PASSWORD.split()[0], PASSWORD.replace(" ", "%20")):
        assert all(secret not in text for text in said)


@pytest.mark.parametrize(
    ("change", "line"),
    [({"url": "/nowhere"}, "does not exist"), ({"url": "nobody@"}, "password authentication failed")],
)
def test_what_waiting_does_not_mend_is_a_wrong_setting(
    tmp_path: Path, there: Address, change: dict[str, str], line: str
) -> None:
    found = change["url"]
    url = there.url.replace("/trading", found) if found[0] == "/" else there.url.replace("trader@", found)
    with pytest.raises(InputError, match=line):
        Journal(tmp_path, SYMBOLS, there=replace(there, url=url))


def test_a_server_that_keeps_no_promise_is_refused(tmp_path: Path, there: Address, server: Postgres) -> None:
    server.execute("trading", "ALTER ROLE trader SET default_transaction_read_only = on")
    try:
        with pytest.raises(InputError, match="can only be read"):
            Journal(tmp_path, SYMBOLS, there=there)
    finally:
        server.execute("trading", "ALTER ROLE trader RESET ALL")


def test_values_of_any_kind_are_the_same_in_both(tmp_path: Path, there: Address) -> None:
    """The bytes of a state, compared row by row."""
    value = {"text": "é☂%?%s", "number": "0.1", "none": None, "deep": {"a": [1, 2]}}
    for name, database in (("file", None), ("server", there)):
        journal = Journal(tmp_path / name, SYMBOLS, there=database)
        journal.persist(Persist(1, "any", value))
        journal.commit()
        assert journal.restored() == {"any": value}
        journal.close(2, "test")
    backup(tmp_path / "server", tmp_path / "copy")
    read = []
    for path in (tmp_path / "copy", tmp_path / "file" / FILE):
        with contextlib.closing(sqlite3.connect(path)) as db:
            read.append(db.execute("SELECT key, ts, value FROM state").fetchall())
    assert read[0] == read[1]


def test_a_text_that_the_server_cannot_keep_spoils_no_neighbour(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    journal.intent(1, entry("e1"))
    journal.outcome(CommandResult(ts=7, id="e1", outcome=Outcome.REJECTED, code=1, message="a\x00b"))
    journal.commit()
    assert [each["message"] for each in tables(tmp_path)["orders"]] == ["ab"]
    journal.close(9, "test")


def test_the_daemons_of_a_database_are_all_found(tmp_path: Path, there: Address, server: Postgres) -> None:
    from turbo_trader.journal.server import members

    running = Journal(tmp_path / "a", SYMBOLS, "live", there=there)
    other, _ = address(server.url, f"{there.schema.removeprefix('journal-')}-ended")
    Journal(tmp_path / "b", SYMBOLS, "testnet", there=other).close(9, "test")
    found = {each.there.schema: each for each in members(there)}
    assert found[there.schema].mode == "live"
    assert found[there.schema].holder.startswith("turbo-trader ")
    assert (found[other.schema].holder, found[other.schema].ended) == ("", True)
    running.close(10, "test")


def test_two_journals_share_a_database_and_see_nothing_of_each_other(
    tmp_path: Path, there: Address, server: Postgres
) -> None:
    other, _ = address(server.url, f"{there.schema.removeprefix('journal-')}-b")
    first = Journal(tmp_path / "a", SYMBOLS, there=there)
    second = Journal(tmp_path / "b", SYMBOLS, there=other)
    write_something(first)
    assert second.restored() is None
    assert money(tmp_path / "b") == []
    first.close(9, "test")
    second.close(9, "test")


def goes_on(journal: Journal, folder: Path) -> None:
    """It writes as before."""
    journal.note(Note(1, "fill", "info", FILL))
    journal.commit()
    journal.close(2, "test")
    assert money(folder) == ["1.5"]


def test_a_step_of_upkeep_that_fails_leaves_the_session_as_it_was(tmp_path: Path, there: Address) -> None:
    def fails(db: Database) -> None:
        db.execute("DELETE FROM nowhere")

    journal = Journal(tmp_path, SYMBOLS, there=there)
    journal.tend(fails)
    assert journal.boots() == [journal.boot]
    goes_on(journal, tmp_path)


def test_reviving_what_is_not_lost_changes_nothing(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    journal.revive()
    goes_on(journal, tmp_path)


def test_what_is_read_is_of_one_moment_while_others_write(tmp_path: Path, there: Address) -> None:
    journal = Journal(tmp_path, SYMBOLS, there=there)
    with reading(tmp_path, still=True) as db:
        assert db is not None
        before = db.execute("SELECT count(*) FROM notes").fetchone()[0]
        journal.note(Note(1, "fill", "info", FILL))
        journal.commit()
        assert db.execute("SELECT count(*) FROM notes").fetchone()[0] == before
    journal.close(2, "test")


def test_rows_are_read_as_they_come_and_both_ends_notice_that_the_other_is_gone(there: Address) -> None:
    with contextlib.closing(ServerTables(there)) as db:
        rows = iter(db.execute("SELECT 1 / (5000 - n) FROM generate_series(1, 5000) n"))
        assert [next(rows)[0] for _ in range(3)] == [0, 0, 0]  # the last would divide by 0
        names = ("idle", "interval", "count")
        alive = [
            db.execute("SELECT current_setting(?)", (f"tcp_keepalives_{name}",)).fetchone()[0]
            for name in names
        ]
    assert alive == ["5", "2", "3"]
