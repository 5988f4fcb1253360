"""I9, I10, I13: scans on time, no endless events, and trades where there is something to trade."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from turbo_trader.chaos.check import Check
from turbo_trader.chaos.requests_check import Requests
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.trader.commands import Command, Scanned
from turbo_trader.trader.events import Event

SPINNING: Final = 2_000  # events within a simulated millisecond
MILLISECOND: Final = 1_000_000
PUNCTUAL: Final = 3 * SECOND
NAMES: Final = ("turbo", "growing", "institutional")
INTERVALS: Final[Mapping[str, Callable[[Policy], int]]] = {
    "turbo": lambda policy: policy.micro_turbo_signal_interval,
    "growing": lambda policy: policy.growing_scan_interval,
    "institutional": lambda policy: policy.institutional_scan_interval,
}


class Rhythm(Check):
    """When scans come, and how many entries."""

    def __init__(self, world: World, requests: Requests, least: float | None) -> None:
        """`least`: entries the run must have in each hour; None: it need not."""
        super().__init__(world)
        self._requests = requests
        self._least = least
        self._moment, self._events = 0, 0
        self._ready_since = 0  # heard time since when the account is known
        self._ended = 0
        self._tier = ""  # capital tier of the last scan
        self._interval_ns = 0  # from the last scan to the next, at most
        self._error = 0  # of the process's clock at the last look
        self._moved = 0  # how far that clock has moved since the last scan

    def event(self, event: Event) -> None:
        """Events of one moment are few."""
        now = self.world.now
        self._events = self._events + 1 if now - self._moment < MILLISECOND else 0
        self._moment = self._moment if self._events else now
        if self._events > SPINNING:
            raise Violated(Invariant.BOUNDED, "events without end", event=event)

    def command(self, command: Command) -> None:
        """A scan comes right after a boundary of its interval, where nothing keeps it."""
        if not isinstance(command, Scanned):
            return
        self._interval_ns, self._moved = self._interval(), 0
        if not self.world.quiet or not len(command.rows):
            return
        tier = NAMES[int(command.rows[0]["capital_tier"])]
        # the time of a scan was laid down by the one before, whose capital tier may have been another
        late = min(self.world.now % self._interval_of(each) for each in {tier, self._tier or tier})
        self._tier = tier
        if late > PUNCTUAL:
            raise Violated(Invariant.ON_TIME, "a scan long after its boundary", seconds=late / SECOND)

    def _interval_of(self, tier: str) -> int:
        return INTERVALS[tier](self.world.policy) * SECOND

    def step(self) -> None:
        """A scan is due at each boundary of the interval; a clock that is put back makes it late."""
        world = self.world
        error = world.simulation.process.clock_error
        self._moved, self._error = self._moved + abs(error - self._error), error
        if not world.read_ns:
            self._ready_since = world.heard_ns
        silent = world.heard_ns - max(world.scan_heard_ns, self._ready_since)
        if silent > (self._interval_ns or self._interval()) + PUNCTUAL + self._moved:
            raise Violated(Invariant.ON_TIME, "no scan for too long", seconds=silent / SECOND)

    def _interval(self) -> int:
        policy = self.world.policy
        equity = max(self.world.money.equities(35.0))
        if policy.micro_turbo_mode and equity < policy.turbo_below * (1 - policy.tier_hysteresis):
            return policy.micro_turbo_signal_interval * SECOND
        if equity < policy.institutional_from * (1 - policy.tier_hysteresis):
            return max(policy.growing_scan_interval, policy.micro_turbo_signal_interval) * SECOND
        intervals = (
            policy.institutional_scan_interval,
            policy.growing_scan_interval,
            policy.micro_turbo_signal_interval,
        )
        return max(intervals) * SECOND

    def calm(self) -> None:
        """The part in which it should trade is over."""
        self._ended = self.world.able_ns

    def finish(self) -> None:
        """It is alive, and has traded."""
        if self.world.simulation.trader is None:
            raise Violated(Invariant.LIVES, "not alive at the end")
        hours = self._ended / SECOND / 3600
        entries = len(self._requests.entries)
        if self._least is not None and entries < int(self._least * hours):
            raise Violated(
                Invariant.LIVES, "too few entries on a healthy market with an edge", entries=entries, hours=round(hours, 2),
                expected=self._least * hours,
            )  # fmt: skip
