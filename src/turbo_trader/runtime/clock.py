"""The venue's time: measured against our steady clock, and as fast as the venue says it runs."""

from __future__ import annotations

from collections.abc import Callable

SPEED_HEADER = "X-Sim-Speed"
STALE_S = 60.0  # a measurement older than this is replaced by any newer one, however slow its round trip


class MeasuredClock:
    """Venue time in ns UTC. Before the first measurement: our own wall clock.

    The estimate never goes back; when a measurement says we are ahead, the clock waits until the venue has caught up.
    """

    def __init__(self, steady: Callable[[], int], wall: Callable[[], int]) -> None:
        """`steady`: ns of a clock that never jumps; `wall`: ns UTC of this machine."""
        self._steady = steady
        self._wall = wall
        self._anchor = steady()
        self._base = wall()
        self._last = 0
        self._round_trip = 0
        self._doubted = False
        self.speed = 1.0
        self.offset = 0  # venue - our wall clock at the last measurement, ns

    def steady(self) -> int:
        """ns of the clock that never jumps."""
        return self._steady()

    def now(self) -> int:
        """The venue's time."""
        self._last = max(self._last, self._estimate(self._steady()))
        return self._last

    def stamp(self) -> int:
        """The venue's time by the last measurement, for what is signed: it may go back where `now` stands still."""
        return self._estimate(self._steady())

    def measured(self, venue: int, before: int, after: int, speed: float) -> None:
        """A reading of the venue's clock, sent at `before` and answered at `after` (ns of the steady clock).

        It is taken to be true for the middle of the round trip. Slower round trips than the last one are left out for a minute,
        unless it is in doubt.
        """
        trip = after - before
        age = (after - self._anchor) / 1e9
        slower = self._round_trip and trip > 2 * self._round_trip and age < STALE_S
        if slower and speed == self.speed and not self._doubted:
            return
        if not self._round_trip:
            self._last = 0  # what was reported before the first measurement was our own clock
        self._anchor = before + trip // 2
        self._base = venue
        self._round_trip = max(trip, 1)
        self._doubted = False
        self.speed = speed
        self.offset = venue - (self._wall() - (self._steady() - self._anchor))

    def doubt(self) -> None:
        """The venue found our time wrong: the next measurement counts, however slow its round trip."""
        self._doubted = True

    def ahead_s(self) -> float:
        """How far what was reported is ahead of what the last measurement says, seconds of the venue's time."""
        return max(0.0, (self._last - self._estimate(self._steady())) / 1e9)

    def wall_seconds(self, venue_ns: int) -> float:
        """How many wall seconds until the venue's time is `venue_ns`; 0 when it has passed."""
        return max(0.0, (venue_ns - self.now()) / 1e9 / self.speed)

    def _estimate(self, steady: int) -> int:
        passed = steady - self._anchor
        return self._base + (passed if self.speed == 1.0 else int(passed * self.speed))


def read_speed(text: str | None) -> float:
    """The venue's speed from its header; 1 where it has none or nonsense."""
    try:
        speed = float(text) if text is not None else 1.0
    except ValueError:
        return 1.0
    return speed if 0 < speed < 1e6 else 1.0
