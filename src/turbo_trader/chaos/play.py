"""One seed: the whole Trader on a made-up market with a faulty network, restarts and other people's hands, and the oracle."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.contract import hold_to_the_rules
from turbo_trader.chaos.market_faults import MarketFaults
from turbo_trader.chaos.oracle import Oracle
from turbo_trader.chaos.situations import SITUATIONS
from turbo_trader.chaos.violations import Violated
from turbo_trader.exchange.exchange_machine import Exchange, ExchangeConfig
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.rows import MINUTE, SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.fault_schedule import FaultSchedule
from turbo_trader.simulation.faults import DEADLY, FaultRates, Faults
from turbo_trader.simulation.minutes import Minutes
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.control_verbs import ControlVerb
from turbo_trader.trader.events import Control
from turbo_trader.trader.guard_interventions import guard_rules
from turbo_trader.trader.machine import Trader

UID: Final = "chaos"
START: Final = 1_767_571_200 * SECOND  # 2026-01-05 00:00 UTC
HOUR: Final = 60 * MINUTE
BLOCK: Final = 2 * MINUTE  # of market made at once
HISTORY: Final = 720  # minutes before the start that have bars: what the rules look back on in a short run
CALM: Final = 90 * SECOND  # without faults before the end: two snapshots are read
LAST: Final = 90 * SECOND  # given to a flatten without faults, and to the last snapshot
PAGE: Final = 3  # rows of a list that the venue gives at once: what comes with a second page is needed soon
EXCEPTION: Final = "exception"


def begins(seed: int) -> int:
    """When a seed begins, ns UTC: in every other round of all situations some minutes before midnight, which has a funding."""
    turn = seed // len(SITUATIONS)
    if turn % 2:
        return START + 5 * turn % 24 * HOUR - 10 * MINUTE
    return START - (5 if turn % 4 else 12) * MINUTE


@dataclass(kw_only=True, frozen=True)
class Chaos:
    """What to play: instruments, rules, rates of faults, hours, starting balance (USDT). `edge`: of the made-up market.

    `least_entries`: in each hour, where the market is healthy (I13); None: any number will do.
    """

    instruments: Sequence[Instrument]
    policy: Policy
    rates: FaultRates
    hours: float = 1.0
    balance: Decimal = Decimal(60)
    edge: float = 2.0
    least_entries: float | None = None
    progress: Callable[[Simulation], None] | None = None  # called after each block of the market

    def play(self, seed: int) -> dict[str, Any]:
        """Play one seed to the end or to the first violation; plain values, `violation` None where everything held."""
        began = time.process_time()
        run = Run(self, seed)
        violation = run.play()
        seconds = time.process_time() - began  # of a core: others may use it too
        simulation, played = run.simulation, (run.simulation.now - run.begin) / SECOND
        return {
            "seed": seed, "simulated_s": played, "cpu_seconds": seconds, "speed": played / seconds,
            "lives": simulation.process.lives, **run.oracle.figures(), "trace": run.oracle.trace,
            "faults": dict(sorted({**run.faults.counts, **run.oracle.counted(run.begin)}.items())),
            "notes": dict(sorted(run.oracle.counts.items())),
            "violation": violation,
        }  # fmt: skip


@dataclass
class Run:
    """One seed on its way."""

    plan: Chaos
    seed: int
    begin: int = field(init=False)
    oracle: Oracle = field(init=False)
    faults: Faults = field(init=False)
    simulation: Simulation = field(init=False)
    market: SyntheticMarket = field(init=False)

    def __post_init__(self) -> None:
        plan, seed = self.plan, self.seed
        instruments = tuple(plan.instruments)
        self.begin = begin = begins(seed)
        self.market = SyntheticMarket(instruments, seed, begin, plan.edge, HISTORY)
        self._minutes = Minutes(instruments, tuple(self.market.history(i.symbol) for i in instruments))
        exchange = Exchange(instruments, ExchangeConfig())
        exchange.add_account(UID, plan.balance)
        self.faults = Faults(plan.rates, seed)
        self.oracle = Oracle(plan.policy, quiet=self.faults.harmless, least_entries=plan.least_entries)
        viewer = Trader(instruments, plan.policy, boot="none", start_ts=begin)
        rows = [self.market.read(s, begin) for s in range(len(instruments))]
        self.simulation = Simulation(
            viewer, exchange, rows, uid=UID, latency=Latency(), sink=self.oracle, start=begin, faults=self.faults,
            onlooker=self.oracle, page=PAGE,
        )  # fmt: skip
        if any(getattr(plan.rates, fault) for fault in DEADLY):
            self.simulation.put_guard(guard_rules(plan.policy))
        self.oracle.world.disturbed = lambda: self.faults.disturbed
        self.oracle.watch(self.simulation, self._minutes)
        end = begin + int(plan.hours * 3600) * SECOND
        self._schedule = FaultSchedule(self.simulation, plan.balance, self._transferred, end)
        self._market_faults = MarketFaults(self.market, self.simulation, self.faults, BLOCK)
        self.oracle.world.foreign, self.oracle.world.strangers = (
            self._schedule.foreign,
            self._schedule.strangers,
        )

    def _transferred(self, amount: Decimal) -> None:
        self.oracle.world.transferred += amount

    def play(self) -> dict[str, Any] | None:
        """To the end; the violation, where there is one."""
        simulation = self.simulation
        try:
            hold_to_the_rules()
            self._whole()
            self.oracle.finish()
        except Violated as broken:
            violation = {"invariant": str(broken.invariant), "what": broken.what, **broken.fields}
        except Exception as error:  # whatever it is, it is reported with the seed that leads to it
            text = f"{type(error).__name__}: {error}"
            violation = {"invariant": EXCEPTION, "what": text, "trace": traceback.format_exc()}
        else:
            return None
        at = (simulation.now - self.begin) / SECOND
        return {
            **violation,
            "seed": self.seed,
            "at": simulation.now,
            "simulated_s": at,
            "last": self.oracle.reported(),
        }

    def _whole(self) -> None:
        simulation = self.simulation
        end = simulation.now + int(self.plan.hours * 3600) * SECOND
        simulation.start_slowly(self._start, self._minutes)
        self._until(end)
        self._schedule.end()
        self.oracle.calm()
        self._until(end + CALM)
        simulation.deliver(Control(simulation.now, ControlVerb.FLATTEN, "end of the run"))
        self._until(end + CALM + LAST)

    def _start(self, boot: str, now: int, restored: dict[str, Any] | None) -> Trader:
        instruments = self.simulation.exchange.instruments
        return Trader(instruments, self.plan.policy, boot=boot, start_ts=now, restored=restored)

    def _until(self, end: int) -> None:
        simulation = self.simulation
        while simulation.now < end:
            until = min(end, (simulation.now // BLOCK + 1) * BLOCK)
            self._market_faults.before_block()
            for s in range(len(self.plan.instruments)):
                rows = self._market_faults.changed(s, self.market.read(s, until + MINUTE))
                self._minutes.add(s, rows)
                simulation.cursors.extend(s, rows)
            simulation.run(until)
            self.oracle.step()
            if self.plan.progress is not None:
                self.plan.progress(simulation)
