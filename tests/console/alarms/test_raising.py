"""Which events raise which alarms, how often, and when they are over."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal
from typing import Any

import pytest
from tests.console.test_log_events import documented

from turbo_trader.console.alarms.catalogue import BY_ALARM, RULES, WANTED, Alarm, Severity
from turbo_trader.console.alarms.digest import Digest
from turbo_trader.console.alarms.raising import Choice, Raised, Raising

TS = 1_767_603_600_000_000_000
HOUR_NS = 3_600_000_000_000
LIMIT = {"what": "warning", "limit": "margin", "text": "81% of the limit: margin", "used": "0.81"}
#: What must raise an alarm: event, fields, alarm, severity.
ASKED: list[tuple[str, dict[str, Any], Alarm, Severity]] = [
    ("entry", {"symbol": "BTCUSDT"}, Alarm.ENTRY, Severity.INFO),
    ("trade", {"symbol": "BTCUSDT"}, Alarm.EXIT, Severity.INFO),
    ("limit", LIMIT, Alarm.LIMIT_NEAR, Severity.WARNING),
    ("limit", {"what": "drawdown-pause", "text": "x"}, Alarm.LIMIT_REACHED, Severity.WARNING),
    ("limit", {"what": "pauses-halt", "text": "x"}, Alarm.LIMIT_REACHED, Severity.WARNING),
    ("halt", {"what": "session-loss", "text": "x"}, Alarm.HALT, Severity.CRITICAL),
    ("halt", {"what": "watchdog", "text": "x"}, Alarm.HALT, Severity.CRITICAL),
    ("control", {"verb": "halt", "by": "me"}, Alarm.HALT, Severity.CRITICAL),
    ("control", {"verb": "flatten", "by": "SIGUSR1"}, Alarm.HALT, Severity.CRITICAL),
    ("stage", {"tier": "A", "stage": "earned", "text": "x"}, Alarm.SIZE_STAGE, Severity.INFO),
    ("no-trades", {"hours": 6.0}, Alarm.NO_TRADES, Severity.WARNING),
    ("unprotected", {"symbol": "BTCUSDT", "stop": "1"}, Alarm.UNPROTECTED, Severity.CRITICAL),
    ("guard-unprotected", {"symbol": "BTCUSDT", "daemon": False}, Alarm.UNPROTECTED, Severity.CRITICAL),
    ("key-expires", {"days": 7}, Alarm.KEY_EXPIRY, Severity.WARNING),
    ("daemon-gone", {"ended": False}, Alarm.DAEMON_GONE, Severity.CRITICAL),
    ("process-gone", {"process": "daemon"}, Alarm.DAEMON_GONE, Severity.CRITICAL),
    ("process-gone", {"process": "guard"}, Alarm.GUARD_GONE, Severity.CRITICAL),
    ("guard-ended", {"meaning": "by a person"}, Alarm.GUARD_GONE, Severity.CRITICAL),
    ("guard-begun", {"why": "the one before was killed"}, Alarm.GUARD_GONE, Severity.CRITICAL),
    ("failed", {"what": "the trader failed"}, Alarm.DAEMON_FAILED, Severity.CRITICAL),
    ("process-crashed", {"process": "daemon", "why": "KeyError"}, Alarm.DAEMON_FAILED, Severity.CRITICAL),
    ("process-crashed", {"process": "guard", "why": "KeyError"}, Alarm.GUARD_GONE, Severity.CRITICAL),
    ("journal-failed", {"error": "disk full"}, Alarm.JOURNAL_FAILED, Severity.CRITICAL),
]
#: What must not.
PASSED_OVER: list[tuple[str, dict[str, Any]]] = [
    ("limit", {"what": "session-new", "text": "x"}),
    ("limit", {"what": "pause-over", "text": "x"}),
    ("daemon-gone", {"ended": True}),
    ("guard-begun", {"journal": "var/live"}),
    ("control", {"verb": "resume", "by": "me"}),
    ("stream", {"stream": "public", "up": True}),
    ("scan", {"candidates": 3}),
]


@pytest.mark.parametrize(("name", "fields", "alarm", "severity"), ASKED)
def test_what_must_be_sent_raises_its_alarm(
    name: str, fields: dict[str, Any], alarm: Alarm, severity: Severity
) -> None:
    (raised,) = Raising().take(name, fields, TS, 0.0)
    assert (raised.alarm, raised.severity, raised.over) == (alarm, severity, False)
    assert name in WANTED


@pytest.mark.parametrize(("name", "fields"), PASSED_OVER)
def test_what_is_no_alarm_raises_none(name: str, fields: dict[str, Any]) -> None:
    assert Raising().take(name, fields, TS, 0.0) == []


def test_every_event_of_an_alarm_is_one_of_the_log() -> None:
    own = {
        "process-gone",
        "process-ended",
        "process-crashed",
    }  # said by the process that sends, about the one it serves
    named = {event.name for rule in RULES for event in (*rule.events, *rule.ended_by)}
    assert named - own <= set(documented())
    assert set(BY_ALARM) == set(Alarm)


def test_the_same_alarm_waits_for_its_cool_down_and_counts() -> None:
    raising, event = Raising(), {"symbol": "BTCUSDT", "stop": "1"}
    assert len(raising.take("unprotected", event, TS, 0.0)) == 1
    assert raising.take("unprotected", event, TS, 30.0) == []
    assert raising.take("unprotected", event, TS, 59.0) == []
    assert len(raising.take("unprotected", event | {"symbol": "ETHUSDT"}, TS, 30.0)) == 1
    (again,) = raising.take("unprotected", event, TS, 60.0)
    assert "2 more since the last" in again.text
    assert raising.counts[Alarm.UNPROTECTED] == 5


def test_a_stream_that_comes_back_soon_is_no_alarm() -> None:
    raising = Raising()
    raising.take("stream", {"stream": "public", "up": False, "why": "reset"}, TS, 0.0)
    assert raising.due(19.9) == []
    assert raising.take("stream", {"stream": "public", "up": True, "why": ""}, TS, 19.9) == []
    assert raising.next_due() is None
    assert raising.due(100.0) == []


def test_a_stream_that_stays_down_is_an_alarm_and_its_end_is_sent() -> None:
    raising = Raising()
    raising.take("stream", {"stream": "private", "up": False, "why": "reset"}, TS, 0.0)
    raising.take("stream", {"stream": "private", "up": False, "why": "refused"}, TS, 10.0)
    assert raising.next_due() == 20.0
    (raised,) = raising.due(20.0)
    assert (raised.alarm, raised.subject) == (Alarm.DISCONNECTED, "private")
    assert "refused" in raised.text
    assert raising.due(1000.0) == []
    (over,) = raising.take("stream", {"stream": "private", "up": True, "why": ""}, TS, 80.0)
    assert over.over
    assert "over after 60 s" in over.text


def test_a_halt_is_over_when_a_person_resumes() -> None:
    raising = Raising()
    raising.take("halt", {"what": "watchdog", "text": "no edge"}, TS, 0.0)
    (over,) = raising.take("control", {"verb": "resume", "by": "me"}, TS, 600.0)
    assert (over.alarm, over.over) == (Alarm.HALT, True)
    assert raising.take("control", {"verb": "resume", "by": "me"}, TS, 700.0) == []


def test_levels_and_kinds_choose_what_is_sent() -> None:
    def raised(alarm: Alarm) -> Raised:
        return Raised(alarm=alarm, severity=BY_ALARM[alarm].severity, ts=TS, subject="", text="")

    only = Choice(alarms={Alarm.ENTRY, Alarm.HALT}, least=Severity.WARNING)
    assert [only.takes(raised(alarm)) for alarm in (Alarm.ENTRY, Alarm.HALT, Alarm.UNPROTECTED)] == [
        False, True, False,
    ]  # fmt: skip
    assert all(Choice().takes(raised(alarm)) for alarm in Alarm)
    assert Choice(least=Severity.CRITICAL).takes(raised(Alarm.DIGEST))


def test_no_trades_says_the_gate_and_its_share() -> None:
    fields = {
        "hours": 7.0, "scans": 12600, "candidates": 9, "gate": "pre-filter", "share": 0.93,
        "gates": {"data": 0.05, "pre-filter": 0.93}, "refusal": "halted: by a person",
    }  # fmt: skip
    (raised,) = Raising().take("no-trades", fields, TS, 0.0)
    assert "for 7 hours" in raised.text
    assert "pre-filter 93 %, data 5 %" in raised.text
    assert "halted: by a person" in raised.text


def summary(equity: str, of: str = "hour") -> dict[str, Any]:
    return {"of": of, "candidates": 4, "equity": Decimal(equity)}


@pytest.mark.parametrize(("period", "hours"), [("hourly", 1), ("daily", 24)])
def test_the_digest_adds_up_its_hour_or_day(period: str, hours: int) -> None:
    digest, counts = Digest(period), Counter({Alarm.ENTRY: 2})
    begin = TS // (24 * HOUR_NS) * 24 * HOUR_NS
    assert digest.take("summary", summary("100"), begin + 1, counts) == []
    digest.take("trade", {"net": Decimal("1.5")}, begin + 2, counts)
    digest.take("trade", {"net": Decimal("-0.5")}, begin + 3, counts)
    made = [
        raised
        for hour in range(1, hours + 1)
        for raised in digest.take("summary", summary("101"), begin + hour * HOUR_NS + 1, counts)
    ]
    (sent,) = made
    assert "equity 101.00 USDT (+1.00 %)" in sent.text
    assert "2 trades, 1 won, net +1.0000 USDT" in sent.text
    assert "alarms: entry 2" in sent.text
    assert not counts


def test_the_digest_can_be_off_and_comes_at_the_end_of_a_run() -> None:
    counts: Counter[Alarm] = Counter()
    for period, expected in (("off", 0), ("daily", 1)):
        digest = Digest(period)
        digest.take("summary", summary("100"), TS, counts)
        assert len(digest.take("summary", summary("100", "run"), TS + 1, counts)) == expected
