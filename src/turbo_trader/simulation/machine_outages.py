"""Outages of the machine: its process, its disk, its clocks."""

from __future__ import annotations

from collections.abc import Callable

from turbo_trader.exchange.protocol.fault_terms import Fault
from turbo_trader.simulation.faults import Faults
from turbo_trader.simulation.simulation import Simulation


class MachineOutages:
    """Each kind begins one outage; False: there was nothing to break."""

    def __init__(self, simulation: Simulation, faults: Faults) -> None:
        self._simulation, self._faults = simulation, faults
        self.kinds: dict[str, Callable[[], bool]] = {
            Fault.CRASH: self._crash,
            Fault.FREEZE: self._freeze,
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
