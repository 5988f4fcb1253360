"""What waits for one target: bundles, the pace, failures, the bound."""

from __future__ import annotations

from turbo_trader.console.alarms.catalogue import Alarm, Severity
from turbo_trader.console.alarms.outbox import MOST, Outbox
from turbo_trader.console.alarms.raising import Raised

TS = 1_767_603_600_000_000_000


def raised(text: str, severity: Severity = Severity.INFO, alarm: Alarm = Alarm.ENTRY) -> Raised:
    return Raised(alarm=alarm, severity=severity, ts=TS, subject="BTCUSDT", text=text)


def outbox(interval_s: float = 60.0, most: int = MOST) -> Outbox:
    return Outbox("turbo-trader paper", interval_s, most)


def test_one_alarm_is_one_message_with_its_time_and_severity() -> None:
    box = outbox()
    box.put(raised("an entry: long"))
    assert box.due() == 0.0
    message = box.take()
    assert message.title == "turbo-trader paper: entry BTCUSDT"
    assert message.body == "2026-01-05 09:00:00 UTC INFO an entry: long"


def test_what_comes_within_the_interval_goes_as_one_message() -> None:
    box = outbox()
    box.put(raised("first"))
    box.take()
    box.put(raised("second"))
    assert box.due() is None  # the first is on its way
    box.delivered(10.0)
    box.put(raised("third"))
    assert box.due() == 70.0
    message = box.take()
    assert message.count == 2
    assert message.title.endswith("and 1 more")
    assert "second" in message.body
    assert "third" in message.body


def test_a_critical_alarm_waits_for_no_interval_and_names_its_runbook() -> None:
    box = outbox()
    box.put(raised("first"))
    box.take()
    box.delivered(10.0)
    box.put(raised("no stop", Severity.CRITICAL, Alarm.UNPROTECTED))
    assert box.due() == 0.0
    assert "[docs/operations.md: unprotected]" in box.take().body


def test_a_failed_message_waits_longer_each_time_and_keeps_its_alarms() -> None:
    box = outbox()
    box.put(raised("first", Severity.CRITICAL))
    waits = []
    for now in (0.0, 100.0, 200.0, 300.0, 400.0):
        box.take()
        box.failed(now)
        due = box.due()
        assert due is not None
        waits.append(due - now)
    assert waits == [5.0, 15.0, 60.0, 300.0, 300.0]
    box.put(raised("second"))
    message = box.take()
    assert message.body.index("first") < message.body.index("second")
    box.delivered(1000.0)
    assert len(box) == box.failures == 0


def test_a_dead_target_costs_a_bounded_queue_and_drops_are_counted() -> None:
    box = outbox(most=10)
    box.put(raised("no stop", Severity.CRITICAL, Alarm.UNPROTECTED))
    for number in range(500):
        box.put(raised(f"number {number}"))
    assert len(box) == 10
    assert box.dropped == 491
    message = box.take()
    assert "no stop" in message.body  # the mild ones go first
    assert "491 more were dropped" in message.body
    box.delivered(0.0)
    assert box.dropped == 0


def test_drops_while_a_message_is_on_its_way_keep_the_bound() -> None:
    box = outbox(most=4)
    for number in range(4):
        box.put(raised(f"old {number}"))
    box.take()
    for number in range(6):
        box.put(raised(f"new {number}"))
    assert len(box) <= 5
    box.failed(0.0)
    assert len(box) == 4


def test_a_long_message_counts_what_it_does_not_show() -> None:
    box = outbox()
    for number in range(30):
        box.put(raised(f"number {number}"))
    box.put(raised("no stop", Severity.CRITICAL, Alarm.UNPROTECTED))
    message = box.take()
    assert "no stop" in message.body
    assert message.body.endswith("and entry 11")
    assert len(message.body.splitlines()) == 21
