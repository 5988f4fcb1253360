"""Funding, liquidation and deleveraging: what happens to positions without an order of their owner."""

from __future__ import annotations

from collections import deque
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from turbo_trader.exchange.accounts import UNIT, ZERO, Account, Position
from turbo_trader.exchange.messages import ExecutionMessage, LogEntry
from turbo_trader.exchange.orders import Order

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_CREATED: Final = {"BustTrade": "CreateByTakeOver_PassThrough", "AdlTrade": "CreateByAdl_PassThrough"}

_REMEMBERED: Final = 1_000


class Settlement:
    """The venue's own hand on positions."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        #: what was taken over of each symbol lately: number, time, signed size, bankruptcy price
        self.taken_over: list[deque[tuple[int, int, Decimal, Decimal]]] = [
            deque(maxlen=_REMEMBERED) for _ in exchange.instruments
        ]

    def charge(self, account: Account, position: Position, s: int, now: int) -> None:
        """Charge every settlement up to `now` that the position stood through and was not charged for."""
        interval = self._exchange.interval(s)
        while position.size and (due := (position.funded_ts // interval + 1) * interval) <= now:
            position.funded_ts = due
            self._fund(account, position, s, due)

    def _fund(self, account: Account, position: Position, s: int, at: int) -> None:
        """Funding at settlement time `at`: size x mark x rate; longs pay when the rate is positive. What is not available is taken
        from the position's margin."""
        mark, rate = self._exchange.mark(s), self._exchange.funding_rate(s)
        fee = (position.size * mark * rate).quantize(UNIT)
        position.realised_now -= fee
        position.realised_ever -= fee
        side = 1 if position.size > 0 else -1
        execution = ExecutionMessage(
            at, position.symbol, self._exchange.new_id(), self._exchange.new_id(), "", side, mark, abs(position.size), fee,
            rate * side, "Funding", False, ZERO, ZERO, None, ZERO, ZERO, "UNKNOWN", "", "", mark,
            self._exchange.index_price(s), position.seq,
        )  # fmt: skip
        account.executions.append(execution)
        account.book(
            LogEntry(
                at, self._exchange.new_id(), position.symbol, "SETTLEMENT", side, abs(position.size), mark,
                ZERO, -fee, ZERO, -fee, account.balance - fee, execution.order_id, "", position.size,
            )
        )  # fmt: skip
        short = -self._exchange.collateral.available(account)
        if not account.cross and short > 0 and fee > 0:
            position.extra -= min(short, fee)
        self._exchange.say(account.uid, execution)
        self._exchange.fills.tell_position(account, position, at)

    def liquidate(self, s: int, now: int) -> None:
        """Take over every position of symbol `s` whose liquidation price the mark has reached; of accounts with cross margin whose
        maintenance margins have reached the margin balance, positions of any symbol until the rest is carried."""
        symbol = self._exchange.instruments[s].symbol
        for account in self._exchange.accounts.values():
            if account.cross:
                self._liquidate_account(account, now)
                continue
            for position in account.sides(symbol):
                if position.auto_margin:
                    self._replenish(account, position, now)
                if self._exchange.collateral.exhausted(account, position):
                    self._begin(account, position, "Liq", "CancelAllBeforeLiq", now)
                while self._exchange.collateral.exhausted(account, position):
                    self._close(account, position, now)

    def _replenish(self, account: Account, position: Position, now: int) -> None:
        """Add as much as the initial margin, or what is available, as often as it takes to carry an isolated position."""
        needs = self._exchange.collateral
        added = False
        while needs.exhausted(account, position) and (available := needs.available(account)) > 0:
            position.extra += min(available, needs.initial(account, position) - position.extra)
            added = True
        if added:
            self._exchange.fills.tell_position(account, position, now)

    def _liquidate_account(self, account: Account, now: int) -> None:
        """End all orders but TP/SL, then close positions, the greatest maintenance margin first."""
        needs = self._exchange.collateral
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
        exchange = self._exchange
        s = exchange.index[position.symbol]
        instrument, mark = exchange.instruments[s], exchange.mark(s)
        lower = [tier.limit for tier in instrument.tiers if tier.limit < abs(position.size) * mark]
        if not lower:
            return False
        bust = exchange.collateral.bankruptcy(account, position)
        price = instrument.ceil_price(bust) if position.size > 0 else instrument.floor_price(bust)
        order = Order(
            exchange.new_id(), "", position.symbol, -1 if position.size > 0 else 1, "Limit", "FOK",
            abs(position.size) - instrument.floor_qty(lower[-1] / mark), max(price, instrument.tick), True, now,
            position_idx=position.idx, create_type="CreateByLiq",
        )  # fmt: skip
        account.orders[order.order_id] = order
        exchange.matching.match(account, order, s, now)
        return order.status == "Filled"

    def deleverage(
        self, account: Account, position: Position, now: int, qty: Decimal | None, price: Decimal | None
    ) -> Decimal:
        """Close a position, or as much as `qty`, against one that was liquidated: at its bankruptcy price, or else at the mark.
        Returns what was closed: 0 when flat."""
        instrument = self._exchange.instruments[self._exchange.index[position.symbol]]
        closed = min(abs(position.size), abs(position.size) if qty is None else instrument.floor_qty(qty))
        if closed > 0:
            at = self._exchange.collateral.mark(position) if price is None else price
            self._begin(account, position, "Adl", "CancelAllBeforeAdl", now)
            self._force(
                account, position, closed, max(instrument.floor_price(at), instrument.tick), "AdlTrade", now
            )
        return max(closed, ZERO)

    def _take_over(self, account: Account, position: Position, now: int) -> None:
        """Close at the bankruptcy price, rounded in the venue's favour; cross in the account's, so that its balance is not below
        0."""
        s = self._exchange.index[position.symbol]
        instrument = self._exchange.instruments[s]
        bust = self._exchange.collateral.bankruptcy(account, position)
        down = (position.size > 0) != account.cross
        price = max(instrument.floor_price(bust) if down else instrument.ceil_price(bust), instrument.tick)
        taken = self.taken_over[s]
        taken.append((taken[-1][0] + 1 if taken else 1, now, position.size, price))
        self._force(account, position, abs(position.size), price, "BustTrade", now)

    def _begin(self, account: Account, position: Position, status: str, cancel_type: str, now: int) -> None:
        """Say what comes, and end the orders of the position but its TP/SL, which go with it."""
        if position.size:
            position.status = status
            self._exchange.fills.tell_position(account, position, now)
            position.status = "Normal"
        for order in list(account.open_orders.values()):
            if order.key == position.key and order.order_id not in position.stops:
                self._exchange.fills.end(account, order, cancel_type, now)

    def _force(
        self, account: Account, position: Position, qty: Decimal, price: Decimal, kind: str, now: int
    ) -> None:
        """Close `qty` by an order of the venue's own. Who is liquidated pays the taker fee, who is deleveraged the maker fee."""
        order = Order(
            self._exchange.new_id(), "", position.symbol, -1 if position.size > 0 else 1, "Market", "IOC", qty, price, True,
            now, position_idx=position.idx, create_type=_CREATED[kind],
        )  # fmt: skip
        account.orders[order.order_id] = order
        self._exchange.fills.fill(account, order, qty, price, maker=kind == "AdlTrade", now=now, kind=kind)
