"""How long the venue remembers ended orders. Orders that ended without a fill are kept for 24 hours, as Bybit keeps them; filled
orders, executions and log entries for as long as the venue was asked to, at most so many of each."""

from __future__ import annotations

from collections import deque
from typing import Final

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.orders import Order
from turbo_trader.market.rows import DAY

MOST: Final = 20_000  # of each: the simulated venue's own bound, so that no client can fill the memory


class Retention:
    """The orders that have ended, in the order in which they did."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._unfilled: deque[tuple[Account, Order]] = deque()
        self._filled: deque[tuple[Account, Order]] = deque()

    def forget(self, now: int) -> None:
        """Drop what is too old at `now` (ns), or too much; nothing where the venue keeps everything."""
        ended, self._state.ended = self._state.ended, []
        keep = self._state.config.keep_ns
        if keep is None:
            return
        for account, order in ended:
            (self._filled if order.filled else self._unfilled).append((account, order))
        for orders, age in ((self._unfilled, min(DAY, keep)), (self._filled, keep)):
            while orders and (len(orders) > MOST or orders[0][1].updated_ts < now - age):
                account, order = orders.popleft()
                account.forget(order)
        for account in self._state.accounts.values():
            for kept in (account.executions, account.log):
                while kept and (len(kept) > MOST or kept[0].ts < now - keep):
                    kept.popleft()
