"""Margin of USDT positions, after the venue's help pages "Order Cost" and "The New Margin Calculation" (September 2025).

Symbols: S size > 0, E average entry, M mark, L leverage, X margin added, f taker rate, d +1 long / -1 short. All Decimal, USDT.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from turbo_trader.market.instruments import Instrument

ZERO = Decimal(0)


def order_cost(qty: Decimal, price: Decimal, side: int, leverage: Decimal, taker: Decimal) -> Decimal:
    """What an opening order holds: value/L + value f + value (1 -+ 1/L) f."""
    value = qty * price
    return value / leverage + value * taker + value * (1 - side / leverage) * taker


def bankruptcy_price(
    size: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal = ZERO, extra: Decimal = ZERO
) -> Decimal:
    """E (1 -+ 1/L) -+ X / (S (1 -+ f)): where an isolated position's margin is gone; `size` signed. Not below 0."""
    d = 1 if size > 0 else -1
    return max(entry * (1 - d / leverage) - extra / (size * (1 - d * taker)), ZERO)


def closing_fee(
    size: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal, extra: Decimal = ZERO
) -> Decimal:
    """Estimated fee of closing at the bankruptcy price: S E (1 -+ 1/L) f without margin added; `size` signed."""
    return abs(size) * bankruptcy_price(size, entry, leverage, taker, extra) * taker


def initial_margin(
    size: Decimal, price: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal
) -> Decimal:
    """S price / L + closing fee: isolated at the entry price, cross at the mark."""
    if not size:
        return ZERO
    return abs(size) * price / leverage + closing_fee(size, entry, leverage, taker)


def maintenance_margin(instrument: Instrument, size: Decimal, mark: Decimal, fee: Decimal) -> Decimal:
    """S M mmr - D + closing fee, at the tier of the position's value."""
    if not size:
        return ZERO
    value = abs(size) * mark
    tier = instrument.tier(value)
    return value * tier.maintenance_rate - tier.deduction + fee


def liquidation_price(
    instrument: Instrument, sizes: Sequence[Decimal], rest: Decimal, near: Decimal
) -> tuple[Decimal | None, bool]:
    """The mark price P where `rest` + sum(signed sizes) P is no more than sum(S P mmr - D); None outside the instrument's prices.
    With it: is it reached falling? `rest` is what carries the positions besides the price, fees paid: of an isolated one -size x
    bankruptcy price. Tiers are those at P: the maintenance margin grows convexly, so each step from `near` lands nearer."""
    price = near
    tiers = [instrument.tier(abs(size) * price) for size in sizes]
    for _ in range(len(instrument.tiers) * len(sizes)):
        slope = deductions = ZERO
        for size, tier in zip(sizes, tiers, strict=True):
            slope += size - abs(size) * tier.maintenance_rate
            deductions += tier.deduction
        if not slope:
            return None, False
        price = -(rest + deductions) / slope
        before, tiers = tiers, [instrument.tier(abs(size) * price) for size in sizes]
        if tiers == before:
            break
    found = instrument.min_price <= price <= instrument.max_price
    return price if found else None, slope > 0
