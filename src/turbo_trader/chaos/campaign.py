"""Many seeds, by several processes, with one command that plays a failing one again."""

from __future__ import annotations

import gc
import shlex
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final

from turbo_trader.chaos.play import Chaos
from turbo_trader.chaos.situations import MIXED, Situation, changed, situation_of
from turbo_trader.chaos.violations import Invariant
from turbo_trader.market.errors import InputError
from turbo_trader.market.reference import universe
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.faults import parse_faults

USUAL: Final = 0.5  # hours
TWICE: Final = 25  # each so many seeds one is played twice: the same seed must give the same trace


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. "", None and 0: as the situation has it. `rules`: the environment's numbers, over the situation's.

    `hours` 0: as usual, which a planted defect has of its own.
    """

    first: int = 1
    hours: float = 0.0
    situation: str = MIXED
    faults: str = ""
    balance: str = ""
    edge: float | None = None
    symbols: int = 0
    rules: Mapping[str, str] = field(default_factory=dict)
    defect: str = ""

    def of(self, seed: int) -> Situation:
        """What a seed is played in."""
        situation = situation_of(self.situation, seed)
        if self.rules:
            situation = replace(situation, least_entries=None)
        return changed(
            situation, faults=self.faults, balance=self.balance, edge=self.edge, symbols=self.symbols
        )

    def chaos(self, seed: int) -> Chaos:
        """How a seed is played. InputError for what cannot be."""
        situation, listed = self.of(seed), universe()
        if situation.symbols > len(listed):
            raise InputError(f"symbols {situation.symbols}: the universe has {len(listed)}")
        return Chaos(
            instruments=listed[: situation.symbols],
            policy=Policy.from_env({**situation.rules, **self.rules}),
            rates=parse_faults(situation.faults),
            hours=self.hours or USUAL,
            balance=Decimal(situation.balance),
            edge=situation.edge,
            least_entries=situation.least_entries,
        )

    def command(self, seed: int) -> str:
        """One command that plays a seed again, with every option in force."""
        situation = self.of(seed)
        rules = "".join(f"{name}={shlex.quote(value)} " for name, value in sorted(self.rules.items()))
        options: dict[str, object] = {
            "from": seed,
            "seeds": 1,
            "situation": situation.name,
            "hours": plain(self.hours or USUAL),
        }
        given = {
            "faults": self.faults,
            "balance": self.balance,
            "symbols": self.symbols,
            "defect": self.defect,
        }
        options |= {name: value for name, value in given.items() if value}
        if self.edge is not None:
            options["edge"] = plain(self.edge)
        return f"{rules}turbo-trader chaos " + " ".join(
            f"--{k} {shlex.quote(str(v))}" for k, v in options.items()
        )


def plain(number: float) -> str:
    """A number as it is read again, to the last digit."""
    return repr(number).removesuffix(".0")


def play_seed(options: Options, seed: int) -> dict[str, Any]:
    """One seed; some are played twice."""
    gc.collect()
    gc.freeze()  # kernels and modules are many objects, and stay: no collection during the seed looks at them
    result = options.chaos(seed).play(seed)
    if seed % TWICE == 0 and result["violation"] is None:
        again = options.chaos(seed).play(seed)
        if again["trace"] != result["trace"]:
            result["violation"] = {
                "invariant": str(Invariant.SAME_TRACE), "what": Invariant.SAME_TRACE.meaning, "seed": seed, "last": [],
                "at": 0, "simulated_s": result["simulated_s"],
            }  # fmt: skip
    if result["violation"] is not None:
        result["violation"]["command"] = options.command(seed)
    return result


def play_seeds(options: Options, seeds: int, jobs: int) -> Iterator[dict[str, Any]]:
    """The results of so many seeds, as they come."""
    numbers = range(options.first, options.first + seeds)
    if jobs <= 1:
        for seed in numbers:
            yield play_seed(options, seed)
        return
    with ProcessPoolExecutor(max_workers=jobs) as pool:
        running = [pool.submit(play_seed, options, seed) for seed in numbers]
        for done in as_completed(running):
            yield done.result()


def total(results: Sequence[Mapping[str, Any]], wall: float) -> dict[str, Any]:
    """Many seeds together; `wall`: seconds they took."""
    faults: Counter[str] = Counter()
    for result in results:
        faults.update(result["faults"])
    seconds = sum(result["cpu_seconds"] for result in results)
    simulated = sum(result["simulated_s"] for result in results)
    lives = sum(result["lives"] for result in results)
    return {
        "seeds": len(results), "simulated_seconds": simulated, "simulated_hours": simulated / 3600, "wall_seconds": wall,
        "cpu_seconds": seconds, "speed": simulated / seconds if seconds else 0.0, "faults": dict(sorted(faults.items())),
        "crashes": lives - len(results), "lives": lives,
        "violations": [result["violation"] for result in results if result["violation"] is not None],
        **{name: sum(result[name] for result in results) for name in ("entries", "trades")},
    }  # fmt: skip


def play(
    options: Options, seeds: int, jobs: int, progress: Callable[[dict[str, Any]], None]
) -> dict[str, Any]:
    """All seeds; `progress` is called for each as it ends. Violations in the order of their seeds."""
    began, results = time.monotonic(), []
    for result in play_seeds(options, seeds, jobs):
        results.append(result)
        progress(result)
    results.sort(key=lambda result: int(result["seed"]))
    return total(results, time.monotonic() - began)
