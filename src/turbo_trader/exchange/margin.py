"""Margin of isolated USDT positions, after the venue's help pages "Order Cost" and "The New Margin Calculation" (September 2025).

Symbols: S size > 0, E average entry, M mark, L leverage, f taker rate, d +1 long / -1 short. All Decimal, USDT.
"""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.market.instruments import Instrument


def order_cost(qty: Decimal, price: Decimal, side: int, leverage: Decimal, taker: Decimal) -> Decimal:
    """What an opening order holds: value/L + value f + value (1 -+ 1/L) f."""
    value = qty * price
    return value / leverage + value * taker + value * (1 - side / leverage) * taker


def closing_fee(size: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """Estimated fee of closing at the bankruptcy price: S E (1 -+ 1/L) f; `size` signed."""
    d = 1 if size > 0 else -1
    return abs(size) * entry * (1 - d / leverage) * taker


def initial_margin(size: Decimal, entry: Decimal, leverage: Decimal, taker: Decimal) -> Decimal:
    """S E / L + closing fee."""
    if not size:
        return Decimal(0)
    return abs(size) * entry / leverage + closing_fee(size, entry, leverage, taker)


def maintenance_margin(
    instrument: Instrument, size: Decimal, entry: Decimal, mark: Decimal, leverage: Decimal, taker: Decimal
) -> Decimal:
    """S M mmr - D + closing fee, at the tier of the position's value."""
    if not size:
        return Decimal(0)
    value = abs(size) * mark
    tier = instrument.tier(value)
    return value * tier.maintenance_rate - tier.deduction + closing_fee(size, entry, leverage, taker)


def bankruptcy_price(size: Decimal, entry: Decimal, leverage: Decimal) -> Decimal:
    """E (1 -+ 1/L): where the position's margin is gone; `size` signed."""
    return entry * (1 - (1 if size > 0 else -1) / leverage)


def liquidation_price(
    instrument: Instrument, size: Decimal, entry: Decimal, leverage: Decimal
) -> Decimal | None:
    """The mark price at which margin and result equal the maintenance margin; None outside the instrument's price range."""
    if not size:
        return None
    lots = abs(size)
    tier = instrument.tier(lots * entry)
    if size > 0:
        price = (lots * entry * (1 - 1 / leverage) - tier.deduction) / (lots * (1 - tier.maintenance_rate))
    else:
        price = (lots * entry * (1 + 1 / leverage) + tier.deduction) / (lots * (1 + tier.maintenance_rate))
    return price if instrument.min_price <= price <= instrument.max_price else None
