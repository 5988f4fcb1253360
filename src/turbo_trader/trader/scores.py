"""The panel signal's last answer: a column of scores that the gates read, each used up by the trade made from it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.market.order_terms import Direction
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.trader.trader_state import TraderState

if TYPE_CHECKING:
    from turbo_trader.trader.events import Scored

_SPARE = 10 * SECOND  # a score counts for a scan and this long at least, however short its bars


class ScoreColumn:
    """One score per symbol. Without a panel signal (SIGNAL=rules) the gates do not look at it."""

    def __init__(self, state: TraderState) -> None:
        count = len(state.symbols)
        self._state = state
        self._direction, self._until = [0] * count, [0] * count
        self._expected, self._hold_s, self._horizon_s = [0.0] * count, [0.0] * count, [0.0] * count
        self._gates: Rows | None = None
        self.scan_interval = 0  # ns

    def take(self, answer: Scored) -> None:
        """Replace all scores; each counts until its next bar has ended, and for one scan at least."""
        policy = self._state.policy
        lasts = max(answer.interval, self.scan_interval + _SPARE)
        for s, direction in enumerate(answer.directions):
            horizon, hold = answer.horizons[s] / SECOND, 0.0
            expected = answer.expected[s]
            if direction:
                hold = min(max(horizon, policy.score_hold_min), policy.score_hold_max)
                if horizon > hold:  # held for a part of it: that part of the return is expected
                    expected, horizon = expected * hold / horizon, hold
                self._emit(s, direction, expected, horizon, hold)
            self._direction[s], self._expected[s] = direction, expected
            self._horizon_s[s], self._hold_s[s] = horizon, hold
            self._until[s] = answer.bar_end + lasts if direction else 0
            self._write(s)

    def put(self, gates: Rows) -> None:
        """From now on these gate parameters (one record per symbol) have the scores."""
        self._gates = gates
        for s in range(len(self._direction)):
            self._write(s)

    def use(self, s: int) -> None:
        """A trade was made of a symbol's score."""
        self._until[s] = 0
        self._write(s)

    def _write(self, s: int) -> None:
        if self._gates is None or not self._state.policy.scored:
            return
        row = self._gates[s]
        row["score_direction"], row["score_until"] = self._direction[s], self._until[s]
        row["score_expected"], row["score_horizon_s"] = self._expected[s], self._horizon_s[s]
        if self._hold_s[s]:
            row["max_hold_s"] = self._hold_s[s]

    def _emit(self, s: int, direction: int, expected: float, horizon: float, hold: float) -> None:
        state = self._state
        state.note(
            "score", symbol=state.symbols[s], signal=state.policy.signal, side=Direction(direction).text,
            expected=float(f"{expected:.6g}"), horizon_s=round(horizon), hold_s=round(hold),
        )  # fmt: skip
