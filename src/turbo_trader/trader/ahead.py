"""Scans taken in one go while nothing else is due: a simulated market that is known ahead is scanned at memory speed.

What each scan gives is what it gives one by one; the account's part of a scan is left out, because nothing on the account moves.
"""

from __future__ import annotations

from typing import Final, cast

import numpy as np

from turbo_trader.market.events import Rows
from turbo_trader.market.records import copied
from turbo_trader.rules.ahead import PASSED, scan_ahead
from turbo_trader.rules.outcomes import OUTCOME
from turbo_trader.rules.scan import SCAN
from turbo_trader.trader.calibrating import Calibrating
from turbo_trader.trader.commands import Scanned
from turbo_trader.trader.events import MarketAhead
from turbo_trader.trader.fitting import FIRST, Fitting
from turbo_trader.trader.scanning import Scanner
from turbo_trader.trader.trader_state import TraderState

_SCANS: Final = 128  # at most in one go: an hour at one every 30 s


class Ahead:
    """Takes the scans of a market that is known ahead."""

    def __init__(
        self, state: TraderState, scanner: Scanner, calibrating: Calibrating, fitting: Fitting
    ) -> None:
        self._state, self._scanner, self._calibrating, self._fitting = state, scanner, calibrating, fitting
        count = len(state.symbols)
        self._rows: Rows = cast("Rows", np.zeros(0, SCAN))
        self._scratch: Rows = cast("Rows", np.zeros(count, SCAN))
        self._resolved: Rows = cast("Rows", np.zeros(4 * count, OUTCOME))
        self._ended = np.zeros(_SCANS, np.int64)

    @property
    def until(self) -> int:
        """Before when scans can be taken in one go (ns), as far as scanning itself goes."""
        return min(self._scanner.until, self._calibrating.due)

    def take(self, event: MarketAhead) -> int:
        """Take the scans due before event.until; returns when the last of them was (0: none)."""
        state, scanner = self._state, self._scanner
        count, first, step = len(state.symbols), scanner.next_ns, scanner.interval_ns
        if not len(self._rows):
            self._rows = cast("Rows", np.zeros(_SCANS * count, SCAN))
        done, why = scan_ahead(
            state.states, state.filters, event.tape, event.cursors, event.feed, first, step, event.until - 1, *scanner.parameters,
            scanner.leader, self._fitting.due, FIRST, state.policy.calibration_hole, *self._calibrating.shadows, self._rows,
            self._scratch, self._resolved, self._ended,
        )  # fmt: skip
        if done:
            self._give(first, step, copied(self._rows[: done * count]), int(done))
        if why == PASSED:
            at = int(done) * count
            scanner.begun(first + int(done) * step, self._rows[at : at + count])
        return first + (int(done) - 1) * step if done else 0

    def _give(self, first: int, step: int, rows: Rows, done: int) -> None:
        state, count = self._state, len(self._state.symbols)
        ended, known = self._ended[:done].tolist(), 0
        for k in range(done):
            state.now = first + k * step
            part = rows[k * count : (k + 1) * count]
            self._scanner.emit_candidates(part)
            state.give(Scanned(state.now, part))
            if ended[k] > known:
                self._calibrating.remember(self._resolved[known : ended[k]].copy())
                known = ended[k]
        self._scanner.taken(rows, state.now)
        self._fitting.on_scan()
