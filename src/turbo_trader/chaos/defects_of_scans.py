"""Planted defects of what becomes of a scan: verdicts, sizes and evidence, and of when a trade ends."""

from __future__ import annotations

from typing import Final

from turbo_trader.chaos.planting import Defect

OF_SCANS: Final = (
    Defect(
        "only-shorts",
        "turbo_trader.trader.scanning",
        "return verdict.value != BLOCK\n\n    def _facts",
        'return verdict.value != BLOCK and int(rows["direction"][s]) < 0\n\n    def _facts',
        hours=0.1,
    ),
    Defect(
        "one-symbol-never-trades",
        "turbo_trader.trader.scanning",
        'np.flatnonzero(self._rows["blocker"] < 0)] if passing',
        'np.flatnonzero(self._rows["blocker"] < 0) if s != 1] if passing',
        hours=0.2,
    ),
    Defect(
        "zone-one-gives-no-more-time",
        "turbo_trader.rules.exits",
        "int(self.hold_ns * self.rules.hold_factor) if self.zone >= 1 else self.hold_ns",
        "self.hold_ns",
    ),
    Defect(
        "mark-beyond-the-stop-ignored",
        "turbo_trader.rules.exits",
        "if now_ns - self.mark_since_ns >= self.rules.mark_beyond_for_ns:",
        "if now_ns < self.mark_since_ns:",
        faults="mark_apart=30",
    ),
    Defect(
        "mark-near-the-stop-is-enough",
        "turbo_trader.rules.exits",
        "if self.direction * (self.stop - mark) < self.rules.mark_beyond * self.stop:",
        "if self.direction * (self.stop - mark) < -self.rules.mark_beyond * self.stop:",
    ),
    Defect(
        "session-budget-ignored",
        "turbo_trader.rules.sizing",
        "budget = account.session_result - open_losses + policy",
        "budget = policy",
        situation="losing",
    ),
    Defect(
        "open-losses-not-in-the-budget",
        "turbo_trader.rules.sizing",
        "budget = account.session_result - open_losses + policy",
        "budget = account.session_result + policy",
        situation="losing",
    ),
    Defect(
        "a-tenth-smaller",
        "turbo_trader.rules.sizing",
        "qty = on_grid(allowed / entry.price, instrument.step, up=False)",
        "qty = on_grid(allowed * 9 / 10 / entry.price, instrument.step, up=False)",
    ),
    Defect(
        "halved-a-loss-late",
        "turbo_trader.rules.sizing",
        "if losses >= policy.losses_to_halve and notional > 0:",
        "if losses > policy.losses_to_halve and notional > 0:",
        situation="losing",
        seed=43,
    ),
    Defect(
        "other-side-cools-down",
        "turbo_trader.trader.booking",
        "state.stop_out(trade.direction, ts)",
        "state.stop_out(-trade.direction, ts)",
        situation="losing",
    ),
    Defect(
        "scout-twice-the-smallest",
        "turbo_trader.trader.staging",
        "            return Stage.SCOUT, least\n",
        "            return Stage.SCOUT, 2 * least\n",
        situation="earned",
    ),
    Defect(
        "earned-after-one-fill",
        "turbo_trader.rules.stages",
        "        mine.fills += 1",
        "        mine.fills += 3",
        situation="earned",
    ),
    Defect(
        "evidence-before-fees",
        "turbo_trader.trader.staging",
        "ended_ns, fraction, trade.net)",
        "ended_ns, fraction, trade.result)",
        situation="earned",
    ),
    Defect(
        "worst-first",
        "turbo_trader.rules.entry",
        "key=lambda item: -item[1] * item[2])",
        "key=lambda item: item[1] * item[2])",
        situation="small",
        rules={"TURBO_MAX_POSITIONS": "1"},
    ),
    Defect(
        "capital-tier-never-left",
        "turbo_trader.rules.tiers",
        "index = min(held.index, _index(policy, equity / (1 - policy.tier_hysteresis)))",
        "index = held.index",
        situation="larger",
    ),
    Defect(
        "gate-of-limits-as-size",
        "turbo_trader.trader.scanning",
        "self._settle(rows, state, gates.LIMITS, verdict)\n        return",
        "self._settle(rows, state, gates.SIZE, verdict)\n        return",
    ),
    Defect(
        "zone-by-the-other-side",
        "turbo_trader.trader.trader_state",
        "price, ts = self.bid(state) if state.held > 0 else self.ask(state), int(",
        "price, ts = self.bid(state) if state.held < 0 else self.ask(state), int(",
        faults="wide_book=60",
    ),
    Defect(
        "scouts-go-on-when-their-budget-is-spent",
        "turbo_trader.rules.stages",
        "        today = self.day_net - risk >= -rules.day_budget * self.day_equity\n        return today and",
        "        return True or",
        situation="earned",
    ),
)
