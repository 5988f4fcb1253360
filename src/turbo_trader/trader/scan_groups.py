"""A stretch of scans taken by groups of symbols side by side, with the results of one group that has them all.

A symbol's market state, filter and shadow are its own, and a scan reads nothing of another symbol but when the leader last made a
big move. So every group scans its symbols over the whole stretch. A group that has gone farther than the first row that passes is
put back and scans up to it again; where the leader makes a big move meanwhile, everything is put back and scanned as one group.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Protocol, TypeVar, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import NEVER, Rows
from turbo_trader.rules.ahead import PASSED
from turbo_trader.rules.outcomes import OUTCOME

_T = TypeVar("_T")
_SCAN: Final = 200  # rows of the market that cost as much as a scan of a symbol
_WORTH: Final = 64 * _SCAN  # rows of a stretch: fewer are done before another thread has begun


class Workers(Protocol):
    """Those who do jobs side by side."""

    @property
    def count(self) -> int:
        """How many there are."""

    def run(self, jobs: Sequence[Callable[[], _T]]) -> list[_T]:
        """Do these jobs, none of which needs another's result; what each gave."""


class Alone:
    """One worker."""

    count = 1

    def run(self, jobs: Sequence[Callable[[], _T]]) -> list[_T]:
        """One after the other."""
        return [job() for job in jobs]


ALONE: Final = Alone()


class Group:
    """Symbols that are scanned together, and what a stretch leaves of them."""

    def __init__(self, symbols: NDArray[np.int64], scans: int) -> None:
        """`symbols`: neighbours, ascending; `scans`: of a stretch, at most."""
        self.symbols = symbols
        self.neighbours = slice(int(symbols[0]), int(symbols[-1]) + 1)
        self.moves = np.zeros(scans, np.int64)  # of the leader, see `scan_ahead`
        self.resolved = cast("Rows", np.zeros(scans * len(symbols), OUTCOME))
        self.ended = np.zeros(scans, np.int64)


#: Scans a group's symbols: the group, how many scans, and the scan at which a row has passed in any group.
Scan = Callable[[Group, int, NDArray[np.int64]], tuple[int, int]]


@dataclass(frozen=True)
class Taken:
    """How many scans were finished, whether a row passed in the next one, and the outcomes: ended[k] by the end of scan k."""

    scans: int
    passed: bool
    resolved: Rows
    ended: list[int]


class ScanGroups:
    """The groups, and the records that each of them moves."""

    def __init__(self, records: Sequence[NDArray[Any]], leader: int, scans: int, workers: Workers) -> None:
        """`records`: arrays with a record for each symbol; `leader`: -1 none."""
        self._records = [_bytes(each) for each in records]
        self._kept = [np.zeros_like(each) for each in self._records]
        self._leader, self._scans, self._workers = leader, scans, workers
        self._one = Group(np.arange(len(records[0])), scans)
        self._several: list[Group] = []
        self._load = 0  # rows that a scan of all symbols costs as much as

    def share(self, rows: NDArray[np.int64], scans: int) -> None:
        """Make groups that have about the same to do; `rows`: of each symbol on the tape, `scans`: on the whole of it.

        Symbols of a group are neighbours, so that hardly a line of a core's cache has records of two groups.
        """
        loads = np.cumsum(rows + _SCAN * max(1, scans))
        self._load = int(loads[-1]) // max(1, scans)
        shares = (loads - 0.5 * np.diff(loads, prepend=0)) * self._workers.count // loads[-1]
        self._several = [Group(np.flatnonzero(shares == n), self._scans) for n in np.unique(shares)]

    def take(self, scans: int, cursors: NDArray[np.int64], last_move: int, scan: Scan) -> Taken:
        """Take so many scans; `cursors`: on the tape, a line for each symbol; `last_move`: the leader's last big move so far."""
        if len(self._several) < 2 or scans * self._load < _WORTH:
            return _merged([self._one], *scan(self._one, scans, _stop()))
        moved, kept = [*self._records, _bytes(cursors)], [*self._kept, np.empty_like(_bytes(cursors))]
        stop = _stop()

        def keep_and_scan(group: Group) -> tuple[int, int]:
            for records, before in zip(moved, kept, strict=True):
                before[group.neighbours] = records[group.neighbours]
            group.moves[:] = last_move
            return scan(group, scans, stop)

        found = self._workers.run([partial(keep_and_scan, group) for group in self._several])
        for group, (done, why) in zip(self._several, found, strict=True):
            known = group.moves[: done + (why == PASSED)]
            if self._leader in group.symbols and (known != last_move).any():
                _put_back(self._one, moved, kept)
                return _merged([self._one], *scan(self._one, scans, _stop()))
        done, passed = min(
            (done, why == PASSED) for done, why in found
        )  # what ends before a scan comes before it
        far = [
            g
            for g, (at, why) in zip(self._several, found, strict=True)
            if (at, why == PASSED) != (done, passed)
        ]
        for group in far:
            _put_back(group, moved, kept)
        stop = _stop(done) if passed else _stop()
        self._workers.run([partial(scan, group, done + passed, stop) for group in far])
        return _merged(self._several, done, PASSED if passed else -1)


def _bytes(records: NDArray[Any]) -> NDArray[np.uint8]:
    return records.view(np.uint8).reshape(len(records), -1)


def _stop(at: int = NEVER) -> NDArray[np.int64]:
    return np.array([at])


def _put_back(group: Group, moved: Sequence[NDArray[np.uint8]], kept: Sequence[NDArray[np.uint8]]) -> None:
    for records, before in zip(moved, kept, strict=True):
        records[group.neighbours] = before[group.neighbours]


def _merged(groups: Sequence[Group], done: int, why: int) -> Taken:
    """The outcomes of all groups in the order of scans, and of symbols in a scan."""
    if len(groups) == 1:
        (one,) = groups
        ended = one.ended[:done].tolist()
        return Taken(done, why == PASSED, one.resolved, ended)
    counts = [int(group.ended[done - 1]) if done else 0 for group in groups]
    resolved = np.concatenate([group.resolved[:n] for group, n in zip(groups, counts, strict=True)])
    scan = np.concatenate(
        [np.searchsorted(g.ended[:done], np.arange(n), "right") for g, n in zip(groups, counts, strict=True)]
    )
    order = np.lexsort((resolved["symbol"], scan))
    ended = np.searchsorted(scan[order], np.arange(done), "right").tolist()
    return Taken(done, why == PASSED, cast("Rows", resolved[order]), ended)
