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
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

from turbo_trader.exchange.protocol.faults import FaultPlan
from turbo_trader.exchange.requests import SetTradingStop
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live.asking import ask
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
SPEED = 40.0  # of the venue's time: faster, and clocks are more than a second of it apart on a busy machine
CHILD = Path(__file__).with_name("killable_daemon.py")
TRADED = universe()[
    :5
]  # enough to open something every few seconds: each costs both processes a share of the machine


@dataclass
class Lives:
    """One venue, one journal, and the daemons that live on them one after another."""

    served: ServedVenue
    journal: Path
    order_entry: str = "rest"
    begun: list[subprocess.Popen[str]] = field(default_factory=list)

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
        daemon = subprocess.Popen(
            [sys.executable, str(CHILD), *map(str, args)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={**os.environ, "ORDER_ENTRY": self.order_entry, "SYMBOLS": " ".join(i.symbol for i in TRADED), **env},
        )  # fmt: skip
        self.begun.append(daemon)
        return daemon

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

    def ask(self, verb: str) -> dict[str, Any]:
        """What the running daemon answers."""
        (daemon,) = Registry(Kind.DAEMON).running()
        return ask(daemon, verb)

    def wait(self, what: Callable[[], object], seconds: float = 90) -> None:
        """Until something is so; a test that waits too long fails, with what the daemons said last."""
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, "\n".join(self.said()[-30:])
            time.sleep(0.02)

    def notes(self, name: str = "") -> list[dict[str, Any]]:
        """What the daemons of all lives have said, under a name where given."""
        return [note for note in map(json.loads, self.said()) if name in ("", note["name"])]

    def said(self) -> list[str]:
        """All they have said; a line that is being written is none yet."""
        path = self.journal / "notes.jsonl"
        text = path.read_text() if path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()

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

    def now(self) -> int:
        """The venue's time, ns."""
        return self.served.call(lambda venue: venue.now)

    def unguarded(self) -> list[str]:
        """Symbols with a position that no stop of the venue covers, or covers in part only."""

        def look(venue: Venue) -> list[str]:
            account = next(iter(venue.exchange.accounts.values()))
            held = [(p, p.stop("StopLoss")) for p in account.positions.values() if p.size]
            return [p.symbol for p, stop in held if stop is None or stop.qty != abs(p.size)]

        return self.served.call(look)

    def client(self) -> HTTP:
        """Somebody else's client of the same account."""
        session = HTTP(
            api_key="key", api_secret="secret", retry_codes={-1}, max_retries=1, recv_window=20_000
        )
        session.endpoint = self.served.url
        return session

    def lose_stops(self) -> None:
        """Somebody takes every stop and backstop away."""

        def take(venue: Venue) -> None:
            uid, account = next(iter(venue.exchange.accounts.items()))
            now = int(venue.exchange.states["ts"].max())
            for position in [p for p in account.positions.values() if p.size and p.stop("StopLoss")]:
                venue.exchange.handle(
                    now,
                    uid,
                    SetTradingStop(symbol=position.symbol, stop_loss=Decimal(0), take_profit=Decimal(0)),
                )

        self.served.call(take)

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
    """A venue with an edge in its market; its parameter: seed, faults, speed, time of its begin."""
    given: tuple[Any, ...] = getattr(request, "param", ())
    usual: tuple[Any, ...] = (1, "", SPEED, START)
    seed, faults, speed, begin = given + usual[len(given) :]
    source = SyntheticMarket(TRADED, seed, begin, 1.0)
    config = VenueConfig(
        "key",
        "secret",
        Decimal(50),  # turbo, also after gains: a scan every few seconds
        speed=speed,
        faults=FaultPlan.parse(faults),
        fault_seed=seed,
        limits=False,
    )
    with serve_in_thread(Venue(source, config)) as served:
        lives = Lives(served, tmp_path)
        yield lives
        for daemon in lives.begun:
            daemon.kill()
            daemon.communicate()
