"""The open orders of an account: what they hold, when they are cut, how they end."""

from __future__ import annotations

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.margin import order_cost
from turbo_trader.exchange.messages import UNIT
from turbo_trader.exchange.orders import Order
from turbo_trader.market.order_terms import OrderStatus


class OpenOrders:
    """Of all accounts."""

    def __init__(self, state: State, collateral: Collateral) -> None:
        self._state, self._collateral = state, collateral

    def end(
        self, account: Account, order: Order, cancel_type: str, now: int, reason: str = "EC_PerCancelRequest"
    ) -> None:
        """Cancel an order that is not final, and say so."""
        account.position(*order.key).forget(order)
        account.open_orders.pop(order.order_id, None)
        order.margin = ZERO
        if order.status == OrderStatus.UNTRIGGERED and order.close_on_trigger:
            order.cancel_type = cancel_type
            order.move(OrderStatus.DEACTIVATED)
        else:
            order.cancel(cancel_type, reason)
        self._state.say(account.uid, order.message(now))

    def trim(self, account: Account, position: Position, now: int) -> None:
        """Cut resting reduce-only orders to the position, the worst-priced first; those that reduce nothing end."""
        reducing = [
            o for o in account.open_orders.values() if o.key == position.key and o.reduce_only and o.resting
        ]
        room = abs(position.size)
        for order in sorted(reducing, key=lambda o: -o.side * o.limit):
            keep = min(order.leaves, room) if position.size * order.side < 0 else ZERO
            room -= keep
            if not keep:
                self.end(account, order, "CancelByReduceOnly", now)
            elif keep < order.leaves:
                order.qty = order.filled + keep
                self._state.say(account.uid, order.message(now))

    def hold(self, account: Account, position: Position) -> None:
        """Margin of a position's resting orders: for the part that opens, the older orders closing first."""
        room = abs(position.size)
        for order in account.open_orders.values():
            if order.key != position.key or order.reduce_only or not order.resting:
                continue
            opening = order.leaves
            if position.size * order.side < 0:
                closing = min(opening, room)
                room -= closing
                opening -= closing
            order.margin = order_cost(opening, order.limit, order.side, position.leverage, account.taker)

    def shed(self, account: Account, now: int) -> None:
        """After a fill: orders the balance does not carry any more end, the newest first."""
        while self._collateral.available(account) < -UNIT:
            held = [order for order in account.open_orders.values() if order.margin]
            if not held:
                return
            self.end(account, held[-1], "UNKNOWN", now, "EC_Others")
            self.hold(account, account.position(*held[-1].key))
