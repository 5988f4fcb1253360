"""Amendments of open orders, of the TP/SL they carry, and of the children of positions."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from turbo_trader.exchange import price_band, request_checks, stop_checks
from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import FULL, STOP_TYPES, Order, carried_stops
from turbo_trader.exchange.request_checks import Checks
from turbo_trader.exchange.requests import AmendOrder, Stop
from turbo_trader.exchange.statements import Statements
from turbo_trader.market.order_terms import OrderStatus, StopMode, StopType

_EXITS = ("take_profit", "stop_loss", "tp_trigger_by", "sl_trigger_by", "tpsl_mode", "tp_limit", "sl_limit")
_FIGURES = ("price", "qty", "trigger_price", "trigger_by", *_EXITS)


class Amending:
    """Changes of orders."""

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

    def amend(self, account: Account, request: AmendOrder, now: int) -> Reply:
        """Change an open order; only a smaller quantity at the same price keeps its queue."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to replace")
        if all(getattr(_changed(order, request), name) == getattr(order, name) for name in _FIGURES):
            return Reply(
                10001, "The order remains unchanged as the parameters entered match the existing ones."
            )
        s = self._state.index[request.symbol]
        if request.price is not None:
            request = replace(
                request, price=price_band.moved(self._state, account, order.side, request.price, s)
            )
        changed = _changed(order, request)
        refusal = self._refusal(account, order, changed, request, s)
        if refusal is not None:
            return refusal
        moved = changed.price != order.price or changed.qty > order.qty
        for name in _FIGURES:
            setattr(order, name, getattr(changed, name))
        if order.resting and moved:
            self._matching.match(account, order, s, now)
        else:
            self._state.say(account.uid, order.message(now))
            self._open_orders.hold(account, account.position(*order.key))
        if order.stop_type in FULL:
            self._statements.emit(account, account.position(*order.key), now)
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def _refusal(
        self, account: Account, order: Order, changed: Order, request: AmendOrder, s: int
    ) -> Reply | None:
        """Why the order cannot become `changed`."""
        instrument = self._state.instruments[s]
        refusal = stop_checks.on_tick(instrument, request.price, request.trigger_price)
        refusal = refusal or stop_checks.possible(instrument, request.price, request.trigger_price)
        if refusal is None and request.qty is not None:
            refusal = self._qty(account, order, request.qty, s)
        if refusal is None and request.price is not None:
            refusal = price_band.refusal(self._state, s, order.side, request.price)
        if refusal is None and any(getattr(request, name) is not None for name in _EXITS):
            refusal = self._exits(order, changed, s)
        if (
            refusal is None
            and order.status == OrderStatus.UNTRIGGERED
            and (request.trigger_price or request.trigger_by)
        ):
            refusal = self._trigger(account, changed, s)
        moved = changed.qty > order.qty or changed.price != order.price
        if refusal is None and moved and order.resting and not order.reduce_only:
            refusal = self._checks.margin(account, changed, s, freed=order.margin)
        return refusal

    def _exits(self, order: Order, changed: Order, s: int) -> Reply | None:
        if order.reduce_only:
            return Reply(110057, "Conditional order or limit order contains TP/SL related params")
        if order.filled:
            return Reply(110059, "TP/SL of a partly filled order cannot be modified")
        if changed.tpsl_mode not in (StopMode.FULL, StopMode.PARTIAL):
            return Reply(10001, "Request parameter error.")
        base = changed.price or changed.trigger_price or self._state.last(s)
        return stop_checks.exits(self._state.instruments[s], order.side, base, carried_stops(changed))

    def _trigger(self, account: Account, changed: Order, s: int) -> Reply | None:
        price, by = changed.trigger_price or Decimal(0), changed.trigger_by
        if by not in stop_checks.TRIGGERS:
            return Reply(10001, "Request parameter error: triggerBy")
        if changed.distance is not None:
            return Reply(10001, "a trailing stop is changed through trading-stop")
        if changed.stop_type not in STOP_TYPES:
            return self._checks.trigger(s, price, changed.trigger_direction, by)
        return stop_checks.stop(
            self._state, account.position(*changed.key), Stop(StopType(changed.stop_type), price, by), s
        )

    def _qty(self, account: Account, order: Order, qty: Decimal, s: int) -> Reply | None:
        if order.stop_type in FULL:
            return Reply(110060, "Under full TP/SL mode, it is not allowed to modify TP/SL")
        refusal = request_checks.quantity(self._state.instruments[s], order.order_type, qty)
        if refusal is not None:
            return refusal
        if qty <= order.filled:
            return Reply(
                110064, "The order modification is not allowed: quantity is not above what is filled"
            )
        size = abs(account.position(*order.key).size)
        if order.stop_type in STOP_TYPES and order.status == OrderStatus.UNTRIGGERED and qty > size:
            return Reply(
                110058, "Insufficient number of remaining position size to set take profit and stop loss"
            )
        if order.reduce_only and order.resting and qty - order.filled > size:
            return Reply(110017, "Reduce-only rule not satisfied")
        return None


def _changed(order: Order, request: AmendOrder) -> Order:
    """The order as it would be. A zero TP or SL is none."""
    asked = {name: getattr(request, name) for name in _EXITS}
    given = {name: value for name, value in asked.items() if value is not None}
    for name, limit in (("take_profit", "tp_limit"), ("stop_loss", "sl_limit")):
        if given.get(name) == 0:
            given |= {name: None, limit: None}
    return replace(
        order,
        price=request.price or order.price,
        qty=request.qty or order.qty,
        trigger_price=request.trigger_price or order.trigger_price,
        trigger_by=request.trigger_by or order.trigger_by,
        **given,
    )
