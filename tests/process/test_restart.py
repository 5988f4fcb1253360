"""What outlives a daemon killed with SIGKILL, and what one does without answers or journal (S01, S02, S10, S16, S39, S40)."""

from __future__ import annotations

import signal
import sqlite3
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.bybit.venue_errors import NO_ANSWER
from turbo_trader.journal.schema import FILE


def by_hand(lives: Any) -> None:
    """Somebody closes everything, with another client."""
    for symbol, size in lives.held().items():
        lives.client().place_order(
            category="linear", symbol=symbol, side="Sell" if size > 0 else "Buy", orderType="Market",
            qty=f"{abs(size):f}", reduceOnly=True,
        )  # fmt: skip


def verb(name: str, journal: Path) -> None:
    args = [sys.executable, "-m", "turbo_trader.console", name, "--journal-dir", str(journal)]
    done = subprocess.run(args, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr


def ours(lives: Any) -> dict[str, Decimal]:
    """What the daemon says it holds, by symbol."""
    view = lives.ask("status")["view"]
    return {each["symbol"]: each["direction"] * Decimal(each["qty"]) for each in view["positions"]}


@pytest.mark.process
@pytest.mark.parametrize("lives", [(1, "", 10.0)], indirect=True)  # longer than a start takes
def test_s01_a_position_outlives_kill_nine_and_is_held_on_as_it_was(lives: Any) -> None:
    held: dict[str, Decimal] = {}
    while not held:  # a stop may end one while nobody is there
        assert lives.live(150, "entry-booked") is None
        known = len(lives.notes("recovered"))
        heir = lives.begin(200)
        lives.wait(lambda known=known: len(lives.notes("recovered")) > known)
        held = lives.held()
        if not held:
            heir.kill()
            lives.end(heir)
    lives.wait(lambda: ours(lives) == lives.held())
    for name in ("closed-outside", "frozen", "foreign-fill", "orphan", "second-instance", "unprotected"):
        assert not lives.notes(name)
    heir.send_signal(signal.SIGTERM)
    lives.check(lives.end(heir))
    assert "outside" not in {trade["reason"] for trade in lives.notes("trade")}


@pytest.mark.parametrize("lives", [(1, "drop_after@order/create=1,late=1,delay_s=1")], indirect=True)
def test_s10_orders_with_lost_answers_are_found_by_id_and_never_sent_again(lives: Any) -> None:
    daemon = lives.begin(200)
    lives.wait(lambda: lives.notes("entry-unknown"))
    daemon.send_signal(signal.SIGTERM)
    report = lives.end(daemon)
    lives.check(report)
    lost, sent = lives.notes("entry-unknown"), lives.notes("entry")
    assert {note["code"] for note in lost} == {NO_ANSWER}  # and not 110072: that id was sent before
    assert lives.entries() == len({note["id"] for note in sent}) == len(sent)
    assert {fill["id"] for fill in lives.notes("fill")} & {note["id"] for note in lost}


@pytest.mark.process
def test_s16_the_stop_always_covers_the_position_and_comes_back_when_taken_away(
    lives: Any,
) -> None:
    daemon = lives.begin(200)
    lives.wait(lives.held)
    until, seen = time.monotonic() + 2, 0
    while time.monotonic() < until:  # more than a minute of the venue's
        assert lives.unguarded() == []
        seen += bool(lives.held())
        time.sleep(0.01)
    assert seen
    lives.wait(lives.held)
    lives.lose_stops()
    lives.wait(lambda: not lives.unguarded())
    lives.wait(lives.held)
    daemon.kill()
    assert lives.end(daemon) is None
    lives.lose_stops()
    heir = lives.begin(200)
    lives.wait(lambda: len(lives.notes("recovered")) > 1)
    lives.wait(lambda: not lives.unguarded())
    heir.send_signal(signal.SIGTERM)
    lives.check(lives.end(heir))


@pytest.mark.process
def test_s02_closed_by_hand_while_the_daemon_was_dead_is_reported_and_gets_no_stop(
    lives: Any,
) -> None:
    assert lives.live(150, "entry-booked") is None
    assert lives.held()
    by_hand(lives)
    lives.wait(lambda: not lives.held())
    before = len(lives.notes("trade"))
    heir = lives.begin(200)
    lives.wait(lambda: len(lives.notes("trade")) > before)
    heir.send_signal(signal.SIGTERM)
    lives.check(lives.end(heir))
    assert "outside" in {trade["reason"] for trade in lives.notes("trade")[before:]}
    assert not lives.notes("unprotected")


@pytest.mark.process
def test_s39_without_its_journal_a_daemon_closes_what_it_holds_and_opens_nothing(lives: Any) -> None:
    daemon = lives.begin(200)
    lives.wait(lives.held)
    other = sqlite3.connect(lives.journal / FILE, isolation_level=None, timeout=10)
    other.execute("BEGIN IMMEDIATE")
    lives.wait(lambda: lives.notes("journal-failed"))  # at the next thing worth writing
    time.sleep(0.5)  # what had left before has arrived
    entries = lives.entries()
    daemon.send_signal(signal.SIGUSR1)
    lives.wait(lambda: not lives.held())
    time.sleep(0.6)  # time enough for four scans
    assert lives.entries() == entries
    other.execute("ROLLBACK")
    other.close()
    lives.wait(lambda: lives.notes("journal-works"))
    daemon.send_signal(signal.SIGTERM)
    lives.check(lives.end(daemon))


@pytest.mark.slow  # a halt by a session loss is in the suite: test_session_limits.py
def test_s40_a_halt_outlives_kill_nine_and_only_resume_lifts_it(lives: Any) -> None:
    daemon = lives.begin(200)
    lives.wait(lives.entries)
    verb("halt", lives.journal)
    daemon.kill()
    assert lives.end(daemon) is None
    entries = lives.entries()
    halted = lives.begin(200)
    lives.wait(lambda: len(lives.notes("recovered")) >= 2)
    time.sleep(1.5)  # a minute of the venue's, in which 12 scans find nothing to do
    assert lives.entries() == entries
    assert "halted" in lives.ask("status")["view"]["refusal"]
    verb("resume", lives.journal)
    lives.wait(lambda: lives.ask("status")["view"]["refusal"] == "")
    halted.send_signal(signal.SIGTERM)
    lives.check(lives.end(halted))
