"""Who may write to the venue: one lease, a numbered epoch at a time, as files beside the journal.

An epoch is a symbolic link whose target says who took it. Taking one is creating the next number, which the file system lets
one process do; renewing is touching one's own link; a higher number ends every lower one. Nobody ever holds a lock, so a
process stopped at any instruction keeps nobody out. A link so short lies in its inode: a full disk has room for it.

Where no link can be made at all (no inode left, a read-only or failing disk) the guard, and only the guard, may hold an epoch in
memory: the first epoch that any process takes in the folder ends it. The daemon never does: without a written lease it sends
nothing. What a guard signed in memory just before may then still arrive while a new daemon recovers, for one receive window: it
only cancels, tightens and reduces, and a daemon opens nothing before its warm-up.

Lengths are measured on each process's own steady clock, so that a step of the wall clock neither ends nor prolongs a lease. A
holder that has not renewed for `fence_ns` must not write. Whoever watches waits for `window_ns` more: what was signed under the
old lease is refused by the venue for its age by then. So no two holders' requests are ever both valid.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from turbo_trader.journal.private_files import private_folder

DAEMON: Final = "daemon"
GUARD: Final = "guard"
FOLDER: Final = "lease"
_KEPT = 20  # epochs whose files are kept, for people
_RELEASED = 0  # mtime of a lease given back
_LEFT = (
    1_000_000_000  # mtime of one given back by a daemon that was asked to leave its positions to their stops
)


@dataclass(frozen=True, slots=True)
class LeaseRules:
    """Lengths of the lease, in ns of wall time."""

    renew_ns: int = 1_000_000_000  # the holder renews so often
    fence_ns: int = 5_000_000_000  # without a renewal for so long it must not write
    window_ns: int = (
        5_000_000_000  # the longest receive window of a request: what was signed earlier is refused
    )


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch as its link shows it. `touched` is the holder's last renewal (wall ns), or that it was given back."""

    number: int
    owner: str
    pid: int
    touched: int

    @property
    def released(self) -> bool:
        """Was it given back? Nothing of its holder is under way then."""
        return self.touched in (_RELEASED, _LEFT)

    @property
    def left(self) -> bool:
        """Was the last daemon asked to end and leave its positions to their stops?"""
        return self.touched == _LEFT


NOBODY: Final = Epoch(0, "", 0, _RELEASED)


def current(folder: Path) -> Epoch:
    """The highest epoch of this journal folder; `NOBODY` where there has been none."""
    number = _highest(folder / FOLDER)
    path = folder / FOLDER / str(number)
    try:
        owner, pid = str(path.readlink()).split("-")
        return Epoch(number, owner, int(pid), path.lstat().st_mtime_ns)
    except (OSError, ValueError):
        return Epoch(number, "", 0, _RELEASED) if number else NOBODY


class Lease:
    """One process's hold on the right to write. `held` may be asked from any thread."""

    def __init__(
        self,
        folder: Path,
        owner: str,
        rules: LeaseRules | None = None,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.epoch = 0
        self._folder = folder / FOLDER
        self._ends = 0  # the first number that ends ours
        self._higher = ""  # its path: text, as it is looked for before each write
        self._left = False  # the last daemon left its positions deliberately: said again when we give back
        self._owner = owner
        self._rules = rules or LeaseRules()
        self._steady = steady
        self._from = self._until = 0
        self._renewed = 0

    def take(self) -> bool:
        """Take the next epoch; False when another process took it first. OSError when the folder cannot be written.

        After a guard that has not given its lease back nothing may be written for one receive window.
        """
        before = current(self._folder.parent)
        private_folder(self._folder)
        begun = self._steady()
        try:
            (self._folder / str(before.number + 1)).symlink_to(f"{self._owner}-{os.getpid()}")
        except FileExistsError:
            return False
        late = before.owner == GUARD and self._owner != GUARD and not before.released
        self._hold(before, begun, ends=before.number + 2)
        self._from = begun + (self._rules.window_ns if late else 0)
        self._prune()
        return True

    def take_in_memory(self) -> None:
        """Hold the next epoch without writing it down, until any process takes one in the folder. For the guard alone."""
        before = current(self._folder.parent)
        self._hold(before, self._steady(), ends=before.number + 1)

    def _hold(self, before: Epoch, begun: int, ends: int) -> None:
        self.epoch, self._ends = before.number + 1, ends
        self._higher = str(self._folder / str(ends))
        self._left = before.left and self._owner == GUARD
        self._renewed = self._from = begun
        self._until = begun + self._rules.fence_ns

    def renew(self) -> bool:
        """Prolong it when that is due; False when it has run out, was taken over, or cannot be prolonged now."""
        now = self._steady()
        if now >= self._until or self.outranked:
            return False
        if now - self._renewed < self._rules.renew_ns:
            return True
        try:
            if self._ends > self.epoch:
                os.utime(self._folder / str(self.epoch), follow_symlinks=False)
        except OSError:
            return True  # tried again until it runs out
        self._renewed, self._until = now, now + self._rules.fence_ns
        return True

    @property
    def held(self) -> bool:
        """May this process write now?"""
        return self._from <= self._steady() < self._until and not os.path.lexists(self._higher)

    @property
    def outranked(self) -> bool:
        """Has another process taken a higher epoch?"""
        return _highest(self._folder) >= self._ends

    def release(self, *, left: bool = False) -> None:
        """Give it back: nothing of ours is under way any more. `left`: positions stay open because a person asked for it."""
        self._until = 0
        touched = _LEFT if left or self._left else _RELEASED
        if self._ends > self.epoch:
            with contextlib.suppress(OSError):
                os.utime(self._folder / str(self.epoch), ns=(touched, touched), follow_symlinks=False)

    def _prune(self) -> None:
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                if path.name.isdigit() and int(path.name) <= self.epoch - _KEPT:
                    path.unlink(missing_ok=True)


class LeaseWatch:
    """Watches the daemon's lease from another process.

    A lease that vanished (its folder deleted or not readable) was not given back: its holder may write for as long as it could
    have, and cannot renew it.
    """

    def __init__(
        self, folder: Path, rules: LeaseRules | None = None, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._folder = folder
        self._rules = rules or LeaseRules()
        self._steady = steady
        self._last = NOBODY
        self._changed = self._gone = steady()
        self._live = False

    def gone_ns(self) -> int:
        """For how long no daemon has held the lease, as far as it was watched; 0 = one holds it, or may still write."""
        now, epoch = self._steady(), current(self._folder)
        if not epoch.owner:
            epoch = self._last
        if epoch != self._last:
            self._last, self._changed = epoch, now
        silent = now - self._changed >= self._rules.fence_ns + self._rules.window_ns
        live = epoch.owner == DAEMON and not epoch.released and not silent
        if self._live and not live:
            self._gone = now
        self._live = live
        return 0 if live else max(1, now - self._gone)

    @property
    def left(self) -> bool:
        """Were positions left deliberately by the last daemon, as far as it was watched?"""
        return self._last.left

    @property
    def ended(self) -> bool:
        """Has the last daemon given its lease back, as one that ends by itself does? True where there was none."""
        return self._last.released


def _highest(folder: Path) -> int:
    try:
        return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
    except OSError:
        return 0
