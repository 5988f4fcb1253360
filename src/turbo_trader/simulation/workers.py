"""Threads that do jobs side by side: kernels without the interpreter's lock, and digests."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_T = TypeVar("_T")


def cores() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Threads:
    """The caller's thread and others beside it."""

    def __init__(self, count: int) -> None:
        """`count`: with the caller's."""
        self.count = count
        self._others = ThreadPoolExecutor(count - 1, "worker") if count > 1 else None

    def run(self, jobs: Sequence[Callable[[], _T]]) -> list[_T]:
        """Do these jobs, none of which needs another's result; what each gave. The caller does the first."""
        if self._others is None or len(jobs) < 2:
            return [job() for job in jobs]
        others = [self._others.submit(job) for job in jobs[1:]]
        return [jobs[0](), *(other.result() for other in others)]

    def close(self) -> None:
        """No more jobs."""
        if self._others is not None:
            self._others.shutdown()
