"""Where a journal's tables are: JOURNAL_URL is read strictly, and its password goes nowhere."""

from __future__ import annotations

import socket
import stat
import sys
import time
from pathlib import Path

import pytest

from turbo_trader.journal import readers
from turbo_trader.journal.address import (
    POINTER,
    Address,
    address,
    is_journal,
    password_of,
    read_address,
    write_address,
)
from turbo_trader.journal.health import owner
from turbo_trader.journal.intents import Beside
from turbo_trader.journal.journal_errors import JournalError
from turbo_trader.journal.schema import FILE
from turbo_trader.journal.store import Journal
from turbo_trader.market.errors import InputError
from turbo_trader.trader.events import CommandResult, Outcome

SECRET = "s3cr3t/w@rd"
QUOTED = "s3cr3t%2Fw%40rd"


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_a_url_is_taken_apart_and_its_password_kept_out(scheme: str) -> None:
    there, password = address(
        f" {scheme}://trader:{QUOTED}@db.example:5433/trading?sslmode=require ", "sub1-live"
    )
    assert there.url == "postgresql://trader@db.example:5433/trading?sslmode=require"
    assert there.schema == "journal-sub1-live"
    assert password == SECRET
    assert "s3cr3t" not in f"{there!r} {there}"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        (f"mysql://trader:{QUOTED}@host/trading", "names no PostgreSQL database"),
        ("s3cr3t", "names no PostgreSQL database"),
        (f"postgresql://trader:{QUOTED}@host:port/trading", "cannot be read"),
        (f"postgresql://trader:{QUOTED}@host", "names no database"),
        ("postgresql://trader:pass@s3cr3t@host/trading", "%40"),
        ("postgresql://trader@host/trading?password=s3cr3t", "does not belong behind the ?"),
    ],
)
def test_a_wrong_url_is_one_line_without_any_of_it(url: str, said: str) -> None:
    with pytest.raises(InputError) as refused:
        address(url, "live")
    assert said in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_name_longer_than_the_database_takes_is_refused() -> None:
    with pytest.raises(InputError, match="shorter JOURNAL_NAME"):
        address("postgresql://host/trading", "x" * 60)


@pytest.mark.parametrize("text", ["", "postgresql://host/trading", "postgresql://[::1/x", "no url"])
def test_a_url_without_a_password_has_none(text: str) -> None:
    assert password_of(text) == ""


def test_without_the_extra_the_line_names_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    there = Address("postgresql://host/trading", "journal-live")
    write_address(tmp_path, there)
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(sys.modules, "turbo_trader.journal.server", raising=False)
    monkeypatch.delattr("turbo_trader.journal.server", raising=False)
    line = "needs the extra fleet: pip install 'turbo-trader"
    with pytest.raises(InputError, match=line):
        address("postgresql://host/trading", "live")
    with pytest.raises(InputError, match=line):
        readers.state(tmp_path)
    with pytest.raises(InputError, match=line):
        Journal(tmp_path, ("BTCUSDT",), there=there)


def test_a_folder_says_where_its_journal_is_privately(tmp_path: Path) -> None:
    assert read_address(tmp_path) is None
    there = Address("postgresql://trader@host/trading", "journal-live", "ab12")
    write_address(tmp_path, there)
    assert read_address(tmp_path) == there
    assert stat.S_IMODE((tmp_path / POINTER).stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "{}", "[]", "\x00", '{"url": 1}'])
def test_a_folder_whose_saying_is_damaged_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / POINTER).write_text(text)
    with pytest.raises(InputError, match="does not say where the journal is"):
        readers.state(tmp_path)
    assert owner(tmp_path) == ""


def test_a_folder_of_a_database_starts_no_file_and_the_other_way_round(tmp_path: Path) -> None:
    there = Address("postgresql://trader@host/trading", "journal-live")
    write_address(tmp_path / "a", there)
    with pytest.raises(InputError, match="set JOURNAL_URL"):
        Journal(tmp_path / "a", ("BTCUSDT",))
    assert not (tmp_path / "a" / FILE).exists()
    Journal(tmp_path / "b", ("BTCUSDT",)).close(1, "test")
    with pytest.raises(InputError, match="a file, but JOURNAL_URL is set"):
        Journal(tmp_path / "b", ("BTCUSDT",), there=there)


def test_a_server_that_is_down_is_one_line_at_once(tmp_path: Path) -> None:
    there = Address(f"postgresql://trader@127.0.0.1:{closed_port()}/trading", "journal-live")
    began = time.monotonic()
    with pytest.raises(JournalError, match="is the server up"):
        Journal(tmp_path, ("BTCUSDT",), there=there)
    write_address(tmp_path, there)
    with pytest.raises(JournalError, match="is the server up"):
        readers.state(tmp_path)
    assert owner(tmp_path) == ""
    assert not Beside(tmp_path, "g1", lambda: 1).outcome(
        CommandResult(ts=1, id="x", outcome=Outcome.CONFIRMED, code=0, message="")
    )
    assert time.monotonic() - began < 20


@pytest.mark.parametrize("name", [FILE, POINTER])
def test_a_folder_is_a_journal_by_its_file_or_by_what_it_says(tmp_path: Path, name: str) -> None:
    assert not is_journal(tmp_path)
    (tmp_path / name).touch()
    assert is_journal(tmp_path)
