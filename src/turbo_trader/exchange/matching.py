"""An accepted or triggered order meets the book: the tape's levels, and behind each of them the orders resting there.

A print newer than the book says what the book no longer is: after a trade at p no bid is above p and no ask below it. Until the
next book frame whoever takes gets at best that price.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from typing import NamedTuple

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import Slippage
from turbo_trader.exchange.resting_orders import Resting, shown
from turbo_trader.market.order_terms import OrderStatus, OrderType, SelfMatch, SlippageIn, TimeInForce


class Offer(NamedTuple):
    """What a taker can have at one price (ticks, lots): of a level of the tape, or of a resting order."""

    price: int
    lots: int
    level: int
    maker: tuple[Account, Order] | None


class Matching:
    """Takes, then rests or ends."""

    def __init__(self, state: State, fills: Fills, open_orders: OpenOrders, resting: Resting) -> None:
        self._state, self._fills, self._open_orders, self._resting = state, fills, open_orders, resting

    def match(self, account: Account, order: Order, s: int, now: int) -> None:
        """Take what the order's price allows; what is left rests or ends, as its time in force says."""
        state, open_orders = self._state, self._open_orders
        if order.order_type == OrderType.MARKET:
            order.bound = state.instruments[s].price(self._bound(order.side, s, order.slippage))
        if order.time_in_force == TimeInForce.POST_ONLY and next(self._offers(order, s), None) is not None:
            open_orders.end(account, order, "UNKNOWN", now, "EC_PostOnlyWillTakeLiquidity")
            return
        if order.time_in_force == TimeInForce.FOK:
            wanted = state.instruments[s].lots(order.leaves)
            if (
                sum(offer.lots for offer in self._offers(order, s) if not _prevented(order, account, offer))
                < wanted
            ):
                open_orders.end(account, order, "UNKNOWN", now, "EC_NoEnoughQtyToFill")
                return
        self._take(account, order, s, now)
        if not order.leaves:
            return
        if order.time_in_force in (TimeInForce.IOC, TimeInForce.FOK):
            open_orders.end(account, order, "UNKNOWN", now, "EC_NoImmediateQtyToFill")
            return
        if not order.open:
            order.move(OrderStatus.NEW)
        account.open_orders[order.order_id] = order
        self._resting.join(order, s)
        state.say(account.uid, order.message(now))
        if order.reduce_only:
            open_orders.trim(account, account.position(*order.key), now)
        open_orders.hold(account, account.position(*order.key))

    def worst_price(self, side: int, qty: Decimal, price: Decimal | None, s: int) -> Decimal:
        """The highest price `qty` may trade at: a buyer's limit or how deep a market order reaches, a seller's limit or the bid."""
        instrument = self._state.instruments[s]
        last = self._state.last(s)
        if side < 0:
            bid = instrument.price(int(self._state.states["bid"][s]))
            return max(price or bid or last, bid)
        if price is not None:
            return price
        wanted, worst = instrument.lots(qty), 0
        for level, lots in shown(self._state.states, s, -1, self._bound(1, s)):
            worst = level
            wanted -= lots
            if wanted <= 0:
                break
        return instrument.price(worst) or last

    def _bound(self, side: int, s: int, slippage: Slippage | None = None) -> int:
        """The worst price (ticks) a market order takes: within the venue's bound, and its own."""
        state = self._state.states[s]
        touch = int(state["ask" if side > 0 else "bid"]) or int(state["last"])
        touch = self._at_best(touch, s, side)
        reach = max(int(touch * self._state.config.market_slippage), 1)
        if slippage is not None:
            share = slippage.amount if slippage.kind == SlippageIn.TICKS else touch * slippage.amount / 100
            reach = min(reach, int(share))
        return max(touch + side * reach, 1)

    def _offers(self, order: Order, s: int) -> Iterator[Offer]:
        """What an order can take now: best price first, at one price the tape's lots before the orders behind them."""
        state = self._state
        instrument, side = state.instruments[s], order.side
        limit = instrument.ticks(order.limit_or_bound or order.limit)
        tape = self._tape(s, side, limit)
        makers = [
            Offer(instrument.ticks(maker.limit), instrument.lots(maker.leaves), 0, (account, maker))
            for account, maker in self._resting.of(s)
            if maker.side == -side and side * maker.limit <= side * instrument.price(limit)
        ]
        return merge(tape, makers, key=lambda offer: side * offer.price) if makers else tape

    def _tape(self, s: int, side: int, limit: int) -> Iterator[Offer]:
        """What the tape's book offers an order of `side`: at no better than a print that is newer than the book."""
        for level, lots in shown(self._state.states, s, -side, limit):
            price = self._at_best(level, s, side)
            if side * price > side * limit:
                return
            yield Offer(price, lots, level, None)

    def _at_best(self, price: int, s: int, side: int) -> int:
        """A price (ticks) of the book for a taker of `side`, or the last print where that is newer than the book and worse."""
        market = self._state.states[s]
        if market["trade_ts"] <= market["book_ts"]:
            return price
        return side * max(side * price, side * int(market["last"]))

    def _take(self, account: Account, order: Order, s: int, now: int) -> None:
        state = self._state
        instrument = state.instruments[s]
        for offer in self._offers(order, s):
            price, size, level, maker = offer
            lots = min(size, instrument.lots(order.leaves))
            if maker is not None and _prevented(order, account, offer):
                lots = 0
                self._prevent(account, order, maker[1], now)
            elif maker is not None:
                lots = min(lots, instrument.lots(maker[1].leaves))
            elif lots:
                state.footprints.leave(s, -order.side, level, (size, lots), now)
            if lots:
                qty, at = instrument.qty(lots), instrument.price(price)
                self._fills.fill(account, order, qty, at, maker=False, now=now)
                # an account that trades with itself may have ended its resting order by this fill
                if maker is not None and (met := min(qty, maker[1].leaves)):
                    self._fills.fill(*maker, met, at, maker=True, now=now)
            if not order.leaves:
                return

    def _prevent(self, account: Account, order: Order, maker: Order, now: int) -> None:
        """An order met another of its account, and is not to trade with it: the one, the other or both end."""
        for each, other, role in ((maker, order, SelfMatch.MAKER), (order, maker, SelfMatch.TAKER)):
            if each.leaves and order.smp in (role, SelfMatch.BOTH):
                each.smp_order_id = other.order_id
                self._open_orders.end(account, each, "CancelBySmp", now)


def _prevented(order: Order, account: Account, offer: Offer) -> bool:
    """Is what is offered of the same account, and the order not to trade with it?"""
    return order.smp != SelfMatch.NONE and offer.maker is not None and offer.maker[0] is account
