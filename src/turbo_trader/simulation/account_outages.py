"""Interference with the account: by its owner, by another program, by the venue's rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final

from turbo_trader.exchange import requests as ask
from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.market.rows import MINUTE
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.simulation import Simulation

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")
BY_HAND: Final = "by-hand-"  # how the link ids of others' orders begin


class AccountOutages:
    """Each kind does one thing; False: there was nothing to do it to.

    `target`: transfers bring the balance back to about this many USDT; `on_transfer` gets each amount.
    """

    def __init__(
        self,
        simulation: Simulation,
        faults: Faults,
        *,
        target: Decimal,
        on_transfer: Callable[[Decimal], None],
    ) -> None:
        self._simulation, self._faults = simulation, faults
        self._target, self._on_transfer = target, on_transfer
        self.foreign: dict[str, str] = {}  # link ids of others' orders that must stay -> symbol
        self._by_hands = 0
        self.strangers: dict[
            str, int
        ] = {}  # symbols on which somebody holds a position of their own -> its index
        self.kinds: dict[str, Callable[[], bool]] = {
            Fault.STOP_REMOVED: self._stop_removed,
            Fault.CLOSED_OUTSIDE: self._closed_outside,
            Fault.TRANSFER: self._transfer,
            Fault.FOREIGN_ORDER: self._foreign_order,
            Fault.DELEVERAGED: self._deleveraged,
            Fault.FOREIGN_POSITION: partial(self._foreign_position, 0),
            Fault.HEDGE_MODE: partial(self._foreign_position, 1),
        }

    def _stop_removed(self) -> bool:
        symbol = self._held()
        if symbol:
            self._by_hand(ask.SetTradingStop(symbol=symbol, stop_loss=ZERO))
        return bool(symbol)

    def _closed_outside(self) -> bool:
        symbol = self._held()
        if not symbol:
            return False
        exchange = self._simulation.exchange
        size = exchange.accounts[self._simulation.uid].position(symbol).size
        step = exchange.instruments[exchange.index[symbol]].step
        half = abs(size) / 2 // step * step
        qty = half if half and self._faults.chance(0.5) else abs(size)
        order = ask.CreateOrder(
            symbol=symbol,
            side=Side.closing(size),
            order_type=OrderType.MARKET,
            qty=qty,
            time_in_force=TimeInForce.IOC,
            reduce_only=True,
        )
        self._by_hand(order)
        return True

    def _transfer(self) -> bool:
        """Towards the target: what is missing comes in, half of what is too much goes out."""
        simulation = self._simulation
        account = simulation.exchange.accounts[simulation.uid]
        missing = self._target - account.balance
        amount = (
            missing if missing > 0 else max(missing, -simulation.exchange.collateral.available(account)) / 2
        )
        amount = amount.quantize(CENT)
        if not amount:
            return False
        reply = simulation.exchange.transfer(simulation.uid, amount, simulation.now)
        if reply.code:
            return False
        self._on_transfer(amount)
        return True

    def _foreign_order(self) -> bool:
        """Somebody places the smallest order a third below the market, and leaves it there."""
        simulation = self._simulation
        s = self._faults.choose(simulation.cursors.count)
        instrument = simulation.exchange.instruments[s]
        simulation.catch_up(instrument.symbol)
        bid = int(simulation.exchange.states["bid"][s])
        if not bid:
            return False
        price = instrument.price(bid * 2 // 3)
        link_id = f"{BY_HAND}{len(self.foreign) + 1}"
        order = ask.CreateOrder(
            symbol=instrument.symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            qty=_smallest(instrument, price),
            price=price,
            link_id=link_id,
        )
        if simulation.exchange.handle(simulation.now, simulation.uid, order).code:
            return False
        self.foreign[link_id] = instrument.symbol
        return True

    def _foreign_position(self, idx: int) -> bool:
        """Somebody opens the smallest long on a symbol that nobody uses, and closes it minutes later; `idx` 1: in hedge mode."""
        simulation = self._simulation
        s = self._faults.choose(simulation.cursors.count)
        instrument = simulation.exchange.instruments[s]
        symbol, bid = instrument.symbol, int(simulation.exchange.states["bid"][s])
        if not bid or symbol in self.strangers or self._in_use(symbol) or not instrument.open_for_entries:
            return False
        self.strangers[symbol] = idx
        if idx:
            self._by_hand(ask.SwitchMode(symbol=symbol, hedge=True))
        if not self._trade_by_hand(symbol, Side.BUY, _smallest(instrument, instrument.price(bid)), idx):
            self._leave(symbol)
            return False
        later = simulation.now + self._faults.between(60.0, 400.0)
        simulation.loop.post(later, partial(self._leave, symbol))
        return True

    def leave(self) -> None:
        """Whoever holds something closes it."""
        for symbol in list(self.strangers):
            self._leave(symbol)

    def _leave(self, symbol: str) -> None:
        idx = self.strangers.get(symbol)
        if idx is None:
            return
        size = self._simulation.exchange.accounts[self._simulation.uid].position(symbol, idx).size
        if size:
            self._trade_by_hand(symbol, Side.closing(size), abs(size), idx)
        if idx:
            self._by_hand(ask.SwitchMode(symbol=symbol, hedge=False))
        del self.strangers[symbol]

    def _in_use(self, symbol: str) -> bool:
        """Is anything open there, or was anything a minute ago?"""
        simulation = self._simulation
        account = simulation.exchange.accounts[simulation.uid]
        since = simulation.now - MINUTE
        recent = any(each.symbol == symbol for each in account.executions if each.ts > since)
        ordered = any(order.symbol == symbol for order in account.open_orders.values())
        return recent or ordered or bool(account.position(symbol).size)

    def _trade_by_hand(self, symbol: str, side: Side, qty: Decimal, idx: int) -> bool:
        self._by_hands += 1
        order = ask.CreateOrder(
            symbol=symbol, side=side, order_type=OrderType.MARKET, qty=qty, time_in_force=TimeInForce.IOC,
            link_id=f"{BY_HAND}now-{self._by_hands}", position_idx=idx, reduce_only=side is Side.SELL,
        )  # fmt: skip
        return self._by_hand(order)

    def _deleveraged(self) -> bool:
        symbol = self._held()
        if not symbol:
            return False
        simulation = self._simulation
        simulation.catch_up(symbol)
        size = abs(simulation.exchange.accounts[simulation.uid].position(symbol).size)
        qty = size / 2 if self._faults.chance(0.5) else size
        return simulation.exchange.deleverage(simulation.now, simulation.uid, symbol, qty=qty) > 0

    def _held(self) -> str:
        """A symbol with a position at the venue; "" = none."""
        account = self._simulation.exchange.accounts[self._simulation.uid]
        held = [
            position.symbol for position in account.positions.values()
            if position.size and position.symbol not in self.strangers
        ]  # fmt: skip
        return held[self._faults.choose(len(held))] if held else ""

    def _by_hand(self, request: ask.CreateOrder | ask.SetTradingStop | ask.SwitchMode) -> bool:
        """Somebody else uses the account now; the answer goes to that person alone. Was it carried out?"""
        simulation = self._simulation
        simulation.catch_up(request.symbol)
        return not simulation.exchange.handle(simulation.now, simulation.uid, request).code


def _smallest(instrument: Instrument, price: Decimal) -> Decimal:
    """A quantity just beyond the least that may be ordered at a price."""
    steps = max(instrument.min_qty, instrument.min_notional / price) // instrument.step + 1
    return steps * instrument.step
