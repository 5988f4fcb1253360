"""Spells: what befalls the process, its connections, the venue and the account at times drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Final

from turbo_trader.exchange import requests as ask
from turbo_trader.simulation.faults import SPELLS
from turbo_trader.simulation.mortal import Mortal

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")


class Weather:
    """Draws spells for one Mortal simulation until it is told to end."""

    def __init__(self, simulation: Mortal, target: Decimal) -> None:
        """`target`: transfers bring the balance back to about this many USDT."""
        self._simulation = simulation
        self._faults = simulation.faults
        self._target = target
        self._over = False
        self._makes: dict[str, Callable[[], bool]] = {
            "crash": self._crash, "freeze": self._freeze, "private_cut": self._private_cut, "public_cut": self._public_cut,
            "lag": self._lag, "venue_down": self._venue_down, "stop_removed": self._stop_removed,
            "closed_outside": self._closed_outside, "transfer": self._transfer, "person": self._person,
        }  # fmt: skip
        for name in SPELLS:
            self._wait(name)

    def end(self) -> None:
        """No more spells, and no more faults."""
        self._over = True
        self._faults.calm()

    def _wait(self, name: str) -> None:
        time = self._faults.until_next(name)
        if time is not None:
            self._simulation.at(self._simulation.now + time, partial(self._come, name))

    def _come(self, name: str) -> None:
        if self._over:
            return
        if self._makes[name]():
            self._faults.spell(name)
        self._wait(name)

    # -- the process and its connections

    def _crash(self) -> bool:
        was = self._simulation.alive
        self._simulation.die()
        return was

    def _freeze(self) -> bool:
        self._simulation.freeze(self._faults.between(0.2, 20.0))
        return True

    def _private_cut(self) -> bool:
        self._simulation.cut_private(self._noticed(), self._faults.between(0.2, 8.0))
        return True

    def _public_cut(self) -> bool:
        simulation = self._simulation
        count = len(simulation.trader.symbols)
        one = self._faults.choose(count)
        symbols = range(count) if self._faults.chance(0.5) else range(one, one + 1)
        simulation.cut_public(symbols, self._noticed(), self._faults.between(0.2, 8.0))
        return True

    def _noticed(self) -> int:
        """A closed socket is noticed at once, a silent one after a while."""
        return 0 if self._faults.chance(0.3) else self._faults.between(0.0, 20.0)

    def _lag(self) -> bool:
        s = self._faults.choose(len(self._simulation.trader.symbols))
        self._simulation.lag(s, self._faults.between(0.2, 8.0), self._faults.between(5.0, 120.0))
        return True

    def _venue_down(self) -> bool:
        simulation = self._simulation
        length = self._faults.between(1.0, 60.0)
        simulation.take_venue_down(length)
        simulation.cut_private(self._noticed(), self._faults.between(0.2, 8.0))
        simulation.cut_public(
            range(len(simulation.trader.symbols)), self._noticed(), self._faults.between(0.2, 8.0)
        )
        return True

    # -- other people's hands

    def _held(self) -> str:
        """A symbol with a position at the venue; "" = none."""
        account = self._simulation.exchange.accounts[self._simulation.uid]
        held = [position.symbol for position in account.positions.values() if position.size]
        return held[self._faults.choose(len(held))] if held else ""

    def _stop_removed(self) -> bool:
        symbol = self._held()
        if symbol:
            self._simulation.from_outside(ask.SetTradingStop(symbol, stop_loss=ZERO))
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
        side = -1 if size > 0 else 1
        order = ask.CreateOrder(symbol, side, "Market", qty, time_in_force="IOC", reduce_only=True)
        self._simulation.from_outside(order)
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
        simulation.transfer(amount)
        return True

    # -- the owner at the console

    def _person(self) -> bool:
        """Flatten or halt, and some minutes later trade on, in a new session."""
        simulation = self._simulation
        simulation.ask("flatten" if self._faults.chance(0.5) else "halt")
        later = simulation.now + self._faults.between(30.0, 600.0)
        for verb in ("resume", "session_new"):
            simulation.at(later, partial(self._ask, verb))
        return True

    def _ask(self, verb: str) -> None:
        if not self._over:
            self._simulation.ask(verb)
