"""Killed with SIGKILL anywhere, started again: no duplicate, no orphan, no position without a stop, the ledger exact (S01, S04).

The suite plays three points; `scripts/test tests/process/test_kill_nine.py -m slow` all, fifty random seeds each, on a venue
that drops, delays, errs, doubles and reorders.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange.protocol.faults import FaultPlan
from turbo_trader.live.venue import Venue, VenueConfig
from turbo_trader.live.venue_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
POINTS = (
    "entry-written",
    "entry-sent",
    "entry-acked",
    "entry-filled",
    "entry-booked",
    "stop-sent",
    "close-sent",
)
SOCKET_POINTS = ("entry-written", "entry-handed", "entry-sent", "entry-acked", "entry-filled")
FAULTS = "drop=0.02,delay=0.05,delay_s=0.3,ret_10016=0.02,duplicate=0.05,reorder=0.05,reorder_s=0.1"
CHILD = Path(__file__).with_name("mortal_daemon.py")


@dataclass
class Lives:
    """One venue, one journal, and the daemons that live on them one after another."""

    served: ServedVenue
    journal: Path
    order_entry: str = "rest"

    def live(
        self, seconds: float, point: str = "never", count: int = 1, delay_ms: int = 0
    ) -> dict[str, Any] | None:
        """One life: its summary, or None where it was killed. A life that ends in any other way fails the test."""
        done = subprocess.run(
            [sys.executable, str(CHILD), str(self.served.port), str(self.journal), str(seconds), point, str(count), str(delay_ms)],
            capture_output=True, text=True, timeout=seconds + 60, check=False,
            env={**os.environ, "ORDER_ENTRY": self.order_entry},
        )  # fmt: skip
        if done.returncode == -signal.SIGKILL:
            return None
        assert done.returncode == 0, done.stderr
        assert "Traceback" not in done.stderr
        report: dict[str, Any] = json.loads(done.stdout)
        assert not report["failed"], report["reason"]
        return report

    def unguarded(self) -> list[str]:
        """Symbols with a position that no stop of the venue covers."""

        def look(venue: Venue) -> list[str]:
            account = next(iter(venue.exchange.accounts.values()))
            held = [p for p in account.positions.values() if p.size]
            return [p.symbol for p in held if p.stop("StopLoss") is None]

        return self.served.call(look)

    def check(self, report: dict[str, Any]) -> None:
        """What must hold whenever a life has ended in peace."""
        assert Decimal(report["wallet_difference"]) == 0, report
        assert report["open_positions"] == 0
        self.served.call(_check_venue)


def _check_venue(venue: Venue) -> None:
    account = next(iter(venue.exchange.accounts.values()))
    assert not [p.symbol for p in account.positions.values() if p.size]
    assert not account.open_orders
    orders = list(account.orders.values())
    ids = [order.link_id for order in orders if order.link_id]
    assert len(ids) == len(set(ids))
    most: dict[str, Decimal] = defaultdict(Decimal)
    for order in orders:
        if order.link_id.endswith("entry"):
            most[order.symbol] = max(most[order.symbol], order.qty)
    held: dict[str, Decimal] = defaultdict(Decimal)
    for execution in account.executions:
        if execution.kind != "Funding":
            held[execution.symbol] += execution.side * execution.qty
            assert abs(held[execution.symbol]) <= most[execution.symbol], "a position was opened twice"


@pytest.fixture
def lives(tmp_path: Path, request: pytest.FixtureRequest) -> Any:
    """A venue with an edge in its market, many times as fast as the wall; with faults half as fast, as each takes wall time."""
    seed, faults = getattr(request, "param", (1, ""))
    source = SyntheticMarket(universe(), seed, START, 1.0)
    config = VenueConfig(
        "key",
        "secret",
        Decimal(100),
        speed=30.0 if faults else 60.0,
        faults=FaultPlan.parse(faults),
        fault_seed=seed,
        limits=False,
    )
    with serve_in_thread(Venue(source, config)) as served:
        yield Lives(served, tmp_path)


def play(lives: Lives, point: str, seed: int) -> None:
    draw = random.Random(f"{point} {seed}")
    seconds = 8.0 if seed else 5.0
    count = draw.randint(1, 3) if seed else 1
    killed = lives.live(40, point, count, draw.randint(0, 40) if seed else 0) is None
    assert not lives.unguarded()
    report = lives.live(seconds)
    assert report is not None
    lives.check(report)
    assert killed or seed, f"{point} was never reached"


@pytest.mark.parametrize("point", ["entry-sent", "entry-filled", "stop-sent"])
def test_s04_a_daemon_killed_there_leaves_no_duplicate_no_orphan_and_an_exact_ledger(
    lives: Lives, point: str
) -> None:
    play(lives, point, 0)


def test_s04_killed_with_an_order_handed_to_the_trade_socket_the_same_holds(lives: Lives) -> None:
    lives.order_entry = "websocket"
    play(lives, "entry-handed", 0)


@pytest.mark.slow
@pytest.mark.parametrize("lives", [(seed, FAULTS) for seed in range(1, 51)], indirect=True)
@pytest.mark.parametrize("point", SOCKET_POINTS)
def test_s04_the_same_over_the_trade_socket_with_faults(
    lives: Lives, point: str, request: pytest.FixtureRequest
) -> None:
    lives.order_entry = "websocket"
    play(lives, point, request.node.callspec.params["lives"][0])


@pytest.mark.slow
@pytest.mark.parametrize("lives", [(seed, FAULTS) for seed in range(1, 51)], indirect=True)
@pytest.mark.parametrize("point", POINTS)
def test_s04_the_same_with_faults_and_random_delays(
    lives: Lives, point: str, request: pytest.FixtureRequest
) -> None:
    play(lives, point, request.node.callspec.params["lives"][0])
