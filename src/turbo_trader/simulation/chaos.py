"""A chaos run: the whole Trader on a made-up market with a bad network, deaths and other people's hands."""

from __future__ import annotations

import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any, Final

from turbo_trader.exchange.machine import Exchange, ExchangeConfig
from turbo_trader.market.events import MINUTE, SECOND
from turbo_trader.market.instruments import Instrument
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.fault_schedule import FaultSchedule
from turbo_trader.simulation.faults import FaultRates, Faults
from turbo_trader.simulation.invariants import Invariants, Violated
from turbo_trader.simulation.minutes import Minutes
from turbo_trader.simulation.network import Latency
from turbo_trader.simulation.simulation import Simulation
from turbo_trader.simulation.synthetic import SyntheticMarket
from turbo_trader.trader.events import Control
from turbo_trader.trader.machine import Trader

UID: Final = "chaos"
START: Final = 1_767_571_200 * SECOND  # 2026-01-05 00:00 UTC
BLOCK: Final = 10 * MINUTE  # of market made at once
CALM: Final = 3 * MINUTE  # without faults before the end: whole pictures are read
LAST: Final = 5 * MINUTE  # given to a flatten without faults

#: Rules that trade often on the made-up market: what is tested is what becomes of orders, not whether they were wise.
OFTEN: Final = {
    "OFI_THRESHOLD": "0", "OU_THRESHOLD": "0", "OU_SAMPLES": "480", "KALMAN_WARMUP": "60", "BELIEF": "weighed",
    "MICRO_TURBO_SIGNAL_INTERVAL": "5", "TURBO_BELOW": "900", "TURBO_MIN_SNR": "0", "TURBO_MIN_CONFIDENCE": "0",
    "TURBO_MIN_EV": "0", "TURBO_FEE_MULTIPLIER": "0", "TURBO_HORIZON": "300", "TURBO_MAX_HOLD": "300", "FLAT_EDGE": "0",
    "COOLDOWN_HORIZONS": "0", "SESSION_LOSS": "0.5", "DRAWDOWN_PAUSE": "0.3", "WATCHDOG_PROBABILITY": "0",
}  # fmt: skip


@dataclass(frozen=True)
class Chaos:
    """What to play: instruments, rules, rates of faults, hours, starting balance (USDT). `edge`: of the made-up market."""

    instruments: Sequence[Instrument]
    policy: Policy
    rates: FaultRates
    hours: float = 1.0
    balance: Decimal = Decimal(60)
    edge: float = 2.0
    progress: Callable[[Simulation], None] | None = None  # called after each ten simulated minutes

    def play(self, seed: int) -> dict[str, Any]:
        """Play one seed to the end or to the first violation; plain values, `violation` None where everything held."""
        began = time.process_time()
        instruments = tuple(self.instruments)
        begin = (
            START + seed % 24 * 60 * MINUTE - 10 * MINUTE
        )  # among many seeds every midnight and funding is met
        market = SyntheticMarket(instruments, seed, begin, self.edge)
        minutes = Minutes(instruments, tuple(market.history(i.symbol) for i in instruments))
        exchange = Exchange(instruments, ExchangeConfig())
        exchange.add_account(UID, self.balance)
        invariants, faults = Invariants(self.policy), Faults(self.rates, seed)
        viewer = Trader(instruments, self.policy, boot="none", start_ts=begin)
        simulation = Simulation(
            viewer, exchange, [market.read(s, begin) for s in range(len(instruments))], uid=UID, latency=Latency(),
            sink=invariants, start=begin, faults=faults, onlooker=invariants,
        )  # fmt: skip
        invariants.simulation = simulation
        invariants.schedule = schedule = FaultSchedule(simulation, self.balance)
        violation = None
        try:
            self._run(simulation, schedule, market, minutes)
            invariants.finish()
        except Violated as broken:
            violation = {"name": broken.name, **broken.fields}
        except Exception as error:  # whatever it is, it is told with the seed that leads to it
            violation = {
                "name": "exception",
                "error": f"{type(error).__name__}: {error}",
                "trace": traceback.format_exc(),
            }
        if violation is not None:
            violation |= {"seed": seed, "at": simulation.now, "simulated_s": (simulation.now - begin) / SECOND,
                          "last": [f"{ts} {what}" for ts, what in invariants.last]}  # fmt: skip
        seconds = time.process_time() - began  # of a core: others may use it too
        played = (simulation.now - begin) / SECOND
        return {
            "seed": seed, "simulated_s": played, "cpu_seconds": seconds, "speed": played / seconds,
            "lives": simulation.process.lives, "entries": invariants.counts["entry"], "trades": invariants.counts["trade"],
            "faults": dict(sorted(faults.counts.items())), "notes": dict(sorted(invariants.counts.items())),
            "violation": violation,
        }  # fmt: skip

    def _start(
        self, instruments: tuple[Instrument, ...], boot: str, now: int, restored: dict[str, Any] | None
    ) -> Trader:
        return Trader(instruments, self.policy, boot=boot, start_ts=now, restored=restored)

    def _run(
        self, simulation: Simulation, schedule: FaultSchedule, market: SyntheticMarket, minutes: Minutes
    ) -> None:
        end = simulation.now + int(self.hours * 3600) * SECOND
        simulation.start_slowly(partial(self._start, tuple(self.instruments)), minutes)
        self._play_until(simulation, market, minutes, end)
        schedule.end()
        self._play_until(simulation, market, minutes, end + CALM)
        simulation.deliver(Control(simulation.now, "flatten", "end of the run"))
        self._play_until(simulation, market, minutes, end + CALM + LAST)

    def _play_until(
        self, simulation: Simulation, market: SyntheticMarket, minutes: Minutes, end: int
    ) -> None:
        while simulation.now < end:
            until = min(end, (simulation.now // BLOCK + 1) * BLOCK)
            for s in range(len(self.instruments)):
                rows = market.read(s, until + MINUTE)
                minutes.add(s, rows)
                simulation.cursors.extend(s, rows)
            simulation.run(until)
            if self.progress is not None:
                self.progress(simulation)


def total(results: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Many seeds together."""
    faults: Counter[str] = Counter()
    for result in results:
        faults.update(result["faults"])
    seconds = sum(result["cpu_seconds"] for result in results)
    simulated = sum(result["simulated_s"] for result in results)
    return {
        "seeds": len(results), "simulated_hours": simulated / 3600, "cpu_seconds": seconds,
        "speed": simulated / seconds if seconds else 0.0, "faults": dict(sorted(faults.items())),
        "violations": [result["violation"] for result in results if result["violation"] is not None],
        **{name: sum(result[name] for result in results) for name in ("lives", "entries", "trades")},
    }  # fmt: skip
