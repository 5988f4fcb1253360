"""The band of order prices: buyers do not bid far above the market, sellers do not offer far below.

The highest buy is mark (1 + Y), but no more than the higher of index and mark (1 + X); the lowest sell is its mirror. X and Y are
the instrument's. (Bybit adds a part of the average premium of 30 s to the inner bound; how much it does not say.)
"""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.messages import Reply


def edge(state: State, s: int, side: int) -> Decimal:
    """The highest price of a buy, or the lowest of a sell, on the tick."""
    instrument, mark, index = state.instruments[s], state.mark(s), state.index_price(s)
    outer, inner = mark * (1 + side * instrument.price_limit_y), mark * (1 + side * instrument.price_limit_x)
    if side > 0:
        return instrument.floor_price(min(outer, max(index, inner)))
    return instrument.ceil_price(max(outer, min(index, inner)))


def refusal(state: State, s: int, side: int, price: Decimal) -> Reply | None:
    """Buyers do not bid far above the mark, sellers do not offer far below."""
    if side * price <= side * edge(state, s, side):
        return None
    if side > 0:
        return Reply(30208, "The order price is higher than the maximum buying price.")
    return Reply(30209, "The order price is lower than the minimum selling price.")


def moved(state: State, account: Account, side: int, price: Decimal, s: int) -> Decimal:
    """A limit price, moved to the edge of the band where it lies beyond and the account wants that."""
    instrument = state.instruments[s]
    possible = not price % instrument.tick and instrument.min_price <= price <= instrument.max_price
    if not account.moves_prices or not possible or refusal(state, s, side, price) is None:
        return price
    return edge(state, s, side)
