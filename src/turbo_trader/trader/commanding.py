"""Control commands, given by a person or by the shell on their behalf."""

from __future__ import annotations

from turbo_trader.rules.exits import ExitReason
from turbo_trader.rules.watchdog import Evidence
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.events import Control
from turbo_trader.trader.flattening import Flattening
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import TraderState


class Commanding:
    """Does what each verb says, and keeps the session."""

    def __init__(
        self, state: TraderState, entries: Entries, flattening: Flattening, staging: Staging
    ) -> None:
        self._state = state
        self._entries = entries
        self._flattening = flattening
        self._staging = staging

    def on_control(self, event: Control) -> None:
        """One command; an unknown verb is reported."""
        state = self._state
        state.note("control", "warning", verb=event.verb, by=event.by)
        match event.verb:
            case ControlVerb.HALT:
                state.session.halt(state.now, event.by)
            case ControlVerb.RESUME:
                state.evidence = Evidence()
                state.persist_counts()
                state.session.resume(state.now, event.by)
            case ControlVerb.SESSION_NEW:
                state.session.session_new(state.now, event.by, state.equity())
            case ControlVerb.EXPLORE:
                self._staging.explore()
            case ControlVerb.FLATTEN:
                self._flattening.begin(event.by, ExitReason.FLATTEN)
            case ControlVerb.STOP if not event.args.get("leave"):
                self._flattening.stop(event.by)
            case ControlVerb.STOP:
                self._entries.resting.withdraw_all(ExitReason.STOP)
                state.end(f"stopped by {event.by}, positions left to their stops")
            case _:
                state.note("control-unknown", "error", verb=event.verb)
        state.persist_session()
