"""The capital table: which column holds at which equity, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.choices import Answer

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

TURBO: Final = 0
GROWING: Final = 1
INSTITUTIONAL: Final = 2
TIER_NAMES: Final = ("turbo", "growing", "institutional")


@dataclass(frozen=True, slots=True)
class CapitalTier:
    """One column of the capital table at one equity. An open position keeps the tier it was opened in."""

    name: str
    index: int  # 0 turbo, 1 growing, 2 institutional
    scan_interval_ns: int
    min_snr: Decimal
    min_confidence: Decimal
    b_trades: bool
    block_low_consensus: bool
    block_flat: bool
    fee_multiplier: Decimal
    min_ev: Decimal
    max_positions: int
    horizon_s: int
    max_hold_s: int

    @property
    def horizon_ns(self) -> int:
        """Forecast horizon h, ns."""
        return self.horizon_s * SECOND

    @property
    def max_hold_ns(self) -> int:
        """Maximum hold T, ns."""
        return self.max_hold_s * SECOND


def tier_of(policy: Policy, equity: Decimal, held: CapitalTier | None = None) -> CapitalTier:
    """The tier at an equity (USDT). Turbo: E < 100 and MICRO_TURBO_MODE; institutional: E >= 1000; else
    growing. A tier that is `held` is left for a lower one only TIER_HYSTERESIS below its boundary."""
    index = _index(policy, equity)
    if held is not None and index < held.index:
        index = min(held.index, _index(policy, equity / (1 - policy.tier_hysteresis)))
    name = TIER_NAMES[index]

    def row(what: str) -> object:
        return getattr(policy, f"{name}_{what}")

    intervals = (
        policy.micro_turbo_signal_interval,
        policy.growing_scan_interval,
        policy.institutional_scan_interval,
    )
    turbo_consensus = policy.micro_turbo_mode and equity <= policy.turbo_consensus_up_to
    consensus = policy.turbo_low_consensus if turbo_consensus else row("low_consensus")
    return CapitalTier(
        name=name,
        index=index,
        scan_interval_ns=intervals[index] * SECOND,
        min_snr=getattr(policy, f"{name}_min_snr"),
        min_confidence=getattr(policy, f"{name}_min_confidence"),
        b_trades=getattr(policy, f"{name}_b_trades"),
        block_low_consensus=consensus is Answer.BLOCK,
        block_flat=row("flat") is Answer.BLOCK,
        fee_multiplier=getattr(policy, f"{name}_fee_multiplier"),
        min_ev=minimum_ev(policy, equity, index),
        max_positions=getattr(policy, f"{name}_max_positions"),
        horizon_s=getattr(policy, f"{name}_horizon"),
        max_hold_s=getattr(policy, f"{name}_max_hold"),
    )


def steps(policy: Policy) -> tuple[Decimal, ...]:
    """The equities (USDT) at which the column of the capital table, or a number in it, changes."""
    bounds = policy.turbo_below, policy.institutional_from
    numbers = policy.zero_min_ev_up_to, policy.micro_below, policy.turbo_consensus_up_to
    return (*bounds, *(bound * (1 - policy.tier_hysteresis) for bound in bounds), *numbers)


def minimum_ev(policy: Policy, equity: Decimal, index: int) -> Decimal:
    """Minimum net EV: in turbo 0 up to and with 25 USDT; else the value of the equity's step."""
    if index == TURBO and equity <= policy.zero_min_ev_up_to:
        return Decimal(0)
    if equity < policy.micro_below:
        return policy.micro_min_ev
    if equity < policy.turbo_below:
        return policy.turbo_min_ev
    if equity < policy.institutional_from:
        return policy.growing_min_ev
    return policy.institutional_min_ev


def _index(policy: Policy, equity: Decimal) -> int:
    if equity >= policy.institutional_from:
        return INSTITUTIONAL
    return TURBO if policy.micro_turbo_mode and equity < policy.turbo_below else GROWING
