"""Requests on orders: checked, then carried out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import Message, PositionMessage, Reply
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.order_amendments import Amending
from turbo_trader.exchange.orders import FULL, STOP_TYPES, Order
from turbo_trader.exchange.request_checks import Checks, most
from turbo_trader.exchange.requests import AmendOrder, CancelAll, CancelOrder, CreateOrder
from turbo_trader.exchange.statements import Statements
from turbo_trader.market.order_terms import OrderStatus, OrderType, StopType, TimeInForce


class Trading:
    """The order side of the Exchange."""

    def __init__(
        self,
        state: State,
        checks: Checks,
        matching: Matching,
        open_orders: OpenOrders,
        statements: Statements,
    ) -> None:
        self._state, self._checks, self._matching = state, checks, matching
        self._open_orders, self._statements = open_orders, statements
        self._amending = Amending(state, checks, matching, open_orders, statements)

    def act(
        self, account: Account, request: CreateOrder | AmendOrder | CancelOrder | CancelAll, now: int
    ) -> Reply:
        """Carry out a request; whatever it did to orders, their positions are reported."""
        before = len(self._state.outbox)
        match request:
            case CreateOrder():
                reply = self._create(account, request, now)
            case AmendOrder():
                reply = self._amending.amend(account, request, now)
            case CancelOrder():
                reply = self._cancel(account, request, now)
            case CancelAll():
                reply = self._cancel_all(account, request, now)
        self._emit_positions(account, reply, self._state.outbox[before:], now)
        return reply

    def _emit_positions(
        self, account: Account, reply: Reply, said: Sequence[tuple[str, Message]], now: int
    ) -> None:
        """Those of the orders in `reply` that were not `said` yet."""
        rows = reply.result.get("list", [reply.result] if reply.result else [])
        reported = {(m.symbol, m.position_idx) for _, m in said if isinstance(m, PositionMessage)}
        for key in dict.fromkeys(account.orders[row["orderId"]].key for row in rows):
            if key not in reported:
                position = account.position(*key)
                self._state.say(account.uid, self._statements.position(account, position, now))

    def _create(self, account: Account, request: CreateOrder, now: int) -> Reply:
        """Check synchronously, accept, then match; a closing order above the most that one may be becomes several."""
        s = self._state.index[request.symbol]
        request = self._checks.as_meant(account, request, s)
        refusal, qty = self._checks.create(account, request, s)
        if refusal is not None:
            return refusal
        largest = most(self._state.instruments[s], request.order_type)
        first = self._place(account, request, min(qty, largest), s, now)
        position, rest = account.position(*request.key), replace(request, link_id="")
        while (qty := qty - largest) > 0 and position.size * request.side < 0:
            self._place(account, rest, min(qty, largest), s, now)
        return Reply(result={"orderId": first.order_id, "orderLinkId": first.link_id})

    def _place(self, account: Account, request: CreateOrder, qty: Decimal, s: int, now: int) -> Order:
        """One order: it waits for its trigger, or meets the book."""
        order = Order(
            order_id=self._state.new_id(),
            link_id=request.link_id,
            symbol=request.symbol,
            side=request.side,
            order_type=request.order_type,
            time_in_force=request.time_in_force if request.order_type == OrderType.LIMIT else TimeInForce.IOC,
            qty=qty,
            price=request.price,
            reduce_only=request.reduces,
            created_ts=now,
            position_idx=request.position_idx,
            close_on_trigger=request.close_on_trigger,
            take_profit=request.take_profit,
            stop_loss=request.stop_loss,
            tp_trigger_by=request.tp_trigger_by,
            sl_trigger_by=request.sl_trigger_by,
            tpsl_mode=request.tpsl_mode,
            tp_limit=request.tp_limit,
            sl_limit=request.sl_limit,
            smp=request.smp,
            slippage=request.slippage,
            last_price=self._state.last(s),
        )
        account.orders[order.order_id] = order
        if request.link_id:
            account.links[request.link_id] = order.order_id
        if request.trigger_price is None:
            self._matching.match(account, order, s, now)
            return order
        order.stop_type, order.create_type = StopType.CONDITIONAL, "CreateByStopOrder"
        order.trigger_price = request.trigger_price
        order.trigger_direction = request.trigger_direction
        order.trigger_by = request.trigger_by
        order.move(OrderStatus.UNTRIGGERED)
        account.open_orders[order.order_id] = order
        self._state.say(account.uid, order.message(now))
        return order

    def _cancel(self, account: Account, request: CancelOrder, now: int) -> Reply:
        """Cancel one open order."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to cancel")
        self._end(account, order, now)
        position = account.position(*order.key)
        self._open_orders.hold(account, position)
        if order.stop_type in FULL:
            self._statements.emit(account, position, now)
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def _cancel_all(self, account: Account, request: CancelAll, now: int) -> Reply:
        """Cancel open orders; without a filter also conditional ones and TP/SL."""
        ended: list[dict[str, str]] = []
        bared: dict[tuple[str, int], None] = {}  # of positions that lost a stop
        for order in list(account.open_orders.values()):
            waits = order.status == OrderStatus.UNTRIGGERED
            chosen = request.order_filter in ("", "StopOrder" if waits else "Order")
            chosen = chosen or (request.order_filter == "OpenOrder" and order.stop_type not in STOP_TYPES)
            if request.order_filter == "StopOrder":
                chosen = chosen and request.stop_type in ("", order.stop_type)
            if chosen and request.symbol in ("", order.symbol):
                if order.open:
                    self._end(account, order, now)
                ended.append({"orderId": order.order_id, "orderLinkId": order.link_id})
                bared |= {order.key: None} if order.stop_type in FULL else {}
        for key in dict.fromkeys(order.key for order in account.open_orders.values()):
            self._open_orders.hold(account, account.position(*key))
        for key in bared:
            self._statements.emit(account, account.position(*key), now)
        return Reply(result={"list": ended, "success": "1"})

    def _end(self, account: Account, order: Order, now: int) -> None:
        """Cancel an order for its owner; the other of an untriggered pair goes with it."""
        pair = (order, order.partner) if order.status == OrderStatus.UNTRIGGERED else (order,)
        for each in pair:
            if each is not None and each.open:
                self._open_orders.end(account, each, "CancelByUser", now)
