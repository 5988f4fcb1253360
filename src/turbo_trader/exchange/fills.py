"""What a fill does: to the order, the position and its stops, the wallet and its log, and to the account's other orders."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.funding import Funding
from turbo_trader.exchange.messages import ExecutionMessage, LogEntry
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.state import State
from turbo_trader.exchange.statements import Statements
from turbo_trader.exchange.stops import Stops

_LOGGED: Final = {"Trade": "TRADE", "BustTrade": "LIQUIDATION", "AdlTrade": "ADL", "Delivery": "DELIVERY"}


class Fills:
    """Books fills."""

    def __init__(
        self, state: State, funding: Funding, stops: Stops, open_orders: OpenOrders, statements: Statements
    ) -> None:
        self._state, self._funding, self._stops = state, funding, stops
        self._open_orders, self._statements = open_orders, statements

    def fill(
        self, account: Account, order: Order, qty: Decimal, price: Decimal, *, maker: bool, now: int, kind: str = "Trade"
    ) -> None:  # fmt: skip
        """Book one fill: order, position, wallet, log, messages; then what follows from the new position."""
        state = self._state
        s = state.index[order.symbol]
        position = account.position(*order.key)
        self._funding.charge(account, position, s, now)  # settlements before this fill saw the old size
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
                now, state.new_id(), order.symbol, _LOGGED[kind], order.side, qty, price,
                result, ZERO, fee, change, account.balance + change, order.order_id, order.link_id, position.size,
            )
        )  # fmt: skip
        execution = ExecutionMessage(
            now, order.symbol, state.new_id(), order.order_id, order.link_id, order.side, price, qty, fee, rate, kind,
            maker, closed, result, order.limit_or_bound, order.qty, order.leaves, order.order_type, order.stop_type,
            order.create_type, state.mark(s), state.index_price(s), position.seq, open_fee, position.leverage,
        )  # fmt: skip
        account.executions.append(execution)
        if order.order_id in account.orders:  # there are executions without an order
            state.say(account.uid, order.message(now))
        state.say(account.uid, execution)
        self._follow(account, order, position, opened=qty - closed, now=now)
        self._statements.tell(account, position, now)

    def _follow(
        self, account: Account, order: Order, position: Position, *, opened: Decimal, now: int
    ) -> None:
        """Stops, reduce-only orders and margins after a change of the position."""
        self._stops.follow(account, position, now)
        if opened:
            self._stops.attach(account, order, opened, now)
        self._open_orders.trim(account, position, now)
        self._open_orders.hold(account, position)
        self._open_orders.shed(account, now)
