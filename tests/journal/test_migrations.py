"""A journal of each earlier schema is brought up to this one with all it knew, a copy kept; or it stays as it is."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import stat
from pathlib import Path
from typing import Any

import pytest
from tests.journal import earlier

from turbo_trader.journal import migrations, readers
from turbo_trader.journal.journal_errors import JournalError, UnsoundJournal
from turbo_trader.journal.schema import FILE, TABLES, VERSION
from turbo_trader.journal.store import Journal

every_schema = pytest.mark.parametrize("schema", earlier.SCHEMAS)


def query(path: Path, sql: str) -> list[Any]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


@every_schema
def test_halts_evidence_and_open_positions_are_as_they_were(tmp_path: Path, schema: str) -> None:
    earlier.write(tmp_path, schema)
    journal = Journal(tmp_path, earlier.SYMBOLS)
    assert journal.restored() == earlier.STATE
    assert journal.boots() == ["beef", journal.boot]
    (intent,) = journal.unresolved(since=0)
    assert (intent["id"], intent["command"]["reduce_only"]) == ("tt-beef-2-close", True)
    journal.close(10**18, "test")
    assert [float(row["ev"]) for row in readers.scans(tmp_path, "ETHUSDT", 2)] == [-43, -44]
    assert readers.notes(tmp_path) == [{"ts": 5, "name": "halt", "level": "warning", "what": "a person"}]
    assert list(readers.events(tmp_path, ("Control",))) == [("Control", {"verb": "halt"})]


@every_schema
def test_the_tables_are_those_of_a_new_journal_afterwards(tmp_path: Path, schema: str) -> None:
    path = earlier.write(tmp_path, schema)
    Journal(tmp_path, earlier.SYMBOLS).close(10**18, "test")
    (tmp_path / "new").mkdir()
    Journal(tmp_path / "new", earlier.SYMBOLS).close(10**18, "test")
    tables = (
        'SELECT m.type, m.name, t.wr, c.cid, c.name, c.type, c."notnull", c.pk FROM sqlite_master m'
        " LEFT JOIN pragma_table_list(m.name) t LEFT JOIN pragma_table_info(m.name) c ORDER BY m.name, c.cid"
    )
    assert query(path, tables) == query(tmp_path / "new" / FILE, tables)
    assert query(path, "PRAGMA user_version") == [(VERSION,)]
    assert query(path, "PRAGMA auto_vacuum") == [(2,)] == query(tmp_path / "new" / FILE, "PRAGMA auto_vacuum")


@every_schema
def test_a_private_copy_of_before_is_kept(tmp_path: Path, schema: str) -> None:
    version, _ = earlier.SCHEMAS[schema]
    earlier.write(tmp_path, schema)
    journal = Journal(tmp_path, earlier.SYMBOLS)
    copy = tmp_path / f"{FILE}.v{version}"
    assert journal.copy == copy
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert query(copy, "PRAGMA user_version") == [(version,)]
    assert query(copy, "SELECT count(*) FROM state") == [(len(earlier.STATE),)]
    journal.close(10**18, "test")
    again = Journal(tmp_path, earlier.SYMBOLS)
    assert again.copy is None
    again.close(10**18, "test")


@every_schema
def test_verbs_read_a_journal_of_before_without_changing_it(tmp_path: Path, schema: str) -> None:
    path = earlier.write(tmp_path, schema)
    assert readers.state(tmp_path) == earlier.STATE
    assert readers.overview(tmp_path)["scans"] == 45
    assert len(list(readers.all_scans(tmp_path, since=40))) == 5
    assert len(readers.outcomes(tmp_path)[1]) == 0
    assert query(path, "PRAGMA user_version") == [(earlier.SCHEMAS[schema][0],)]


def test_a_step_that_would_lose_something_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = earlier.write(tmp_path, "1, with outcomes")
    monkeypatch.setitem(
        migrations.STEPS, VERSION, lambda db: db.execute("DELETE FROM state WHERE key = 'session'")
    )
    with pytest.raises(UnsoundJournal, match="state would change"):
        Journal(tmp_path, earlier.SYMBOLS)
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert readers.state(tmp_path) == earlier.STATE


def test_a_damaged_journal_of_before_is_one_line_and_left_alone(tmp_path: Path) -> None:
    path = earlier.write(tmp_path, "1, with outcomes")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("ALTER TABLE intents DROP COLUMN outcome_ts")
    with pytest.raises(UnsoundJournal, match="intents lacks outcome_ts") as error:
        Journal(tmp_path, earlier.SYMBOLS)
    assert "\n" not in str(error.value)
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert sorted(each.name for each in tmp_path.glob("journal.sqlite*v*")) == []


def test_no_room_for_the_copy_leaves_the_journal_as_it_was(small_disk: Path) -> None:
    path = earlier.write(small_disk, "1, with outcomes", scans=3)
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(bytes(4096)):
            pass
    with pytest.raises(JournalError, match="make room"):
        Journal(small_disk, earlier.SYMBOLS)
    (small_disk / "filler").unlink()
    assert query(path, "PRAGMA user_version") == [(1,)]
    assert not list(small_disk.glob("*.new"))
    journal = Journal(small_disk, earlier.SYMBOLS)
    assert journal.restored() == earlier.STATE
    journal.close(10**18, "test")


def test_a_start_that_dies_while_it_makes_the_tables_leaves_an_empty_file(tmp_path: Path) -> None:
    """Tables and version are one transaction: a half-made journal would be refused as damaged for ever."""
    child = os.fork()
    if not child:
        db = sqlite3.connect(tmp_path / FILE, isolation_level=None)
        db.executescript(f"PRAGMA journal_mode = WAL; BEGIN; {TABLES}")
        os._exit(0)
    os.waitpid(child, 0)
    journal = Journal(tmp_path, earlier.SYMBOLS)
    assert journal.restored() is None
    journal.close(10**18, "test")
