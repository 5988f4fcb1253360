"""`sweep`: Optuna proposes parameters, workers evaluate them, every trial is kept on disk and in the ledger.

A folder holds the search: what it is (`search.json`), a line a trial (`trials.jsonl`), the trades of each (`records/`), and at the
end `result.json`. Started again, it resumes: the sampler is shown the trials that there are.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np

from turbo_trader.lab.score_trades import DAY_NS
from turbo_trader.lab.statistics import overfitting_probability
from turbo_trader.lab.tasks import Record, Task, check, evaluate
from turbo_trader.lab.workers import Lost, Workers
from turbo_trader.market.errors import InputError

_LEAST_TRADES: Final = 10  # fewer are no record to choose by

Say = Callable[[str], None]
Report = Callable[[int, str], None]  # trials finished now, and what is best so far


@dataclass(frozen=True, slots=True)
class Range:
    """What a parameter may be: whole numbers or numbers between two bounds, or one of some values."""

    low: float = 0.0
    high: float = 0.0
    whole: bool = False
    choices: tuple[Any, ...] = ()

    @classmethod
    def parse(cls, given: str) -> tuple[str, Range]:
        """`NAME=LOW..HIGH` or `NAME=A|B|C`. InputError where it is neither."""
        name, equals, text = given.partition("=")
        name = name.strip()
        if equals and name.isidentifier():
            if "|" in text:
                return name, cls(choices=tuple(_value(part) for part in text.split("|")))
            low, dots, high = text.partition("..")
            ends = _value(low), _value(high)
            if dots and all(isinstance(end, int | float) for end in ends) and ends[0] < ends[1]:
                return name, cls(float(ends[0]), float(ends[1]), all(isinstance(end, int) for end in ends))
        raise InputError(f"--search {given}: must be NAME=LOW..HIGH or NAME=A|B|C")

    def ends(self) -> tuple[Any, ...]:
        """All choices, or both bounds."""
        return self.choices or tuple(int(end) if self.whole else end for end in (self.low, self.high))

    def distribution(self) -> Any:
        """Optuna's."""
        from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

        if self.choices:
            return CategoricalDistribution(self.choices)
        return (
            IntDistribution(int(self.low), int(self.high))
            if self.whole
            else FloatDistribution(self.low, self.high)
        )


@dataclass(frozen=True, slots=True)
class Tried:
    """A finished trial."""

    number: int
    parameters: dict[str, Any]
    record: Record

    @property
    def value(self) -> float:
        """Standard errors of the mean net return above 0, by day; -100 with too few trades to have one."""
        return self.record.mean.t if len(self.record.net) >= _LEAST_TRADES else -100.0


def check_ranges(task: Task, ranges: Mapping[str, Range]) -> None:
    """InputError where a parameter cannot be what its range allows."""
    for name, each in ranges.items():
        for end in each.ends():
            check(replace(task, parameters={**task.parameters, name: end}))


Count = Callable[[Sequence[Tried]], None]  # writes trials to the ledger


