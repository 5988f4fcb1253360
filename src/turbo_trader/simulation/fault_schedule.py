"""When outages begin: each kind at times drawn from the seed."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import partial

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.rows import NEVER
from turbo_trader.simulation.account_outages import AccountOutages
from turbo_trader.simulation.faults import OUTAGES
from turbo_trader.simulation.machine_outages import MachineOutages
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.venue_outages import VenueOutages
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control


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
        assert simulation.faults is not None
        faults = simulation.faults
        self._simulation, self._faults = simulation, faults
        self._over = False
        self._machine = MachineOutages(simulation, faults, end)
        venue = VenueOutages(simulation, faults, end=end, resume=partial(self._ask, ControlVerb.RESUME))
        self._account = account = AccountOutages(simulation, faults, target=target, on_transfer=on_transfer)
        self.foreign, self.strangers = account.foreign, account.strangers
        self._kinds = {**self._machine.kinds, **venue.kinds, **account.kinds, Fault.PERSON: self._person}
        for name in OUTAGES:
            self._wait(name)

    def end(self) -> None:
        """No more outages, and no more faults."""
        self._over = True
        self._faults.calm()
        self._machine.mend_clock()
        self._account.leave()

    def _wait(self, name: str) -> None:
        time = self._faults.until_next(name)
        if time is not None:
            self._simulation.loop.post(self._simulation.now + time, partial(self._come, name))

    def _come(self, name: str) -> None:
        if self._over:
            return
        if self._kinds[name]():
            self._faults.count(name)
        self._wait(name)

    def _person(self) -> bool:
        """Flatten or halt, and some minutes later trade on, in a new session."""
        simulation = self._simulation
        self._ask(ControlVerb.FLATTEN if self._faults.chance(0.5) else ControlVerb.HALT)
        later = simulation.now + self._faults.between(30.0, 600.0)
        for verb in (ControlVerb.RESUME, ControlVerb.SESSION_NEW):
            simulation.loop.post(later, partial(self._ask, verb))
        return True

    def _ask(self, verb: ControlVerb) -> None:
        if not self._over:
            self._simulation.deliver(Control(self._simulation.now, verb, "owner"))
