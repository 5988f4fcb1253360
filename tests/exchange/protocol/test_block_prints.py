"""A block trade far from the market fires nothing and moves no candle, ticker or last price of the simulated exchange."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.passing import PassedPrints, read
from turbo_trader.exchange_server.exchange_host import Venue, VenueConfig
from turbo_trader.exchange_server.market_source import RecordedFrames, TapeSource
from turbo_trader.market.order_terms import Side
from turbo_trader.market.recording import frames
from turbo_trader.market.tape import read_tape

ARCHIVES = Path(__file__).resolve().parents[4] / "shared" / "cases" / "archives"
BLOCK = ARCHIVES / "block.jsonl"
pytestmark = pytest.mark.skipif(not BLOCK.exists(), reason="needs ../shared/cases")


def played(name: str) -> Any:
    """The tape played to its end with a long whose stop lies at 110,000."""
    path = ARCHIVES / f"{name}.jsonl"
    source = TapeSource(read_tape(path))
    venue = Venue(
        source, VenueConfig("key", "secret", Decimal(100_000), 1.0), frames=RecordedFrames(path, source.start)
    )
    venue.advance(source.start + 1_000_000_000)
    uid = next(iter(venue.exchange.accounts))
    order = ask.CreateOrder(
        symbol="BTCUSDT", side=Side.BUY, order_type="Market", qty=Decimal("0.010"), stop_loss=Decimal(110_000)
    )
    assert venue.exchange.handle(venue.now, uid, order).code == 0
    while venue.now < source.end:
        venue.advance(venue.now + 1_000_000_000)
    return venue, venue.exchange.position(uid, "BTCUSDT", venue.now)


def test_a_stop_at_110000_does_not_fire_on_a_block_trade_at_100000() -> None:
    venue, position = played("block")
    assert position.size == Decimal("0.010")
    assert venue.exchange.last(0) > 114_000


def test_nothing_of_the_exchange_differs_with_and_without_a_block_trade() -> None:
    (one, held), (other, same) = played("block"), played("noblock")
    assert held == same
    assert one.data.symbols[0].bars == other.data.symbols[0].bars
    assert one.exchange.states[0].tobytes() == other.exchange.states[0].tobytes()


def test_a_block_trade_is_passed_on_and_called_one() -> None:
    """Clients see what the venue says; it is for them to tell what is the market's."""
    kept = PassedPrints()
    for _, raw in frames(BLOCK):
        head = read(raw)
        if head.topic.startswith("publicTrade"):
            kept.hear(raw, head)
    assert sum(bool(item["BT"]) for item in kept.items) == 1
