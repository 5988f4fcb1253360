"""What a balance can trade, before any trade and without keys: per instrument the smallest order, and why
not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.market.instruments import TRADABLE, Instrument
from turbo_trader.rules.gate import TIER_A, TIER_B
from turbo_trader.rules.sizing import Account, Entry, Sizing, liquidation_distance, size_entry, smallest_qty

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

ZERO = Decimal(0)
ONE = Decimal(1)
#: A 99.9 % one-minute range: the median of sixteen perpetuals in May 2025 (2,048 minutes each, BTC 0.35 %, small coins above 1 %).
USUAL_RANGE = Decimal("0.0075")


@dataclass(frozen=True, slots=True)
class Feasibility:
    """One instrument at one balance. Money USDT, distances and rates fractions. `reason` "" means it can be traded."""

    symbol: str
    price: Decimal
    smallest_qty: Decimal
    smallest_notional: Decimal
    leverage: Decimal  # of the size below; where there is none, of the smallest order
    leverage_most: Decimal  # allowed for that size, and by what; 0 where there is none
    leverage_by: str
    margin_needed: Decimal  # for the smallest order at that leverage
    margin_share: Decimal  # of the balance
    take_profit: Decimal
    stop_loss: Decimal
    cost: Decimal
    cost_of_target: Decimal  # cost / take profit
    break_even_win_rate: Decimal  # of fixed barriers at these distances
    liquidation_distance: Decimal
    qty: Decimal  # the size the rules would allow, 0: none
    notional: Decimal
    margin: Decimal  # of that size: all that it can lose
    binding: str
    reason: str


def exits_at(policy: Policy, trade_tier: int, *, widest: bool = False) -> tuple[Decimal, Decimal]:
    """(take profit, stop loss) of a trade tier at the narrow or the wide end of their ranges."""
    end = "max" if widest else "min"
    prefix = "b_" if trade_tier == TIER_B else ""
    return getattr(policy, f"{prefix}tp_{end}"), getattr(policy, f"{prefix}sl_{end}")


def feasible(
    policy: Policy,
    balance: Decimal,
    instruments: Sequence[Instrument],
    prices: Mapping[str, Decimal],
    spreads: Mapping[str, Decimal] | None = None,
    *,
    range_tail: Decimal = USUAL_RANGE,
    trade_tier: int = TIER_A,
    widest: bool = False,
) -> list[Feasibility]:
    """A flat account of `balance` USDT, per instrument with a price, for a long at the narrowest (or widest) exits of a trade tier.

    `spreads`: fractions, one tick where unknown. `range_tail`: assumed 99.9 % one-minute range, a fraction.
    """
    take_profit, stop_loss = exits_at(policy, trade_tier, widest=widest)
    symbols = len(policy.symbols)
    found = []
    for item in instruments:
        price = prices.get(item.symbol)
        if price is None:
            continue
        spread = (spreads or {}).get(item.symbol, item.tick / price)
        entry = Entry(
            instrument=item, direction=1, trade_tier=trade_tier, price=price, stop_loss=stop_loss,
            cost=policy.round_trip_fee + spread, slippage=ZERO, range_tail=range_tail, mark_gap=ZERO,
            taker_fee=policy.taker_fee, weight=ONE / symbols, symbols=symbols,
        )  # fmt: skip
        found.append(_checked(policy, balance, entry, take_profit))
    return found


def break_even_win_rate(take_profit: Decimal, stop_loss: Decimal, cost: Decimal) -> Decimal:
    """Win rate at which fixed barriers earn nothing: (SL + c) / (TP + SL)."""
    return (stop_loss + cost) / (take_profit + stop_loss)


def _checked(policy: Policy, balance: Decimal, entry: Entry, take_profit: Decimal) -> Feasibility:
    item = entry.instrument
    sizing = size_entry(policy, Account(balance, balance, balance, balance, ZERO), (), entry)
    least = smallest_qty(item, entry.price, policy.min_entry_notional)
    leverage = sizing.leverage if sizing.qty > 0 else min(policy.max_leverage, item.max_leverage)
    margin_needed = least * entry.price / leverage
    rate = item.tiers[0].maintenance_rate if item.tiers else ZERO
    return Feasibility(
        symbol=item.symbol,
        price=entry.price,
        smallest_qty=least,
        smallest_notional=least * entry.price,
        leverage=leverage,
        leverage_most=sizing.highest,
        leverage_by=sizing.highest_by,
        margin_needed=margin_needed,
        margin_share=margin_needed / balance,
        take_profit=take_profit,
        stop_loss=entry.stop_loss,
        cost=entry.cost,
        cost_of_target=entry.cost / take_profit,
        break_even_win_rate=break_even_win_rate(take_profit, entry.stop_loss, entry.cost),
        liquidation_distance=liquidation_distance(1, leverage, rate),
        qty=sizing.qty,
        notional=sizing.notional,
        margin=sizing.margin,
        binding=sizing.binding,
        reason=_reason(policy, balance, entry, sizing, take_profit),
    )


def _reason(policy: Policy, balance: Decimal, entry: Entry, sizing: Sizing, take_profit: Decimal) -> str:
    item = entry.instrument
    if item.status not in TRADABLE:
        return f"{item.symbol} is {item.status}"
    if sizing.refusal:
        return sizing.refusal
    if take_profit * policy.zone_one <= policy.break_even(entry.cost):
        return "half the target does not exceed the cost"
    tier = policy.capital_tier(balance)
    if entry.trade_tier == TIER_B and not tier.b_trades:
        return f"no B-trades in the {tier.name} tier"
    if tier.fee_multiplier * entry.cost >= take_profit:
        return f"the target does not pay {tier.fee_multiplier} x the cost"
    return ""
