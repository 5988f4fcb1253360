"""One simulated venue, one journal, and real daemons that live on them one after another."""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

from turbo_trader.exchange.protocol.faults_on_demand import FaultPlan
from turbo_trader.exchange.requests import SetTradingStop
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import MarketSource
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.live.control_client import ask
from turbo_trader.live.registry import Kind, Registry
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000
SPEED = 40.0  # of the venue's time: faster, and clocks are more than a second of it apart on a busy machine
PLANTED = Path(__file__).with_name("planted")  # a folder for these daemons and guards alone
#: Enough to open something every few seconds: each costs both processes a share of the machine.
TRADED = universe()[:5]
#: Rules that trade often and not for long: what is tested is what becomes of orders, not whether they were wise. Venue time runs
#: fast, and a moment of a busy machine is seconds of it: books and entries may be so old.
OFTEN = {
    "ON_TERM": "flatten", "GUARD_CLOSE_AFTER": "4",
    "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0", "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0", "FLAT_EDGE": "0",
    "TURBO_FEE_MULTIPLIER": "0", "OU_HALF_LIFE_MAX": "10000", "DICKEY_FULLER_LEVEL": "0.10",
    "TURBO_HORIZON": "120", "TURBO_MAX_HOLD": "120", "HOLD_FACTOR": "1",
    "MICRO_TURBO_SIGNAL_INTERVAL": "5", "OU_SAMPLES": "480", "KALMAN_WARMUP": "5", "BELIEF": "weighed", "COOLDOWN_HORIZONS": "0",
    "TURBO_MAX_POSITIONS": "5", "SAME_DIRECTION": "1", "A_RISK": "0.03", "B_RISK": "0.03",
    "STALE_BOOK": "30", "ENTRY_RECV_WINDOW": "10000",
    "SESSION_LOSS": "0.9", "DRAWDOWN_PAUSE": "0.9", "WATCHDOG_PROBABILITY": "0",
}  # fmt: skip


