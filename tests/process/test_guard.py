"""Daemon and guard as real processes on one account: killed, frozen, woken; never two writers, never two daemons (S09, S47)."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange_server.exchange_host import Venue
from turbo_trader.journal.schema import FILE

SHORT = {"SHORT_LEASE": "1"}  # planted/sitecustomize.py: on a fast venue no request is accepted for long
STRANGE = ("second-instance", "foreign-fill", "frozen", "closed-outside", "orphan")


def guarded(lives: Any) -> Any:
    """A daemon that has recovered, and whose guard watches."""
    begun = len(lives.notes("recovered"))
    daemon = lives.begin(300, **SHORT)
    lives.wait(lambda: len(lives.notes("recovered")) > begun)
    lives.wait(lambda: set(lives.guards()) & {note["pid"] for note in lives.guards_notes("guarding")})
    return daemon


def acted(lives: Any) -> set[str]:
    """What the guards have done."""
    return {note["what"] for note in lives.guards_notes("guard-acted")}


def orders(venue: Venue) -> set[str]:
    return {order.link_id for order in next(iter(venue.exchange.accounts.values())).orders.values()}


def test_s47_a_guard_only_looks_while_a_daemon_lives_and_closes_when_it_was_killed(lives: Any) -> None:
    daemon = guarded(lives)
    time.sleep(1.5)
    assert not acted(lives)
    lives.wait(lambda: frozen_with_a_position(daemon, lives))
    daemon.kill()
    lives.lose_stops()  # nobody but the guard ends a position now
    lives.wait(lambda: not lives.held())
    assert lives.guards_notes("daemon-gone")
    assert acted(lives) <= {"cancel", "protect", "close"}
    adopted(lives)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["damaged", "deleted", "bad-bracket"])
def test_a_guard_without_a_journal_protects_by_the_venue_s_report(lives: Any, damage: str) -> None:
    daemon = guarded(lives)
    lives.wait(lambda: frozen_with_a_position(daemon, lives))
    lives.lose_stops()  # nothing ends the position any more
    for pid in lives.guards():  # one that read the journal before goes on by that
        os.kill(pid, signal.SIGKILL)
    daemon.kill()
    assert lives.end(daemon) is None
    assert lives.held()
    break_journal(lives.journal, damage)
    looked = len(lives.guards_notes())
    guard = lives.guard(**SHORT)
    lives.wait(lambda: not lives.unguarded())
    lives.wait(lambda: not lives.held())  # ours by its fills: closed after too long without a daemon
    lives.wait(lambda: "close" in acted(lives))  # said once it is done
    assert guard.poll() is None
    seen = [note["event"] for note in lives.guards_notes()[looked:]]
    assert "guard-journal-unreadable" in seen
    assert "guard-failed" not in seen
    assert acted(lives) == {"protect", "close"}


def break_journal(folder: Path, damage: str) -> None:
    """Make it one that cannot be read, in whole or the row of a position."""
    path = folder / FILE
    if damage != "bad-bracket":  # else the write-ahead log would bring everything back
        for kept in ("-wal", "-shm"):
            path.with_name(path.name + kept).unlink(missing_ok=True)
    if damage == "damaged":
        path.write_bytes(b"by far no database " * 400)
    elif damage == "deleted":
        path.unlink()
    else:
        broken = "UPDATE state SET value = '{\"bracket\": {\"direction\": 7}}' WHERE key LIKE 'position:%'"
        with sqlite3.connect(path) as db:
            assert db.execute(f"{broken} AND value != '{{}}'").rowcount


def adopted(lives: Any) -> None:
    """Every write of the guard is an intent in the journal, with its outcome; the next daemon takes all of it for its own."""
    assert not lives.guards_notes("guard-unjournaled")
    with sqlite3.connect(lives.journal / FILE) as db:
        intents = dict(
            db.execute("SELECT id, kind FROM intents WHERE boot LIKE 'g%' AND outcome IS NOT NULL").fetchall()
        )
    assert {note["id"] for note in lives.guards_notes("guard-acted")} <= set(intents)
    heir = lives.begin(200, **SHORT)
    known = len(lives.notes("recovered"))
    lives.wait(lambda: len(lives.notes("recovered")) > known)
    heir.send_signal(signal.SIGTERM)
    lives.check(lives.end(heir))
    for name in STRANGE:
        assert not lives.notes(name)
    if "PlaceOrder" in intents.values():  # else a stop was faster than the guard
        assert "guard" in {trade["reason"] for trade in lives.notes("trade")}


@pytest.mark.process
def test_s47_a_frozen_daemon_wakes_up_fenced_and_writes_nothing_in_its_old_epoch(
    lives: Any,
) -> None:
    daemon = guarded(lives)
    lives.wait(lambda: frozen_with_a_position(daemon, lives))
    lives.lose_stops()  # nobody but the guard mends that now, and no stop ends the position before it does
    lives.wait(lambda: acted(lives))
    before = lives.served.call(orders)
    daemon.send_signal(signal.SIGCONT)
    report, code = lives.ended(daemon)
    assert code == 1
    assert "fenced" in report["reason"]
    assert not [link for link in lives.served.call(orders) - before if not link.startswith("tt-g")]


def frozen_with_a_position(daemon: Any, lives: Any) -> bool:
    """Stop the daemon where it holds something; let it go on where the position ended just then."""
    if not lives.held():
        return False
    daemon.send_signal(signal.SIGSTOP)
    if lives.held():
        return True
    daemon.send_signal(signal.SIGCONT)
    return False


@pytest.mark.process
def test_a_guard_that_is_killed_takes_nothing_with_it_and_another_begins(lives: Any) -> None:
    daemon = guarded(lives)
    (guard,) = lives.guards()
    time.sleep(
        0.5
    )  # the daemon has seen that it began: one that does not is started again half a minute later
    os.kill(guard, signal.SIGKILL)
    lives.wait(lambda: lives.guards() not in ([], [guard]))
    daemon.send_signal(signal.SIGTERM)
    lives.check(lives.end(daemon))
    lives.wait(lambda: not lives.guards())  # no daemon, nothing open


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1, 11))
def test_s47_either_killed_or_frozen_at_any_time_leaves_all_covered_by_one_writer(
    lives: Any, seed: int
) -> None:
    """Five blows a seed, each to daemon or guard, a moment after it lives: killed and started again, or frozen and woken."""
    draw = random.Random(seed)
    for _ in range(5):
        daemon = guarded(lives)
        time.sleep(draw.uniform(0, 5))
        (guard,) = lives.guards()
        struck = draw.choice((daemon.pid, guard))
        if draw.random() < 0.5:
            os.kill(struck, signal.SIGKILL)
        else:
            os.kill(struck, signal.SIGSTOP)
            time.sleep(draw.uniform(0.2, 6))
            os.kill(struck, signal.SIGCONT)
        time.sleep(draw.uniform(0, 4))
        assert not lives.unguarded()
        daemon.kill()
        daemon.wait()
    lives.check(lives.live(5))
    for name in ("second-instance", "foreign-fill", "frozen"):
        assert not lives.notes(name)


@pytest.mark.process
def test_s09_a_second_daemon_is_refused_on_the_same_journal_and_on_the_same_account(
    lives: Any, tmp_path: Path
) -> None:
    first = lives.begin(300)
    lives.wait(lives.entries)
    other = replace(lives, folder=tmp_path / "elsewhere")
    for second, code, why in (
        (lives.begin(5), 2, "in use by another instance"),
        (other.begin(5), 3, "does not know"),
    ):
        report, ended = lives.ended(second)
        assert (report, ended) == ({}, code)
        assert why in second.stderr_text
    assert first.poll() is None


@pytest.mark.process
def test_s09_an_order_of_another_instance_alarms_the_daemon_and_ends_its_entries(
    lives: Any,
) -> None:
    daemon = lives.begin(200)
    lives.wait(lambda: lives.notes("recovered"))
    lives.client().place_order(
        category="linear", symbol="XRPUSDT", side="Buy", orderType="Limit", qty="10", price="1",
        orderLinkId="tt-beef-1-entry",
    )  # fmt: skip
    lives.wait(lambda: lives.notes("second-instance"))
    time.sleep(0.5)  # what had left before has arrived
    known = lives.entries()
    time.sleep(1.5)  # a minute of the venue's, in which 12 scans find nothing to do
    assert lives.entries() == known
    daemon.send_signal(signal.SIGTERM)
    lives.end(daemon)


def test_a_test_run_that_is_killed_leaves_no_process_behind() -> None:
    run = subprocess.Popen(["sleep", "60"])
    left = subprocess.Popen(
        [sys.executable, "-c", "import time; time.sleep(60)"],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).with_name("planted")), "END_WITH": str(run.pid)},
    )
    run.kill()
    run.wait()
    assert left.wait(30) == -signal.SIGKILL
