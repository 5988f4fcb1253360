"""S25: what the venue adds or leaves out is tolerated; what cannot be read is counted and reported once."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from turbo_trader.bybit import decode
from turbo_trader.bybit.endpoints import Keys
from turbo_trader.live.feeds import PrivateFeed
from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.market.reference import parse_instrument
from turbo_trader.trader.events import Fill, PositionReport


def test_s25_unknown_fields_are_passed_over_and_missing_ones_have_defaults(shells: Any) -> None:
    raw = b'{"topic":"position","newField":{"a":[1]},"data":[{"symbol":"BTCUSDT","size":"","other":null}]}'
    (report,) = decode.private(decode.frame(raw), 7)
    assert isinstance(report, PositionReport)
    assert report.size == report.position_idx == 0
    assert report.stop_loss is None
    bare = {
        name: value for name, value in shells.INFO.items() if name not in ("fundingInterval", "deliveryTime")
    }
    instrument = parse_instrument({**bare, "tomorrow": {"x": 1}})
    assert (instrument.funding_interval_min, instrument.delivery_ns) == (480, 0)


def test_s25_unreadable_messages_are_counted_reported_once_and_lose_nothing_else() -> None:
    heard: list[Any] = []
    notes: list[str] = []
    feed = PrivateFeed(
        "ws://nowhere",
        Keys("k", "s"),
        VenueClock(),
        heard.append,
        lambda name, level, fields: notes.append(name),
    )
    for _ in range(3):
        feed._take([b'{"topic":"execution","data":[{"symbol":{"no":"text"}}]}'])
    feed._take(
        [
            b'{"topic":"execution","data":[{"symbol":"BTCUSDT","execId":"e","side":"Buy","execQty":"1","execPrice":"2"}]}'
        ]
    )
    (fill,) = heard
    assert isinstance(fill, Fill)
    assert (fill.exec_id, fill.qty) == ("e", Decimal(1))
    assert feed.unreadable == 3
    assert notes == ["message-unreadable"]
