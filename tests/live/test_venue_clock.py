from turbo_trader.live.venue_clock import VenueClock
from turbo_trader.runtime.clock import read_speed


class Steady:
    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def test_half_the_round_trip_is_taken_off_and_speed_applied() -> None:
    steady = Steady()
    clock = VenueClock(steady, lambda: 5)
    steady.ns = 100
    clock.measured(1_000_000, 0, 100, 30.0)
    assert clock.now() == 1_000_000 + 50 * 30
    steady.ns = 1_000_000_100
    assert clock.now() == 1_000_000 + 1_000_000_050 * 30
    assert abs(clock.wall_seconds(clock.now() + 60_000_000_000) - 2.0) < 1e-9


def test_it_never_goes_back() -> None:
    steady = Steady()
    clock = VenueClock(steady, lambda: 0)
    clock.measured(1_000_000, 0, 10, 1.0)
    before = clock.now()
    clock.measured(10, 0, 10, 1.0)
    assert clock.now() == before


def test_s29_what_is_signed_follows_a_measurement_back_though_time_stands_still() -> None:
    clock = VenueClock(Steady(), lambda: 0)
    clock.measured(9_000_000_000, 0, 10, 1.0)
    reported = clock.now()
    clock.doubt()
    clock.measured(1_000_000_000, 0, 10, 1.0)
    assert clock.now() == reported
    assert clock.stamp() < 1_100_000_000


def test_s29_a_slow_round_trip_does_not_spoil_a_good_measurement() -> None:
    steady = Steady()
    clock = VenueClock(steady, lambda: 0)
    clock.measured(1_000_000, 0, 10, 1.0)
    clock.measured(9_000_000, 10, 5_000, 1.0)
    assert clock.now() < 1_100_000


def test_s29_a_clock_the_venue_found_wrong_takes_the_next_measurement_only() -> None:
    clock = VenueClock(Steady(), lambda: 0)
    clock.measured(1_000_000, 0, 10, 1.0)
    clock.doubt()
    clock.measured(9_000_000, 10, 5_000, 1.0)
    assert clock.now() > 8_000_000
    clock.measured(20_000_000, 20, 90_000, 1.0)
    assert clock.now() < 9_100_000


def test_a_nonsense_speed_is_one() -> None:
    assert [read_speed(text) for text in (None, "", "x", "-1", "inf", "30", "0")] == [1, 1, 1, 1, 1, 30, 1]


def test_s29_a_round_trip_of_twice_the_last_one_still_counts() -> None:
    clock = VenueClock(Steady(), lambda: 0)
    clock.measured(1_000_000, 0, 10, 1.0)
    clock.measured(2_000_000, 10, 30, 1.0)
    assert clock.now() > 1_900_000
    clock.measured(3_000_000, 30, 71, 1.0)
    assert clock.now() < 2_100_000
