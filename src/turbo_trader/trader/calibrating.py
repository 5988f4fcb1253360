"""Calibration in the Trader: shadows of its forecasts, their outcomes reported and remembered, maps set in the gates.

Whatever the BELIEF, every forecast is followed, and maps are fitted to the outcomes known at the time, each `CALIBRATION_REFIT`
seconds: a symbol's own where it has enough outcomes, else those of all symbols together, else none, and then the gates block under
BELIEF=measured. Outcomes of other horizons or holds say nothing, so the maps are fitted at once where these change. A panel signal
has horizons of its own, and its outcomes count at all of them; those of another signal do not.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.rules.model_calibration import Maps, fit_maps, put_maps
from turbo_trader.rules.outcomes import OUTCOME, SHADOW, follow
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.trader.commands import Resolved
from turbo_trader.trader.persisted import ForecasterRecord
from turbo_trader.trader.state_keys import Key
from turbo_trader.trader.trader_state import TraderState


class Calibrating:
    """Follows forecasts; keeps the last outcomes of each symbol."""

    def __init__(self, state: TraderState, signal: str = "") -> None:
        """`signal`: fingerprint of the panel signal whose forecasts they are, "" for the rules."""
        count = len(state.symbols)
        self._state = state
        self._signal = signal
        self._shadows = cast("Rows", np.zeros(count, SHADOW))
        self._work = cast("Rows", np.zeros(count, OUTCOME))
        self._out = cast("Rows", np.zeros(count, OUTCOME))
        self._past = np.zeros((count, state.policy.calibration_window), OUTCOME)
        self._counts = [0] * count
        self._maps: list[Maps | None] = [None] * count
        self._due = 0
        self._horizons = (0.0, 0.0)
        self._given: Rows | None = None  # the gate parameters that have the maps in force

    @property
    def lost(self) -> int:
        """Shadows that broke: holes in the prices."""
        return int(self._shadows["lost"].sum())

    @property
    def due(self) -> int:
        """When maps are fitted next, ns."""
        return self._due

    @property
    def shadows(self) -> tuple[Rows, Rows]:
        """SHADOW and OUTCOME of what is followed, per symbol."""
        return self._shadows, self._work

    def resume(self, rows: Rows | None, forecaster: ForecasterRecord) -> None:
        """Take up the outcomes of earlier runs (OUTCOME), oldest first, `symbol` an index into the Trader's symbols.

        `forecaster`: whose they are; outcomes of other forecasts are not taken up, now or later.
        """
        if forecaster.signal != self._signal:
            forecaster = ForecasterRecord(signal=self._signal, since=self._state.now)
            self._state.persist(Key.FORECASTER.value, forecaster)
        if rows is not None:
            self._remember(rows[rows["ts"] >= forecaster.since])

    def before_scan(self, gate_params: Rows, tier: CapitalTier) -> None:
        """Put the maps in force into `gate_params` (kept between scans until the tier changes); fit them again when it is time."""
        now = self._state.now
        horizons = (float(tier.horizon_s), float(tier.max_hold_s))
        if now >= self._due or horizons != self._horizons:
            every = self._state.policy.calibration_refit * SECOND
            self._due = (now // every + 1) * every
            self._horizons = horizons
            self._fit(now)
        elif gate_params is self._given:
            return
        self._given = gate_params
        alike: dict[int, list[int]] = {}  # symbols with the same maps
        for s, maps in enumerate(self._maps):
            alike.setdefault(id(maps), []).append(s)
        for symbols in alike.values():
            put_maps(gate_params, symbols, self._maps[symbols[0]])

    def after_scan(self, rows: Rows, gate_params: Rows) -> None:
        """Follow the shadows up to now, open new ones, tell and remember what has ended."""
        state = self._state
        ended = follow(
            state.states, rows, gate_params, state.now, state.policy.calibration_hole, self._shadows, self._work, self._out
        )  # fmt: skip
        if ended:
            self.remember(self._out[:ended].copy())

    def remember(self, found: Rows) -> None:
        """Tell and keep what has ended now."""
        self._remember(found)
        self._state.give(Resolved(self._state.now, found))

    def _remember(self, rows: Rows) -> None:
        window = self._past.shape[1]
        for row in rows:
            s = int(row["symbol"])
            self._past[s, self._counts[s] % window] = row
            self._counts[s] += 1

    def _fit(self, now: int) -> None:
        state = self._state
        known = [self._known(s) for s in range(len(self._maps))]
        pooled = fit_maps(state.policy, joined(known), now)
        own = [fit_maps(state.policy, rows, now) for rows in known]
        self._maps = [maps if maps is not None else pooled for maps in own]
        state.note(
            "calibration",
            outcomes=sum(len(rows) for rows in known),
            own=sum(1 for maps in own if maps is not None),
            pooled=sum(1 for maps in own if maps is None) if pooled is not None else 0,
            none=sum(1 for maps in self._maps if maps is None),
        )

    def _known(self, s: int) -> Rows:
        """The outcomes kept of one symbol at the horizons in force; of a panel signal at all of its own."""
        rows = self._past[s, : min(self._counts[s], self._past.shape[1])]
        if self._state.policy.scored:
            return rows
        horizon, hold = self._horizons
        return cast("Rows", rows[(rows["horizon_s"] == horizon) & (rows["hold_s"] == hold)])
