"""Daemon and guard as real processes on one account: killed, frozen, woken; never two writers (S09, S47)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange.requests import SetTradingStop
from turbo_trader.live.venue import Venue, VenueConfig
from turbo_trader.live.venue_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
HERE = Path(__file__).parent


@pytest.fixture
def served() -> Iterator[ServedVenue]:
    source = SyntheticMarket(universe(), 1, START, 1.0)
    with serve_in_thread(
        Venue(source, VenueConfig("key", "secret", Decimal(50), speed=60.0, limits=False))
    ) as venue:
        yield venue


@contextmanager
def child(script: str, *args: object) -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(
        [sys.executable, str(HERE / script), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ, "SHORT_LEASE": "1"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def held(served: ServedVenue) -> dict[str, bool]:
    """Symbols with a position -> has it a stop on the venue?"""

    def look(venue: Venue) -> dict[str, bool]:
        account = next(iter(venue.exchange.accounts.values()))
        return {p.symbol: p.stop("StopLoss") is not None for p in account.positions.values() if p.size}

    return served.call(look)


def wait(what: Callable[[], bool], seconds: float = 30.0) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "it did not come"
        time.sleep(0.05)


def told(journal: Path, name: str) -> list[dict[str, Any]]:
    path = journal / "guard.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [event for event in map(json.loads, lines) if event["name"] == name]


def test_s47_a_guard_only_looks_while_a_daemon_lives_and_closes_when_it_was_killed(
    served: ServedVenue, tmp_path: Path
) -> None:
    with child("mortal_daemon.py", served.port, tmp_path, 60, "never", 1, 0) as daemon:
        wait(lambda: bool(held(served)))
        with child("guard_child.py", served.port, tmp_path):
            wait(lambda: bool(told(tmp_path, "guarding")))
            time.sleep(1.5)
            assert not told(tmp_path, "guard-acted")
            daemon.send_signal(signal.SIGKILL)
            wait(lambda: not held(served))
            acted = told(tmp_path, "guard-acted")
            assert told(tmp_path, "daemon-gone")
            assert {event["what"] for event in acted} <= {"cancel", "protect", "close"}


def test_s47_a_daemon_that_was_frozen_wakes_up_fenced_and_writes_nothing_with_its_old_epoch(
    served: ServedVenue, tmp_path: Path
) -> None:
    with (
        child("mortal_daemon.py", served.port, tmp_path, 60, "never", 1, 0) as daemon,
        child("guard_child.py", served.port, tmp_path),
    ):
        wait(lambda: frozen_with_a_position(daemon, served))
        served.call(
            _lose_stops
        )  # nobody but the guard mends that now, and no stop ends the position before it does
        wait(lambda: bool(told(tmp_path, "guard-acted")))
        before = served.call(_orders)
        daemon.send_signal(signal.SIGCONT)
        out, err = daemon.communicate(timeout=30)
        assert daemon.returncode == 0, err
        report = json.loads(out)
        assert report["failed"]
        assert "fenced" in report["reason"]
        assert not [link for link in served.call(_orders) - before if not link.startswith("tt-g")]


def frozen_with_a_position(daemon: subprocess.Popen[str], served: ServedVenue) -> bool:
    """Stop the daemon where it holds something; let it go on where the position ended just then."""
    if not held(served):
        return False
    daemon.send_signal(signal.SIGSTOP)
    if held(served):
        return True
    daemon.send_signal(signal.SIGCONT)
    return False


def _lose_stops(venue: Venue) -> None:
    uid, account = next(iter(venue.exchange.accounts.items()))
    for position in list(account.positions.values()):
        if position.size and position.stop("StopLoss") is not None:
            now = int(venue.exchange.states["ts"].max())
            venue.exchange.handle(
                now, uid, SetTradingStop(position.symbol, stop_loss=Decimal(0), take_profit=Decimal(0))
            )


def _orders(venue: Venue) -> set[str]:
    return {order.link_id for order in next(iter(venue.exchange.accounts.values())).orders.values()}


def test_s09_a_second_daemon_on_the_same_journal_is_refused(served: ServedVenue, tmp_path: Path) -> None:
    with child("mortal_daemon.py", served.port, tmp_path, 30, "never", 1, 0) as first:
        wait(
            lambda: (
                (tmp_path / "notes.jsonl").exists() and "recovered" in (tmp_path / "notes.jsonl").read_text()
            )
        )
        second = subprocess.run(
            [sys.executable, str(HERE / "mortal_daemon.py"), str(served.port), str(tmp_path), "5", "never", "1", "0"],
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert second.returncode != 0
        assert "InputError" in second.stderr
        assert first.poll() is None


def test_a_guard_that_is_killed_takes_nothing_with_it(served: ServedVenue, tmp_path: Path) -> None:
    with child("mortal_daemon.py", served.port, tmp_path, 12, "never", 1, 0) as daemon:
        with child("guard_child.py", served.port, tmp_path) as guard:
            wait(lambda: bool(told(tmp_path, "guarding")))
            guard.kill()
        out, err = daemon.communicate(timeout=60)
        assert daemon.returncode == 0, err
        assert not json.loads(out)["failed"]
