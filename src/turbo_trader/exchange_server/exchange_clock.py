"""The time of a simulated venue.

Up to speed 1 it is the wall's clock, moved by a constant: a process that stood still is where the wall's clock is when it goes on,
and clients that measured the offset once stay right. Faster, it slows to what the machine can do (`slip`); `reached` says what that
is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

_SECOND: Final = 1_000_000_000
_MEASURED_NS: Final = 5 * _SECOND  # of the wall's time: how often the speed is measured again


class WallClock:
    """ns UTC. It follows the wall's clock forward and never goes back: where the wall's is set back, it continues as before."""

    def __init__(
        self, wall: Callable[[], int] = time.time_ns, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = wall() - steady()

    def __call__(self) -> int:
        """This moment."""
        steady = self._steady()
        self._ahead = max(self._ahead, self._wall() - steady)
        return steady + self._ahead


class VenueClock:
    """The venue's time. `given`: where it is another one's, which does not wait; else it runs at `speed` from `start` (ns UTC)."""

    def __init__(
        self,
        start: int,
        speed: float,
        given: Callable[[], int] | None = None,
        wall: Callable[[], int] | None = None,
    ) -> None:
        self._start, self._speed = start, speed
        self.given = given
        self._wall = wall or WallClock()
        self.began = self._wall()  # wall ns at which the venue's time was `start`
        self.slipped_ns = 0  # wall ns that were left out of the venue's time
        self._marks = [(self.began, start)] * 2  # (wall, venue): since when the speed is measured

    def wall(self) -> int:
        """This machine's time, ns UTC."""
        return self._wall()

    @property
    def waits(self) -> bool:
        """May it be slowed? Not another's time, nor one that keeps to the wall's."""
        return self.given is None and self._speed > 1.0

    def begin(self, now: int) -> None:
        """The venue's time is `now` at this moment, and runs."""
        wall = self._wall()
        self.began = wall - int((now - self._start) / self._speed)
        self._marks = [(wall, now)] * 2

    def now(self) -> int:
        """The venue's time of this moment, ns."""
        if self.given is not None:
            return self.given()
        return self._start + int((self._wall() - self.began) * self._speed)

    def elapsed_ns(self) -> int:
        """Wall time since the venue's time was `start`."""
        return self._wall() - self.began

    def slip(self, behind_ns: int) -> None:
        """Leave this much of the venue's time out: the machine could not do it."""
        lost = int(behind_ns / self._speed)
        self.began += lost
        self.slipped_ns += lost

    def reached(self) -> float:
        """Venue seconds a wall second, over the last five to ten seconds."""
        wall, now = self._wall(), self.now()
        if wall - self._marks[1][0] >= _MEASURED_NS:
            self._marks = [self._marks[1], (wall, now)]
        since, then = self._marks[0]
        return (now - then) / (wall - since) if wall - since >= _SECOND else self._speed
