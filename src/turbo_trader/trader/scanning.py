"""Scans: every symbol assessed at each boundary of the capital tier's interval; the best candidates become entries."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.kernel import advance
from turbo_trader.market.record_copies import copied, copy_into
from turbo_trader.market.rows import MINUTE, NEVER, ROW, SECOND, Rows
from turbo_trader.market.state import MINUTES
from turbo_trader.rules import gates
from turbo_trader.rules.account_gates import LimitFacts, limits_block_until, limits_gate
from turbo_trader.rules.ahead import assess_all
from turbo_trader.rules.choices import EntryStyle
from turbo_trader.rules.confirmation import still_confirmed
from turbo_trader.rules.entry import fill_probability, ranked
from turbo_trader.rules.gate import BLOCK, Verdict
from turbo_trader.rules.gates import GATES
from turbo_trader.rules.portfolio import weights
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.sizing import reference_notional
from turbo_trader.rules.tiers import CapitalTier
from turbo_trader.signals.measure import measure
from turbo_trader.trader.calibrating import Calibrating
from turbo_trader.trader.commands import Scanned
from turbo_trader.trader.entries import Entries
from turbo_trader.trader.scan_counts import ScanCounts
from turbo_trader.trader.scores import ScoreColumn
from turbo_trader.trader.staging import Staging
from turbo_trader.trader.trader_state import SymbolState, TraderState

_NO_ROWS: Rows = cast("Rows", np.zeros(0, ROW))
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
        self._begun = 0  # of which time `_rows` are assessed already (ns); 0 none
        self._one: Rows = cast("Rows", np.zeros(1, SCAN))
        self.counts = ScanCounts(state)
        self.scores = ScoreColumn(state)
        self._refused: dict[str, tuple[int, int]] = {}  # symbol -> gate and code that last refused it
        self._tier: CapitalTier | None = None
        self._signals: Rows = _NO_ROWS
        self._gates: Rows = _NO_ROWS
        self._known: Any = None  # what the venue and the account say, as it stands in the gates' parameters
        self._notional = 0.0
        self._thin = float(state.policy.entry_slip_max)
        self._weights = np.full(len(state.symbols), 1.0 / len(state.symbols))
        self._weights_due = 0
        self._weights_equal = True  # as the portfolio's switch stood when they were made
        self.leader = state.symbols.index(LEADER) if LEADER in state.symbols else -1
        self.next_ns = 0

    @property
    def tier(self) -> CapitalTier | None:
        """The capital tier of the last scan."""
        return self._tier

    def scan(self, equity: Decimal) -> None:
        """Assess every symbol now and act on what passes."""
        state = self._state
        self.counts.look(equity)
        tier = self._parameters(equity)
        self.next_ns = (state.now // tier.scan_interval_ns + 1) * tier.scan_interval_ns
        self._calibrating.before_scan(self._gates, tier)
        if self._staging.active:
            for s in range(len(state.symbols)):
                advance(state.states, s, _NO_ROWS, 0, state.now)
            self._staging.on_scan(equity, self.confirms)
        passed = [s for s in self._assess() if self._limits(self._rows, s, tier)]
        if passed:
            self._refresh_weights(equity)
            keyed = [(s, self._expected_value(s), float(self._weights[s])) for s in passed]
            for s in ranked(keyed):
                self._enter(s, tier, equity)
        rows = copied(self._rows)
        self.counts.add(rows)
        state.give(Scanned(state.now, rows))
        self._calibrating.after_scan(self._rows, self._gates)

    # -- in one go (trader.scanning_ahead)

    @property
    def until(self) -> int:
        """Before when scans can be taken in one go, ns: the summary of the hour comes first."""
        return self.counts.until if self._begun == 0 else 0

    @property
    def interval_ns(self) -> int:
        """Time from scan to scan, once there was one."""
        assert self._tier is not None
        return self._tier.scan_interval_ns

    @property
    def parameters(self) -> tuple[Rows, Rows]:
        """Signal and gate parameters, as of the last scan."""
        return self._signals, self._gates

    @property
    def thin(self) -> float:
        """For a side of a book that holds less than is walked through it."""
        return self._thin

    def closed(self) -> NDArray[np.int64]:
        """Until when (ns) the limits refuse an entry on each symbol, long and short, while nothing moves on the account."""
        state, tier = self._state, self._tier
        refusal, count = state.session.refusal(state.now), state.positions_open
        if refusal or tier is None or count >= tier.max_positions:
            return np.full((len(state.symbols), 2), NEVER)
        until = np.zeros((len(state.symbols), 2), np.int64)
        horizons = float(state.policy.cooldown_horizons)
        for each in state.per_symbol:
            taken = each.open or each.unresolved or each.shadows.alone is not None
            if not (taken or each.stopped_out) and each.instrument.open_for_entries:
                continue
            sides = (1, -1) if each.stopped_out else (0,)  # only a stop-out tells them apart
            facts = [self._facts(each, direction, refusal, count) for direction in sides]
            until[each.s] = [limits_block_until(tier, fact, horizons) for fact in facts]
        return until

    def refuse(self, rows: Rows) -> None:
        """Enter why the account refuses what passed in these rows of a scan now."""
        if self._tier is None:
            return
        for s in map(int, np.flatnonzero(rows["blocker"] < 0)):
            self._limits(rows, s, self._tier)

    def begun(self, now: int, rows: Rows) -> None:
        """The scan at `now` is assessed already, with these rows; `scan` has the rest of it to do."""
        copy_into(self._rows, rows)
        self._begun = self.next_ns = now

    def taken(self, rows: Rows, now: int) -> None:
        """These scans, the last of them at `now`, were taken."""
        self.counts.add(rows)
        self.next_ns = now + self.interval_ns

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

    def _assess(self) -> list[int]:
        """Assess every symbol now; those that no gate blocked which needs no account."""
        d = self._state
        if self._begun == d.now:
            passing = True
        else:
            passing = assess_all(
                d.states,
                d.filters,
                d.now,
                self._signals,
                self._gates,
                self._notional,
                self._thin,
                self._rows,
                0,
            )
        self._begun = 0
        return [int(s) for s in np.flatnonzero(self._rows["blocker"] < 0)] if passing else []

    def _parameters(self, equity: Decimal) -> CapitalTier:
        state = self._state
        tier = state.policy.capital_tier(equity, state.capital)
        if tier != self._tier:
            self._signals = state.policy.signal_parameters(tier)
            self._gates = state.policy.gate_parameters(tier, equity, len(state.symbols))
            if self._tier is not None and tier.index != self._tier.index:
                state.note("tier", capital=tier.name, equity=equity)
            self._tier = state.capital = tier
            self._known = None
            self.scores.scan_interval = tier.scan_interval_ns
            self.scores.put(self._gates)
        self._notional = float(reference_notional(state.policy, equity))
        known = (
            state.offset, state.key_expiry_ts, state.maintenance,
            [(each.taker, each.maker, each.instrument.funding_interval_min) for each in state.per_symbol],
        )  # fmt: skip
        if known != self._known:
            self._known = known
            self._put_known()
        if self.leader >= 0 and self._begun != state.now:
            self._gates["btc_move_ts"] = state.states["big_move_ts"][self.leader]
        return tier

    def _put_known(self) -> None:
        """Put what the venue says into the gates' parameters."""
        state = self._state
        for each in state.per_symbol:
            self._gates["taker_fee"][each.s] = float(each.taker)
            self._gates["maker_fee"][each.s] = float(each.maker)
            self._gates["funding_minutes"][each.s] = each.instrument.funding_interval_min
        self._gates["clock_offset"] = state.offset
        self._gates["key_expiry_ts"] = state.key_expiry_ts
        self._gates["maintenance_ts"], self._gates["maintenance_end_ts"] = state.maintenance

    def _expected_value(self, s: int) -> float:
        """Net EV of sending an entry: of a post-only one, times the chance that it is filled at all."""
        policy, row = self._state.policy, self._rows[s]
        if policy.entry_style is not EntryStyle.MAKER:
            return float(row["used_ev"])
        tick = float(self._state.per_symbol[s].instrument.tick) / float(row["mid"])
        distance = 0.5 * float(row["spread"]) + tick  # from the mid to a tick through our touch
        chance = fill_probability(float(row["sigma"]), distance, policy.maker_patience)
        return float(row["used_ev"]) * chance

    def _limits(self, rows: Rows, s: int, tier: CapitalTier) -> bool:
        """Gate 8 for the row of symbol `s` in these of a scan."""
        state, now = self._state.per_symbol[s], self._state.now
        refusal = self._state.session.refusal(now)
        facts = self._facts(state, int(rows["direction"][s]), refusal, self._state.positions_open)
        verdict = limits_gate(tier, facts, now, float(self._state.policy.cooldown_horizons))
        self._settle(rows, state, gates.LIMITS, verdict)
        return verdict.value != BLOCK

    def _facts(self, state: SymbolState, direction: int, refusal: str, positions: int) -> LimitFacts:
        return LimitFacts(
            session_refusal=refusal,
            session_lift=self._state.session.lifted_by(self._state.now) if refusal else "",
            open_positions=positions,
            open_on_symbol=state.open or state.shadows.alone is not None,
            unresolved=state.unresolved,
            stopped_out_ns=state.stopped_out.get(direction, 0),
            tradable=state.instrument.open_for_entries,
        )

    def _settle(self, rows: Rows, state: SymbolState, gate: int, verdict: Verdict) -> None:
        """Enter an account gate's verdict. A block is an event, as the row holds figures alone; at info level when it is new."""
        gates.record(rows, state.s, gate, verdict)
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
        if not self._limits(self._rows, s, tier):  # an entry before it in this scan took the last slot
            return
        weight = Decimal(repr(float(self._weights[s])))
        verdict = self._entries.decide(state, self._rows, self._gates, tier, equity, weight)
        self._settle(self._rows, state, gates.SIZE, verdict)
        if verdict.value != BLOCK:
            self.scores.use(s)

    def _refresh_weights(self, equity: Decimal) -> None:
        state = self._state
        equal = equity < state.policy.portfolio_from
        if state.now < self._weights_due and equal == self._weights_equal:
            return
        self._weights_due = state.now + state.policy.weights_refresh * SECOND
        self._weights_equal = equal
        if equal:
            self._weights = np.full(len(state.symbols), 1.0 / len(state.symbols))
            return
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
