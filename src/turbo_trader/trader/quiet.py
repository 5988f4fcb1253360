"""Hours without a trade: reported once an hour from the sixth on, with the gates that stop the scans."""

from __future__ import annotations

from typing import Final

from turbo_trader.rules.gates import GATES
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.trader.trader_state import TraderState

QUIET_HOURS: Final = 6.0
_LEAST: Final = 0.01  # gates that stop fewer of the scans are not named


class Quiet:
    """Counts since a trade was last open or closed; a restart begins again."""

    def __init__(self, state: TraderState) -> None:
        self._state = state
        self._begin()

    def add(self, funnel: Funnel, hours: float, trades: int) -> None:
        """The scans of the `hours` that have passed, and the trades that were closed in them."""
        if trades or any(each.open for each in self._state.per_symbol):
            self._begin()
            return
        self._hours += hours
        self._scans += funnel.scans
        self._candidates += funnel.candidates
        for gate, blocked in enumerate(funnel.blocks):
            self._blocks[gate] += blocked
        if self._hours >= QUIET_HOURS:
            self._emit()

    def _begin(self) -> None:
        self._hours = 0.0
        self._scans = self._candidates = 0
        self._blocks = [0] * len(GATES)

    def _emit(self) -> None:
        state, scans = self._state, max(1, self._scans)
        stopped = {gate: blocked / scans for gate, blocked in zip(GATES, self._blocks, strict=True)}
        gates = {gate: round(share, 4) for gate, share in stopped.items() if share >= _LEAST}
        most = max(stopped, key=lambda gate: stopped[gate])
        state.note(
            "no-trades", "warning", hours=round(self._hours, 2), scans=self._scans, candidates=self._candidates,
            gate=most if self._scans else "", share=round(stopped[most], 4), gates=gates,
            refusal=state.session.refusal(state.now),
        )  # fmt: skip
