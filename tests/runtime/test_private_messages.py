"""A private message is read row by row: what cannot be read is counted, said once, and read again from the account."""

from __future__ import annotations

import json
from typing import Any

from turbo_trader.runtime.clock import MeasuredClock
from turbo_trader.runtime.private_messages import PrivateMessages
from turbo_trader.trader.events import Event, PositionReport, Unread

NOW = 1_770_000_000_000_000_000
ROW = {"symbol": "BTCUSDT", "side": "Buy", "size": "1", "entryPrice": "2", "positionStatus": "Normal"}


def taken(raw: bytes) -> tuple[PrivateMessages, list[Event], list[str]]:
    delivered: list[Event] = []
    said: list[str] = []
    clock = MeasuredClock(lambda: 0, lambda: NOW)
    messages = PrivateMessages(clock, delivered.append, lambda name, level, fields: said.append(name))
    messages.take(raw)
    return messages, delivered, said


def message(*rows: Any) -> bytes:
    return json.dumps({"topic": "position", "creationTime": NOW // 1_000_000, "data": rows}).encode()


def test_an_odd_row_costs_no_neighbour_and_has_its_symbol_read_again() -> None:
    messages, delivered, said = taken(message({**ROW, "symbol": "ETHUSDT", "size": "x"}, ROW))
    assert [(type(event), event.symbol) for event in delivered if isinstance(event, Unread | PositionReport)] == [
        (Unread, "ETHUSDT"), (PositionReport, "BTCUSDT"),
    ]  # fmt: skip
    assert messages.unreadable == 1
    assert said == ["message-unreadable"]


def test_a_message_that_is_none_has_everything_read_again() -> None:
    messages, delivered, said = taken(b"{")
    assert delivered == [Unread(NOW, "")]
    assert messages.unreadable == 1
    assert said == ["message-unreadable"]
