"""The trailing stop's arithmetic: it starts at its activation price and then follows the best last price at a distance.

`side` of the order is the closing one: a sell (-1) guards a long, whose best price is the highest.
"""

from __future__ import annotations

from decimal import Decimal

from turbo_trader.exchange.orders import Order
from turbo_trader.market.instruments import Instrument


def advance(order: Order, last: Decimal) -> None:
    """The last price came: activate, or move the best price on. Nothing to an order that does not trail."""
    if order.distance is None:
        return
    d = -order.side
    reached = order.trigger_price if order.best is None else order.best
    if reached is not None and d * last >= d * reached:
        order.best = last


def fires_at(order: Order) -> Decimal | None:
    """The last price at or beyond which it fires; None while it is not active, and for any other order."""
    if order.distance is None or order.best is None:
        return None
    return order.best + order.side * order.distance


def watched(order: Order, instrument: Instrument) -> tuple[int | None, int]:
    """(ticks on the losing side where it fires, None while inactive; ticks on the winning side where it activates or moves)."""
    fires = fires_at(order)
    if order.best is None or fires is None:
        return None, int((order.trigger_price or 0) / instrument.tick)
    return int(fires / instrument.tick), int(order.best / instrument.tick) - order.side
