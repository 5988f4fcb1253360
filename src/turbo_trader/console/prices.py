"""Prices for calculations where no market is connected."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from turbo_trader.console.settings import positive_decimal
from turbo_trader.market.errors import InputError
from turbo_trader.market.names import known_symbol
from turbo_trader.market.reference import universe
from turbo_trader.simulation.synthetic import reference_price

LEAST_PRICE = Decimal("1e-9")  # USDT


def reference_prices(given: Sequence[str]) -> dict[str, Decimal]:
    """The synthetic market's starting prices, with `SYMBOL=PRICE` in place of some; InputError for what is not that."""
    prices = {i.symbol: i.floor_price(Decimal(repr(reference_price(i)))) for i in universe()}
    for text in given:
        symbol, equals, price = text.partition("=")
        if not equals:
            raise InputError(f"--price {text}: write it like BTCUSDT=97000")
        name = known_symbol(symbol, prices, f"--price {text}", "the universe")
        prices[name] = positive_decimal(price, f"--price {name}=", LEAST_PRICE)
    return prices
