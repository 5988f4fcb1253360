"""What SIZE=earned costs where there is nothing to earn, and what it reaches where there is something.

    scripts/study stages [--runs 400] [--seed 1000] [--workers 2]

Weeks of trades with a known mean net return, sized by the very stages that live uses (rules.stages). Returns have an sd of 37 bp,
normal or t with 4 degrees of freedom, independent or in hours of six at correlation 0.4; three trades an hour, 17 minutes each,
half of them A, half B. Where the smallest order is within reach (12 of 15 symbols at 18 USDT) it costs 5.8 USDT on average; the
others are shadows, which end 2 bp better than fills would. Beside it SIZE=full with its session limit and a new session each day.
"""

from __future__ import annotations

import argparse
import heapq
import math
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from multiprocessing import get_context
from typing import Final

import numpy as np

from turbo_trader.console.progress import each
from turbo_trader.market.rows import DAY, MINUTE
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.stages import HOUR, TIERS, Stage, Stages, stage_rules

START: Final = 20_458 * DAY + 9 * HOUR
HOURS: Final = 168
LASTS: Final = 17 * MINUTE
SD: Final = 0.0037
SCOUT: Final = Decimal("5.8")  # USDT: mean of the smallest orders within reach of 18 USDT
WITHIN_REACH: Final = 12 / 15
RISK: Final = Decimal(
    "0.0131"
)  # of a scout, of notional: at its stop 0.45 %, cost 0.11 %, a jump of 0.75 % beyond it
CEILING: Final = {
    "A": Decimal(10),
    "B": Decimal(5),
}  # largest notional of section 7, in E (`feasible --balance 18`)
GAP: Final = 0.0002
SLOTS: Final = 3


@dataclass(frozen=True, slots=True)
class Case:
    """A true mean net return (fraction), from `switch_h` on another one; how returns are drawn."""

    name: str
    mean: float
    heavy: bool = False
    clustered: bool = False
    switch_h: float = math.inf
    after: float = 0.0

    def mean_at(self, hour: float) -> float:
        """The true mean at this hour."""
        return self.mean if hour < self.switch_h else self.after


@dataclass(slots=True)
class Run:
    """What came of one week. Hours; None: never."""

    end: float = 0.0
    full: float = 0.0
    promoted: float | None = None
    stopped: float | None = None  # no tier may send an order, for whatever reason
    disbelieved: float | None = None  # both tiers by their chance alone
    at_switch: float = 0.0


MEANS: Final = (-0.0013, 0.0, 0.0006, 0.0020)


def cases() -> list[Case]:
    """The cases of the study."""
    kinds = [(heavy, clustered) for heavy in (False, True) for clustered in (False, True)]
    steady = [Case(f"{mean * 1e4:+.0f}", mean, *kind) for mean in MEANS for kind in kinds]
    return steady + [Case("+20, from 72 h on -13", 0.0020, *kind, 72.0, -0.0013) for kind in kinds]


