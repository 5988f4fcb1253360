"""What others do to the account: the owner by hand, somebody with another program, the venue by its rules."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Final

from turbo_trader.exchange import requests as ask
from turbo_trader.market.order_terms import OrderType, Side, TimeInForce
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.simulation import Simulation

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")


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
        self.kinds: dict[str, Callable[[], bool]] = {
            "stop_removed": self._stop_removed, "closed_outside": self._closed_outside, "transfer": self._transfer,
            "foreign_order": self._foreign_order, "deleveraged": self._deleveraged,
        }  # fmt: skip

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
        steps = max(instrument.min_qty, instrument.min_notional / price) // instrument.step + 1
        link_id = f"by-hand-{len(self.foreign) + 1}"
        order = ask.CreateOrder(
            symbol=instrument.symbol,
            side=Side.BUY,
            order_type=OrderType.LIMIT,
            qty=steps * instrument.step,
            price=price,
            link_id=link_id,
        )
        if simulation.exchange.handle(simulation.now, simulation.uid, order).code:
            return False
        self.foreign[link_id] = instrument.symbol
        return True

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
        held = [position.symbol for position in account.positions.values() if position.size]
        return held[self._faults.choose(len(held))] if held else ""

    def _by_hand(self, request: ask.CreateOrder | ask.SetTradingStop) -> None:
        """Somebody else uses the account now; the answer goes to that person alone."""
        simulation = self._simulation
        simulation.catch_up(request.symbol)
        simulation.exchange.handle(simulation.now, simulation.uid, request)
