"""The emergency stop of a real daemon: flat and cancelled at the venue within two seconds, its requests 200 ms late on average."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from turbo_trader.exchange.protocol.faults import FaultPlan, Faults
from turbo_trader.live.venue import Venue, VenueConfig
from turbo_trader.live.venue_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
HERE = Path(__file__).parent
WITHIN_S = 2.0
LATE = FaultPlan.parse("delay=1.0,delay_s=0.4")  # every request waits up to 0.4 s, 0.2 s on average


def by_signal(daemon: subprocess.Popen[str], _: Path) -> None:
    daemon.send_signal(signal.SIGUSR1)


def by_verb(_: subprocess.Popen[str], journal: Path) -> None:
    verb = [sys.executable, "-m", "turbo_trader.console", "flatten", "--journal-dir", str(journal)]
    assert subprocess.run(verb, capture_output=True, timeout=20, check=False).returncode == 0


def open_symbols(venue: Venue) -> set[str]:
    account = next(iter(venue.exchange.accounts.values()))
    return {position.symbol for position in account.positions.values() if position.size}


def closes(venue: Venue) -> int:
    account = next(iter(venue.exchange.accounts.values()))
    return sum(order.link_id.endswith("close") for order in account.orders.values())


def resting(venue: Venue) -> int:
    account = next(iter(venue.exchange.accounts.values()))
    return sum(
        order.link_id.endswith("entry") and order.status in ("New", "PartiallyFilled")
        for order in account.orders.values()
    )


def wait(what: Callable[[], bool], seconds: float) -> float:
    began = time.monotonic()
    while not what():
        assert time.monotonic() < began + seconds, "it did not come"
        time.sleep(0.01)
    return time.monotonic() - began


@pytest.mark.parametrize("stop", [by_signal, pytest.param(by_verb, marks=pytest.mark.slow)])
def test_an_emergency_stop_is_flat_and_cancelled_within_two_seconds(
    stop: Callable[[subprocess.Popen[str], Path], None], tmp_path: Path
) -> None:
    config = VenueConfig("key", "secret", Decimal(50), speed=5.0, limits=False)
    with serve_in_thread(Venue(SyntheticMarket(universe(), 1, START, 1.0), config)) as served:
        daemon = start(served, tmp_path)
        try:
            wait(lambda: bool(served.call(open_symbols)), 45)
            served.call(lambda venue: setattr(venue, "faults", Faults(LATE, 1)))
            before = served.call(closes)
            began = time.monotonic()
            stop(daemon, tmp_path)
            told = time.monotonic() - began
            wait(lambda: not served.call(open_symbols) and not served.call(resting), 10)
            taken = time.monotonic() - began
            assert taken - told < WITHIN_S  # a verb takes its own time to start
            assert served.call(closes) > before  # it was ours that closed, not a stop
            time.sleep(0.6)  # what was under way has landed
            assert not served.call(open_symbols)
        finally:
            daemon.kill()
            daemon.communicate()


def start(served: ServedVenue, journal: Path) -> subprocess.Popen[str]:
    args = [HERE / "mortal_daemon.py", served.port, journal, 120, "never", 1, 0]
    return subprocess.Popen(
        [sys.executable, *map(str, args)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "CONTROL": "1"},
    )  # fmt: skip
