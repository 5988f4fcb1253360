"""Outages of the venue and of the connections to it: lost connections, refusals, maintenance, the end of a contract."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from functools import partial
from typing import Final

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import MINUTE
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.network import KEY_REFUSED
from turbo_trader.simulation.simulation import Simulation

LARGEST: Final = Decimal(300)  # USDT: positions of the situations are larger, and need several closes


class VenueOutages:
    """Each kind begins one outage; False: there was nothing to break.

    `end`: a ban or a maintenance that would last beyond does not begin, ns. `resume`: the owner has mended the key.
    """

    def __init__(
        self, simulation: Simulation, faults: Faults, *, end: int, resume: Callable[[], None]
    ) -> None:
        self._simulation, self._faults = simulation, faults
        self._end, self._resume = end, resume
        self._changed: set[str] = set()  # symbols whose terms are not the usual ones now
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
            Fault.TERMS_CHANGED: self._terms_changed,
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
        reach = simulation.network.reach
        reach.down_until = max(reach.down_until, until)
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

    def _terms_changed(self) -> bool:
        """Orders must be larger, or may not be as large, for some minutes, also where something is held or rests."""
        simulation = self._simulation
        s = self._faults.choose(simulation.cursors.count)
        old, bid = simulation.exchange.instruments[s], int(simulation.exchange.states["bid"][s])
        if old.closed or old.delivery_ns or not bid or old.symbol in self._changed:
            return False
        match self._faults.choose(3):
            case 0:
                new = replace(old, min_qty=old.min_qty * (2 + self._faults.choose(9)))
            case 1:
                new = replace(old, min_notional=old.min_notional * (2 + self._faults.choose(9)))
            case _:
                steps = LARGEST / old.price(bid) // old.step + 1
                new = replace(old, max_market_qty=max(old.min_qty, steps * old.step))
        self._changed.add(old.symbol)
        simulation.notices.relist(new, self._faults)
        later = simulation.now + self._faults.between(60.0, 600.0)
        simulation.loop.post(later, partial(self._as_before, s, old))
        return True

    def _as_before(self, s: int, old: Instrument) -> None:
        simulation = self._simulation
        now = simulation.exchange.instruments[s]
        self._changed.discard(old.symbol)
        if not now.closed:
            back = replace(
                now, min_qty=old.min_qty, min_notional=old.min_notional, max_market_qty=old.max_market_qty
            )
            simulation.notices.relist(back, self._faults)
