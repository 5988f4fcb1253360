"""Closing everything: asked for by a person, a limit or the end of the run; done when nothing is open, resumed by a restart."""

from __future__ import annotations

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.exits import ExitReason
from turbo_trader.rules.session_changes import HaltCause
from turbo_trader.trader.closing import Closing
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.recovery import Recovery
from turbo_trader.trader.trader_state import TraderState

_REPEAT_AFTER = 30 * SECOND  # a flatten that lasts is reported this often


class Flattening:
    """Withdraws entries, closes positions until flat; says so when it takes longer than it should; ends the run after a stop."""

    def __init__(self, state: TraderState, closing: Closing, entries: Entries, recovery: Recovery) -> None:
        self._state = state
        self._closing = closing
        self._entries = entries
        self._recovery = recovery
        self._stopping = ""  # why the run ends once flat
        self._late_at = 0  # when it will have taken too long; 0: nothing to flatten

    def next_ns(self) -> int:
        """When `on_clock` is due, ns; 0: never."""
        return self._late_at

    @property
    def active(self) -> bool:
        """Is everything being closed, or the run about to end?"""
        return bool(self._late_at or self._stopping or self._state.session.flattening)

    def stop(self, by: str) -> None:
        """Flatten, then end the run."""
        self._stopping = f"stopped by {by}"
        self.begin(by, ExitReason.STOP)

    def begin(self, by: str, why: str) -> None:
        """Persisted first: a restart continues it."""
        self._state.session.begin_flatten(self._state.now, by, why)
        self._state.persist_session()
        self.close_all(why)

    def close_all(self, why: str) -> None:
        """Withdraw entries, close positions."""
        self._entries.resting.withdraw_all(why)
        for each in self._state.per_symbol:
            if each.entry is not None and not each.entry.left:
                self._entries.abandon(each, why)
            self._closing.close(each, why)

    def on_clock(self) -> None:
        """Tell of a flatten that lasts."""
        state = self._state
        if self._late_at and state.now >= self._late_at:
            self._late_at = state.now + _REPEAT_AFTER
            still = [
                each.instrument.symbol for each in state.per_symbol if each.open or each.entry is not None
            ]
            what = ", ".join(still) or "the venue has not been read"
            state.note("flatten-unconfirmed", "error", why=f"not flat yet: {what}; tried on")

    def settle(self) -> None:
        """After every event: is all closed, and may the run end?"""
        state = self._state
        if not state.session.flattening:
            self._late_at = 0
            if not self._stopping:
                return
        elif not self._late_at:
            self._late_at = state.now + state.policy.flatten_time * SECOND
        if not self._recovery.done:  # what is open is not known yet
            return
        if any(each.open or each.entry is not None for each in state.per_symbol):
            self._recovery.look_again()
            self._close_filled()
            return
        if state.session.flattening:
            state.session.flat(state.now)
            self._late_at = 0  # a quiet venue may send nothing before that time
            state.persist_session()
            state.note("flat")
        if self._stopping and self._recovery.last_look():
            self._end()

    def _end(self) -> None:
        state = self._state
        if (
            state.session.halts.get(HaltCause.FLATTEN) == ExitReason.STOP
        ):  # it kept entries out until now; the next start is not halted
            del state.session.halts[HaltCause.FLATTEN]
            state.persist_session()
        state.end(self._stopping)
        self._stopping = ""

    def _close_filled(self) -> None:
        """While flattening, an entry that was on its way may still fill; after a restart all is to be closed again."""
        for each in self._state.per_symbol:
            if each.open and not each.close.reason:
                self._closing.close(each, ExitReason.FLATTEN)
