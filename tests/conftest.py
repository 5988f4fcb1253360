"""What holds for every test: properties have no deadline (machines are shared) and the same examples in every run."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from pybit.unified_trading import HTTP

    from turbo_trader.exchange.exchange_machine import Exchange
    from turbo_trader.exchange_server.exchange_host import Venue
    from turbo_trader.exchange_server.market_source import Frames
    from turbo_trader.exchange_server.server_thread import ServedVenue

_STATES = count()
_START = 1_767_603_600_000_000_000  # 2026-01-05
PROGRAMS = {"postgres": Path("/usr/lib/postgresql/15/bin/postgres")}  # where Debian keeps what is on no PATH

WAITING = {
    "process",
    "exchange_server",
    "live",
    "alarms",
    "dashboard",
    "screen",
    "metrics",
}  # rooms of the tests

settings.register_profile("suite", deadline=None, derandomize=True)
settings.load_profile("suite")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What holds a limit on the wall's clock is tried again: a fault misses it each time, a busy machine once.

    Rooms that wait for other processes and servers wait on that clock in every test, and so does a test that runs a shell.
    """
    for item in items:
        waits = WAITING & set(item.path.parts) or "shells" in getattr(item, "fixturenames", ())
        if waits or item.get_closest_marker("clock"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=1))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test whose program is absent is skipped by the program's name; in CI it fails."""
    for marker in item.iter_markers("external"):
        absent = [
            name
            for name in marker.args
            if shutil.which(name) is None and not PROGRAMS.get(name, Path("/")).is_file()
        ]
        if absent and os.environ.get("CI"):
            pytest.fail(f"{', '.join(absent)} not found: scripts/setup system installs it")
        if absent:
            pytest.skip(f"{', '.join(absent)} not found: scripts/setup system installs it")


@pytest.fixture(scope="session")
def states(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where tests keep the user's state, instead of the person's who runs them."""
    return tmp_path_factory.mktemp("states")


@pytest.fixture(autouse=True)
def _own_state(states: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each test has a registry of its own; it is made when something is written to it."""
    monkeypatch.setenv("XDG_STATE_HOME", str(states / str(next(_STATES))))


@pytest.fixture(scope="session")
def sound() -> Callable[[Exchange], None]:
    """What holds of an Exchange after any request, whatever it was."""
    from turbo_trader.exchange.messages import OPEN
    from turbo_trader.exchange.orders import FINAL

    def check(x: Exchange) -> None:
        for account in x.accounts.values():
            assert account.balance == sum((entry.change for entry in account.log), Decimal(0))
            assert all(e.qty > 0 for e in account.executions)
            for order in account.orders.values():
                assert 0 <= order.filled <= order.qty
                assert order.qty > 0
                assert order.status in OPEN | FINAL | {"Triggered"}
                assert (order.status in OPEN) == (order.order_id in account.open_orders)
            for position in account.positions.values():
                fills = (e for e in account.executions if e.kind != "Funding")
                booked = (e.side * e.qty for e in fills if account.orders[e.order_id].key == position.key)
                assert position.size == sum(booked, Decimal(0))
            for position in account.held():
                assert not x.collateral.exhausted(account, position)
        for s, state in enumerate(x.states):
            assert not state["book_valid"] or 0 < state["bid"] < state["ask"]
            resting = [order for _, order in x.resting.of(s)]
            buys = [order.limit for order in resting if order.side > 0]
            sells = [order.limit for order in resting if order.side < 0]
            assert not buys or not sells or max(buys) < min(sells)

    return check


# -- one quiet served exchange for many tests, and clients of it


@pytest.fixture(scope="session")
def make_venue() -> Callable[..., Venue]:
    """Three symbols unless asked otherwise; clients stamp with the wall clock. `frames`: a scripted market's own public frames."""
    from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
    from turbo_trader.market.reference import universe
    from turbo_trader.simulation.synthetic import SyntheticMarket

    def make(symbols: tuple[str, ...] = (), frames: Frames | None = None, **config: Any) -> Venue:
        chosen = [i for i in universe() if i.symbol in symbols] or universe()[:3]
        source = SyntheticMarket(chosen, 1, _START, 0.0)
        return Venue(source, VenueConfig("key", "secret", Decimal(10_000), **config), frames=frames)

    return make


@pytest.fixture(scope="session")
def served(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    """With generous limits: many tests in one second are one account."""
    from turbo_trader.exchange_server.server_thread import serve_in_thread

    with serve_in_thread(make_venue(vip=5)) as venue:
        yield venue


@pytest.fixture(scope="session")
def lively(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    """Time runs ten times faster, so that streams have something to say."""
    from turbo_trader.exchange_server.server_thread import serve_in_thread

    with serve_in_thread(make_venue(speed=10.0, vip=5)) as venue:
        yield venue


@pytest.fixture(scope="session")
def pybit_of() -> Callable[..., HTTP]:
    """pybit's client of a venue, its retries switched off."""
    from pybit.unified_trading import HTTP

    def make(venue: ServedVenue, secret: str = "secret", timeout: float = 30.0) -> HTTP:
        session = HTTP(
            api_key="key",
            api_secret=secret,
            retry_codes={-1},
            max_retries=1,
            timeout=timeout,
            recv_window=20_000,
        )
        session.endpoint = venue.url
        session.client.trust_env = False
        return session

    return make


@pytest.fixture(scope="session")
def port(served: ServedVenue) -> int:
    return served.port


@pytest.fixture(scope="session")
def client(served: ServedVenue, pybit_of: Callable[..., HTTP]) -> HTTP:
    return pybit_of(served)


# -- a disk of 512 kB that can be filled


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A tmpfs of 512 kB, where this user may mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("no tmpfs can be mounted here: only root may")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def fill(small_disk: Path) -> None:
    """Leaves no room on it."""
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))
