"""Planted defects of the guard beside the daemon, and of the lease that only one of them holds."""

from __future__ import annotations

from typing import Final

from turbo_trader.chaos.planting import Defect

_AWAY: Final = "away=30,stop_removed=60"

OF_GUARDS: Final = (
    Defect(
        "guard-never-protects",
        "turbo_trader.trader.guard_interventions",
        "    missing = position.stop_loss is None\n",
        "    missing = False\n",
        situation="faulty",
        faults=_AWAY,
    ),
    Defect(
        "guard-puts-another-stop",
        "turbo_trader.trader.guard_interventions",
        "return _Known(bracket.stop, bracket.deadline_ns)",
        'return _Known(bracket.stop * (1 - bracket.direction * Decimal("0.01")), bracket.deadline_ns)',
        situation="faulty",
        faults=_AWAY,
    ),
    Defect(
        "guard-closes-at-once",
        "turbo_trader.trader.guard_interventions",
        "if known.ours and close_ns and gone_ns >= close_ns:",
        "if known.ours and close_ns:",
        situation="faulty",
        faults="away=30",
    ),
    Defect(
        "guard-keeps-what-is-past-its-time",
        "turbo_trader.trader.guard_interventions",
        "known.deadline is not None and now >= known.deadline:",
        "known.deadline is not None and now < 0:",
        situation="faulty",
        faults="away=30",
        rules={"GUARD_CLOSE_AFTER": "900", "TURBO_MAX_HOLD": "120", "TURBO_HORIZON": "120"},
    ),
    Defect(
        "guard-never-gives-up-waiting",
        "turbo_trader.trader.guard_interventions",
        "close_ns = 0 if left else rules.close_ns",
        "close_ns = 0",
        situation="faulty",
        faults="away=30",
    ),
    Defect(
        "guard-leaves-resting-entries",
        "turbo_trader.trader.guard_interventions",
        "if (boot_of(order.link_id) in boots or",
        "if (boot_of(order.link_id) in boots[:0] or",
        situation="maker",
        faults="away=30,crash=20",
        rules={"MAKER_PATIENCE": "60"},
    ),
    Defect(
        "guard-closes-without-reduce-only",
        "turbo_trader.trader.guard_interventions",
        "        reduce_only=True,\n        purpose=Purpose.CLOSE,",
        "        reduce_only=False,\n        purpose=Purpose.CLOSE,",
        situation="faulty",
        faults="away=30",
    ),
    Defect(
        "guard-writes-no-intent",
        "turbo_trader.runtime.guard_looks",
        "if not self._journal.intent(action):",
        "if not action.id:",
        situation="faulty",
        faults="away=30",
    ),
    Defect(
        "guard-waits-for-no-lease",
        "turbo_trader.journal.lease",
        "silent = now - self._changed >= self._rules.fence_ns + self._rules.window_ns",
        "silent = now > self._changed",
        situation="faulty",
        faults=_AWAY + ",freeze=60",
    ),
    Defect(
        "daemon-outlives-its-lease",
        "turbo_trader.journal.lease",
        "return self._from <= self._steady() < self._until and not self._epochs.taken(self._ends)",
        "return self._from <= self._steady()",
        situation="faulty",
        faults=_AWAY + ",freeze=60",
    ),
)
