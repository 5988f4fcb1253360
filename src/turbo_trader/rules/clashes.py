"""Rule numbers that contradict each other: refused at start, with the two lines that clash."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.market.errors import InputError
from turbo_trader.market.state import MINUTES
from turbo_trader.rules.numbers import env_name, shown, source
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.parameters import HORIZONS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

#: (low, high): the first must not exceed the second.
_RANGES = (
    ("tp_min", "tp_max"),
    ("sl_min", "sl_max"),
    ("b_tp_min", "b_tp_max"),
    ("b_sl_min", "b_sl_max"),
    ("a_margin_low", "a_margin_high"),
    ("b_margin_low", "b_margin_high"),
    ("a_margin_low", "total_margin"),
    ("b_margin_low", "total_margin"),
    ("small_below", "medium_below"),
    ("ou_half_life_min", "ou_half_life_max"),
    ("turbo_below", "institutional_from"),
    ("micro_below", "turbo_below"),
    ("a_risk", "session_loss"),
    ("b_risk", "session_loss"),
    ("zone_one", "zone_two"),
    ("calibration_group", "calibration_min_samples"),
)


def refuse(policy: Policy) -> None:
    """InputError with the first two lines of the policy that contradict each other."""
    for first, second, why in _clashes(policy):
        raise InputError(f"{_line(policy, first)} clashes with {_line(policy, second)}: {why}")


def _clashes(policy: Policy) -> Iterator[tuple[str, str, str]]:
    for low, high in _RANGES:
        if getattr(policy, low) > getattr(policy, high):
            yield low, high, "the first must not be above the second"
    yield from _targets_below_cost(policy)
    for tier in TIER_NAMES:
        if getattr(policy, f"{tier}_horizon") > getattr(policy, f"{tier}_max_hold"):
            yield f"{tier}_horizon", f"{tier}_max_hold", "the forecast reaches beyond the maximum hold"
        if getattr(policy, f"{tier}_fee_multiplier") * policy.round_trip_fee >= policy.tp_max:
            yield f"{tier}_fee_multiplier", "tp_max", "no target could ever pay for its fees"
        if getattr(policy, f"{tier}_min_ev") >= policy.tp_max:
            yield f"{tier}_min_ev", "tp_max", "no trade could ever have that net EV"
    if (
        sorted(policy.consensus_horizons) != list(policy.consensus_horizons)
        or len(policy.consensus_horizons) != HORIZONS
    ):
        yield (
            "consensus_horizons",
            "low_consensus",
            f"it takes {HORIZONS} ascending horizons of a minute or more",
        )
    if policy.consensus_horizons[0] < 1 or policy.consensus_horizons[-1] >= MINUTES:
        yield "consensus_horizons", "low_consensus", f"horizons lie between 1 and {MINUTES - 1} minutes"


def _targets_below_cost(policy: Policy) -> Iterator[tuple[str, str, str]]:
    """A target whose zone 1 lies at or below the break-even stop would close itself at once."""
    tops = ["tp_max", *(["b_tp_max"] if policy.turbo_b_trades else [])]
    for top in tops:
        zone_one: Decimal = getattr(policy, top) * policy.zone_one
        if zone_one <= policy.break_even_min:
            yield top, "break_even_min", "zone 1 would stop at once, no trade could be opened"
        if zone_one <= policy.round_trip_fee:
            yield (
                top,
                "taker_fee",
                "zone 1 would not pay the round trip's fees, no trade could be opened",
            )


def _line(policy: Policy, name: str) -> str:
    declared = next(item for item in fields(policy) if item.name == name)
    return f"{env_name(declared)} = {shown(getattr(policy, name))} ({source(declared)})"
