"""When outages begin: what happens to the process, its connections, the venue and the account at times drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final

from turbo_trader.exchange import requests as ask
from turbo_trader.market.rows import MINUTE, NEVER
from turbo_trader.simulation.faults import OUTAGES
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.trader.events import Control

ZERO: Final = Decimal(0)
CENT: Final = Decimal("0.01")


class FaultSchedule:
    """Draws outages for one simulation until `end`."""

    def __init__(
        self,
        simulation: Simulation,
        target: Decimal,
        on_transfer: Callable[[Decimal], None] = lambda _: None,
        end: int = NEVER,
    ) -> None:
        """`target`: transfers bring the balance back to about this many USDT; `on_transfer` gets each amount.

        `end`: a ban that would last beyond does not begin, ns.
        """
        self._end = end
        self._simulation = simulation
        assert simulation.faults is not None
        self._faults = simulation.faults
        self._target = target
        self._on_transfer = on_transfer
        self._over = False
        self.transferred = ZERO  # deposits less withdrawals, USDT
        self.foreign: dict[str, str] = {}  # link ids of others' orders that must stay -> symbol
        self._makes: dict[str, Callable[[], bool]] = {
            "crash": self._crash, "freeze": self._freeze, "private_cut": self._private_cut, "public_cut": self._public_cut,
            "lag": self._lag, "venue_down": self._venue_down, "stop_removed": self._stop_removed,
            "closed_outside": self._closed_outside, "transfer": self._transfer, "person": self._person,
            "foreign_order": self._foreign_order, "disk_full": self._disk_full, "power_cut": self._power_cut,
            "banned": self._banned, "limited_address": self._limited_address, "key_refused": self._key_refused,
            "maintenance": self._maintenance, "delisting": self._delisting, "deleveraged": self._deleveraged,
            "clock_jump": self._clock_jump,
        }  # fmt: skip
        for name in OUTAGES:
            self._wait(name)

    def end(self) -> None:
        """No more outages, and no more faults."""
        self._over = True
        self._faults.calm()
        self._clock_mended()

    def _wait(self, name: str) -> None:
        time = self._faults.until_next(name)
        if time is not None:
            self._simulation.loop.post(self._simulation.now + time, partial(self._come, name))

    def _come(self, name: str) -> None:
        if self._over:
            return
        if self._makes[name]():
            self._faults.count(name)
        self._wait(name)

    # -- the process and its connections

    def _crash(self) -> bool:
        was = self._simulation.process.alive
        self._simulation.die()
        return was

    def _freeze(self) -> bool:
        self._simulation.freeze(self._faults.between(0.2, 20.0))
        return True

    def _private_cut(self) -> bool:
        self._simulation.private.cut(self._noticed(), self._faults.between(0.2, 8.0))
        return True

    def _public_cut(self) -> bool:
        simulation = self._simulation
        count = simulation.cursors.count
        one = self._faults.choose(count)
        symbols = range(count) if self._faults.chance(0.5) else range(one, one + 1)
        simulation.public.cut(symbols, self._noticed(), self._faults.between(0.2, 8.0))
        return True

    def _noticed(self) -> int:
        """A closed socket is noticed at once, a silent one after a while."""
        return 0 if self._faults.chance(0.3) else self._faults.between(0.0, 20.0)

    def _lag(self) -> bool:
        cursors = self._simulation.cursors
        s, by = self._faults.choose(cursors.count), self._faults.between(0.2, 8.0)
        cursors.delay(s, by)
        self._simulation.loop.post(
            self._simulation.now + self._faults.between(5.0, 120.0), partial(cursors.delay, s, -by)
        )
        return True

    def _venue_down(self) -> bool:
        simulation = self._simulation
        until = simulation.now + self._faults.between(1.0, 60.0)
        simulation.network.down_until = max(simulation.network.down_until, until)
        simulation.private.cut(self._noticed(), self._faults.between(0.2, 8.0))
        simulation.public.cut(
            range(simulation.cursors.count), self._noticed(), self._faults.between(0.2, 8.0)
        )
        return True

    # -- other people's hands

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
        side = -1 if size > 0 else 1
        order = ask.CreateOrder(
            symbol=symbol, side=side, order_type="Market", qty=qty, time_in_force="IOC", reduce_only=True
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
        self.transferred += amount
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
            side=1,
            order_type="Limit",
            qty=steps * instrument.step,
            price=price,
            link_id=link_id,
        )
        if simulation.exchange.handle(simulation.now, simulation.uid, order).code:
            return False
        self.foreign[link_id] = instrument.symbol
        return True

    # -- the disk

    def _disk_full(self) -> bool:
        journal = self._simulation.process.journal
        journal.failed = "no space left on the disk"
        later = self._simulation.now + self._faults.between(2.0, 60.0)
        self._simulation.loop.post(later, lambda: journal.mend(self._simulation.now))
        return True

    def _power_cut(self) -> bool:
        was = self._simulation.process.alive
        self._simulation.die(power=True)
        return was

    # -- the venue says no

    def _refuse(self, answer: str, shortest: float, longest: float) -> int:
        """Everything is refused for a while; returns until when."""
        until = self._simulation.now + self._faults.between(shortest, longest)
        self._simulation.network.refuse(answer, until)
        return until

    def _banned(self) -> bool:
        """Its client says nothing for ten minutes then."""
        if self._simulation.now + 12 * MINUTE > self._end:
            return False
        self._refuse("http_403", 5.0, 60.0)
        return True

    def _limited_address(self) -> bool:
        self._refuse("ret_10018", 1.0, 20.0)
        return True

    def _key_refused(self) -> bool:
        """The owner mends the key and lets it trade again."""
        until = self._refuse("ret_10003", 2.0, 60.0)
        self._simulation.loop.post(until + self._faults.between(1.0, 120.0), partial(self._ask, "resume"))
        return True

    def _maintenance(self) -> bool:
        """Announced, then everything ends for some minutes."""
        simulation = self._simulation
        if simulation.notice is not None:
            return False
        begin = simulation.now + self._faults.between(20.0, 1_200.0)
        end = begin + self._faults.between(30.0, 180.0)
        if end + MINUTE > self._end:
            return False
        simulation.announce((begin, end))
        simulation.loop.post(begin, partial(self._maintained, end))
        simulation.loop.post(end, partial(simulation.announce, None))
        return True

    def _maintained(self, end: int) -> None:
        simulation = self._simulation
        simulation.network.refuse("http_502", end)
        left = end - simulation.now
        simulation.private.cut(0, left)
        simulation.public.cut(range(simulation.cursors.count), 0, left)

    def _delisting(self) -> bool:
        """A contract's end is announced; then it comes."""
        simulation = self._simulation
        old = simulation.exchange.instruments[self._faults.choose(simulation.cursors.count)]
        if old.closed or old.delivery_ns:
            return False
        ends = simulation.now + self._faults.between(30.0, 1_800.0)
        simulation.relist(replace(old, delivery_ns=ends))
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

    # -- the machine's clocks

    def _clock_jump(self) -> bool:
        process = self._simulation.process
        if process.skew:
            return False
        process.skew = self._faults.between(0.3, 6.0) * (1 if self._faults.chance(0.5) else -1)
        back = self._simulation.now + self._faults.between(20.0, 300.0)
        self._simulation.loop.post(back, self._clock_mended)
        return True

    def _clock_mended(self) -> None:
        self._simulation.process.skew = 0

    # -- the owner at the console

    def _person(self) -> bool:
        """Flatten or halt, and some minutes later trade on, in a new session."""
        simulation = self._simulation
        self._ask("flatten" if self._faults.chance(0.5) else "halt")
        later = simulation.now + self._faults.between(30.0, 600.0)
        for verb in ("resume", "session_new"):
            simulation.loop.post(later, partial(self._ask, verb))
        return True

    def _ask(self, verb: str) -> None:
        if not self._over:
            self._simulation.deliver(Control(self._simulation.now, verb, "owner"))
