"""The emergency stop of a real daemon: flat and cancelled at the venue within two seconds, its requests 200 ms late on average."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan, Faults
from turbo_trader.exchange_server.exchange_host import Venue

WITHIN_S = 2.0
LATE = FaultPlan.parse("delay=1.0,delay_s=0.4")  # every request waits up to 0.4 s, 0.2 s on average


def by_signal(daemon: subprocess.Popen[str], _: Any) -> None:
    daemon.send_signal(signal.SIGUSR1)


def by_verb(_: subprocess.Popen[str], lives: Any) -> None:
    verb = [sys.executable, "-m", "turbo_trader.console", "flatten", "--journal-dir", str(lives.journal)]
    assert subprocess.run(verb, capture_output=True, timeout=120, check=False).returncode == 0


def closes(venue: Venue) -> int:
    account = next(iter(venue.exchange.accounts.values()))
    return sum(order.link_id.endswith("close") for order in account.orders.values())


def resting(venue: Venue) -> int:
    account = next(iter(venue.exchange.accounts.values()))
    return sum(
        order.link_id.endswith("entry") and order.status in ("New", "PartiallyFilled")
        for order in account.orders.values()
    )


@pytest.mark.process
@pytest.mark.parametrize("lives", [(1, "", 10.0)], indirect=True)
@pytest.mark.parametrize("stop", [by_signal, pytest.param(by_verb, marks=pytest.mark.slow)])
def test_an_emergency_stop_is_flat_and_cancelled_within_two_seconds(
    lives: Any, stop: Callable[[subprocess.Popen[str], Any], None]
) -> None:
    venue = lives.served
    daemon = lives.begin(200)
    lives.wait(lives.held)
    venue.call(lambda venue: setattr(venue, "faults", Faults(LATE, 1)))
    before = venue.call(closes)
    stop(daemon, lives)
    began = time.monotonic()  # a verb takes its own time to start
    lives.wait(lambda: not lives.held() and not venue.call(resting))
    assert time.monotonic() - began < WITHIN_S, lives.notes("flat")
    assert venue.call(closes) > before  # it was ours that closed, not a stop
    time.sleep(0.6)  # an entry that was under way has landed, and is closed
    lives.wait(lambda: not lives.held())
