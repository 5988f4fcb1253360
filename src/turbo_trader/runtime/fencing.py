"""The daemon's lease to write: taken at start, renewed by the Trader's timer, given back at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from turbo_trader.journal.epochs import Epochs
from turbo_trader.journal.lease import DAEMON, Lease, LeaseRules
from turbo_trader.market.errors import InputError

Emit = Callable[[str, str, dict[str, Any]], None]
_TRIES: Final = 5  # at a start beside a guard that is at work


class Fence:
    """Keeps the lease. `permit` is asked before each write, from any thread; everything else runs on the event loop.

    `woken(epoch)` is called when the lease had run out and a new one was taken: the venue must be read before anything is decided.
    `lost(why)` is called once when another process has taken a higher epoch: this one must end.
    """

    def __init__(
        self,
        epochs: Epochs,
        rules: LeaseRules,
        emit: Emit,
        woken: Callable[[int], None],
        lost: Callable[[str], None],
        steady: Callable[[], int],
    ) -> None:
        self._epochs = epochs
        self._lease = Lease(epochs, DAEMON, rules, steady)
        self._emit = emit
        self._woken = woken
        self._lost = lost
        self._out = False  # was it reported that the lease has run out?
        self._over = False

    @property
    def epoch(self) -> int:
        """The epoch held or last held."""
        return self._lease.epoch

    def permit(self) -> bool:
        """May this process write to the venue now?"""
        return self._lease.held

    def begin(self) -> None:
        """Take the lease; InputError when the folder cannot be written."""
        try:
            if not any(self._lease.take() for _ in range(_TRIES)):
                raise InputError(
                    f"lease of {self._epochs}: taken by others again and again; is another daemon running?"
                )
        except OSError as error:
            raise InputError(
                f"lease of {self._epochs}: {error.strerror}; mend the folder's permissions"
            ) from None

    def beat(self) -> None:
        """Renew. Called by the timer that drives the Trader, so that a hung Trader loses the lease."""
        if self._over or self._lease.renew():
            return
        if self._lease.outranked:
            self._over = True
            higher = self._epochs.current()
            self._emit(
                "fenced", "error", {"epoch": self.epoch, "by": higher.owner, "higher": higher.number, "pid": higher.pid}
            )  # fmt: skip
            self._lost(f"fenced: the {higher.owner or 'other process'} holds epoch {higher.number}")
            return
        if not self._out:
            self._out = True
            self._emit("lease-out", "error", {"epoch": self.epoch, "meaning": "nothing is sent without it"})
        try:
            taken = self._lease.take()
        except OSError:
            return  # nothing is sent until it can be taken
        if taken:
            self._out = False
            self._woken(self.epoch)

    def catch_up(self) -> None:
        """Before each event: what comes first after an absence is decided on under a new lease, or not at all."""
        if self._lease.out and not self._out:
            self.beat()

    def end(self, *, left: bool = False) -> None:
        """Give it back, once nothing of ours is under way. `left`: positions stay open because a person asked for it."""
        self._over = True
        if self.epoch:
            self._lease.release(left=left)
