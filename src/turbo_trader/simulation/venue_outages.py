"""Outages of the venue and of the connections to it: lost connections, refusals, maintenance, the end of a contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.rows import MINUTE
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.network import KEY_REFUSED
from turbo_trader.simulation.simulation import Simulation


class VenueOutages:
    """Each kind begins one outage; False: there was nothing to break.

    `end`: a ban or a maintenance that would last beyond does not begin, ns. `resume`: the owner has mended the key.
    """

    def __init__(
        self, simulation: Simulation, faults: Faults, *, end: int, resume: Callable[[], None]
    ) -> None:
        self._simulation, self._faults = simulation, faults
        self._end, self._resume = end, resume
        self.kinds: dict[str, Callable[[], bool]] = {
            Fault.PRIVATE_CUT: self._private_cut,
            Fault.PUBLIC_CUT: self._public_cut,
            Fault.LAG: self._lag,
            Fault.VENUE_DOWN: self._venue_down,
            Fault.BANNED: self._banned,
            Fault.LIMITED_ADDRESS: self._limited_address,
            Fault.KEY_REFUSED: self._key_refused,
            Fault.MAINTENANCE: self._maintenance,
            Fault.DELISTING: self._delisting,
        }

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

    def _noticed(self) -> int:
        """A closed socket is noticed at once, a silent one after a while."""
        if self._faults.chance(0.3):
            return 0
        self._faults.count("half_open_stream")
        return self._faults.between(0.0, 20.0)

    def _refuse(self, answer: str, shortest: float, longest: float) -> int:
        """Everything is refused for a while; returns until when."""
        until = self._simulation.now + self._faults.between(shortest, longest)
        self._simulation.network.refuse(answer, until)
        return until

    def _banned(self) -> bool:
        """Its client says nothing for ten minutes then."""
        if self._simulation.now + 12 * MINUTE > self._end:
            return False
        self._refuse(Fault.HTTP_403, 5.0, 60.0)
        return True

    def _limited_address(self) -> bool:
        self._refuse("ret_10018", 1.0, 20.0)
        return True

    def _key_refused(self) -> bool:
        """The owner mends the key and lets it trade again."""
        until = self._refuse(KEY_REFUSED, 2.0, 60.0)
        self._simulation.loop.post(until + self._faults.between(1.0, 120.0), self._resume)
        return True

    def _maintenance(self) -> bool:
        """Announced, then everything ends for some minutes."""
        simulation = self._simulation
        if simulation.notices.maintenance is not None:
            return False
        begin = simulation.now + self._faults.between(20.0, 1_200.0)
        end = begin + self._faults.between(30.0, 180.0)
        if end + MINUTE > self._end:
            return False
        simulation.notices.announce((begin, end))
        simulation.loop.post(begin, partial(self._maintained, end))
        simulation.loop.post(end, partial(simulation.notices.announce, None))
        return True

    def _maintained(self, end: int) -> None:
        simulation = self._simulation
        simulation.network.refuse(Fault.HTTP_502, end)
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
        simulation.notices.relist(replace(old, delivery_ns=ends), self._faults)
        return True
