"""Conditional orders, TP, SL and trailing stops: when they are due, and what then becomes of them.

A print that triggers an order has itself changed the book, and the tape shows that change in the next book frame. So a triggered
order waits for the first whole book of the trigger's time or later and takes its price from that one, never from the book before
the move. Where no frame comes for `PATIENCE`, it takes what is known, at no better than the last print (`Matching`); where the book
is void (the tape has a gap), it waits until there is one again.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from turbo_trader.exchange import trailing
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import FULL, Order
from turbo_trader.exchange.request_checks import Checks
from turbo_trader.exchange.statements import Statements
from turbo_trader.exchange.stops import Stops
from turbo_trader.market.order_terms import OrderStatus
from turbo_trader.market.rows import NEVER, SECOND

PATIENCE: Final = SECOND


class Waiting(NamedTuple):
    """A triggered order that has not met the book yet; `since`: time of its trigger, ns."""

    account: Account
    order: Order
    since: int


class Triggers:
    """Of all accounts."""

    def __init__(
        self, state: State, checks: Checks, matching: Matching, open_orders: OpenOrders, statements: Statements, stops: Stops
    ) -> None:  # fmt: skip
        self._state, self._checks, self._matching = state, checks, matching
        self._open_orders, self._statements, self._stops = open_orders, statements, stops
        self._waiting: dict[int, list[Waiting]] = {}

    @property
    def waiting(self) -> frozenset[int]:
        """The symbols that have triggered orders which wait for a book."""
        return frozenset(self._waiting)

    def waits(self, s: int) -> int:
        """From which time on (ns) a whole book of symbol `s` is waited for; NEVER when none is."""
        return min((each.since for each in self._waiting.get(s, ())), default=NEVER)

    def deadline(self, s: int) -> int:
        """When `touch` is due though no book has come (ns); NEVER while none can be used or nothing waits."""
        return self.waits(s) + PATIENCE if s in self._waiting and self._usable(s) else NEVER

    def touch(self, s: int, now: int) -> None:
        """Prices or book of symbol `s` have moved, or the deadline has come: trigger what is due, match what has its book."""
        symbol = self._state.instruments[s].symbol
        for account in self._state.accounts.values():
            for order in list(account.open_orders.values()):
                if order.symbol != symbol or order.status != OrderStatus.UNTRIGGERED:
                    continue
                trailing.advance(order, self._state.last(s))
                if self._due(order, s):
                    self._trigger(account, order, s, now)
        if s in self._waiting and self._usable(s):
            self._match_waiting(s, now)

    def _usable(self, s: int) -> bool:
        """Is there a whole book, or is none recorded at all?"""
        state = self._state.states[s]
        return bool(state["book_valid"]) or not state["has_book"]

    def _due(self, order: Order, s: int) -> bool:
        if order.distance is not None:
            fires = trailing.fires_at(order)
            return fires is not None and order.side * self._state.last(s) >= order.side * fires
        price = self._state.reference(s, order.trigger_by)
        target = order.trigger_price
        return target is not None and (price >= target if order.trigger_direction == 1 else price <= target)

    def _trigger(self, account: Account, order: Order, s: int, now: int) -> None:
        """The order's price was reached: its owner can neither change nor cancel it any more."""
        order.move(OrderStatus.TRIGGERED)
        account.open_orders.pop(order.order_id, None)
        self._stops.fired(account, order, now)
        self._state.say(account.uid, order.message(now))
        self._waiting.setdefault(s, []).append(Waiting(account, order, now))

    def _match_waiting(self, s: int, now: int) -> None:
        """Match those, in the order of their triggers, whose book has come or whose patience is over."""
        state = self._state.states[s]
        shown = int(state["book_ts"]) if state["has_book"] else now
        due: list[Waiting] = []
        later: list[Waiting] = []
        for each in self._waiting.pop(s):
            (due if max(shown, now - PATIENCE) >= each.since else later).append(each)
        if later:
            self._waiting[s] = later
        for each in due:
            self._activate(each.account, each.order, s, now)

    def _activate(self, account: Account, order: Order, s: int, now: int) -> None:
        """A triggered order meets the book: a reduce-only one is cut to the position, another needs its margin now."""
        if order.status != OrderStatus.TRIGGERED:
            return  # it went with its position meanwhile
        position = account.position(*order.key)
        position.forget(order)
        if order.reduce_only:
            closable = abs(position.size) if position.size * order.side < 0 else ZERO
            if not closable:
                self._open_orders.end(account, order, "CancelByReduceOnly", now, "EC_ReduceOnly")
                return
            order.qty = min(order.qty, closable)
        elif self._checks.margin(account, order, s) is not None:
            self._open_orders.end(account, order, "UNKNOWN", now, "EC_Others")
            return
        self._matching.match(account, order, s, now)
        if order.stop_type in FULL and not order.filled:  # fills say it themselves
            self._statements.emit(account, position, now)
