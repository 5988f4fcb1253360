"""Who may write to the venue: one lease, a numbered epoch at a time, as files beside the journal.

An epoch is a file. Taking one is creating the next number, which the file system lets one process do; renewing is touching one's
own file; a higher number ends every lower one. Nobody ever holds a lock, so a process stopped at any instruction keeps nobody
out, and renewing needs no room on the disk: a full or locked journal fences nobody.

Lengths are measured on each process's own steady clock, so that a step of the wall clock neither ends nor prolongs a lease. A
holder that has not renewed for `fence_ns` must not write. Whoever watches waits for `window_ns` more: what was signed under the
old lease is refused by the venue for its age by then. So no two holders' requests are ever both valid.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

DAEMON: Final = "daemon"
GUARD: Final = "guard"
FOLDER: Final = "lease"
_KEPT = 20  # epochs whose files are kept, for people
_RELEASED = 0  # mtime of a lease given back


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
    """An epoch as its file shows it. `touched` is the holder's last renewal (wall ns), 0 = given back."""

    number: int
    owner: str
    pid: int
    touched: int

    @property
    def released(self) -> bool:
        """Was it given back? Nothing of its holder is under way then."""
        return self.touched == _RELEASED


NOBODY: Final = Epoch(0, "", 0, _RELEASED)


def current(folder: Path) -> Epoch:
    """The highest epoch of this journal folder; `NOBODY` where there has been none."""
    number = _highest(folder / FOLDER)
    path = folder / FOLDER / str(number)
    try:
        told = json.loads(path.read_text())
        return Epoch(number, str(told["owner"]), int(told["pid"]), path.stat().st_mtime_ns)
    except (OSError, ValueError, KeyError, TypeError):
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
        self._higher = ""  # path of the epoch after ours: text, as it is looked for before each write
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
        self._folder.mkdir(parents=True, exist_ok=True)
        begun = self._steady()
        if not self._create(before.number + 1):
            return False
        late = before.owner == GUARD and self._owner != GUARD and not before.released
        self.epoch, self._renewed = before.number + 1, begun
        self._higher = str(self._folder / str(self.epoch + 1))
        self._from = begun + (self._rules.window_ns if late else 0)
        self._until = begun + self._rules.fence_ns
        self._prune()
        return True

    def renew(self) -> bool:
        """Prolong it when that is due; False when it has run out, was taken over, or cannot be prolonged now."""
        now = self._steady()
        if now >= self._until or self.outranked:
            return False
        if now - self._renewed < self._rules.renew_ns:
            return True
        try:
            os.utime(self._folder / str(self.epoch))
        except OSError:
            return True  # tried again until it runs out
        self._renewed, self._until = now, now + self._rules.fence_ns
        return True

    @property
    def held(self) -> bool:
        """May this process write now?"""
        return self._from <= self._steady() < self._until and not os.access(self._higher, os.F_OK)

    @property
    def outranked(self) -> bool:
        """Has another process taken a higher epoch?"""
        return _highest(self._folder) > self.epoch

    def release(self) -> None:
        """Give it back: nothing of ours is under way any more."""
        self._until = 0
        with contextlib.suppress(OSError):
            os.utime(self._folder / str(self.epoch), ns=(_RELEASED, _RELEASED))

    def _create(self, number: int) -> bool:
        """The file of an epoch, whole at once; False when it is there already."""
        draft = self._folder / f".{secrets.token_hex(8)}"
        draft.write_text(json.dumps({"owner": self._owner, "pid": os.getpid(), "taken": time.time_ns()}))
        try:
            os.link(draft, self._folder / str(number))
        except FileExistsError:
            return False
        finally:
            draft.unlink(missing_ok=True)
        return True

    def _prune(self) -> None:
        for path in self._folder.iterdir():
            if path.name.isdigit() and int(path.name) <= self.epoch - _KEPT:
                path.unlink(missing_ok=True)


class LeaseWatch:
    """Watches the daemon's lease from another process."""

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
        if epoch != self._last:
            self._last, self._changed = epoch, now
        silent = now - self._changed >= self._rules.fence_ns + self._rules.window_ns
        live = epoch.owner == DAEMON and not epoch.released and not silent
        if self._live and not live:
            self._gone = now
        self._live = live
        return 0 if live else max(1, now - self._gone)


def _highest(folder: Path) -> int:
    try:
        return max((int(path.name) for path in folder.iterdir() if path.name.isdigit()), default=0)
    except OSError:
        return 0