class Search:
    """A search in its folder. InputError where the folder holds another one or cannot be written."""

    def __init__(self, folder: Path, task: Task, ranges: Mapping[str, Range], seed: int) -> None:
        self.folder, self.task, self.ranges, self.seed = folder, task, dict(ranges), seed
        about = json.dumps(
            {
                "target": task.target, "data": str(task.data), "symbols": task.symbols, "seed": seed,
                "fixed": dict(task.parameters), "round_trip": task.round_trip,
                "ranges": {name: str(each) for name, each in sorted(ranges.items())},
            },
            indent=1,
        )  # fmt: skip
        path = folder / "search.json"
        try:
            (folder / "records").mkdir(parents=True, exist_ok=True)
            if path.exists() and path.read_text() != about:
                raise InputError(f"{folder}: holds another search: choose another --folder")
            path.write_text(about)
        except OSError as error:
            raise InputError(f"{folder}: {error.strerror}") from None
        self.tried = self._kept()

    def _kept(self) -> list[Tried]:
        """Earlier trials, as far as they were written whole."""
        path, found = self.folder / "trials.jsonl", []
        for line in path.read_text().splitlines() if path.exists() else ():
            try:
                entry = json.loads(line)
                with np.load(self.folder / "records" / f"{entry['number']}.npz") as kept:
                    record = Record(kept["entered"], kept["left"], kept["net"], str(kept["answers"]))
            except (ValueError, OSError, KeyError):
                continue
            found.append(Tried(entry["number"], entry["parameters"], record))
        return found

    def run(self, workers: Workers, trials: int, *, say: Say, report: Report, count: Count) -> list[Tried]:
        """Until there are `trials`, earlier ones included. Each is counted before anything is reported of it; `say` names
        those that are given up."""
        count(self.tried)
        before = len(self.tried)
        sampler = _Sampler(self.ranges, self.seed, self.tried)
        following = self._following(sampler, trials - before)
        for task, found in workers.run(_numbered, following):
            number, given = task[0], task[2]
            if isinstance(found, Lost):
                say(f"trial {number} is given up: {found.why}")
                sampler.failed(number)
                continue
            tried = Tried(number, given, found)
            count([tried])
            self._keep(tried)
            sampler.reported(tried)
            best = max(each.value for each in self.tried)
            report(len(self.tried) - before, f"best t by day {best:+.2f}")
        return self.tried

    def _following(self, sampler: _Sampler, wanted: int) -> Iterator[tuple[int, Task, dict[str, Any]]]:
        taken = {each.number for each in self.tried}
        first = max(taken, default=-1) + 1
        for number in range(first, first + max(0, wanted)):
            parameters = sampler.ask(number)
            task = replace(self.task, parameters={**self.task.parameters, **parameters})
            yield number, task, parameters

    def _keep(self, tried: Tried) -> None:
        record = tried.record
        path = self.folder / "records" / f"{tried.number}.npz"
        np.savez(
            path, entered=record.entered, left=record.left, net=record.net, answers=np.array(record.answers)
        )
        with (self.folder / "trials.jsonl").open("a") as file:
            entry = {
                "number": tried.number,
                "parameters": tried.parameters,
                "value": tried.value,
                "trades": len(record.net),
            }
            file.write(json.dumps(entry) + "\n")
        self.tried.append(tried)

    def result(self) -> dict[str, Any]:
        """The best trial beside what choosing among so many costs; written to `result.json`."""
        best = max(self.tried, key=lambda each: each.value)
        mean = best.record.mean
        found = {
            "trials": len(self.tried),
            "best": {
                "number": best.number, "parameters": best.parameters, "t_by_day": round(best.value, 3), "trades": mean.trades,
                "net_bp": round(mean.mean * 1e4, 2),
            },
            "pbo": overfitting(self.tried),
            "sharpes": [each.record.sharpe for each in self.tried],
        }  # fmt: skip
        (self.folder / "result.json").write_text(json.dumps(found, indent=1))
        return found


def _numbered(task: tuple[int, Task, dict[str, Any]]) -> Record:
    return evaluate(task[1])


def overfitting(tried: Sequence[Tried], blocks: int = 10) -> float | None:
    """PBO of a search over its days; None where it is too small to say."""
    days = np.unique(
        np.concatenate([each.record.entered // DAY_NS for each in tried] or [np.zeros(0, np.int64)])
    )
    if len(tried) < 2 or len(days) < 2 * blocks:
        return None
    return overfitting_probability(np.column_stack([each.record.daily(days) for each in tried]), blocks)


class _Sampler:
    """Optuna's sampler without its storage: it is shown every finished trial and asked for the next."""

    def __init__(self, ranges: Mapping[str, Range], seed: int, tried: Sequence[Tried]) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._optuna = optuna
        self._ranges = {name: each.distribution() for name, each in ranges.items()}
        sampler = optuna.samplers.TPESampler(seed=seed + len(tried), constant_liar=True)
        self._study = optuna.create_study(direction="maximize", sampler=sampler)
        for each in tried:
            self._study.add_trial(
                optuna.trial.create_trial(
                    params=each.parameters, distributions=self._ranges, value=each.value
                )
            )
        self._finish = self._study.tell
        self._open: dict[int, Any] = {}

    def ask(self, number: int) -> dict[str, Any]:
        """Parameters for a trial."""
        self._open[number] = trial = self._study.ask(self._ranges)
        return dict(trial.params)

    def reported(self, tried: Tried) -> None:
        """It is finished."""
        self._finish(self._open.pop(tried.number), tried.value)

    def failed(self, number: int) -> None:
        """It is given up."""
        self._finish(self._open.pop(number), state=self._optuna.trial.TrialState.FAIL)


def _value(text: str) -> Any:
    try:
        return json.loads(text.strip())
    except ValueError:
        return text.strip()
