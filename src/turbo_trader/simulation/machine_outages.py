"""Outages of the machine: its process, its disk, its clocks."""

from __future__ import annotations

from collections.abc import Callable

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.market.rows import MINUTE
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.simulation import Simulation


class MachineOutages:
    """Each kind begins one outage; False: there was nothing to break.

    `end`: an absence of minutes that would last beyond does not begin, ns.
    """

    def __init__(self, simulation: Simulation, faults: Faults, end: int) -> None:
        self._simulation, self._faults, self._end = simulation, faults, end
        self.kinds: dict[str, Callable[[], bool]] = {
            Fault.CRASH: self._crash,
            Fault.FREEZE: self._freeze,
            Fault.AWAY: self._away,
            Fault.GUARD_CRASH: self._guard_crash,
            Fault.DISK_FULL: self._disk_full,
            Fault.POWER_CUT: self._power_cut,
            Fault.CLOCK_JUMP: self._clock_jump,
        }

    def _crash(self) -> bool:
        was = self._simulation.process.alive
        self._simulation.die()
        return was

    def _freeze(self) -> bool:
        self._simulation.freeze(self._faults.between(0.2, 20.0))
        return True

    def _away(self) -> bool:
        """Dead, or stopped: then its connections end meanwhile."""
        simulation = self._simulation
        length = self._faults.between(20.0, 400.0)
        if simulation.trader is None or simulation.now + length + MINUTE > self._end:
            return False
        if self._faults.chance(0.5):
            simulation.die(away=length)
            return True
        back = self._faults.between(0.2, 8.0)
        simulation.private.cut(length, back)
        simulation.public.cut(range(simulation.cursors.count), length, back)
        simulation.freeze(length)
        return True

    def _guard_crash(self) -> bool:
        guard = self._simulation.guard
        if guard is None or not guard.alive or guard.doomed:
            return False
        if self._faults.chance(0.5):
            guard.die()
        else:
            guard.doomed = True
        return True

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

    def _clock_jump(self) -> bool:
        process = self._simulation.process
        if process.skew:
            return False
        process.skew = self._faults.between(0.3, 6.0) * (1 if self._faults.chance(0.5) else -1)
        back = self._simulation.now + self._faults.between(20.0, 300.0)
        self._simulation.loop.post(back, self.mend_clock)
        return True

    def mend_clock(self) -> None:
        """The machine's clocks are right again."""
        self._simulation.process.skew = 0
