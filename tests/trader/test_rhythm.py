"""Times that can find nothing are passed by; the later ones stay where they would be."""

from __future__ import annotations

from turbo_trader.rules.records import NEVER
from turbo_trader.trader.rhythm import Rhythm


def test_wanted_time_is_the_next_one() -> None:
    rhythm = Rhythm(30, due=100)
    assert rhythm.next_ns == 100


def test_unwanted_times_are_passed_by_and_counted() -> None:
    rhythm = Rhythm(30, due=100)
    rhythm.wanted = NEVER
    assert rhythm.next_ns == NEVER
    assert rhythm.pass_by(165) == 3  # 100, 130, 160
    rhythm.wanted = 0
    assert rhythm.next_ns == 190


def test_time_that_has_come_is_not_passed_by_yet() -> None:
    rhythm = Rhythm(30, due=100)
    rhythm.wanted = NEVER
    assert rhythm.pass_by(160) == 2
    assert rhythm.due == 160


def test_times_before_the_wanted_one_are_left_out() -> None:
    rhythm = Rhythm(30, due=100)
    rhythm.wanted = 145
    assert rhythm.next_ns == 160
    rhythm.pass_by(170)  # a little late, as clocks are
    assert rhythm.due == 160


def test_wanted_time_that_is_late_is_not_passed_by() -> None:
    rhythm = Rhythm(30, due=100)
    assert rhythm.pass_by(500) == 0
    assert rhythm.next_ns == 100
    rhythm.done(500)
    assert rhythm.next_ns == 530
