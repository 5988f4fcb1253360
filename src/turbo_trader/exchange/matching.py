"""An accepted or triggered order meets the book: the tape's levels, and behind each of them the orders resting there."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from heapq import merge
from typing import TYPE_CHECKING, NamedTuple

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import Slippage
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
        if order.order_type == "Market":
            order.bound = exchange.instruments[s].price(self._bound(order.side, s, order.slippage))
        if order.time_in_force == "PostOnly" and next(self._offers(order, s), None) is not None:
            fills.end(account, order, "UNKNOWN", now, "EC_PostOnlyWillTakeLiquidity")
            return
        if order.time_in_force == "FOK":
            wanted = exchange.instruments[s].lots(order.leaves)
            if (
                sum(offer.lots for offer in self._offers(order, s) if not _prevented(order, account, offer))
                < wanted
            ):
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

    def _bound(self, side: int, s: int, slippage: Slippage | None = None) -> int:
        """The worst price (ticks) a market order takes: within the venue's bound, and its own."""
        state = self._exchange.states[s]
        touch = int(state["ask" if side > 0 else "bid"]) or int(state["last"])
        reach = max(int(touch * self._exchange.config.market_slippage), 1)
        if slippage is not None:
            share = slippage.amount if slippage.kind == "TickSize" else touch * slippage.amount / 100
            reach = min(reach, int(share))
        return max(touch + side * reach, 1)

    def _offers(self, order: Order, s: int) -> Iterator[Offer]:
        """What an order can take now: best price first, at one price the tape's lots before the orders behind them."""
        exchange = self._exchange
        instrument, side = exchange.instruments[s], order.side
        limit = instrument.ticks(order.limit_or_bound or order.limit)
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
        for offer in self._offers(order, s):
            price, size, maker = offer
            lots = min(size, instrument.lots(order.leaves))
            if maker is not None and _prevented(order, account, offer):
                lots = 0
                self._prevent(account, order, maker[1], now)
            elif maker is not None:
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

    def _prevent(self, account: Account, order: Order, maker: Order, now: int) -> None:
        """An order met another of its account, and is not to trade with it: the one, the other or both end."""
        for each, other, role in ((maker, order, "Maker"), (order, maker, "Taker")):
            if each.leaves and order.smp in (f"Cancel{role}", "CancelBoth"):
                each.smp_order_id = other.order_id
                self._exchange.fills.end(account, each, "CancelBySmp", now)


def _prevented(order: Order, account: Account, offer: Offer) -> bool:
    """Is what is offered of the same account, and the order not to trade with it?"""
    return order.smp != "None" and offer.maker is not None and offer.maker[0] is account
