"""Why a request is refused at once: each code of the venue from its own cause."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from turbo_trader.exchange import price_band, stop_checks
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.margin import order_cost
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.messages import Reply
from turbo_trader.exchange.orders import Order, carried_stops
from turbo_trader.exchange.requests import BookPrice, CreateOrder
from turbo_trader.market.instruments import Instrument, InstrumentStatus
from turbo_trader.market.order_terms import (
    BookSide,
    OrderType,
    SelfMatch,
    Side,
    SlippageIn,
    StopMode,
    StopType,
    TimeInForce,
)

_LINK_ID = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")
#: Orders are taken for contracts in these states; where an end is announced, only those that reduce.
_TRADED = (InstrumentStatus.TRADING, InstrumentStatus.ASSUMED, InstrumentStatus.DELIVERING)
_ACTIVE = 500
_CONDITIONAL = 10


class Checks:
    """Of requests for orders, by what the market and the account are at the moment."""

    def __init__(self, state: State, collateral: Collateral, matching: Matching) -> None:
        self._state, self._collateral, self._matching = state, collateral, matching

    def create(self, account: Account, request: CreateOrder, s: int) -> tuple[Reply | None, Decimal]:
        """(refusal or None, the quantity in force: reduce-only orders are cut to the position)."""
        refusal = self._form(account, request, s) or self._price(request, s) or _counts(account, request)
        position = account.position(request.symbol, request.position_idx)
        refusal = refusal or stop_checks.count(position, carried_stops(request))
        if refusal is not None:
            return refusal, ZERO
        if request.reduces and request.trigger_price is None:
            if position.size * request.side >= 0:
                return Reply(110017, "current position is zero, cannot fix reduce-only order qty"), ZERO
            return None, min(request.qty, abs(position.size))
        refusal = self._notional(request, s)
        if refusal is None and request.trigger_price is None:
            refusal = self.margin(account, request, s)
        return refusal, request.qty

    def as_meant(self, account: Account, request: CreateOrder, s: int) -> CreateOrder:
        """The request in full: quantity 0 of a closing order is as much as one order may be, a limit price comes from the book
        where it is to, and is moved into the band."""
        instrument = self._state.instruments[s]
        if request.book_price is not None:
            price = self._of_book(s, request.side, request.book_price)
            request = replace(request, price=price, book_price=None)
        if not request.qty and request.reduce_only and request.close_on_trigger:
            request = replace(request, qty=most(instrument, request.order_type))
        if request.order_type == OrderType.LIMIT and request.price is not None:
            request = replace(
                request, price=price_band.moved(self._state, account, request.side, request.price, s)
            )
        return request

    def margin(
        self, account: Account, order: CreateOrder | Order, s: int, freed: Decimal = ZERO
    ) -> Reply | None:
        """Margin of the part of an order that opens, at the worst price it can pay; `freed` is what it holds already."""
        position = account.position(*order.key)
        left = order.leaves if isinstance(order, Order) else order.qty
        others = account.resting(position, order.side, besides=order)
        room = abs(position.size) if position.size * order.side < 0 else ZERO
        if order.order_type == OrderType.LIMIT and order.time_in_force in (
            TimeInForce.GTC,
            TimeInForce.POST_ONLY,
        ):
            room -= min(room, others)
        opening = max(left - room, ZERO)
        price = self._matching.worst_price(order.side, left, order.price, s)
        cost = order_cost(opening, price, order.side, position.leverage, account.taker)
        if opening and cost > self._collateral.available(account) + freed:
            return Reply(110007, "ab not enough for new order")
        value = max(order.side * position.size + others + left, ZERO) * self._state.mark(s)
        return _tier(self._state.instruments[s], position.leverage, value) if opening else None

    def trigger(self, s: int, price: Decimal, direction: int, by: str) -> Reply | None:
        """A trigger lies before the price it looks at, on the side that is to come from."""
        if direction not in (1, 2):
            return Reply(10001, "triggerDirection invalid")
        current, rising = self._state.reference(s, by), direction == 1
        if price > current if rising else price < current:
            return None
        code, trend, sign = (110092, "Rising", "<=") if rising else (110093, "Falling", ">=")
        at, now = int(price * 10_000), int(current * 10_000)
        return Reply(code, f"expect {trend}, but trigger_price[{at}] {sign} current[{now}]??{by}")

    def _form(self, account: Account, request: CreateOrder, s: int) -> Reply | None:
        instrument = self._state.instruments[s]
        if request.side is Side.NONE or request.order_type not in (OrderType.LIMIT, OrderType.MARKET):
            return Reply(10001, "Request parameter error.")
        if request.time_in_force not in (
            TimeInForce.GTC,
            TimeInForce.IOC,
            TimeInForce.FOK,
            TimeInForce.POST_ONLY,
        ):
            return Reply(10001, "timeInForce invalid")
        if request.position_idx not in account.indices(request.symbol):
            return Reply(10001, "position idx not match position mode")
        if instrument.status == InstrumentStatus.DELIVERING and not request.reduces:
            return Reply(30228, "No new positions during delisting.")
        if instrument.status not in _TRADED:
            return Reply(110074, "This contract is not live")
        if request.symbol in self._state.halted:
            return Reply(110066, "Trading is currently not allowed")
        if len(request.link_id) > 36 or not set(request.link_id) <= _LINK_ID:
            return Reply(10001, "orderLinkId invalid")
        if request.link_id and request.link_id in account.links:
            return Reply(110072, "OrderLinkedID is duplicate")
        if request.reduces and (request.take_profit or request.stop_loss):
            return Reply(10001, "TP/SL cannot be attached to a reduce-only order")
        if request.trigger_by not in stop_checks.TRIGGERS or request.tpsl_mode not in (
            StopMode.FULL,
            StopMode.PARTIAL,
        ):
            return Reply(10001, "Request parameter error.")
        splits = request.reduces and request.trigger_price is None
        return _special(request) or quantity(instrument, request.order_type, request.qty, splits=splits)

    def _price(self, request: CreateOrder, s: int) -> Reply | None:
        instrument = self._state.instruments[s]
        refusal = stop_checks.on_tick(instrument, request.price, request.trigger_price)
        refusal = refusal or stop_checks.possible(instrument, request.price, request.trigger_price)
        if refusal is None and request.trigger_price is not None:
            refusal = self.trigger(s, request.trigger_price, request.trigger_direction, request.trigger_by)
        if refusal is None and request.order_type == OrderType.LIMIT:
            if request.price is None:
                return Reply(10001, "price is required for a limit order")
            refusal = price_band.refusal(self._state, s, request.side, request.price)
        base = request.price or request.trigger_price or self._state.last(s)
        return refusal or stop_checks.exits(instrument, request.side, base, carried_stops(request))

    def _notional(self, request: CreateOrder, s: int) -> Reply | None:
        price = request.price if request.price is not None else self._state.last(s)
        if not price:
            return Reply(110118, "Market order price is not available")
        minimum = self._state.instruments[s].min_notional
        if request.qty * price < minimum:
            return Reply(110094, f"Order does not meet minimum order value {minimum}USDT")
        return None

    def _of_book(self, s: int, side: int, wanted: BookPrice) -> Decimal | None:
        """The price of a level of the book; None where there is none so deep."""
        state = self._state.states[s]
        i = 0 if (side > 0) == (wanted.side == BookSide.QUEUE) else 1
        at = int(state["levels"][i]) - wanted.level
        return self._state.instruments[s].price(abs(int(state["key"][i, at]))) if at >= 0 else None


def most(instrument: Instrument, order_type: str) -> Decimal:
    """The largest quantity of one order."""
    return instrument.max_market_qty if order_type == OrderType.MARKET else instrument.max_qty


def quantity(instrument: Instrument, order_type: str, qty: Decimal, *, splits: bool = False) -> Reply | None:
    """A quantity is on the step, and within the limits of its type of order; above them where it `splits` into several."""
    if not qty.is_finite() or qty <= 0 or qty % instrument.step:
        return Reply(10001, "Qty invalid")
    if qty < instrument.min_qty:
        return Reply(10001, "The number of contracts exceeds minimum limit allowed")
    if qty > most(instrument, order_type) and not splits:
        return Reply(10001, "The number of contracts exceeds maximum limit allowed")
    return None


def _special(request: CreateOrder) -> Reply | None:
    """Self-match prevention and slippage: known terms, figures within their ranges."""
    if request.smp not in set(SelfMatch):
        return Reply(10001, "smpType invalid")
    slippage = request.slippage
    if slippage is None:
        return None
    if request.order_type != OrderType.MARKET or request.trigger_price is not None:
        return Reply(10001, "slippageTolerance is for market orders only")
    ranges: Mapping[str, tuple[Decimal, Decimal]] = {
        SlippageIn.TICKS: (Decimal(1), Decimal(10_000)),
        SlippageIn.PERCENT: (Decimal("0.01"), Decimal(10)),
    }
    low, high = ranges.get(slippage.kind, (Decimal(1), ZERO))
    whole = slippage.kind != SlippageIn.TICKS or slippage.amount == slippage.amount.to_integral_value()
    return None if low <= slippage.amount <= high and whole else Reply(10001, "slippageTolerance invalid")


def _counts(account: Account, request: CreateOrder) -> Reply | None:
    mine = [order for order in account.open_orders.values() if order.symbol == request.symbol]
    conditional = sum(order.stop_type == StopType.CONDITIONAL for order in mine)
    if request.trigger_price is not None and conditional >= _CONDITIONAL:
        return Reply(110009, "The number of stop orders exceeds the maximum limit allowed.")
    if sum(not order.stop_type for order in mine) >= _ACTIVE:
        return Reply(110020, "Not allowed to have more than 500 active orders.")
    return None


def _tier(instrument: Instrument, leverage: Decimal, value: Decimal) -> Reply | None:
    """A position with what would still open is within the risk table, and its tier allows the leverage."""
    tier = instrument.tier(value)
    if value <= tier.limit and leverage <= tier.max_leverage:
        return None
    return Reply(110090, "Order placement failed as your position may exceed the max limit.")
