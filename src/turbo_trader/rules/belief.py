"""How far a forecast is believed: whose figures the gates see, and which gates cannot block under them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.numbers.number import Belief
from turbo_trader.rules.choices import Answer
from turbo_trader.rules.tiers import TIER_NAMES, TURBO

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy


def cannot_block(policy: Policy, tier_name: str) -> dict[str, str]:
    """The gates of a capital tier that block no scan that came so far under the figures in force, each with why and up to when.

    Figures are taken at their worst: the confidence and the signals that gates 2 and 3 let pass, the smallest target.
    """
    found = {}
    if getattr(policy, f"{tier_name}_low_consensus") is Answer.WARN:
        found["consensus"] = "low consensus is a warning"
    if getattr(policy, f"{tier_name}_flat") is Answer.WARN:
        found["flat"] = "a flat market is a warning once there is a tier"
    if policy.belief is Belief.ASKED:
        found.update(_by_confidence(policy, tier_name))
    return found


def _by_confidence(policy: Policy, tier_name: str) -> dict[str, str]:
    """Gates 6 and 7 where p is the confidence, which gate 2 has let pass: the cost from which on they could block."""
    p: Decimal = getattr(policy, f"{tier_name}_min_confidence")
    multiplier: Decimal = getattr(policy, f"{tier_name}_fee_multiplier")
    exits = [("A", policy.tp_min, max(policy.sl_min, policy.sl_of_tp * policy.tp_min))]
    if getattr(policy, f"{tier_name}_b_trades"):
        stop = max(policy.b_sl_min, policy.b_sl_factor * policy.sl_min)
        exits.append(("B", max(policy.b_tp_min, policy.b_tp_factor * policy.tp_min), stop))
    fee = min(p * target / multiplier for _, target, _ in exits) if multiplier else Decimal(1)
    found = {}
    if fee > policy.round_trip_fee:
        found["fee"] = f"p is the confidence, above {p}: up to a cost of {fee:.3%}"
    # the minimum net EV of the tier is at most its value by equity
    least = (
        max(policy.micro_min_ev, policy.turbo_min_ev)
        if tier_name == TIER_NAMES[TURBO]
        else policy.growing_min_ev
    )
    spare = min(p * target - (1 - p) * stop for _, target, stop in exits) - least
    if spare > policy.round_trip_fee:
        found["EV"] = f"p is the confidence, above {p}: up to a cost of {spare:.3%}"
    return found


def cannot_block_lines(policy: Policy, *names: str) -> list[str]:
    """One line per capital tier (default: all): its gates that cannot block, and why."""
    lines = []
    for name in names or TIER_NAMES:
        if found := cannot_block(policy, name):
            gates = "; ".join(f"{gate} ({why})" for gate, why in found.items())
            lines.append(f"{name}: cannot block: {gates}")
    return lines
