"""What a search costs beyond its trials: `scripts/study searching [--trials 60] [--minutes 5]`.

A sweep over 30 days of 15 made-up symbols, each trial in this process first, then on two workers of a Dask cluster here. CPU time
of all processes is counted, since other work on the machine does not change it; wall time stands beside it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from turbo_trader.console.progress import Progress
from turbo_trader.lab.data import HEADER
from turbo_trader.lab.made_up_panels import MadeUpPanel
from turbo_trader.lab.panel import Panel
from turbo_trader.lab.sweep import Range, Search, Tried
from turbo_trader.lab.tasks import Task, data_print, evaluate, ledger_trial
from turbo_trader.lab.trials_ledger import Ledger
from turbo_trader.lab.workers import workers

_WORKERS = 2
_RANGES = {"times": Range(2.0, 5.0)}
_SIGNAL = "from turbo_trader.lab.made_up_panels import Echo as Signal\n"


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds: on the clock, of this process' CPU, of its children's."""

    wall: float
    own: float
    children: float

    @property
    def cpu(self) -> float:
        """Of all processes."""
        return self.own + self.children


def spent(work: Callable[[], object]) -> Spent:
    """What `work` takes; its child processes must have ended with it."""
    began, own, children = time.monotonic(), _cpu(resource.RUSAGE_SELF), _cpu(resource.RUSAGE_CHILDREN)
    work()
    return Spent(
        time.monotonic() - began,
        _cpu(resource.RUSAGE_SELF) - own,
        _cpu(resource.RUSAGE_CHILDREN) - children,
    )


def _cpu(who: int) -> float:
    used = resource.getrusage(who)
    return used.ru_utime + used.ru_stime


def written(panel: Panel, folder: Path) -> None:
    """The panel as csv files, one a symbol."""
    for s, symbol in enumerate(panel.symbols):
        columns = [getattr(panel, name)[:, s].tolist() for name in ("open", "high", "low", "close", "volume")]
        times = (panel.ts // 1_000_000).tolist()
        rows = [f"{ts},{','.join(map(repr, row))}" for ts, *row in zip(times, *columns, strict=True)]
        (folder / f"{symbol}.csv").write_text("\n".join((HEADER, *rows)) + "\n")


def searched(folder: Path, task: Task, trials: int) -> None:
    """A whole search on two workers, its cluster with it."""
    ledger, data = Ledger(folder / "ledger.jsonl"), data_print(task)

    def count(tried: Sequence[Tried]) -> None:
        ledger.record(data, [ledger_trial(task, each.parameters, each.record) for each in tried], "")

    with workers("", _WORKERS) as cluster:
        search = Search(folder, task, _RANGES, 1)
        search.run(cluster, trials, say=lambda _: None, report=lambda *_: None, count=count)


def lines(trials: int, one: float, none: Spent, two: Spent) -> list[str]:
    """`one`: CPU of a trial alone; `none`: of a cluster and two trials, which begin it; `two`: of the whole search."""
    work = one * trials
    beyond = two.cpu - none.cpu - one * (trials - _WORKERS)
    central = max(0.0, two.own - none.own) / (trials - _WORKERS)
    bound = 1.2 * trials * one / _WORKERS
    return [
        f"a trial alone: {one:.3f} s of CPU; {trials} of them: {work:.1f} s",
        f"on {_WORKERS} workers: {two.cpu:.1f} s of CPU, {two.wall:.1f} s of wall; begun with {none.cpu:.1f} s of CPU",
        f"beyond the trials and the beginning: {beyond:+.2f} s, {beyond / work:+.1%}",
        f"speed-up with two free cores: {_WORKERS * one / (one + beyond / trials):.2f}; wall allowed {bound:.1f} s",
        f"client and scheduler: {central * 1e3:.1f} ms a trial, so 1,000 workers are busy from {1_000 * central:.1f} s a trial on",
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """See the module."""
    parser = argparse.ArgumentParser(prog="scripts/study searching", description=__doc__)
    parser.add_argument("--trials", type=int, default=60)
    parser.add_argument("--minutes", type=int, default=5, help="of a bar")
    given = parser.parse_args(arguments)
    with Progress("searching"), tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        written(MadeUpPanel(symbols=15, minutes=given.minutes).panel(1), data)
        (data / "signal.py").write_text(_SIGNAL)
        task = Task(str(data / "signal.py"), data, {"times": 3.0})
        evaluate(task)  # reads the data
        repeats = 8
        one = spent(lambda: [evaluate(task) for _ in range(repeats)]).cpu / repeats
        none = spent(lambda: searched(data / "begun", task, _WORKERS))
        two = spent(lambda: searched(data / "search", task, given.trials))
    sys.stdout.write("\n".join(lines(given.trials, one, none, two)) + "\n")


if __name__ == "__main__":
    main()
