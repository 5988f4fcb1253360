"""When a daemon would trade, and what it says when it would not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from tests.console.screen.conftest import VIEW

from turbo_trader.live.readiness import reasons

STATUS = {"public_up": True, "private_up": True, "journal_failed": "", "may_write": True}
FRESH = {"public": 0.3, "private": 5_000.0}


def test_a_daemon_in_order_is_ready_however_quiet_its_private_stream() -> None:
    assert reasons(VIEW, STATUS, FRESH, 10.0) == []


def test_a_pause_is_no_reason() -> None:
    assert reasons(replace(VIEW, refusal="paused after a drawdown"), STATUS, FRESH, 10.0) == []


@pytest.mark.parametrize(
    ("view", "status", "ages", "what"),
    [
        ({"reconciled": False}, {}, FRESH, ["reconciling"]),
        ({"halted": True, "refusal": "halted: x"}, {}, FRESH, ["halted"]),
        ({}, {"public_up": False}, {"public": 99.0}, ["stream-down"]),
        ({}, {"public_up": False, "private_up": False}, {}, ["stream-down", "stream-down"]),
        ({}, {}, {"public": 10.1}, ["stream-stale"]),
        ({}, {"journal_failed": "disk full"}, FRESH, ["journal"]),
        ({}, {"may_write": False}, FRESH, ["lease"]),
    ],
)
def test_each_reason_is_named(
    view: dict[str, Any], status: dict[str, Any], ages: dict[str, float], what: list[str]
) -> None:
    found = reasons(replace(VIEW, **view), {**STATUS, **status}, ages, 10.0)
    assert [reason.what for reason in found] == what
    assert all(reason.why for reason in found)


def test_before_the_venue_was_read_it_is_starting() -> None:
    assert [reason.what for reason in reasons(None, STATUS, {}, 10.0)] == ["starting"]
