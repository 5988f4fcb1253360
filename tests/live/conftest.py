"""One quiet venue for many tests, and clients of it."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from pybit.unified_trading import HTTP

from turbo_trader.live.venue import Venue, VenueConfig
from turbo_trader.live.venue_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

START = 1_767_603_600_000_000_000  # 2026-01-05


@pytest.fixture(scope="session")
def shells() -> Any:
    """The module `shell_stage`."""
    spec = importlib.util.spec_from_file_location("shell_stage", Path(__file__).with_name("shell_stage.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def make_venue() -> Callable[..., Venue]:
    """Three symbols unless asked otherwise; clients stamp with the wall clock."""

    def make(symbols: tuple[str, ...] = (), **config: Any) -> Venue:
        chosen = [i for i in universe() if i.symbol in symbols] or universe()[:3]
        source = SyntheticMarket(chosen, 1, START, 0.0)
        return Venue(source, VenueConfig("key", "secret", Decimal(10_000), **config))

    return make


@pytest.fixture(scope="session")
def served(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    """With generous limits: many tests in one second are one account."""
    with serve_in_thread(make_venue(vip=5)) as venue:
        yield venue


@pytest.fixture(scope="session")
def lively(make_venue: Callable[..., Venue]) -> Iterator[ServedVenue]:
    """Time runs ten times faster, so that streams have something to say."""
    with serve_in_thread(make_venue(speed=10.0, vip=5)) as venue:
        yield venue


@pytest.fixture(scope="session")
def pybit_of() -> Callable[..., HTTP]:
    """pybit's client of a venue, its retries switched off."""

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