def trades(case: Case, rng: np.random.Generator) -> tuple[list[float], list[float]]:
    """Hours at which trades begin, and their returns before the mean."""

    def draws(count: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        drawn = rng.standard_t(4, count) / math.sqrt(2.0) if case.heavy else rng.standard_normal(count)
        return np.asarray(drawn, dtype=np.float64)

    count = 3 * HOURS
    if not case.clustered:
        return (np.arange(count) / 3.0).tolist(), (SD * draws(count)).tolist()
    groups = count // 6
    times = np.repeat(2.0 * np.arange(groups), 6) + np.tile(np.arange(6) / 6.5, groups)
    common = np.repeat(draws(groups), 6)
    return times.tolist(), (SD * (math.sqrt(0.4) * common + math.sqrt(0.6) * draws(count))).tolist()


@dataclass(slots=True)
class Week:
    """One account through one week."""

    case: Case
    stages: Stages
    equity: Decimal = Decimal(18)
    open: list[tuple[int, int, str, Stage, float, Decimal]] = field(
        default_factory=list
    )  # ends, began, tier, ...
    run: Run = field(default_factory=Run)

    def play(self, rng: np.random.Generator) -> Run:
        """Trade after trade, as they begin and end."""
        hours, noise = trades(self.case, rng)
        tiers, reach = rng.integers(0, 2, len(hours)).tolist(), rng.random(len(hours)).tolist()
        switched = False
        for hour, part, tier, near in zip(hours, noise, tiers, reach, strict=True):
            now = START + int(hour * HOUR)
            self._close(now)
            self.stages.look(now, self.equity)
            if not switched and hour >= self.case.switch_h:
                switched, self.run.at_switch = True, float(self.equity)
            self._begin(now, hour, TIERS[tier], self.case.mean_at(hour) + part, near < WITHIN_REACH)
        self._close(START + (HOURS + 24) * HOUR)
        self.run.end = float(self.equity)
        self.run.full = full(self.case, hours, noise, tiers)
        return self.run

    def _begin(self, now: int, hour: float, tier: str, value: float, near: bool) -> None:
        stage, stages = self.stages.stage(tier), self.stages
        risk = SCOUT * RISK * (1 + sum(1 for each in self.open if each[3] is Stage.SCOUT))
        may = near and stages.scouts_may(risk)
        self._note(hour, may or not near)
        size = Decimal(0)
        if stage is Stage.EARNED:
            size = min(stages.allowed(tier, now, self.equity, SLOTS), CEILING[tier] * self.equity)
        if size < SCOUT:
            size, stage = (
                (SCOUT, Stage.SCOUT) if stage is not Stage.SHADOW and may else (Decimal(0), Stage.SHADOW)
            )
        if stage is Stage.SCOUT:
            stages.scouts(self.equity)
        heapq.heappush(self.open, (now + LASTS, now, tier, stage, value, size))

    def _note(self, hour: float, may: bool) -> None:
        run, now = self.run, [self.stages.stage(tier) for tier in TIERS]
        if run.promoted is None and Stage.EARNED in now:
            run.promoted = hour
        if run.stopped is None and (
            all(each is Stage.SHADOW for each in now) or (not may and Stage.EARNED not in now)
        ):
            run.stopped = hour
        if run.disbelieved is None and all(mine.stage is Stage.SHADOW for mine in self.stages.tiers.values()):
            run.disbelieved = hour

    def _close(self, until: int) -> None:
        while self.open and self.open[0][0] <= until:
            ends, began, tier, stage, value, size = heapq.heappop(self.open)
            if stage is Stage.SHADOW:
                self.stages.on_shadow(tier, began, value + GAP)
                continue
            net = size * Decimal(repr(value))
            self.equity += net
            self.stages.on_real(tier, stage, began, ends, value, net)
            self.stages.on_pair(value + GAP, value)


def full(case: Case, hours: Sequence[float], noise: Sequence[float], tiers: Sequence[int]) -> float:
    """End equity under SIZE=full: every trade at its ceiling, none for the rest of a day that lost 20 %."""
    equity, day, begun = 18.0, -1, 18.0
    for hour, part, tier in zip(hours, noise, tiers, strict=True):
        today = int((hour + 9) // 24)
        if today != day:
            day, begun = today, equity
        if equity > 0.8 * begun and equity > 1.0:
            equity *= max(0.0, 1.0 + float(CEILING[TIERS[tier]]) * (case.mean_at(hour) + part))
    return equity


def week(case: Case, seed: int) -> Run:
    """One week of a case."""
    return Week(case, Stages(stage_rules(Policy()))).play(np.random.default_rng(seed))


@dataclass(frozen=True, slots=True)
class Summary:
    """Many weeks of a case."""

    case: Case
    runs: Sequence[Run]

    def share(self, what: str, within_h: float = math.inf) -> float:
        """Share of weeks in which it had happened by then."""
        at = [getattr(run, what) for run in self.runs]
        return sum(1 for each in at if each is not None and each <= within_h) / len(at)

    def end(self, quantile: float) -> float:
        """Quantile of the end equity, USDT."""
        return float(np.quantile([run.end for run in self.runs], quantile))

    @property
    def kept(self) -> float:
        """5 % quantile of end equity over that at the switch."""
        return float(np.quantile([run.end / run.at_switch for run in self.runs if run.at_switch], 0.05))

    @property
    def promotion_hours(self) -> float:
        """Median hours until a tier is promoted; infinite where less than half are."""
        return float(np.median([math.inf if run.promoted is None else run.promoted for run in self.runs]))


def summarise(case: Case, runs: int, seed: int) -> Summary:
    """Weeks of a case, one seed each."""
    return Summary(case, [week(case, seed + i) for i in range(runs)])


COLUMNS: Final = (
    "true net", "returns", "trades", "end 5 %", "median", "95 %", "full: median", "stopped in 24 h", "48 h", "96 h",
    "by chance alone in 48 h", "96 h", "promoted in 96 h", "in the week", "median after", "kept since the switch, 5 %",
)  # fmt: skip


def line(found: Summary) -> str:
    """One row of the table."""
    case = found.case
    hours = found.promotion_hours
    cells = [
        f"{case.name} bp", "t(4)" if case.heavy else "normal", "hours of six" if case.clustered else "independent",
        *(f"{found.end(q):.2f}" for q in (0.05, 0.5, 0.95)), f"{float(np.median([run.full for run in found.runs])):.2f}",
        *(f"{found.share('stopped', h):.0%}" for h in (24, 48, 96)), *(f"{found.share('disbelieved', h):.0%}" for h in (48, 96)),
        f"{found.share('promoted', 96):.0%}", f"{found.share('promoted'):.0%}", f"{hours:.0f} h" if math.isfinite(hours) else "-",
        f"{found.kept:.1%}" if math.isfinite(case.switch_h) else "-",
    ]  # fmt: skip
    return "| " + " | ".join(cells) + " |"


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(prog="scripts/study stages")
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    print("| " + " | ".join(COLUMNS) + " |")
    print("| " + " | ".join("---" for _ in COLUMNS) + " |")
    one = partial(summarise, runs=args.runs, seed=args.seed)
    with ProcessPoolExecutor(args.workers, mp_context=get_context("spawn")) as pool:
        for found in each("cases", pool.map(one, cases()), len(cases())):
            print(line(found), flush=True)


if __name__ == "__main__":
    main()
