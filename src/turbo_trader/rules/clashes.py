"""Rule numbers that contradict each other: refused at start, with the two lines that clash."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from turbo_trader.market.errors import InputError
from turbo_trader.market.state import MINUTES
from turbo_trader.numbers.declared import env_name, shown, source
from turbo_trader.numbers.number import Horizon
from turbo_trader.rules.choices import EntryStyle
from turbo_trader.rules.tiers import TIER_NAMES
from turbo_trader.signals.consensus import HORIZONS

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

_UPSIDE_DOWN = "the range is upside down"
_NEVER_USED = "the first could never be used up"

#: (low, high, why): the first must not exceed the second.
_ORDERED = (
    ("tp_min", "tp_max", _UPSIDE_DOWN),
    ("sl_min", "sl_max", _UPSIDE_DOWN),
    ("b_tp_min", "b_tp_max", _UPSIDE_DOWN),
    ("b_sl_min", "b_sl_max", _UPSIDE_DOWN),
    ("a_margin_low", "a_margin_high", _UPSIDE_DOWN),
    ("b_margin_low", "b_margin_high", _UPSIDE_DOWN),
    ("b_margin_low", "a_margin_low", "a B-trade would get more than an A-trade"),
    ("b_margin_high", "a_margin_high", "a B-trade would get more than an A-trade"),
    ("b_risk", "a_risk", "a B-trade might lose more than an A-trade"),
    ("a_margin_low", "small_margin_cap", "no A-trade could get its margin"),
    ("a_margin_low", "medium_margin_cap", "no A-trade could get its margin"),
    ("a_margin_low", "large_margin_cap", "no A-trade could get its margin"),
    ("small_margin_cap", "total_margin", _NEVER_USED),
    ("medium_margin_cap", "total_margin", _NEVER_USED),
    ("large_margin_cap", "total_margin", _NEVER_USED),
    ("a_risk", "session_loss", "one stop could lose more than a session may"),
    ("drawdown_pause", "session_loss", "the halt would come before the pause"),
    ("small_below", "medium_below", _UPSIDE_DOWN),
    ("micro_below", "turbo_below", _UPSIDE_DOWN),
    ("turbo_below", "institutional_from", _UPSIDE_DOWN),
    ("ou_half_life_min", "ou_half_life_max", _UPSIDE_DOWN),
    ("score_hold_min", "score_hold_max", _UPSIDE_DOWN),
    ("zone_one", "zone_two", _UPSIDE_DOWN),
    ("flat_edge", "tp_max", "a forecast beyond every target would still be a flat market"),
    ("scout_day_budget", "scout_budget", _NEVER_USED),
    ("shadow_chance", "scout_chance", "a tier would go back and forth at every look"),
    ("calibration_group", "calibration_min_samples", "a map could have no point"),
    ("calibration_min_samples", "calibration_window", "no symbol could have a map of its own"),
)

_Clash: TypeAlias = tuple[str, str, str]  # two numbers and why they cannot both hold


def refuse(policy: Policy) -> None:
    """InputError with the first two lines of the policy that contradict each other."""
    for first, second, why in _clashes(policy):
        raise InputError(f"{_line(policy, first)} clashes with {_line(policy, second)}: {why}")


def _clashes(policy: Policy) -> Iterator[_Clash]:
    for low, high, why in _ORDERED:
        if getattr(policy, low) > getattr(policy, high):
            yield low, high, why
    if policy.horizon is Horizon.HOURS and not policy.scored:
        yield (
            "horizon",
            "signal",
            "the five signals forecast minutes: name a panel signal, such as panic_rebound",
        )
    if 0 < policy.same_direction < policy.a_risk:
        yield "a_risk", "same_direction", _NEVER_USED
    yield from _exits(policy)
    for tier in TIER_NAMES:
        yield from _tier(policy, tier)
    yield from _horizons(policy)


def _exits(policy: Policy) -> Iterator[_Clash]:
    """Targets that cannot pay, locks that lock nothing, stops beyond any liquidation."""
    b_trades = any(getattr(policy, f"{tier}_b_trades") for tier in TIER_NAMES)
    fee = (
        "maker_fee"
        if policy.entry_style is EntryStyle.MAKER and policy.maker_fee > policy.taker_fee
        else "taker_fee"
    )
    for top in ("tp_max", *(["b_tp_max"] if b_trades else [])):
        target: Decimal = getattr(policy, top)
        if target * policy.zone_one <= policy.break_even_min + policy.break_even_extra * (
            not policy.break_even_cost
        ):
            yield top, "break_even_min", "zone 1 would stop at once, no trade could be opened"
        if target * policy.zone_one <= policy.break_even(policy.round_trip_fee):
            yield top, fee, "zone 1 would not pay the round trip's fees, no trade could be opened"
        if target * policy.zone_two * policy.lock_share <= policy.break_even_min + policy.break_even_extra:
            yield "lock_share", "break_even_min", "zone 2 would lock less than zone 1 has locked already"
    for stop in ("sl_min", *(["b_sl_min"] if b_trades else [])):
        if getattr(policy, stop) * policy.liquidation_multiple >= 1:
            yield stop, "liquidation_multiple", "no leverage, not even 1, keeps liquidation that far away"


def _tier(policy: Policy, tier: str) -> Iterator[_Clash]:
    """Gates of a capital tier that no trade could pass."""
    if getattr(policy, f"{tier}_horizon") > getattr(policy, f"{tier}_max_hold"):
        yield f"{tier}_horizon", f"{tier}_max_hold", "the forecast reaches beyond the maximum hold"
    if getattr(policy, f"{tier}_fee_multiplier") * policy.round_trip_fee >= policy.tp_max:
        yield f"{tier}_fee_multiplier", "tp_max", "no target could ever pay for its fees"
    if getattr(policy, f"{tier}_min_ev") >= policy.tp_max:
        yield f"{tier}_min_ev", "tp_max", "no trade could ever have that net EV"


def _horizons(policy: Policy) -> Iterator[_Clash]:
    horizons = policy.consensus_horizons
    if sorted(horizons) != list(horizons) or len(horizons) != HORIZONS:
        why = f"it takes {HORIZONS} ascending horizons of a minute or more"
        yield "consensus_horizons", "low_consensus", why
    if horizons[0] < 1 or horizons[-1] >= MINUTES:
        yield "consensus_horizons", "low_consensus", f"horizons lie between 1 and {MINUTES - 1} minutes"


def _line(policy: Policy, name: str) -> str:
    origin = source(type(policy).model_fields[name])
    return f"{env_name(name)} = {shown(getattr(policy, name))} ({origin})"
