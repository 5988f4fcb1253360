"""Orders resting in the book: what the market's prints and levels fill of them, in price-time order over all accounts."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import numpy as np

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.fills import Fills
from turbo_trader.exchange.orders import Order
from turbo_trader.market.rows import KIND_MASK, RPI, TRADE
from turbo_trader.market.state import States


def shown(states: States, s: int, side: int, limit: int) -> Iterator[tuple[int, int]]:
    """(price ticks, lots) of the tape's levels on `side`, best first, as far as a taker with price `limit` reaches.

    The level last given may be changed or deleted while iterating.
    """
    state = states[s]
    if not state["book_valid"]:
        return
    i = 0 if side > 0 else 1
    for j in range(int(state["levels"][i]) - 1, -1, -1):
        price = abs(int(state["key"][i, j]))
        if side * price < side * limit:
            return
        yield price, int(state["lots"][i, j])


class Resting:
    """The resting orders of all accounts."""

    def __init__(self, state: State, fills: Fills) -> None:
        self._state, self._fills = state, fills
        self._joined = 0

    def join(self, order: Order, s: int) -> None:
        """Join the back of the queue at the order's price."""
        self._joined += 1
        order.place.join(self._joined, self._level(order, s))

    def of(self, s: int) -> list[tuple[Account, Order]]:
        """The resting orders of symbol `s`: each side best price first, then oldest first."""
        symbol = self._state.instruments[s].symbol
        found = [
            (account, order)
            for account in self._state.accounts.values()
            for order in account.open_orders.values()
            if order.symbol == symbol and order.resting
        ]
        return sorted(found, key=_priority) if len(found) > 1 else found

    def touch(self, s: int, row: Any, now: int) -> None:
        """A row came at which a resting order may be due."""
        resting = self.of(s)
        if not resting:
            return
        for account, order in resting:
            self._meet(account, order, s, now)
        if row["kind"] & KIND_MASK == TRADE:
            self._share(resting, s, row, now)

    def _meet(self, account: Account, order: Order, s: int, now: int) -> None:
        """The book came to the order: what is offered at its price or better was traded with it."""
        state = self._state
        instrument = state.instruments[s]
        limit, wanted = instrument.ticks(order.limit), instrument.lots(order.leaves)
        taken = 0
        for price, lots in shown(state.states, s, -order.side, limit):
            part = min(lots, wanted - taken)
            if not part:
                break
            state.footprints.leave(s, -order.side, price, (lots, part), now)
            taken += part
        if taken:
            self._fills.fill(account, order, instrument.qty(taken), order.limit, maker=True, now=now)

    def _share(self, resting: list[tuple[Account, Order]], s: int, row: Any, now: int) -> None:
        """Share a print out: through a price it reaches the order at once; at it behind its queue, if its taker met this side."""
        instrument = self._state.instruments[s]
        price, lots = int(row["price"]), int(row["lots"])
        left = lots
        for account, order in resting:
            ticks = instrument.ticks(order.limit)
            if not order.open or order.side * price > order.side * ticks:
                continue
            if price == ticks and (row["side"] == order.side or row["spare"] == RPI):
                continue  # the taker stood on the order's own side, or met a hidden quote: it took nothing of the queue
            reached = left
            if price == ticks:
                order.place.look(self._level(order, s), now)
                reached = order.place.traded(lots, left)
            part = min(reached, instrument.lots(order.leaves))
            if part:
                left -= part
                qty: Decimal = instrument.qty(part)
                self._fills.fill(account, order, qty, order.limit, maker=True, now=now)

    def _level(self, order: Order, s: int) -> int:
        """Lots the tape shows at the order's price."""
        state = self._state.states[s]
        i = 0 if order.side > 0 else 1
        n = int(state["levels"][i])
        key = order.side * self._state.instruments[s].ticks(order.limit)
        at = np.flatnonzero(state["key"][i, :n] == key)
        return int(state["lots"][i, at[0]]) if len(at) else 0


def _priority(entry: tuple[Account, Order]) -> tuple[int, Decimal, int]:
    order = entry[1]
    return order.side, -order.side * order.limit, order.place.rank
