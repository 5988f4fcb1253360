"""Scans: every symbol assessed at each boundary of the capital tier's interval; the best candidates become entries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import numpy as np

from turbo_trader.market.events import MINUTE, ROW, SECOND, Rows
from turbo_trader.market.kernel import advance
from turbo_trader.market.state import MINUTES
from turbo_trader.rules import gates
from turbo_trader.rules.assess import assess
from turbo_trader.rules.candidates import candidate
from turbo_trader.rules.confirmation import still_confirmed
from turbo_trader.rules.distances import charge_book_walk
from turbo_trader.rules.entry import fill_probability, ranked
from turbo_trader.rules.funnel import Funnel
from turbo_trader.rules.gates import LimitFacts, Verdict, limits_gate
from turbo_trader.rules.portfolio import weights
from turbo_trader.rules.scan import BLOCK, GATES, SCAN
from turbo_trader.rules.sizing import reference_notional
from turbo_trader.rules.strengths import Strengths
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.signals.measure import measure
from turbo_trader.trader.calibrating import Calibrating
from turbo_trader.trader.commands import Scanned
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.hourly import Hourly
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import SymbolState, TraderState

_NO_ROWS: Rows = cast("Rows", np.zeros(0, ROW))
_COUNTED_AT_ONCE = 64  # scans
LEADER = "BTCUSDT"


class Scanner:
    """Assesses, gates, ranks."""

    def __init__(
        self, state: TraderState, entries: Entries, calibrating: Calibrating, staging: Staging
    ) -> None:
        self._state = state
        self._staging = staging
        self._entries = entries
        self._calibrating = calibrating
        self._rows: Rows = cast("Rows", np.zeros(len(state.symbols), SCAN))
        self._one: Rows = cast("Rows", np.zeros(1, SCAN))
        self._funnel = Funnel()
        # the last scans' rows: counting many scans at once costs as much as counting one
        self._uncounted = np.zeros((_COUNTED_AT_ONCE, len(state.symbols)), SCAN)
        self._waiting = 0
        self._strengths = Strengths()
        self.hourly = Hourly(state)
        self._refused: dict[str, tuple[int, int]] = {}  # symbol -> gate and code that last refused it
        self._candidates: dict[int, tuple[str, str, str]] = {}  # those of the last scan: side, tier, blocker
        self.scans = 0
        self._tier: CapitalTier | None = None
        self._signals: Rows = _NO_ROWS
        self._gates: Rows = _NO_ROWS
        self._weights = np.full(len(state.symbols), 1.0 / len(state.symbols))
        self._weights_due = 0
        self._weights_equal = True  # as the portfolio's switch stood when they were made
        self._leader = state.symbols.index(LEADER) if LEADER in state.symbols else -1
        self.next_ns = 0

    @property
    def funnel(self) -> Funnel:
        """How many scans came how far."""
        self._count()
        return self._funnel

    @property
    def strengths(self) -> Strengths:
        """How strong the signals of candidates were."""
        self._count()
        return self._strengths

    @property
    def tier(self) -> CapitalTier | None:
        """The capital tier of the last scan."""
        return self._tier

    def scan(self, equity: Decimal) -> None:
        """Assess every symbol now and act on what passes."""
        state = self._state
        self.hourly.look(equity)
        tier = self._parameters(equity)
        self.next_ns = (state.now // tier.scan_interval_ns + 1) * tier.scan_interval_ns
        self._calibrating.before_scan(self._gates, tier)
        for s in range(len(state.symbols)):
            advance(state.states, s, _NO_ROWS, 0, state.now)
        self._staging.on_scan(equity, self.confirms)
        passed = []
        notional = float(reference_notional(state.policy, equity))
        charge_book_walk(state.states, self._gates, notional, float(state.policy.entry_slip_max))
        for s in range(len(state.symbols)):
            blocker = assess(
                state.states, state.filters, s, state.now, self._signals, self._gates, self._rows, s
            )
            if blocker < 0 and self._limits(state.per_symbol[s], tier):
                passed.append(s)
        self._emit_candidates()
        if passed:
            self._refresh_weights(equity)
            keyed = [(s, self._expected_value(s), float(self._weights[s])) for s in passed]
            for s in ranked(keyed):
                self._enter(s, tier, equity)
        self.hourly.add(self._rows)
        self.scans += len(state.symbols)
        self._uncounted[self._waiting] = self._rows
        self._waiting += 1
        if self._waiting == _COUNTED_AT_ONCE:
            self._count()
        state.give(Scanned(state.now, self._rows.copy()))
        self._calibrating.after_scan(self._rows, self._gates)

    def confirmed(self, state: SymbolState) -> bool:
        """Do the signals, measured now, still confirm the open position's direction?"""
        return self.confirms(state, 1 if state.held > 0 else -1)

    def confirms(self, state: SymbolState, direction: int) -> bool:
        """Do the signals, measured now, confirm this direction?"""
        if self._tier is None:
            return False
        d = self._state
        measure(d.states, d.filters, state.s, d.now, self._signals, self._one, 0)
        return still_confirmed(d.policy, self._one, 0, direction)

    # -- inside

    def _count(self) -> None:
        if self._waiting:
            rows = cast("Rows", self._uncounted[: self._waiting].reshape(-1))
            self._waiting = 0
            self._funnel.add(rows)
            self._strengths.add(rows)

    def _parameters(self, equity: Decimal) -> CapitalTier:
        state = self._state
        tier = state.policy.capital_tier(equity, state.capital)
        if tier != self._tier:
            self._signals = state.policy.signal_parameters(tier)
            self._gates = state.policy.gate_parameters(tier, equity, len(state.symbols))
            if self._tier is not None and tier.index != self._tier.index:
                state.note("tier", capital=tier.name, equity=equity)
            self._tier = state.capital = tier
        for each in state.per_symbol:
            self._gates["taker_fee"][each.s] = float(each.taker)
            self._gates["maker_fee"][each.s] = float(each.maker)
            self._gates["funding_minutes"][each.s] = each.instrument.funding_interval_min
        self._gates["clock_offset"] = state.offset
        self._gates["key_expiry_ts"] = state.key_expiry_ts
        self._gates["maintenance_ts"], self._gates["maintenance_end_ts"] = state.maintenance
        if self._leader >= 0:
            self._gates["btc_move_ts"] = state.states["big_move_ts"][self._leader]
        return tier

    def _expected_value(self, s: int) -> float:
        """Net EV of sending an entry: of a post-only one, times the chance that it is filled at all."""
        policy, row = self._state.policy, self._rows[s]
        if policy.entry_style != "maker":
            return float(row["used_ev"])
        tick = float(self._state.per_symbol[s].instrument.tick) / float(row["mid"])
        distance = 0.5 * float(row["spread"]) + tick  # from the mid to a tick through our touch
        chance = fill_probability(float(row["sigma"]), distance, policy.maker_patience)
        return float(row["used_ev"]) * chance

    def _limits(self, state: SymbolState, tier: CapitalTier) -> bool:
        """Gate 8."""
        now = self._state.now
        direction = int(self._rows["direction"][state.s])
        facts = LimitFacts(
            session_refusal=self._state.session.refusal(now),
            session_lift=self._state.session.lifted_by(now),
            open_positions=self._state.positions_open,
            open_on_symbol=state.open or state.shadow is not None,
            unresolved=state.unresolved,
            stopped_out_ns=state.stopped_out.get(direction, 0),
            tradable=state.instrument.open_for_entries,
        )
        verdict = limits_gate(tier, facts, now, float(self._state.policy.cooldown_horizons))
        self._settle(state, gates.LIMITS, verdict)
        return verdict.value != BLOCK

    def _emit_candidates(self) -> None:
        """Each candidate with its signals and figures; at info level where it is new, or its side, tier or blocker changed."""
        last, self._candidates = self._candidates, {}
        for s in map(int, np.flatnonzero(self._rows["candidate"])):
            fields = candidate(self._state.policy, self._rows, s)
            self._candidates[s] = (fields["side"], fields["tier"], fields["blocked"])
            level = "debug" if last.get(s) == self._candidates[s] else "info"
            self._state.note("candidate", level, symbol=self._state.symbols[s], **fields)

    def _settle(self, state: SymbolState, gate: int, verdict: Verdict) -> None:
        """Enter an account gate's verdict. A block is an event, as the row holds figures alone; at info level when it is new."""
        gates.record(self._rows, state.s, gate, verdict)
        symbol = state.instrument.symbol
        if verdict.value != BLOCK:
            if gate == gates.SIZE:
                self._refused.pop(symbol, None)
            return
        details: dict[str, Any] = {"why": verdict.text, "needed": verdict.needed}
        if verdict.allowed:
            details["allowed"] = verdict.allowed
        refused = (gate, int(verdict.code))
        level = "debug" if self._refused.get(symbol) == refused else "info"
        self._refused[symbol] = refused
        self._state.note("gate", level, symbol=symbol, gate=GATES[gate], **details)

    def _enter(self, s: int, tier: CapitalTier, equity: Decimal) -> None:
        state = self._state.per_symbol[s]
        if not self._limits(state, tier):  # an entry before it in this scan took the last slot
            return
        weight = Decimal(repr(float(self._weights[s])))
        verdict = self._entries.decide(state, self._rows, self._gates, tier, equity, weight)
        self._settle(state, gates.SIZE, verdict)

    def _refresh_weights(self, equity: Decimal) -> None:
        state = self._state
        equal = equity < state.policy.portfolio_from
        if state.now < self._weights_due and equal == self._weights_equal:
            return
        self._weights_due = state.now + state.policy.weights_refresh * SECOND
        self._weights_equal = equal
        closes = [_closes(state, s, state.policy.weights_window) for s in range(len(state.symbols))]
        self._weights = weights(state.policy, equity, np.diff(closes).T)


def _closes(state: TraderState, s: int, window: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """ln(mid) at the last `window` + 1 closes of whole minutes, NaN where there was none."""
    count = int(state.states["minutes"][s])
    at = np.arange(max(0, count - MINUTES), count) & (MINUTES - 1)
    minutes, y = state.states["minute_index"][s][at], state.states["minute_y"][s][at]
    closes = np.full(window + 1, np.nan)
    place = minutes - (state.now // MINUTE - 1 - window)
    inside = (place >= 0) & (place <= window)
    closes[place[inside]] = y[inside]
    return closes
