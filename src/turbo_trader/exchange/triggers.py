"""Conditional orders, TP, SL and trailing stops: when they are due, and what then becomes of them."""

from __future__ import annotations

from turbo_trader.exchange import trailing
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.checks import Checks
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import FULL, Order
from turbo_trader.exchange.state import State
from turbo_trader.exchange.statements import Statements
from turbo_trader.exchange.stops import Stops


class Triggers:
    """Of all accounts."""

    def __init__(
        self, state: State, checks: Checks, matching: Matching, open_orders: OpenOrders, statements: Statements, stops: Stops
    ) -> None:  # fmt: skip
        self._state, self._checks, self._matching = state, checks, matching
        self._open_orders, self._statements, self._stops = open_orders, statements, stops

    def touch(self, s: int, now: int) -> None:
        """Prices of symbol `s` have moved: fire what is due."""
        symbol = self._state.instruments[s].symbol
        for account in self._state.accounts.values():
            for order in list(account.open_orders.values()):
                if order.symbol != symbol or order.status != "Untriggered":
                    continue
                trailing.advance(order, self._state.last(s))
                if self._due(order, s):
                    self._fire(account, order, s, now)

    def _due(self, order: Order, s: int) -> bool:
        if order.distance is not None:
            fires = trailing.fires_at(order)
            return fires is not None and order.side * self._state.last(s) >= order.side * fires
        price = self._state.reference(s, order.trigger_by)
        target = order.trigger_price
        return target is not None and (price >= target if order.trigger_direction == 1 else price <= target)

    def _fire(self, account: Account, order: Order, s: int, now: int) -> None:
        """Activate a conditional order: a reduce-only one is cut to the position, another needs its margin now."""
        order.move("Triggered")
        account.open_orders.pop(order.order_id, None)
        position = account.position(*order.key)
        position.forget(order)
        self._stops.fired(account, order, now)
        self._state.say(account.uid, order.message(now))
        if order.reduce_only:
            closable = abs(position.size) if position.size * order.side < 0 else ZERO
            if not closable:
                self._open_orders.end(account, order, "CancelByReduceOnly", now, "EC_ReduceOnly")
                return
            order.qty = min(order.qty, closable)
        elif self._checks.margin(account, order, s) is not None:
            self._open_orders.end(account, order, "UNKNOWN", now, "EC_Others")
            return
        self._matching.match(account, order, s, now)
        if order.stop_type in FULL and not order.filled:  # fills say it themselves
            self._statements.tell(account, position, now)
