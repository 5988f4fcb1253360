"""Prices, quantities and leverage on their grids, as plain decimals: never 5E+1, which no venue reads."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

_ONE = Decimal(1)


def on_grid(value: Decimal, step: Decimal, up: bool) -> Decimal:
    """The multiple of `step` nearest to `value` that is not below it (`up`) or not above it."""
    steps = (value / step).to_integral_value(ROUND_CEILING if up else ROUND_FLOOR)
    return plain(steps * step)


def plain(value: Decimal) -> Decimal:
    """The same number without a positive exponent."""
    return value.quantize(_ONE) if "E+" in str(value) else value
