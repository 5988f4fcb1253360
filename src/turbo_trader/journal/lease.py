"""Who may write to the venue: one lease, a numbered epoch at a time (`journal.epochs`).

Taking one is creating the next number; renewing is touching one's own; a higher number ends every lower one.

Where none can be written at all (no inode left, a read-only or failing disk) the guard, and only the guard, may hold an epoch in
memory: the first epoch that any process takes in the folder ends it. The daemon never does: without a written lease it sends
nothing. What a guard signed in memory just before may then still arrive while a new daemon recovers, for one receive window: it
only cancels, tightens and reduces, and a daemon opens nothing before its warm-up.

Lengths are measured on each process's own steady clock, so that a step of the wall clock neither ends nor prolongs a lease. A
holder that has not renewed for `fence_ns` must not write. Whoever watches waits for `window_ns` more: what was signed under the
old lease is refused by the venue for its age by then. So no two holders' requests are ever both valid.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from turbo_trader.journal.epochs import LEFT, NOBODY, RELEASED, Epoch, Epochs

DAEMON: Final = "daemon"
GUARD: Final = "guard"


@dataclass(frozen=True, slots=True)
class LeaseRules:
    """Lengths of the lease, in ns of wall time."""

    renew_ns: int = 1_000_000_000  # the holder renews so often
    fence_ns: int = 5_000_000_000  # without a renewal for so long it must not write
    window_ns: int = (
        5_000_000_000  # the longest receive window of a request: what was signed earlier is refused
    )


class Lease:
    """One process's hold on the right to write. `held` may be asked from any thread."""

    def __init__(
        self,
        epochs: Epochs,
        owner: str,
        rules: LeaseRules | None = None,
        steady: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.epoch = 0
        self._epochs = epochs
        self._ends = 0  # the first number that ends ours
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
        before = self._epochs.current()
        begun = self._steady()
        if not self._epochs.create(before.number + 1, self._owner):
            return False
        late = before.owner == GUARD and self._owner != GUARD and not before.released
        self._hold(before, begun, ends=before.number + 2)
        self._from = begun + (self._rules.window_ns if late else 0)
        return True

    def take_in_memory(self) -> None:
        """Hold the next epoch without writing it down, until any process takes one in the folder. For the guard alone."""
        before = self._epochs.current()
        self._hold(before, self._steady(), ends=before.number + 1)

    def _hold(self, before: Epoch, begun: int, ends: int) -> None:
        self.epoch, self._ends = before.number + 1, ends
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
                self._epochs.touch(self.epoch)
        except OSError:
            return True  # tried again until it runs out
        self._renewed, self._until = now, now + self._rules.fence_ns
        return True

    @property
    def held(self) -> bool:
        """May this process write now?"""
        return self._from <= self._steady() < self._until and not self._epochs.taken(self._ends)

    @property
    def out(self) -> bool:
        """Has it run out for want of a renewal?"""
        return self._steady() >= self._until

    @property
    def outranked(self) -> bool:
        """Has another process taken a higher epoch?"""
        return self._epochs.highest() >= self._ends

    def release(self, *, left: bool = False) -> None:
        """Give it back: nothing of ours is under way any more. `left`: positions stay open because a person asked for it."""
        self._until = 0
        touched = LEFT if left or self._left else RELEASED
        if self._ends > self.epoch:
            with contextlib.suppress(OSError):
                self._epochs.touch(self.epoch, touched)


class LeaseWatch:
    """Watches the daemon's lease from another process.

    A lease that vanished (its folder deleted or not readable) was not given back: its holder may write for as long as it could
    have, and cannot renew it.
    """

    def __init__(
        self, epochs: Epochs, rules: LeaseRules | None = None, steady: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._epochs = epochs
        self._rules = rules or LeaseRules()
        self._steady = steady
        self._last = NOBODY
        self._changed = self._gone = steady()
        self._live = False

    def gone_ns(self) -> int:
        """For how long no daemon has held the lease, as far as it was watched; 0 = one holds it, or may still write."""
        now, epoch = self._steady(), self._epochs.current()
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
