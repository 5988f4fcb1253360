"""An accepted or triggered order meets the book: the tape's levels, and behind each of them the orders resting there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.resting import shown

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange


class Offer(NamedTuple):
    """What a taker can have at one price (ticks, lots): of the tape, or of a resting order."""

    price: int
    lots: int
    maker: tuple[Account, Order] | None


class Matching:
    """Takes, then rests or ends."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def match(self, account: Account, order: Order, s: int, now: int) -> None:
        """Take what the order's price allows; what is left rests or ends, as its time in force says."""
        exchange = self._exchange
        fills = exchange.fills
        if order.time_in_force == "PostOnly" and next(self._offers(order, s), None) is not None:
            fills.end(account, order, "UNKNOWN", now, "EC_PostOnlyWillTakeLiquidity")
            return
        if order.time_in_force == "FOK":
            wanted = exchange.instruments[s].lots(order.leaves)
            if sum(offer.lots for offer in self._offers(order, s)) < wanted:
                fills.end(account, order, "UNKNOWN", now, "EC_NoEnoughQtyToFill")
                return
        self._take(account, order, s, now)
        if not order.leaves:
            return
        if order.time_in_force in ("IOC", "FOK"):
            fills.end(account, order, "UNKNOWN", now, "EC_NoImmediateQtyToFill")
            return
        if not order.open:
            order.move("New")
        account.open_orders[order.order_id] = order
        exchange.resting.join(order, s)
        exchange.say(account.uid, order.message(now))
        if order.reduce_only:
            fills.trim(account, account.position(*order.key), now)
        fills.hold(account, account.position(*order.key))

    def worst_price(self, side: int, qty: Decimal, price: Decimal | None, s: int) -> Decimal:
        """The highest price `qty` may trade at: a buyer's limit or how deep a market order reaches, a seller's limit or the bid."""
        instrument = self._exchange.instruments[s]
        last = self._exchange.last(s)
        if side < 0:
            bid = instrument.price(int(self._exchange.states["bid"][s]))
            return max(price or bid or last, bid)
        if price is not None:
            return price
        wanted, worst = instrument.lots(qty), 0
        for level, lots in shown(self._exchange.states, s, -1, self._bound(1, s)):
            worst = level
            wanted -= lots
            if wanted <= 0:
                break
        return instrument.price(worst) or last

    def _bound(self, side: int, s: int) -> int:
        """The worst price (ticks) a market order takes: the slippage bound."""
        state = self._exchange.states[s]
        touch = int(state["ask" if side > 0 else "bid"]) or int(state["last"])
        return touch + side * max(int(touch * self._exchange.config.market_slippage), 1)

    def _offers(self, order: Order, s: int) -> Iterator[Offer]:
        """What an order can take now: best price first, at one price the tape's lots before the orders behind them."""
        exchange = self._exchange
        instrument, side = exchange.instruments[s], order.side
        limit = instrument.ticks(order.limit) if order.order_type == "Limit" else self._bound(side, s)
        tape = (Offer(price, lots, None) for price, lots in shown(exchange.states, s, -side, limit))
        makers = [
            Offer(instrument.ticks(maker.limit), instrument.lots(maker.leaves), (account, maker))
            for account, maker in exchange.resting.of(s)
            if maker.side == -side and side * maker.limit <= side * instrument.price(limit)
        ]
        return merge(tape, makers, key=lambda offer: side * offer.price) if makers else tape

    def _take(self, account: Account, order: Order, s: int, now: int) -> None:
        exchange = self._exchange
        instrument = exchange.instruments[s]
        for price, size, maker in self._offers(order, s):
            lots = min(size, instrument.lots(order.leaves))
            if maker is not None:
                lots = min(lots, instrument.lots(maker[1].leaves))
            elif lots:
                exchange.footprints.leave(s, -order.side, price, (size, lots), now)
            if lots:
                qty, at = instrument.qty(lots), instrument.price(price)
                exchange.fills.fill(account, order, qty, at, maker=False, now=now)
                if maker is not None:
                    exchange.fills.fill(*maker, min(qty, maker[1].leaves), at, maker=True, now=now)
            if not order.leaves:
                return
