"""A running daemon's counters and timers: plain numbers for any reader."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator
from itertools import accumulate
from typing import Final

from turbo_trader.trader.commands import CancelOrder, PlaceOrder, SetLeverage, WriteCommand
from turbo_trader.trader.events import Outcome

#: Upper bounds of the buckets, s.
BOUNDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Histogram:
    """Durations by bucket, in wall seconds."""

    __slots__ = ("_counts", "total")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def cumulative(self) -> Iterator[int]:
        """How many were not longer than each bound, and than an infinite one."""
        return accumulate(self._counts)


class Meter:
    """Of one daemon. `outcomes`: write commands by kind and outcome."""

    def __init__(self) -> None:
        self.outcomes: Counter[tuple[str, Outcome]] = Counter()
        self.commits = Histogram()  # of the journal
        self.requests: dict[str, Histogram] = {}  # from their turn to their answer, by lane

    def answered(self, command: WriteCommand, outcome: Outcome) -> None:
        """The outcome of a command is known."""
        self.outcomes[kind(command), outcome] += 1

    def requested(self, lane: str, seconds: float) -> None:
        """A request took so long."""
        self.requests.setdefault(lane, Histogram()).observe(seconds)


def kind(command: WriteCommand) -> str:
    """What a command does: entry, close, ... (the purpose of an order), cancel, stops, leverage."""
    match command:
        case PlaceOrder():
            return command.purpose
        case CancelOrder():
            return "cancel"
        case SetLeverage():
            return "leverage"
        case _:
            return "stops"
