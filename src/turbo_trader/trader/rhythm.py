"""Work at a steady interval, skipped at times when it could find nothing.

Prices are watched and what the venue reports comes as an event, so it is known from when on something can be found. The times
before that are passed by; those after it stay where they would be, had all been taken.
"""

from __future__ import annotations

from turbo_trader.rules.records import NEVER


class Rhythm:
    """Times an interval apart, ns UTC. `wanted`: from when on one of them can find something."""

    def __init__(self, interval: int, due: int = 0) -> None:
        self.due = due
        self.wanted = 0
        self._interval = interval

    @property
    def next_ns(self) -> int:
        """The next time that can find something; NEVER where none can."""
        if self.wanted <= self.due or self.wanted == NEVER:
            return max(self.due, self.wanted)
        return self._from(self.wanted)

    def pass_by(self, now: int) -> int:
        """It is `now`: the times before, unless they were wanted, are over. Returns how many."""
        before, until = self.due, min(now, self.wanted)
        if before < until:
            self.due = self._from(until)
        return (self.due - before) // self._interval

    def done(self, now: int) -> None:
        """It was done now."""
        self.due = now + self._interval

    def _from(self, at: int) -> int:
        return self.due - (self.due - at) // self._interval * self._interval