class Life(subprocess.Popen[str]):
    """A `turbo-trader` of its own process, its stderr in a file."""

    def __init__(self, arguments: list[str], folder: Path, env: dict[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._stderr = folder / f"stderr-{secrets.token_hex(4)}"
        with self._stderr.open("w") as stderr:
            super().__init__(
                [sys.executable, "-m", "turbo_trader.console", *arguments], cwd=folder, env=env,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
            )  # fmt: skip

    @property
    def stderr_text(self) -> str:
        """All it has said on stderr."""
        return self._stderr.read_text()


class Log:
    """The lines of a structured log, read on as they come; one that is being written is none yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0
        self._lines: list[dict[str, Any]] = []

    def lines(self) -> list[dict[str, Any]]:
        """All so far."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
            whole = text[: text.rfind(b"\n") + 1]
            self._read += len(whole)
            self._lines += map(json.loads, whole.splitlines())
        return self._lines


@dataclass
class Lives:
    """One venue, one journal, and the daemons (`turbo-trader run`) that live on them one after another."""

    served: ServedVenue
    folder: Path  # JOURNAL_DIR
    rules: Mapping[str, str] = field(default_factory=lambda: OFTEN)
    order_entry: str = "rest"
    begun: list[Life] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = self.folder / "testnet"
        self._log, self._guards_log = (
            Log(folder / "turbo-trader.jsonl") for folder in (self.journal, self.journal / "guard")
        )

    def live(
        self, seconds: float, point: str = "", count: int = 1, delay_ms: int = 0
    ) -> dict[str, Any] | None:
        """One life: its summary, or None where it was killed. A life that ends in any other way fails the test."""
        return self.end(self.begin(seconds, point, count, delay_ms), seconds + 120)

    def begin(self, seconds: float, point: str = "", count: int = 1, delay_ms: int = 0, **env: str) -> Life:
        """A daemon that goes on beside the test; it kills itself at a point where one is given (planted/sitecustomize.py)."""
        death = {"DEATH_AT": f"{point} {count} {delay_ms}"} if point else {}
        return self._start("run", "--no-ui", "--json", "--for", f"{seconds}s", **death, **env)

    def guard(self, **env: str) -> Life:
        """A guard that a person starts; `run` starts its own."""
        return self._start("guard", **env)

    def _start(self, *arguments: str, **env: str) -> Life:
        venue = {
            "MODE": "testnet", "BYBIT_REST_URL": self.served.url, "BYBIT_STREAM_URL": self.served.stream,
            "BYBIT_API_KEY": "key", "BYBIT_API_SECRET": "secret", "JOURNAL_DIR": str(self.folder),
            "TARGET_ASSETS": ",".join(i.symbol for i in self.served.venue.source.instruments), "ORDER_ENTRY": self.order_entry,
            "PYTHONPATH": os.pathsep.join(filter(None, (str(PLANTED), os.environ.get("PYTHONPATH")))), "END_WITH": str(os.getpid()),
        }  # fmt: skip
        life = Life([*arguments], self.folder, {**os.environ, **self.rules, **venue, **env})
        self.begun.append(life)
        return life

    def end(self, daemon: Life, seconds: float = 120) -> dict[str, Any] | None:
        """Its summary when it has ended by itself, or None where it was killed."""
        report, code = self.ended(daemon, seconds)
        if code == -signal.SIGKILL:
            return None
        assert code == 0, daemon.stderr_text[-4_000:]
        return report

    def ended(self, daemon: Life, seconds: float = 120) -> tuple[dict[str, Any], int]:
        """Its summary, empty where it was killed, and its exit code, once it has ended by itself."""
        try:
            out, _ = daemon.communicate(timeout=seconds)
        finally:
            daemon.kill()
        assert "Traceback" not in daemon.stderr_text
        return (json.loads(out) if out else {}), daemon.returncode

    def ask(self, verb: str) -> dict[str, Any]:
        """What the running daemon answers."""
        (daemon,) = Registry(Kind.DAEMON).running()
        return ask(daemon, verb)

    def wait(self, what: Callable[[], object], seconds: float = 120) -> None:
        """Until something is so; a test that waits too long fails, with what daemons and guards said last."""
        until = time.monotonic() + seconds
        while not what():
            assert time.monotonic() < until, "\n".join(self.said())
            time.sleep(0.02)

    def said(self) -> list[str]:
        """The last that daemons and guards have said, for a person."""
        last = [
            *self.notes()[-30:],
            *self.guards_notes()[-10:],
            *(life.stderr_text[-500:] for life in self.begun),
        ]
        return [str(each) for each in last]

    def notes(self, name: str = "") -> list[dict[str, Any]]:
        """What the daemons of all lives have logged, under a name where given."""
        return [note for note in self._log.lines() if name in ("", note["event"])]

    def guards_notes(self, name: str = "") -> list[dict[str, Any]]:
        """What the guards have logged, under a name where given."""
        return [note for note in self._guards_log.lines() if name in ("", note["event"])]

    def guards(self) -> list[int]:
        """Process ids of the guards that live."""
        return [guard.pid for guard in Registry(Kind.GUARD).running() if guard.folder == str(self.journal)]

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
        """What must hold whenever a life has ended cleanly."""
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
def live_on(tmp_path: Path) -> Callable[..., contextlib.AbstractContextManager[Lives]]:
    """Serves a market with one account on it; at the end every process of it is gone."""

    @contextlib.contextmanager
    def on(
        source: MarketSource,
        balance: Decimal,
        speed: float,
        *,
        faults: FaultPlan | None = None,
        seed: int = 0,
        rules: Mapping[str, str] = OFTEN,
    ) -> Iterator[Lives]:
        config = VenueConfig(
            "key", "secret", balance, speed=speed, faults=faults or FaultPlan(), fault_seed=seed, limits=False
        )
        with serve_in_thread(Venue(source, config)) as served:
            lives = Lives(served, tmp_path, rules)
            try:
                yield lives
            finally:
                for daemon in lives.begun:
                    daemon.kill()
                    daemon.communicate(timeout=60)
                end_all_in(tmp_path)

    return on


@pytest.fixture
def lives(
    live_on: Callable[..., contextlib.AbstractContextManager[Lives]], request: pytest.FixtureRequest
) -> Iterator[Lives]:
    """A venue with an edge in its market; its parameter: seed, faults, speed, time of its begin."""
    given: tuple[Any, ...] = getattr(request, "param", ())
    usual: tuple[Any, ...] = (1, "", SPEED, START)
    seed, faults, speed, begin = given + usual[len(given) :]
    source = SyntheticMarket(TRADED, seed, begin, 1.0)
    balance = Decimal(50)  # turbo, also after gains: a scan every few seconds
    with live_on(source, balance, speed, faults=FaultPlan.parse(faults), seed=seed) as found:
        yield found


def end_all_in(folder: Path) -> None:
    """End every process that works in a folder, also a guard that has not registered yet."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if (process / "cwd").readlink().is_relative_to(folder):
                os.kill(int(process.name), signal.SIGKILL)


@pytest.fixture(scope="session")
def end_all() -> Callable[[Path], None]:
    """As `end_all_in`."""
    return end_all_in
