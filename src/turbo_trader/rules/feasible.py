"""What a balance can trade, before any trade and without keys: per instrument the smallest order, and why
not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.market.instruments import Instrument
from turbo_trader.rules.scan import TIER_A, TIER_B
from turbo_trader.rules.sizing import Account, Entry, Sizing, liquidation_distance, size_entry, smallest_qty

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

ONE = Decimal(1)
#: Instrument states that can be traded; "Assumed" marks the stand-in of a symbol whose real figures are not known.
TRADABLE = ("Trading", "Assumed")


@dataclass(frozen=True, slots=True)
class Feasibility:
    """One instrument at one balance. Money USDT, distances and rates fractions. `reason` "" means it can be
    traded.
    """

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
    binding: str
    reason: str


def feasible(
    policy: Policy,
    balance: Decimal,
    instruments: Sequence[Instrument],
    prices: Mapping[str, Decimal],
    spreads: Mapping[str, Decimal] | None = None,
    range_tail: Decimal = Decimal("0.005"),
    trade_tier: int = TIER_A,
) -> list[Feasibility]:
    """A flat account of `balance` USDT, per instrument with a price; the exits are the narrowest the rules
    know.

    `spreads`: fractions, 0 where unknown. `range_tail`: assumed 99.9 % one-minute range, a fraction.
    """
    return [
        _one(
            policy,
            balance,
            item,
            prices[item.symbol],
            (spreads or {}).get(item.symbol, Decimal(0)),
            range_tail,
            trade_tier,
        )
        for item in instruments
        if item.symbol in prices
    ]


def break_even_win_rate(take_profit: Decimal, stop_loss: Decimal, cost: Decimal) -> Decimal:
    """Win rate at which fixed barriers earn nothing: (SL + c) / (TP + SL)."""
    return (stop_loss + cost) / (take_profit + stop_loss)


def _one(
    policy: Policy,
    balance: Decimal,
    instrument: Instrument,
    price: Decimal,
    spread: Decimal,
    range_tail: Decimal,
    trade_tier: int,
) -> Feasibility:
    take_profit = policy.b_tp_min if trade_tier == TIER_B else policy.tp_min
    stop_loss = policy.b_sl_min if trade_tier == TIER_B else policy.sl_min
    cost = policy.round_trip_fee + spread
    symbols = len(policy.symbols)
    entry = Entry(
        instrument=instrument,
        direction=1,
        trade_tier=trade_tier,
        price=price,
        stop_loss=stop_loss,
        cost=cost,
        slippage=Decimal(0),
        range_tail=range_tail,
        mark_gap=Decimal(0),
        taker_fee=policy.taker_fee,
        weight=ONE / symbols,
        symbols=symbols,
    )
    sizing = size_entry(policy, Account(balance, balance, balance, balance, Decimal(0)), (), entry)
    least = smallest_qty(instrument, price, policy.min_entry_notional)
    leverage = sizing.leverage if sizing.qty > 0 else min(policy.max_leverage, instrument.max_leverage)
    margin = least * price / leverage
    rate = instrument.tiers[0].maintenance_rate if instrument.tiers else Decimal(0)
    return Feasibility(
        symbol=instrument.symbol,
        price=price,
        smallest_qty=least,
        smallest_notional=least * price,
        leverage=leverage,
        leverage_most=sizing.highest,
        leverage_by=sizing.highest_by,
        margin_needed=margin,
        margin_share=margin / balance,
        take_profit=take_profit,
        stop_loss=stop_loss,
        cost=cost,
        cost_of_target=cost / take_profit,
        break_even_win_rate=break_even_win_rate(take_profit, stop_loss, cost),
        liquidation_distance=liquidation_distance(1, leverage, rate),
        qty=sizing.qty,
        notional=sizing.notional,
        binding=sizing.binding,
        reason=_reason(policy, balance, instrument, sizing, take_profit, cost),
    )


def _reason(
    policy: Policy,
    balance: Decimal,
    instrument: Instrument,
    sizing: Sizing,
    take_profit: Decimal,
    cost: Decimal,
) -> str:
    if instrument.status not in TRADABLE:
        return f"{instrument.symbol} is {instrument.status}"
    if sizing.refusal:
        return sizing.refusal
    if take_profit * policy.zone_one <= max(policy.break_even_min, cost):
        return "half the narrowest target does not exceed the cost"
    tier = policy.capital_tier(balance)
    if tier.fee_multiplier * cost >= policy.tp_max:
        return "no target pays the fee protection"
    return ""
