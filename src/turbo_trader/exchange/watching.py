"""Between the cursor on the tape and the accounts: which prices matter to them, and what is due when one is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from turbo_trader.exchange import checks
from turbo_trader.exchange.accounts import ZERO, Account
from turbo_trader.exchange.margin import liquidation_price
from turbo_trader.exchange.orders import Order

if TYPE_CHECKING:
    from turbo_trader.exchange.machine import Exchange

_FAR: Final = 2**62


class Watching:
    """Triggers of orders, prices of resting orders, liquidation prices."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

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
        """A row came at which something may be due: resting orders fill, then triggers fire, then liquidation."""
        symbol = self._exchange.instruments[s].symbol
        self._exchange.resting.touch(s, row, now)
        for account in self._exchange.accounts.values():
            for order in list(account.open_orders.values()):
                if order.symbol == symbol and order.status == "Untriggered" and self._due(order, s):
                    self._fire(account, order, s, now)
        self._exchange.settlement.liquidate(s, now)

    def _due(self, order: Order, s: int) -> bool:
        price = self._exchange.last(s) if order.trigger_by == "LastPrice" else self._exchange.mark(s)
        target = order.trigger_price
        return target is not None and (price >= target if order.trigger_direction == 1 else price <= target)

    def _fire(self, account: Account, order: Order, s: int, now: int) -> None:
        """Activate a conditional order: a reduce-only one is cut to the position, another needs its margin now."""
        exchange = self._exchange
        order.move("Triggered")
        account.open_orders.pop(order.order_id, None)
        position = account.position(order.symbol)
        if order is position.stop_loss:
            position.stop_loss = None
        elif order is position.take_profit:
            position.take_profit = None
        exchange.say(account.uid, order.message(now))
        if order.reduce_only:
            closable = abs(position.size) if position.size * order.side < 0 else ZERO
            if not closable:
                exchange.fills.end(account, order, "CancelByReduceOnly", now, "EC_ReduceOnly")
                return
            order.qty = min(order.qty, closable)
        elif checks.margin(exchange, account, order, s) is not None:
            exchange.fills.end(account, order, "UNKNOWN", now, "EC_Others")
            return
        exchange.matching.match(account, order, s, now)
