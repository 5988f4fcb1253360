"""The venue's announcements, and when the process reads them."""

from __future__ import annotations

from turbo_trader.exchange.exchange_machine import Exchange
from turbo_trader.market.instruments import Instrument
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.loop import Loop
from turbo_trader.simulation.process import Process
from turbo_trader.trader.events import InstrumentUpdate, Maintenance


class Notices:
    """Maintenance and changed terms. `maintenance`: begin and end of the announced one, ns; None: none is."""

    def __init__(self, loop: Loop, process: Process, exchange: Exchange) -> None:
        self._loop, self._process, self._exchange = loop, process, exchange
        self.maintenance: tuple[int, int] | None = None

    def announce(self, maintenance: tuple[int, int] | None) -> None:
        """The process reads of a maintenance; None: of its end."""
        self.maintenance = maintenance
        begin, end = maintenance or (None, 0)
        self._process.deliver(Maintenance(self._loop.now, begin, end))

    def repeat(self) -> None:
        """A process that starts reads what is announced."""
        if self.maintenance is not None:
            self.announce(self.maintenance)

    def relist(self, new: Instrument, faults: Faults) -> None:
        """The venue changes a symbol's terms; the process reads them within minutes."""
        self._exchange.listing.relist(new)
        self._process.later(self._loop.now + faults.between(1.0, 120.0), self.read_terms)

    def read_terms(self) -> None:
        """The process reads the terms of all symbols."""
        for instrument in self._exchange.instruments:
            self._process.deliver(InstrumentUpdate(self._loop.now, instrument))
