"""What outlives a daemon killed with SIGKILL, and what a daemon does without its journal, as real processes (S02, S39, S40)."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from pybit.unified_trading import HTTP

from turbo_trader.journal.store import FILE

WATCHED = {"CONTROL": "1"}


def by_hand(lives: Any) -> None:
    """Somebody closes everything, with another client."""
    session = HTTP(api_key="key", api_secret="secret", retry_codes={-1}, max_retries=1, recv_window=20_000)
    session.endpoint = f"http://127.0.0.1:{lives.served.port}"
    for symbol, size in lives.held().items():
        session.place_order(
            category="linear", symbol=symbol, side="Sell" if size > 0 else "Buy", orderType="Market",
            qty=f"{abs(size):f}", reduceOnly=True,
        )  # fmt: skip


def verb(name: str, journal: Path) -> None:
    args = [sys.executable, "-m", "turbo_trader.console", name, "--journal-dir", str(journal)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr


def test_s02_a_position_closed_by_hand_while_the_daemon_was_dead_is_told_so_and_gets_no_stop(
    lives: Any,
) -> None:
    assert lives.live(40, "stop-sent") is None
    assert lives.held()
    by_hand(lives)
    lives.wait(lambda: not lives.held(), 5)
    before = len(lives.notes("trade"))
    report = lives.live(1.0)
    lives.check(report)
    assert lives.notes("trade")[before]["reason"] == "outside"
    assert not lives.notes("unprotected")


def test_s39_without_its_journal_a_daemon_closes_what_it_holds_and_opens_nothing(lives: Any) -> None:
    daemon = lives.begin(200)
    lives.wait(lives.held)
    other = sqlite3.connect(lives.journal / FILE, isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    lives.wait(lambda: lives.notes("journal-failed"), 20)
    time.sleep(0.5)  # what had left before has arrived
    entries = lives.entries()
    daemon.send_signal(signal.SIGUSR1)
    lives.wait(lambda: not lives.held(), 10)
    time.sleep(1.0)  # a minute of the venue's
    assert lives.entries() == entries
    other.execute("ROLLBACK")
    other.close()
    lives.wait(lambda: lives.notes("journal-works"), 20)
    daemon.send_signal(signal.SIGTERM)
    lives.check(lives.end(daemon))


def test_s40_a_halt_outlives_kill_nine_and_only_resume_lifts_it(lives: Any) -> None:
    daemon = lives.begin(200, **WATCHED)
    lives.wait(lives.entries)
    verb("halt", lives.journal)
    daemon.kill()
    assert lives.end(daemon) is None
    entries = lives.entries()
    halted = lives.begin(200, **WATCHED)
    lives.wait(lambda: len(lives.notes("recovered")) >= 2)
    time.sleep(3.0)  # three minutes of the venue's, in which 36 scans find nothing to do
    assert lives.entries() == entries
    verb("resume", lives.journal)
    lives.wait(lambda: lives.entries() > entries)
    halted.send_signal(signal.SIGTERM)
    lives.check(lives.end(halted))
