"""Orders: checked, matched against the tape's book, filled, cancelled; and what each fill does to position and wallet."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from turbo_trader.exchange import checks
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.margin import liquidation_price, order_cost
from turbo_trader.exchange.messages import ExecutionMessage, LogEntry, Reply
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.requests import AmendOrder, CancelAll, CancelOrder, CreateOrder, SetLeverage
from turbo_trader.exchange.statements import position_message, wallet_message
from turbo_trader.exchange.stops import Stops
from turbo_trader.market.events import KIND_MASK, TRADE
from turbo_trader.market.kernel import set_level

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_FAR = 2**62


class Trading:
    """The order side of the Exchange."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.stops = Stops(exchange)

    # -- requests

    def create(self, account: Account, request: CreateOrder, now: int) -> Reply:
        """Check synchronously, accept, then match."""
        s = self._exchange.index[request.symbol]
        refusal, qty = checks.create(self._exchange, account, request, s)
        if refusal is not None:
            return refusal
        order = Order(
            self._exchange.new_id(), request.link_id, request.symbol, request.side, request.order_type,
            request.time_in_force if request.order_type == "Limit" else "IOC", qty, request.price, request.reduce_only, now,
            close_on_trigger=request.close_on_trigger, take_profit=request.take_profit, stop_loss=request.stop_loss,
            tp_trigger_by=request.tp_trigger_by, sl_trigger_by=request.sl_trigger_by,
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
            self._match(account, order, s, now)
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def amend(self, account: Account, request: AmendOrder, now: int) -> Reply:
        """Change price, quantity or trigger of an open order; a new price goes to the back of its queue."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to replace")
        s = self._exchange.index[request.symbol]
        refusal = checks.amend(self._exchange, order, request, s)
        if refusal is not None:
            return refusal
        order.qty = request.qty or order.qty
        order.trigger_price = request.trigger_price or order.trigger_price
        if request.price is not None:
            order.price = request.price
        if order.status != "Untriggered":
            self._hold(account, order)
            self._take(account, order, s, now)
            self._rest(order, s)
        self._exchange.say(account.uid, order.message(now))
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def cancel(self, account: Account, request: CancelOrder, now: int) -> Reply:
        """Cancel one open order."""
        order = account.find(request.symbol, request.order_id, request.link_id)
        if order is None or not order.open:
            return Reply(110001, "order not exists or too late to cancel")
        self.end(account, order, "CancelByUser", now)
        return Reply(result={"orderId": order.order_id, "orderLinkId": order.link_id})

    def cancel_all(self, account: Account, request: CancelAll, now: int) -> Reply:
        """Cancel open orders; without a filter also conditional ones and TP/SL."""
        ended = []
        for order in list(account.open_orders.values()):
            conditional = bool(order.stop_type)
            chosen = request.order_filter in ("", "StopOrder" if conditional else "Order")
            if chosen and request.symbol in ("", order.symbol):
                self.end(account, order, "CancelByUser", now)
                ended.append({"orderId": order.order_id, "orderLinkId": order.link_id})
        return Reply(result={"list": ended, "success": "1"})

    def set_leverage(self, account: Account, request: SetLeverage, now: int) -> Reply:
        """Change the leverage of a symbol."""
        s = self._exchange.index[request.symbol]
        position = account.position(request.symbol)
        if position.leverage == request.leverage:
            return Reply(110043, "Set leverage has not been modified.")
        instrument = self._exchange.instruments[s]
        if (
            not 1 <= request.leverage <= instrument.max_leverage
            or request.leverage % instrument.leverage_step
        ):
            return Reply(110013, "cannot set leverage due to risk limit")
        before, position.leverage = position.leverage, request.leverage
        if account.available < 0:
            position.leverage = before
            return Reply(110007, "ab not enough for new leverage")
        self.tell_position(account, s, now)
        return Reply()

    # -- matching

    def _match(self, account: Account, order: Order, s: int, now: int) -> None:
        """An accepted or triggered order meets the book: take, then rest or end."""
        if order.time_in_force == "PostOnly" and self._reach(order, s) > 0:
            order.cancel("UNKNOWN", "EC_PostOnlyWillTakeLiquidity")
            self._exchange.say(account.uid, order.message(now))
            return
        if order.time_in_force == "FOK" and self._reach(order, s) < self._exchange.instruments[s].lots(
            order.qty
        ):
            order.cancel("UNKNOWN", "EC_NoEnoughQtyToFill")
            self._exchange.say(account.uid, order.message(now))
            return
        self._take(account, order, s, now)
        if not order.leaves:
            return
        if order.time_in_force in ("IOC", "FOK"):
            order.cancel("UNKNOWN", "EC_NoImmediateQtyToFill")
            account.open_orders.pop(order.order_id, None)
            self._exchange.say(account.uid, order.message(now))
            return
        if order.status in ("Created", "Triggered"):
            order.move("New")
        account.open_orders[order.order_id] = order
        self._hold(account, order)
        self._rest(order, s)
        self._exchange.say(account.uid, order.message(now))

    def _limit_ticks(self, order: Order, s: int) -> int:
        """The worst price (ticks) an order takes; market orders reach to the slippage bound."""
        instrument = self._exchange.instruments[s]
        if order.order_type == "Limit" and order.price is not None:
            return instrument.ticks(order.price)
        touch = int(self._exchange.states["ask" if order.side > 0 else "bid"][s])
        reach = int(touch * self._exchange.config.market_slippage)
        return touch + order.side * max(reach, 1)

    def _offers(self, order: Order, s: int) -> list[tuple[int, int]]:
        """(price ticks, lots) an order can take now, best first."""
        state = self._exchange.states[s]
        if not state["book_valid"]:
            return []
        i = 1 if order.side > 0 else 0
        n = int(state["levels"][i])
        keys, lots = state["key"][i, :n], state["lots"][i, :n]
        limit = self._limit_ticks(order, s)
        offers = [(abs(int(keys[j])), int(lots[j])) for j in range(n - 1, -1, -1)]
        return [(price, size) for price, size in offers if order.side * price <= order.side * limit]

    def _reach(self, order: Order, s: int) -> int:
        return sum(size for _, size in self._offers(order, s))

    def _take(self, account: Account, order: Order, s: int, now: int) -> None:
        instrument = self._exchange.instruments[s]
        for price, size in self._offers(order, s):
            if not order.leaves:
                break
            lots = min(size, instrument.lots(order.leaves))
            set_level(self._exchange.states, s, -order.side, price, size - lots)  # our footprint
            self.fill(account, order, instrument.qty(lots), instrument.price(price), maker=False, now=now)

    def _rest(self, order: Order, s: int) -> None:
        """Join the queue at the back: behind all lots shown at our price."""
        if not order.open or order.price is None:
            return
        state = self._exchange.states[s]
        i = 0 if order.side > 0 else 1
        n = int(state["levels"][i])
        key = order.side * self._exchange.instruments[s].ticks(order.price)
        at = np.flatnonzero(state["key"][i, :n] == key)
        order.queue_ahead = int(state["lots"][i, at[0]]) if len(at) else 0

    def _hold(self, account: Account, order: Order) -> None:
        position = account.position(order.symbol)
        opens = not order.reduce_only and position.size * order.side >= 0
        price = order.price or ZERO
        order.margin = (
            order_cost(order.leaves, price, order.side, position.leverage, account.taker) if opens else ZERO
        )

    # -- the market moves

    def bounds(self, s: int) -> tuple[int, int, float, float, int, int]:
        """For `kernel.run_until`: last and mark prices that can trigger something, best resting buy and sell."""
        instrument = self._exchange.instruments[s]
        last_low, last_high, mark_low, mark_high, buy, sell = 0, _FAR, 0.0, float("inf"), 0, _FAR
        for account in self._exchange.accounts.values():
            for order in account.open_orders.values():
                if order.symbol != instrument.symbol:
                    continue
                if order.trigger_price is not None and order.status == "Untriggered":
                    if order.trigger_by == "LastPrice":
                        ticks = int(order.trigger_price / instrument.tick)
                        last_low = max(last_low, ticks) if order.trigger_direction == 2 else last_low
                        last_high = min(last_high, ticks) if order.trigger_direction == 1 else last_high
                    elif order.trigger_direction == 2:
                        mark_low = max(mark_low, float(order.trigger_price))
                    else:
                        mark_high = min(mark_high, float(order.trigger_price))
                elif order.price is not None and order.side > 0:
                    buy = max(buy, instrument.ticks(order.price))
                elif order.price is not None:
                    sell = min(sell, instrument.ticks(order.price))
            position = account.positions.get(instrument.symbol)
            if position is not None and position.size:
                price = liquidation_price(instrument, position.size, position.entry, position.leverage)
                if price is not None and position.size > 0:
                    mark_low = max(mark_low, float(price))
                elif price is not None:
                    mark_high = min(mark_high, float(price))
        return last_low, last_high, mark_low, mark_high, buy, sell

    def touch(self, s: int, row: Any, now: int) -> None:
        """A row came at which a trigger or a resting order may be due."""
        symbol = self._exchange.instruments[s].symbol
        for account in self._exchange.accounts.values():
            for order in list(account.open_orders.values()):
                if order.symbol != symbol or not order.open:
                    continue
                if order.status == "Untriggered":
                    self._try_trigger(account, order, s, now)
                else:
                    self._try_rest(account, order, s, row, now)

    def _try_trigger(self, account: Account, order: Order, s: int, now: int) -> None:
        price = self._exchange.last(s) if order.trigger_by == "LastPrice" else self._exchange.mark(s)
        target = order.trigger_price
        if target is None or not (price >= target if order.trigger_direction == 1 else price <= target):
            return
        order.move("Triggered")
        account.open_orders.pop(order.order_id, None)
        position = account.position(order.symbol)
        if order is position.stop_loss:
            position.stop_loss = None
        elif order is position.take_profit:
            position.take_profit = None
        self._exchange.say(account.uid, order.message(now))
        if order.reduce_only:
            closable = abs(position.size) if position.size * order.side < 0 else ZERO
            order.qty = min(order.qty, closable)
            if not closable:
                order.cancel("CancelByReduceOnly", "EC_ReduceOnly")
                self._exchange.say(account.uid, order.message(now))
                return
        self._match(account, order, s, now)

    def _try_rest(self, account: Account, order: Order, s: int, row: Any, now: int) -> None:
        """A resting order fills when the book comes to it, or prints go through it or past its queue."""
        instrument = self._exchange.instruments[s]
        state = self._exchange.states[s]
        if order.price is None:
            return
        ticks = instrument.ticks(order.price)
        opposite = int(state["ask" if order.side > 0 else "bid"])
        if state["book_valid"] and opposite > 0 and order.side * opposite <= order.side * ticks:
            self.fill(account, order, order.leaves, order.price, maker=True, now=now)
            return
        if row["kind"] & KIND_MASK != TRADE or order.side * int(row["price"]) > order.side * ticks:
            return
        lots = int(row["lots"])
        if int(row["price"]) == ticks:
            passed = min(order.queue_ahead, lots)
            order.queue_ahead -= passed
            lots -= passed
        if lots > 0:
            self.fill(
                account, order, min(order.leaves, instrument.qty(lots)), order.price, maker=True, now=now
            )

    # -- what a fill does

    def fill(
        self,
        account: Account,
        order: Order,
        qty: Decimal,
        price: Decimal,
        *,
        maker: bool,
        now: int,
        kind: str = "Trade",
    ) -> None:
        """Book one fill: order, children, position, wallet, log, messages."""
        s = self._exchange.index[order.symbol]
        rate = account.maker if maker else account.taker
        fee = qty * price * rate
        first = not order.filled
        order.filled += qty
        order.filled_value += qty * price
        order.fee += fee
        order.move("Filled" if order.filled == order.qty else "PartiallyFilled")
        position = account.position(order.symbol)
        if not position.size:
            self._exchange.opened(s, now)
        closed, result = position.apply(order.side, qty, price, now)
        position.seq += 1
        position.realised_now += result - fee
        position.realised_ever += result - fee
        if not order.leaves:
            account.open_orders.pop(order.order_id, None)
        self._hold(account, order)
        change = result - fee
        log_kind = "LIQUIDATION" if kind == "BustTrade" else "TRADE"
        account.book(
            LogEntry(
                now,
                self._exchange.new_id(),
                order.symbol,
                log_kind,
                order.side,
                qty,
                price,
                result,
                ZERO,
                fee,
                change,
                account.balance + change,
                order.order_id,
                order.link_id,
            )
        )
        execution = ExecutionMessage(
            now, order.symbol, self._exchange.new_id(), order.order_id, order.link_id, order.side, price, qty, fee, rate, kind,
            maker, closed, result, order.price, order.qty, order.leaves, order.order_type, order.stop_type, order.create_type,
            self._exchange.mark(s), position.seq,
        )  # fmt: skip
        account.executions.append(execution)
        self._exchange.say(account.uid, order.message(now))
        self._exchange.say(account.uid, execution)
        if first and position.size * order.side > 0:
            self.stops.attach(account, order, now)
        self.stops.follow(account, position, now)
        if not position.size:
            self._drop_reduce_only(account, order.symbol, now)
        self.tell_position(account, s, now)

    def _drop_reduce_only(self, account: Account, symbol: str, now: int) -> None:
        for order in list(account.open_orders.values()):
            if order.symbol == symbol and order.reduce_only and not order.stop_type:
                self.end(account, order, "CancelByReduceOnly", now)

    def end(self, account: Account, order: Order, cancel_type: str, now: int) -> None:
        """Cancel an open order and say so."""
        position = account.position(order.symbol)
        if order is position.stop_loss:
            position.stop_loss = None
        if order is position.take_profit:
            position.take_profit = None
        account.open_orders.pop(order.order_id, None)
        order.margin = ZERO
        if order.status == "Untriggered" and order.close_on_trigger:
            order.cancel_type = cancel_type
            order.move("Deactivated")
        else:
            order.cancel(cancel_type)
        self._exchange.say(account.uid, order.message(now))

    # -- messages

    def tell_position(self, account: Account, s: int, now: int) -> None:
        """Say the position of a symbol, then the wallet."""
        self._exchange.say(account.uid, position_message(self._exchange, account, s, now))
        self._exchange.say(account.uid, wallet_message(self._exchange, account, now))
