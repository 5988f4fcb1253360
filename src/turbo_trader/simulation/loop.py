"""Simulated time: actions in a heap, ordered by time, then by registration."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from typing import TypeAlias

Action: TypeAlias = Callable[[], None]


class Loop:
    """What is due when. `now` is moved by whoever runs the loop (ns UTC)."""

    def __init__(self, start: int) -> None:
        self.now = start
        self._heap: list[tuple[int, int, Action]] = []
        self._registered = 0

    def post(self, time: int, action: Action) -> None:
        """Let `action` happen at `time`, after what was registered for that time before."""
        self._registered += 1
        heapq.heappush(self._heap, (time, self._registered, action))

    @property
    def next_time(self) -> int | None:
        """When the next action is due; None where there is none."""
        return self._heap[0][0] if self._heap else None

    def pop(self, at: int) -> Action | None:
        """The next action due at `at` or before."""
        return heapq.heappop(self._heap)[2] if self._heap and self._heap[0][0] <= at else None
