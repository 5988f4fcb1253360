"""One simulated venue, one journal, and real daemons that live on them one after another."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable
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
        return self.end(self.begin(seconds, point, count, delay_ms), seconds + 60)

    def begin(
        self, seconds: float, point: str = "never", count: int = 1, delay_ms: int = 0, **env: str
    ) -> subprocess.Popen[str]:
        """A life that goes on beside the test."""
        args = (self.served.port, self.journal, seconds, point, count, delay_ms)
        return subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ORDER_ENTRY": self.order_entry, **env},
        )  # fmt: skip

    def end(self, daemon: subprocess.Popen[str], seconds: float = 30) -> dict[str, Any] | None:
        """Its summary when it has ended by itself, or None where it was killed."""
        try:
            out, errors = daemon.communicate(timeout=seconds)
        finally:
            daemon.kill()
        if daemon.returncode == -signal.SIGKILL:
            return None
        assert daemon.returncode == 0, errors
        assert "Traceback" not in errors
        report: dict[str, Any] = json.loads(out)
        assert not report["failed"], report["reason"]
        return report

    @staticmethod
    def wait(what: Callable[[], object], seconds: float = 90) -> None:
        """Until something is so; a test that waits too long fails."""
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, "it did not come"
            time.sleep(0.02)

    def notes(self, name: str) -> list[dict[str, Any]]:
        """What the daemons of all lives have said under a name."""
        lines = (self.journal / "notes.jsonl").read_text().splitlines()
        return [note for note in map(json.loads, lines) if note["name"] == name]

    def held(self) -> dict[str, Decimal]:
        """What the venue holds, by symbol."""

        def look(venue: Venue) -> dict[str, Decimal]:
            account = next(iter(venue.exchange.accounts.values()))
            return {p.symbol: p.size for p in account.positions.values() if p.size}

        return self.served.call(look)

    def entries(self) -> int:
        """Entries the venue has ever taken."""

        def look(venue: Venue) -> int:
            account = next(iter(venue.exchange.accounts.values()))
            return sum(order.link_id.endswith("entry") for order in account.orders.values())

        return self.served.call(look)

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
