"""Why a request is refused at once: each code of the venue from its own cause."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.margin import order_cost
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import AmendOrder, CreateOrder
from turbo_trader.market.instruments import Instrument

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_LINK_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
_ACTIVE = 500
_CONDITIONAL = 10


def create(
    exchange: Exchange, account: Account, request: CreateOrder, s: int
) -> tuple[Reply | None, Decimal]:
    """(refusal or None, the quantity in force: reduce-only orders are cut to the position)."""
    refusal = (
        _form(exchange, account, request, s) or _price(exchange, request, s) or _counts(account, request)
    )
    if refusal is not None:
        return refusal, ZERO
    position = account.position(request.symbol, request.position_idx)
    if request.reduces and request.trigger_price is None:
        if position.size * request.side >= 0:
            return Reply(110017, "current position is zero, cannot fix reduce-only order qty"), ZERO
        return None, min(request.qty, abs(position.size))
    refusal = _notional(exchange, request, s)
    if refusal is None and request.trigger_price is None:
        refusal = margin(exchange, account, request, s)
    return refusal, request.qty


def _form(exchange: Exchange, account: Account, request: CreateOrder, s: int) -> Reply | None:
    instrument = exchange.instruments[s]
    if request.side not in (1, -1) or request.order_type not in ("Limit", "Market"):
        return Reply(10001, "Request parameter error.")
    if request.time_in_force not in ("GTC", "IOC", "FOK", "PostOnly"):
        return Reply(10001, "timeInForce invalid")
    if request.position_idx not in account.indices(request.symbol):
        return Reply(10001, "position idx not match position mode")
    if instrument.status not in ("Trading", "Assumed"):
        return Reply(110074, "This contract is not live")
    if len(request.link_id) > 36 or not set(request.link_id) <= _LINK_ID:
        return Reply(10001, "orderLinkId invalid")
    if request.link_id and request.link_id in account.links:
        return Reply(110072, "OrderLinkedID is duplicate")
    if request.reduces and (request.take_profit or request.stop_loss):
        return Reply(10001, "TP/SL cannot be attached to a reduce-only order")
    most = instrument.max_market_qty if request.order_type == "Market" else instrument.max_qty
    if not request.qty.is_finite() or request.qty <= 0 or request.qty % instrument.step:
        return Reply(10001, "Qty invalid")
    if request.qty < instrument.min_qty:
        return Reply(10001, "The number of contracts exceeds minimum limit allowed")
    if request.qty > most:
        return Reply(10001, "The number of contracts exceeds maximum limit allowed")
    return None


def _price(exchange: Exchange, request: CreateOrder, s: int) -> Reply | None:
    instrument = exchange.instruments[s]
    prices = (request.price, request.take_profit, request.stop_loss, request.trigger_price)
    if any(
        price is not None and (not price.is_finite() or price <= 0 or price % instrument.tick)
        for price in prices
    ):
        return Reply(10001, "The price is not a multiple of the tick size")
    last = exchange.last(s)
    if request.trigger_price is not None:
        if request.trigger_direction not in (1, 2):
            return Reply(10001, "triggerDirection invalid")
        refusal = _trigger(last, request.trigger_price, request.trigger_direction)
        if refusal is not None:
            return refusal
    if request.order_type == "Limit":
        if request.price is None:
            return Reply(10001, "price is required for a limit order")
        refusal = _band(exchange, s, request.side, request.price)
        if refusal is not None:
            return refusal
    base = request.price if request.price is not None else last
    d = request.side
    if request.stop_loss is not None and d * request.stop_loss >= d * base:
        return Reply(10001, "StopLoss is on the wrong side of the order price")
    if request.take_profit is not None and d * request.take_profit <= d * base:
        return Reply(10001, "TakeProfit is on the wrong side of the order price")
    return None


def _trigger(last: Decimal, price: Decimal, direction: int) -> Reply | None:
    """A trigger lies before the last price, on the side it is to come from."""
    rising = direction == 1
    if price > last if rising else price < last:
        return None
    code, word, sign = (110092, "Rising", "<=") if rising else (110093, "Falling", ">=")
    at, now = int(price * 10_000), int(last * 10_000)
    return Reply(code, f"expect {word}, but trigger_price[{at}] {sign} current[{now}]??LastPrice")


def _band(exchange: Exchange, s: int, side: int, price: Decimal) -> Reply | None:
    """Buyers do not bid far above the mark, sellers do not offer far below."""
    mark, reach = exchange.mark(s), exchange.instruments[s].price_limit_y
    if side > 0 and price > mark * (1 + reach):
        return Reply(30208, "The order price is higher than the maximum buying price.")
    if side < 0 and price < mark * (1 - reach):
        return Reply(30209, "The order price is lower than the minimum selling price.")
    return None


def _counts(account: Account, request: CreateOrder) -> Reply | None:
    mine = [order for order in account.open_orders.values() if order.symbol == request.symbol]
    conditional = sum(order.stop_type == "Stop" for order in mine)
    if request.trigger_price is not None and conditional >= _CONDITIONAL:
        return Reply(110009, "The number of stop orders exceeds the maximum limit allowed.")
    if sum(not order.stop_type for order in mine) >= _ACTIVE:
        return Reply(110020, "Not allowed to have more than 500 active orders.")
    return None


def _notional(exchange: Exchange, request: CreateOrder, s: int) -> Reply | None:
    price = request.price if request.price is not None else exchange.last(s)
    minimum = exchange.instruments[s].min_notional
    if request.qty * price < minimum:
        return Reply(110094, f"Order does not meet minimum order value {minimum}USDT")
    return None


def margin(
    exchange: Exchange, account: Account, order: CreateOrder | Order, s: int, freed: Decimal = ZERO
) -> Reply | None:
    """Margin of the part of an order that opens, at the worst price it can pay; `freed` is what it holds already."""
    position = account.position(*order.key)
    left = order.leaves if isinstance(order, Order) else order.qty
    others = account.resting(position, order.side, besides=order)
    room = abs(position.size) if position.size * order.side < 0 else ZERO
    if order.order_type == "Limit" and order.time_in_force in ("GTC", "PostOnly"):
        room -= min(room, others)
    opening = max(left - room, ZERO)
    price = exchange.matching.worst_price(order.side, left, order.price, s)
    cost = order_cost(opening, price, order.side, position.leverage, account.taker)
    if opening and cost > exchange.collateral.available(account) + freed:
        return Reply(110007, "ab not enough for new order")
    value = max(order.side * position.size + others + left, ZERO) * exchange.mark(s)
    return _tier(exchange.instruments[s], position.leverage, value) if opening else None


def _tier(instrument: Instrument, leverage: Decimal, value: Decimal) -> Reply | None:
    """A position with what would still open is within the risk table, and its tier allows the leverage."""
    tier = instrument.tier(value)
    if value <= tier.limit and leverage <= tier.max_leverage:
        return None
    return Reply(110090, "Order placement failed as your position may exceed the max limit.")


def amend(exchange: Exchange, account: Account, order: Order, request: AmendOrder, s: int) -> Reply | None:
    """Refusal of an amendment, or None."""
    instrument = exchange.instruments[s]
    for price in (request.price, request.trigger_price):
        if price is not None and (not price.is_finite() or price <= 0 or price % instrument.tick):
            return Reply(10001, "The price is not a multiple of the tick size")
    refusal = None
    if request.qty is not None:
        refusal = _amended_qty(instrument, account, order, request.qty)
    if refusal is None and request.price is not None:
        refusal = _band(exchange, s, order.side, request.price)
    if refusal is None and request.trigger_price is not None and order.status == "Untriggered":
        refusal = _trigger(exchange.last(s), request.trigger_price, order.trigger_direction)
    if refusal is None and order.resting and not order.reduce_only:
        qty, price = request.qty or order.qty, request.price or order.price
        if qty > order.qty or price != order.price:
            refusal = margin(exchange, account, replace(order, qty=qty, price=price), s, freed=order.margin)
    return refusal


def _amended_qty(instrument: Instrument, account: Account, order: Order, qty: Decimal) -> Reply | None:
    most = instrument.max_market_qty if order.order_type == "Market" else instrument.max_qty
    if not qty.is_finite() or qty <= 0 or qty % instrument.step:
        return Reply(10001, "Qty invalid")
    if qty < instrument.min_qty:
        return Reply(10001, "The number of contracts exceeds minimum limit allowed")
    if qty > most:
        return Reply(10001, "The number of contracts exceeds maximum limit allowed")
    if qty <= order.filled:
        return Reply(110064, "The order modification is not allowed: quantity is not above what is filled")
    if order.reduce_only and order.resting and qty - order.filled > abs(account.position(*order.key).size):
        return Reply(110017, "Reduce-only rule not satisfied")
    return None
