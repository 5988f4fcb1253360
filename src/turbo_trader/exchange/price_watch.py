"""Between the cursor on the tape and the accounts: which prices matter to them, and what is due when one is touched."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from turbo_trader.exchange import trailing
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import Bounds, State
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.resting_orders import Resting
from turbo_trader.exchange.settlement import Settlement
from turbo_trader.exchange.triggers import Triggers
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import OrderStatus, TriggerBy

_FAR: Final = 2**62


@dataclass(slots=True)
class _Nearest:
    """The nearest price of each kind so far: last prices and resting orders in ticks, marks in USDT."""

    last_low: int = 0
    last_high: int = _FAR
    mark_low: float = 0.0
    mark_high: float = float("inf")
    buy: int = 0
    sell: int = _FAR

    def order(self, order: Order, instrument: Instrument) -> None:
        """Take an open order in: a conditional one by its trigger, a resting one by its price."""
        if order.distance is not None and order.status == OrderStatus.UNTRIGGERED:
            self._trail(*trailing.watched(order, instrument), -order.side)
        elif order.trigger_price is not None and order.status == OrderStatus.UNTRIGGERED:
            self._trigger(order, int(order.trigger_price / instrument.tick))
        elif order.resting and order.price is not None and order.side > 0:
            self.buy = max(self.buy, instrument.ticks(order.price))
        elif order.resting and order.price is not None:
            self.sell = min(self.sell, instrument.ticks(order.price))

    def mark(self, price: Decimal | None, *, falling: bool) -> None:
        """Take a mark price in that matters when it is reached falling, or rising."""
        if price is not None and falling:
            self.mark_low = max(self.mark_low, float(price))
        elif price is not None:
            self.mark_high = min(self.mark_high, float(price))

    def _trail(self, losing: int | None, winning: int, d: int) -> None:
        low, high = (losing, winning) if d > 0 else (winning, losing)
        self.last_low = max(self.last_low, low or 0)
        self.last_high = min(self.last_high, _FAR if high is None else high)

    def _trigger(self, order: Order, ticks: int) -> None:
        falling = order.trigger_direction == 2
        if order.trigger_by != TriggerBy.LAST:
            self.mark(order.trigger_price, falling=falling)
        elif falling:
            self.last_low = max(self.last_low, ticks)
        elif order.trigger_direction == 1:
            self.last_high = min(self.last_high, ticks)


class Watching:
    """Triggers of orders, prices of resting orders, liquidation prices."""

    def __init__(
        self,
        state: State,
        collateral: Collateral,
        resting: Resting,
        triggers: Triggers,
        settlement: Settlement,
    ) -> None:
        self._state, self._collateral, self._resting = state, collateral, resting
        self._triggers, self._settlement = triggers, settlement

    def bounds(self, s: int) -> Bounds:
        """For `kernel.run_until`: last and mark prices that trigger something, best resting buy and sell, the book waited for.

        They stand until an account changes, which is said; with cross margin they move with the marks of other symbols.
        """
        known = self._state.bounds
        if s not in known or any(account.cross for account in self._state.accounts.values()):
            known[s] = self._bounds(s)
        return known[s]

    def _bounds(self, s: int) -> Bounds:
        instrument = self._state.instruments[s]
        near = _Nearest()
        for account in self._state.accounts.values():
            for order in account.open_orders.values():
                if order.symbol == instrument.symbol:
                    near.order(order, instrument)
            for position in account.sides(instrument.symbol):
                price = self._collateral.liquidation(account, position)
                near.mark(price, falling=position.size > 0)
        waits = self._triggers.waits(s)
        return near.last_low, near.last_high, near.mark_low, near.mark_high, near.buy, near.sell, waits

    def touch(self, s: int, row: Any, now: int) -> None:
        """A row came at which something may be due: resting orders fill, then triggers fire, then liquidation."""
        self._resting.touch(s, row, now)
        self._triggers.touch(s, now)
        self._settlement.liquidate(s, now)
        self._state.bounds.clear()  # trailing stops and orders that wait move without a message
