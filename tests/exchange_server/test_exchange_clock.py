"""The venue's time beside the wall's clock: it keeps to it, catches up with it, or says how much slower it is."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from turbo_trader.exchange.protocol.public_stream import PublicClient
from turbo_trader.exchange_server.exchange_clock import VenueClock, WallClock
from turbo_trader.exchange_server.exchange_host import Venue

SECOND = 1_000_000_000


class Wall:
    """A wall's clock and a steady one, moved by hand."""

    def __init__(self) -> None:
        self.wall, self.steady = 1_790_000_000 * SECOND, 5 * SECOND

    def passes(self, seconds: float) -> None:
        self.wall += int(seconds * SECOND)
        self.steady += int(seconds * SECOND)

    def clock(self) -> WallClock:
        return WallClock(lambda: self.wall, lambda: self.steady)


@pytest.fixture
def wall() -> Wall:
    return Wall()


def test_a_wall_clock_set_forward_is_followed_and_one_set_back_is_not(wall: Wall) -> None:
    clock = wall.clock()
    begun = clock()
    wall.passes(3)
    wall.wall += 3_600 * SECOND  # a suspended machine: its steady clock stood still
    assert clock() - begun == 3_603 * SECOND
    wall.wall -= 7_200 * SECOND
    wall.passes(1)
    assert clock() - begun == 3_604 * SECOND


@pytest.mark.parametrize("speed", [0.5, 1.0])
def test_up_to_speed_1_the_time_never_waits(wall: Wall, speed: float) -> None:
    clock = VenueClock(1000 * SECOND, speed, wall=wall.clock())
    clock.begin(1002 * SECOND)
    assert not clock.waits
    wall.passes(4)
    assert clock.now() == 1002 * SECOND + int(4 * SECOND * speed)


def test_a_faster_time_that_slips_says_what_it_reached(wall: Wall) -> None:
    clock = VenueClock(0, 100.0, wall=wall.clock())
    assert clock.waits
    clock.begin(0)
    wall.passes(2)
    clock.slip(150 * SECOND)
    assert clock.now() == 50 * SECOND
    assert clock.slipped_ns == 1.5 * SECOND
    assert clock.reached() == pytest.approx(25.0)
    for _ in range(3):  # what is long past counts no more
        wall.passes(5)
        clock.reached()
    assert clock.reached() == pytest.approx(100.0)


def test_another_ones_time_is_taken_as_it_is(wall: Wall) -> None:
    clock = VenueClock(0, 30.0, lambda: 77, wall.clock())
    clock.begin(0)
    assert clock.now() == 77
    assert not clock.waits


def shifted(venue: Venue, monkeypatch: pytest.MonkeyPatch) -> Wall:
    """The venue's clock begins to run, by a wall moved by hand."""
    wall = Wall()
    monkeypatch.setattr(venue, "clock", VenueClock(venue.source.start, venue.config.speed, wall=wall.clock()))
    venue.open()
    venue.start_clock()
    return wall


@pytest.mark.long
def test_after_standing_still_one_step_is_at_the_wall_s_time_and_no_print_is_lost(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue, beside = make_venue(), make_venue()
    wall = shifted(venue, monkeypatch)
    opened = venue.now
    client = PublicClient(venue.feed, "one")
    client.take(b'{"op":"subscribe","args":["orderbook.50.BTCUSDT","publicTrade.BTCUSDT"]}', venue.now)
    wall.passes(150.0)
    monkeypatch.setattr("turbo_trader.exchange_server.exchange_host.SLICE_NS", 0)  # as on the slowest machine
    venue.step()
    assert venue.now == opened + 150 * SECOND
    assert venue.clock.slipped_ns == 0
    while beside.now < venue.now:
        beside.advance(min(beside.now + SECOND // 10, venue.now))
    seen, wanted = ([bar[:7] for bar in v.data.symbols[0].bars] for v in (venue, beside))
    assert seen == wanted
    assert len(venue.data.symbols[0].marks) == len(beside.data.symbols[0].marks)
    assert venue.data.levels(0, 50) == beside.data.levels(0, 50)


def test_a_machine_too_slow_for_the_speed_is_reported_at_each_doubling(
    make_venue: Callable[..., Venue], monkeypatch: pytest.MonkeyPatch
) -> None:
    venue = make_venue(speed=1000.0)
    reported: list[tuple[str, str, dict[str, Any]]] = []
    monkeypatch.setattr(venue, "_report", lambda *each: reported.append(each))
    wall = shifted(venue, monkeypatch)
    monkeypatch.setattr("turbo_trader.exchange_server.exchange_host.SLICE_NS", 0)
    for _ in range(40):
        wall.passes(0.25)
        venue.step()
    lost = [fields["slipped_s"] for _, _, fields in reported]
    assert 3 <= len(lost) <= 5
    assert all(after >= 1.9 * before for before, after in pairwise(lost))
    assert {(name, level, fields["speed"]) for name, level, fields in reported} == {
        ("venue-slow", "warning", 1000.0)
    }
    assert all(0 <= fields["reached"] < 1000.0 for _, _, fields in reported)
