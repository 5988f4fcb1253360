"""Requests on orders: checked, then carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from turbo_trader.exchange import checks
from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import AmendOrder, CancelAll, CancelOrder, CreateOrder

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


class Trading:
    """The order side of the Exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def create(self, account: Account, request: CreateOrder, now: int) -> Reply:
        """Check synchronously, accept, then match."""
        s = self._exchange.index[request.symbol]
        refusal, qty = checks.create(self._exchange, account, request, s)
        if refusal is not None:
            return refusal
        order = Order(
            self._exchange.new_id(), request.link_id, request.symbol, request.side, request.order_type,
            request.time_in_force if request.order_type == "Limit" else "IOC", qty, request.price, request.reduces, now,
            position_idx=request.position_idx, close_on_trigger=request.close_on_trigger, take_profit=request.take_profit,
            stop_loss=request.stop_loss, tp_trigger_by=request.tp_trigger_by, sl_trigger_by=request.sl_trigger_by,
        )  # fmt: skip
        account.orders[order.order_id] = order
        if request.link_id:
            account.links[request.link_id] = order.order_id
        if request.trigger_price is not None:
            order.stop_type = "Stop"
            order.trigger_price = request.trigger_price
            order.trigger_direction = request.trigger_direction
            order.trigger_by = request.trigger_by
            order.create_type = "CreateByUser"
            order.move("Untriggered")
            account.open_orders[order.order_id] = order
            self._exchange.say(account.uid, order.message(now))
        else:
            self._exchange.matching.match(account, order, s, now)
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def amend(self, account: Account, request: AmendOrder, now: int) -> Reply:
        """Change price, quantity or trigger of an open order; only a smaller quantity at the same price keeps its queue."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to replace")
        s = self._exchange.index[request.symbol]
        refusal = checks.amend(self._exchange, account, order, request, s)
        if refusal is not None:
            return refusal
        price, qty = request.price or order.price, request.qty or order.qty
        moved = price != order.price or qty > order.qty
        order.price, order.qty = price, qty
        order.trigger_price = request.trigger_price or order.trigger_price
        if order.resting and moved:
            self._exchange.matching.match(account, order, s, now)
        else:
            self._exchange.say(account.uid, order.message(now))
            self._exchange.fills.hold(account, account.position(*order.key))
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def cancel(self, account: Account, request: CancelOrder, now: int) -> Reply:
        """Cancel one open order."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to cancel")
        self._exchange.fills.end(account, order, "CancelByUser", now)
        self._exchange.fills.hold(account, account.position(*order.key))
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def cancel_all(self, account: Account, request: CancelAll, now: int) -> Reply:
        """Cancel open orders; without a filter also conditional ones and TP/SL."""
        ended = []
        for order in list(account.open_orders.values()):
            conditional = bool(order.stop_type)
            chosen = request.order_filter in ("", "StopOrder" if conditional else "Order")
            if chosen and request.symbol in ("", order.symbol):
                self._exchange.fills.end(account, order, "CancelByUser", now)
                ended.append({"orderId": order.order_id, "orderLinkId": order.link_id})
        for key in dict.fromkeys(order.key for order in account.open_orders.values()):
            self._exchange.fills.hold(account, account.position(*key))
        return Reply(result={"list": ended, "success": "1"})
