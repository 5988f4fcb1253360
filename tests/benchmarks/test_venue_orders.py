"""Orders beside idle sockets: every answer is the one that is due, and the books are as was asked for."""

from __future__ import annotations

import asyncio
from decimal import Decimal

import pytest

from benchmarks import venue_orders
from benchmarks.venue_orders import KEY, SECRET, WORKERS, Found, measure
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.server_thread import ServedVenue, serve_in_thread
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import SyntheticMarket

pytestmark = pytest.mark.process  # a benchmark, not the product


def measured(venue: ServedVenue, *, rest: bool) -> Found:
    """250 requests in a second, beside 20 sockets."""
    return asyncio.run(measure(1, venue.port, 20, 5 * WORKERS, 1, rest=rest))


@pytest.mark.parametrize("rest", [True, False])
def test_every_answer_is_the_one_that_is_due(monkeypatch: pytest.MonkeyPatch, rest: bool) -> None:
    monkeypatch.setattr(venue_orders, "PAUSE_S", 0.0)
    config = VenueConfig(KEY, SECRET, Decimal(100_000), limits=False, control=True)
    with serve_in_thread(Venue(SyntheticMarket(universe()[:1], 1, 1_767_603_600 * 10**9), config)) as venue:
        found = measured(venue, rest=rest)
    assert (found.requests, dict(found.wrong), found.books) == (250, {}, [])
    assert len(str(found).splitlines()) == 6


def test_wrong_answers_and_books_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(venue_orders, "PAUSE_S", 0.0)
    buys = venue_orders.TURNS[0]
    monkeypatch.setattr(
        venue_orders, "TURNS", (buys, (*venue_orders.TURNS[2][:2], 0))
    )  # a filled order is cancelled
    config = VenueConfig(KEY, SECRET, Decimal(100_000), limits=False, control=True)
    with serve_in_thread(Venue(SyntheticMarket(universe()[:1], 1, 1_767_603_600 * 10**9), config)) as venue:
        found = measured(venue, rest=True)
    assert [text.partition(" ")[0:2] for text in found.wrong] == [("order.cancel:", " ")]
    assert sum(found.wrong.values()) == 2 * WORKERS
    assert any(each.startswith("positions [") for each in found.books)
