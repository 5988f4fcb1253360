"""Daemons whose journal is in PostgreSQL: killed while they trade, and with the server killed under them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.journal.postgres import PASSWORD, Postgres

from turbo_trader.journal import readers
from turbo_trader.journal.journal_check import examine

pytestmark = pytest.mark.external("postgres")


@pytest.fixture
def server() -> Iterator[Postgres]:
    started = Postgres()
    yield started
    started.remove()


@pytest.fixture(autouse=True)
def _signed_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """This process reads the journal too."""
    monkeypatch.setenv("PGPASSWORD", PASSWORD)


def begin(lives: Any, server: Postgres, *given: Any) -> Any:
    return lives.begin(*given, JOURNAL_URL=server.url, JOURNAL_NAME="sub1", PGPASSWORD="")


def ended_cleanly(lives: Any, life: Any) -> None:
    life.send_signal(signal.SIGTERM)
    report = lives.end(life, 60)
    assert report is not None
    lives.check(report)
    assert all(found.ok for found in examine(lives.journal)), examine(lives.journal)
    for file in lives.folder.rglob("*"):
        if file.is_file():
            assert PASSWORD.encode() not in file.read_bytes(), file


def test_a_killed_daemon_comes_back_with_its_position(lives: Any, server: Postgres) -> None:
    assert lives.end(begin(lives, server, 240, "entry-filled"), 300) is None
    second = begin(lives, server, 240)
    lives.wait(lambda: lives.notes("recovered"))
    assert not lives.unguarded()
    refused = subprocess.run(
        [sys.executable, "-m", "turbo_trader.console", "run", "--no-ui", "--for", "1s"],
        cwd=lives.folder, capture_output=True, text=True, check=False, timeout=100,
        env={**os.environ, "JOURNAL_DIR": str(lives.folder / "other"), "JOURNAL_URL": server.url, "MODE": "testnet",
             "JOURNAL_NAME": "sub1", "BYBIT_REST_URL": lives.served.url, "BYBIT_STREAM_URL": lives.served.stream,
             "BYBIT_API_KEY": "key", "BYBIT_API_SECRET": "secret", "PGPASSWORD": ""},
    )  # fmt: skip
    assert refused.returncode == 2, refused.stderr
    said = " ".join(refused.stderr.split())
    assert (
        "belongs to another folder" in said or "in use by another instance" in said
    )  # which is noticed first
    lives.wait(lambda: readers.count_notes(lives.journal, "trade"))
    ended_cleanly(lives, second)


def test_a_lost_database_stops_entries_alone_and_comes_back(lives: Any, server: Postgres) -> None:
    life = begin(lives, server, 240)
    lives.wait(lives.held)
    server.kill()
    lives.wait(lambda: lives.notes("journal-failed"))
    entered = lives.entries()
    lives.wait(lambda: not lives.held())  # exits went
    time.sleep(2)
    assert lives.entries() == entered
    server.start()
    lives.wait(lambda: lives.notes("journal-works"))
    lives.wait(lambda: lives.entries() > entered)
    ended_cleanly(lives, life)
