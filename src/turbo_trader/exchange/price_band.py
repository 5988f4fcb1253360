"""The band of order prices: buyers do not bid far above the market, sellers do not offer far below.

The highest buy is mark (1 + Y), but no more than the higher of index and mark (1 + X); the lowest sell is its mirror. X and Y are
the instrument's. (Bybit adds a part of the average premium of 30 s to the inner bound; how much it does not say.)
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.messages import Reply

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


def edge(exchange: Exchange, s: int, side: int) -> Decimal:
    """The highest price of a buy, or the lowest of a sell, on the tick."""
    instrument, mark, index = exchange.instruments[s], exchange.mark(s), exchange.index_price(s)
    outer, inner = mark * (1 + side * instrument.price_limit_y), mark * (1 + side * instrument.price_limit_x)
    if side > 0:
        return instrument.floor_price(min(outer, max(index, inner)))
    return instrument.ceil_price(max(outer, min(index, inner)))


def refusal(exchange: Exchange, s: int, side: int, price: Decimal) -> Reply | None:
    """Buyers do not bid far above the mark, sellers do not offer far below."""
    if side * price <= side * edge(exchange, s, side):
        return None
    if side > 0:
        return Reply(30208, "The order price is higher than the maximum buying price.")
    return Reply(30209, "The order price is lower than the minimum selling price.")


def moved(exchange: Exchange, account: Account, side: int, price: Decimal, s: int) -> Decimal:
    """A limit price, moved to the edge of the band where it lies beyond and the account wants that."""
    instrument = exchange.instruments[s]
    possible = not price % instrument.tick and instrument.min_price <= price <= instrument.max_price
    if not account.moves_prices or not possible or refusal(exchange, s, side, price) is None:
        return price
    return edge(exchange, s, side)
