"""How long the venue remembers what is over. Orders that ended without a fill are kept for 24 hours, as Bybit keeps them; filled
orders, executions and log entries for as long as the venue was told to, at most so many of each."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final

from turbo_trader.exchange.accounts import Account
from turbo_trader.exchange.orders import Order
from turbo_trader.market.events import DAY

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

MOST: Final = 20_000  # of each: the simulated venue's own bound, so that no client can fill the memory


class Retention:
    """The orders that have ended, in the order in which they did."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._unfilled: deque[tuple[Account, Order]] = deque()
        self._filled: deque[tuple[Account, Order]] = deque()

    def ended(self, account: Account, order: Order) -> None:
        """An order is final: from now on it may be forgotten."""
        (self._filled if order.filled else self._unfilled).append((account, order))

    def forget(self, now: int) -> None:
        """Drop what is too old at `now` (ns), or too much; nothing where the venue keeps everything."""
        keep = self._exchange.config.keep_ns
        if keep is None:
            return
        for ended, age in ((self._unfilled, min(DAY, keep)), (self._filled, keep)):
            while ended and (len(ended) > MOST or ended[0][1].updated_ts < now - age):
                account, order = ended.popleft()
                account.forget(order)
        for account in self._exchange.accounts.values():
            for kept in (account.executions, account.log):
                while kept and (len(kept) > MOST or kept[0].ts < now - keep):
                    kept.popleft()
