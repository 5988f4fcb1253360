"""What a fill does: to the order, the position and its stops, the wallet and its log, and to the account's other orders."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

from turbo_trader.exchange.accounts import UNIT, ZERO, Account, Position
from turbo_trader.exchange.margin import order_cost
from turbo_trader.exchange.messages import ExecutionMessage, LogEntry
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.statements import position_message, wallet_message

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_LOGGED: Final = {"Trade": "TRADE", "BustTrade": "LIQUIDATION", "AdlTrade": "ADL", "Delivery": "DELIVERY"}


class Fills:
    """Books fills and ends orders."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def fill(
        self, account: Account, order: Order, qty: Decimal, price: Decimal, *, maker: bool, now: int, kind: str = "Trade"
    ) -> None:  # fmt: skip
        """Book one fill: order, position, wallet, log, messages; then what follows from the new position."""
        exchange = self._exchange
        s = exchange.index[order.symbol]
        position = account.position(*order.key)
        exchange.settlement.charge(account, position, s, now)  # settlements before this fill saw the old size
        rate = ZERO if kind == "Delivery" else account.maker if maker else account.taker
        fee = qty * price * rate
        order.book(qty, price, fee)
        if not order.leaves:
            account.open_orders.pop(order.order_id, None)
        open_fee = position.share_fee(order.side, qty, fee)
        closed, result = position.apply(order.side, qty, price, now)
        change = result - fee
        order.closed_pnl += result - open_fee - fee * closed / qty
        position.seq += 1
        # of a flip, the new position has cost its share of the fee so far
        position.realised_now += -(qty - closed) * price * rate if closed and qty > closed else change
        position.realised_ever += change
        account.book(
            LogEntry(
                now, exchange.new_id(), order.symbol, _LOGGED[kind], order.side, qty, price,
                result, ZERO, fee, change, account.balance + change, order.order_id, order.link_id, position.size,
            )
        )  # fmt: skip
        execution = ExecutionMessage(
            now, order.symbol, exchange.new_id(), order.order_id, order.link_id, order.side, price, qty, fee, rate, kind,
            maker, closed, result, order.limit_or_bound, order.qty, order.leaves, order.order_type, order.stop_type,
            order.create_type, exchange.mark(s), exchange.index_price(s), position.seq, open_fee, position.leverage,
        )  # fmt: skip
        account.executions.append(execution)
        if order.order_id in account.orders:  # there are executions without an order
            exchange.say(account.uid, order.message(now))
        exchange.say(account.uid, execution)
        self._follow(account, order, position, opened=qty - closed, now=now)
        self.tell_position(account, position, now)

    def _follow(
        self, account: Account, order: Order, position: Position, *, opened: Decimal, now: int
    ) -> None:
        """Stops, reduce-only orders and margins after a change of the position."""
        exchange = self._exchange
        exchange.stops.follow(account, position, now)
        if opened:
            exchange.stops.attach(account, order, opened, now)
        self.trim(account, position, now)
        self.hold(account, position)
        self._shed(account, now)

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
                self._exchange.say(account.uid, order.message(now))

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

    def _shed(self, account: Account, now: int) -> None:
        """After a fill: orders the balance does not carry any more end, the newest first."""
        while self._exchange.collateral.available(account) < -UNIT:
            held = [order for order in account.open_orders.values() if order.margin]
            if not held:
                return
            self.end(account, held[-1], "UNKNOWN", now, "EC_Others")
            self.hold(account, account.position(*held[-1].key))

    def end(
        self, account: Account, order: Order, cancel_type: str, now: int, reason: str = "EC_PerCancelRequest"
    ) -> None:
        """Cancel an order that is not final, and say so."""
        account.position(*order.key).forget(order)
        account.open_orders.pop(order.order_id, None)
        order.margin = ZERO
        if order.status == "Untriggered" and order.close_on_trigger:
            order.cancel_type = cancel_type
            order.move("Deactivated")
        else:
            order.cancel(cancel_type, reason)
        self._exchange.say(account.uid, order.message(now))

    def tell_position(self, account: Account, position: Position, now: int) -> None:
        """Say a position, then the wallet."""
        self._exchange.say(account.uid, position_message(self._exchange, account, position, now))
        self._exchange.say(account.uid, wallet_message(self._exchange, account, now))
