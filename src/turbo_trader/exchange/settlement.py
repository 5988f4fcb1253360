"""Liquidation and deleveraging: what the venue does to positions without an order of their owner."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import Final

from turbo_trader.exchange.accounts import ZERO, Account, Position
from turbo_trader.exchange.collateral import Collateral
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.matching import Matching
from turbo_trader.exchange.open_orders import OpenOrders
from turbo_trader.exchange.orders import Order
from turbo_trader.exchange.statements import Statements
from turbo_trader.market.order_terms import ExecKind, OrderStatus, OrderType, Side, TimeInForce

_CREATED: Final = {
    ExecKind.LIQUIDATION: "CreateByTakeOver_PassThrough",
    ExecKind.ADL: "CreateByAdl_PassThrough",
}

_REMEMBERED: Final = 1_000


class Settlement:
    """The venue's own hand on positions."""

    def __init__(
        self, state: State, collateral: Collateral, statements: Statements, open_orders: OpenOrders, fills: Fills,
        matching: Matching,
    ) -> None:  # fmt: skip
        self._state, self._collateral, self._statements = state, collateral, statements
        self._open_orders, self._fills, self._matching = open_orders, fills, matching
        #: what was taken over of each symbol lately: number, time, signed size, bankruptcy price
        self.taken_over: list[deque[tuple[int, int, Decimal, Decimal]]] = [
            deque(maxlen=_REMEMBERED) for _ in state.instruments
        ]

    def liquidate(self, s: int, now: int) -> None:
        """Take over every position of symbol `s` whose liquidation price the mark has reached; of accounts with cross margin whose
        maintenance margins have reached the margin balance, positions of any symbol until the rest is carried."""
        symbol = self._state.instruments[s].symbol
        for account in self._state.accounts.values():
            if account.cross:
                self._liquidate_account(account, now)
                continue
            for position in account.sides(symbol):
                if position.auto_margin:
                    self._replenish(account, position, now)
                if self._collateral.exhausted(account, position):
                    self._begin(account, position, "Liq", "CancelAllBeforeLiq", now)
                while self._collateral.exhausted(account, position):
                    self._close(account, position, now)

    def _replenish(self, account: Account, position: Position, now: int) -> None:
        """Add as much as the initial margin, or what is available, as often as it takes to carry an isolated position."""
        needs = self._collateral
        added = False
        while needs.exhausted(account, position) and (available := needs.available(account)) > 0:
            position.extra += min(available, needs.initial(account, position) - position.extra)
            added = True
        if added:
            self._statements.emit(account, position, now)

    def _liquidate_account(self, account: Account, now: int) -> None:
        """End all orders but TP/SL, then close positions, the greatest maintenance margin first."""
        needs = self._collateral
        held = account.held()
        if held and needs.exhausted(account, held[0]):
            for position in account.positions.values():
                self._begin(account, position, "Liq", "CancelAllBeforeLiq", now)
        while held and needs.exhausted(account, held[0]):
            self._close(account, max(held, key=lambda p: needs.maintenance(account, p)), now)
            held = account.held()

    def _close(self, account: Account, position: Position, now: int) -> None:
        """One step of the ladder: down to the next lower tier by an order in the book; where that fails, all of it."""
        if not self._step_down(account, position, now):
            self._take_over(account, position, now)

    def _step_down(self, account: Account, position: Position, now: int) -> bool:
        """Fill or kill what is above the next lower tier, at the bankruptcy price or better. False: lowest tier, or not filled."""
        state = self._state
        s = state.index[position.symbol]
        instrument, mark = state.instruments[s], state.mark(s)
        lower = [tier.limit for tier in instrument.tiers if tier.limit < abs(position.size) * mark]
        if not lower:
            return False
        bust = self._collateral.bankruptcy(account, position)
        price = instrument.ceil_price(bust) if position.size > 0 else instrument.floor_price(bust)
        order = Order(
            order_id=state.new_id(),
            link_id="",
            symbol=position.symbol,
            side=Side.closing(position.size),
            order_type=OrderType.LIMIT,
            time_in_force=TimeInForce.FOK,
            qty=abs(position.size) - instrument.floor_qty(lower[-1] / mark),
            price=max(price, instrument.tick),
            reduce_only=True,
            created_ts=now,
            position_idx=position.idx,
            create_type="CreateByLiq",
        )
        account.orders[order.order_id] = order
        self._matching.match(account, order, s, now)
        return order.status == OrderStatus.FILLED

    def deleverage(
        self, account: Account, position: Position, now: int, qty: Decimal | None, price: Decimal | None
    ) -> Decimal:
        """Close a position, or as much as `qty`, against one that was liquidated: at its bankruptcy price, or else at the mark.
        Returns what was closed: 0 when flat."""
        instrument = self._state.instruments[self._state.index[position.symbol]]
        closed = min(abs(position.size), abs(position.size) if qty is None else instrument.floor_qty(qty))
        if closed > 0:
            at = self._collateral.mark(position) if price is None else price
            self._begin(account, position, "Adl", "CancelAllBeforeAdl", now)
            self._force(
                account, position, closed, max(instrument.floor_price(at), instrument.tick), ExecKind.ADL, now
            )
        return max(closed, ZERO)

    def take(self, account: Account, position: Position, now: int) -> Decimal:
        """Liquidate a position whatever the mark says. Returns what was closed: 0 when flat."""
        closed = abs(position.size)
        if closed:
            self._begin(account, position, "Liq", "CancelAllBeforeLiq", now)
        while position.size:
            self._close(account, position, now)
        return closed

    def _take_over(self, account: Account, position: Position, now: int) -> None:
        """Close at the bankruptcy price, rounded in the venue's favour; cross in the account's, so that its balance is not below
        0."""
        s = self._state.index[position.symbol]
        instrument = self._state.instruments[s]
        bust = self._collateral.bankruptcy(account, position)
        down = (position.size > 0) != account.cross
        price = max(instrument.floor_price(bust) if down else instrument.ceil_price(bust), instrument.tick)
        taken = self.taken_over[s]
        taken.append((taken[-1][0] + 1 if taken else 1, now, position.size, price))
        self._force(account, position, abs(position.size), price, ExecKind.LIQUIDATION, now)

    def _begin(self, account: Account, position: Position, status: str, cancel_type: str, now: int) -> None:
        """Say what comes, and end the orders of the position but its TP/SL, which go with it."""
        if position.size:
            position.status = status
            self._statements.emit(account, position, now)
            position.status = "Normal"
        for order in list(account.open_orders.values()):
            if order.key == position.key and order.order_id not in position.stops:
                self._open_orders.end(account, order, cancel_type, now)

    def _force(
        self, account: Account, position: Position, qty: Decimal, price: Decimal, kind: ExecKind, now: int
    ) -> None:
        """Close `qty` by an order of the venue's own. Who is liquidated pays the taker fee, who is deleveraged the maker fee."""
        order = Order(
            order_id=self._state.new_id(),
            link_id="",
            symbol=position.symbol,
            side=Side.closing(position.size),
            order_type=OrderType.MARKET,
            time_in_force=TimeInForce.IOC,
            qty=qty,
            price=price,
            reduce_only=True,
            created_ts=now,
            position_idx=position.idx,
            create_type=_CREATED[kind],
        )
        account.orders[order.order_id] = order
        self._fills.fill(account, order, qty, price, maker=kind == ExecKind.ADL, now=now, kind=kind)
