"""Reads of fills overlap; a journal keeps each fill once, and everything else of a read."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from turbo_trader.journal import readers
from turbo_trader.journal.repeats import Repeats
from turbo_trader.journal.store import Journal
from turbo_trader.market.order_terms import Side
from turbo_trader.trader.events import Fill, Outcome, ReadResult


def fill(number: int) -> Fill:
    return Fill(
        ts=number, symbol="BTCUSDT", exec_id=f"x{number}", order_id="o", link_id="l", side=Side.BUY, qty=Decimal(1),
        price=Decimal(2), fee=Decimal(0), kind="Trade", closed_qty=Decimal(0), is_maker=False, seq=number,
    )  # fmt: skip


def read(ts: int, *numbers: int) -> ReadResult:
    return ReadResult(
        ts=ts, id=f"r{ts}", outcome=Outcome.CONFIRMED, asked_ts=ts - 1, fills=tuple(map(fill, numbers))
    )


def test_a_fill_is_journaled_once_however_often_it_is_read(tmp_path: Path) -> None:
    journal = Journal(tmp_path, ("BTCUSDT",))
    for event in (fill(1), read(10, 1, 2), read(20, 1, 2, 3), read(30, 1, 2, 3), read(40)):
        journal.event(event)
    journal.flush()
    found = [event for _, event in readers.events(tmp_path, ("ReadResult",))]
    assert [[each["exec_id"] for each in event["fills"]] for event in found] == [["x2"], ["x3"], [], []]
    assert [(event["ts"], event["asked_ts"], event["id"]) for event in found] == [
        (10, 9, "r10"), (20, 19, "r20"), (30, 29, "r30"), (40, 39, "r40"),
    ]  # fmt: skip
    journal.close(50, "test")


def test_the_event_that_the_trader_has_is_not_changed() -> None:
    repeats, event = Repeats(), read(10, 1, 2)
    assert repeats.without(event) is event
    assert repeats.without(event) != event
    assert len(event.fills) == 2


def test_what_is_remembered_is_bounded() -> None:
    repeats = Repeats()
    for number in range(20_000):
        repeats.without(fill(number))
    assert len(repeats._known) == 10_000
    assert repeats.without(read(1, 19_999)) != read(1, 19_999)
