"""One pytest session that forks: a child for each mutant runs the tests that reach it, the quickest first, then seeds of chaos.

So nothing is imported twice. What cannot be grafted (constants, defaults) gets a process of its own, where it is planted.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from turbo_trader.chaos.grafting import Ungraftable, function_of, graft
from turbo_trader.chaos.mutants import Mutant
from turbo_trader.chaos.mutation_results import CHAOS, FOLDERS, MANY, NEW, NOBODY, ROOT, TESTS, keep
from turbo_trader.chaos.reach import Reach, Watcher, name_of

if TYPE_CHECKING:
    import pytest

HOURS: Final = 0.1  # of each seed
SPARE_S: Final = 30.0  # of a core, beyond three times what a child may need
UNFAIR: Final = 10.0  # so many times longer by the wall
MEASURED: Final = 14  # seeds whose reach is measured: two of each situation
IN_PROCESS: Final = "not (slow or process)"  # grafted into the process that tests it
OTHERS: Final = tuple(  # wait for a browser, a terminal, systemd
    f"--ignore=tests/console/{part}" for part in ("dashboard", "metrics", "screen", "test_service.py")
)
TESTS_S: Final = 20.0  # of a core: the tests that a mutant meets, the quickest first
Verdict: TypeAlias = tuple[str, str, int]  # who notices, how, and the seeds that did not

_PLANTED: Final = """
import json, sys
from turbo_trader.chaos.planting import Defect
from turbo_trader.chaos.planting import plant
asked = json.load(sys.stdin)
plant(Defect(**asked["defect"]))
if asked["tests"]:
    import pytest
    if pytest.main(["-x", "-q", "-p", "no:cacheprovider", *asked["tests"]]):
        sys.exit(11)
from turbo_trader.chaos.mutation_session import violation
sys.exit(12 if violation(asked["seeds"], asked["survived"]) else 0)
"""


def violation(seeds: int, survived: int = 0) -> str:
    """The first violation of so many seeds, without those that were survived before; "" for none."""
    from turbo_trader.chaos.campaign import Options, play_seeds

    for result in play_seeds(Options(hours=HOURS, first=survived + 1), seeds - survived, 1):
        if (found := result["violation"]) is not None:
            return f"{found['invariant']}, seed {result['seed']}"
    return ""


def play(mutants: Sequence[tuple[Mutant, int]], kept: Path, reach: Path, seeds: int, jobs: int) -> None:
    """All of them (`mutation_results.left_to_do`); each result is kept as it comes. `reach`: where what the tests call is kept."""
    import pytest

    paths = kept.resolve(), reach.resolve()
    os.chdir(ROOT)
    folders = [folder for folder in FOLDERS if Path(folder).is_dir()]
    pytest.main(
        ["-q", "-p", "no:cacheprovider", "-m", IN_PROCESS, *OTHERS, *folders],
        plugins=[MutationSession(mutants, *paths, seeds, jobs)],
    )


class MutationSession:
    """A plugin of pytest: mutants in place of the tests."""

    def __init__(
        self, mutants: Sequence[tuple[Mutant, int]], kept: Path, reach: Path, seeds: int, jobs: int
    ) -> None:
        self._mutants, self._kept, self._reached = mutants, kept, reach
        self._seeds, self._jobs = seeds, jobs
        self._failed = False  # the test that runs
        self._items: dict[str, pytest.Item] = {}
        self._running: dict[int, tuple[Mutant, Path]] = {}

    # -- pytest

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test, its beginning or its end failed."""
        self._failed = self._failed or report.failed

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Everything was collected."""
        import turbo_trader.chaos.campaign  # noqa: F401 - before the forks

        self._items = {item.nodeid: item for item in session.items}
        if not self._reached.exists():
            os.waitpid(fork(self._measure, 3600.0), 0)
        reach = Reach.read(self._reached)
        for number, (mutant, survived) in enumerate(self._mutants):
            if len(self._running) >= self._jobs:
                self._take()
            path = self._kept.with_suffix(f".{os.getpid()}-{number}")
            self._running[self._begin(mutant, survived, path, reach)] = mutant, path
        while self._running:
            self._take()
        return True

    def _begin(self, mutant: Mutant, survived: int, path: Path, reach: Reach) -> int:
        tests = reach.quickest(*_function(mutant), TESTS_S) if survived == NEW else []
        limit = 3 * (sum(reach.tests[name] for name in tests) + self._seeds * reach.seed_s) + SPARE_S

        def judge() -> None:
            path.write_text(json.dumps((TESTS, "hangs", 0)), encoding="utf-8")  # unless it comes to an end
            verdict = self._judged(mutant, tests, max(survived, 0), reach)
            path.write_text(json.dumps(verdict), encoding="utf-8")

        return fork(judge, limit)

    def _take(self) -> None:
        pid, _ = os.waitpid(-1, 0)
        if pid not in self._running:
            return
        mutant, path = self._running.pop(pid)
        by, how, survived = json.loads(path.read_text(encoding="utf-8"))
        path.unlink()
        keep(self._kept, mutant, by, how, survived)
        sys.stderr.write(f"{mutant.name}: {by or 'SURVIVES'}, {how}\n")

    # -- in a child

    def _measure(self) -> None:
        """What each test and some seeds call, without a mutant."""
        reach, watcher = Reach(), Watcher()
        for name, item in self._items.items():
            began = time.process_time()
            with watcher:
                failed = self._fails(item)
            if not failed:
                reach.add(name, time.process_time() - began, watcher.called)
        began = time.process_time()
        with watcher:
            violation(MEASURED)
        reach.chaos, reach.seed_s = sorted(watcher.called), (time.process_time() - began) / MEASURED
        reach.write(self._reached)

    def _judged(self, mutant: Mutant, tests: Sequence[str], survived: int, reach: Reach) -> Verdict:
        """Who notices it, and how."""
        try:
            graft(mutant)
        except Ungraftable:
            return self._planted(mutant, tests, survived)
        for name in tests:
            if name in self._items and self._fails(self._items[name]):
                return TESTS, name, 0
        if _function(mutant)[1] not in reach.chaos:
            return NOBODY, "not reached by chaos", MANY
        found = violation(self._seeds, survived)
        return (CHAOS, found, 0) if found else (NOBODY, f"{self._seeds} seeds", self._seeds)

    def _planted(self, mutant: Mutant, tests: Sequence[str], survived: int) -> Verdict:
        asked = {
            "defect": asdict(mutant.defect()),
            "tests": list(tests),
            "seeds": self._seeds,
            "survived": survived,
        }
        child = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", _PLANTED], input=json.dumps(asked), text=True, check=False
        )
        match child.returncode:
            case 0:
                return NOBODY, f"{self._seeds} seeds, planted", self._seeds
            case 12:
                return CHAOS, "planted", 0
            case 11:
                return TESTS, "planted", 0
            case _:
                return TESTS, "cannot be imported", 0

    def _fails(self, item: pytest.Item) -> bool:
        self._failed = False
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)
        return self._failed


def _function(mutant: Mutant) -> tuple[str, str]:
    """The module a mutant is in, and the function it changes ("": none)."""
    try:
        return mutant.module, name_of(mutant.module, function_of(mutant))
    except Ungraftable:
        return mutant.module, ""


def fork(act: Callable[[], None], limit_s: float) -> int:
    """A silent child that does this and ends, with at most so many seconds of a core; its process id."""
    sys.stdout.flush()
    if pid := os.fork():
        return pid
    try:
        os.setsid()
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit_s), int(limit_s) + 1))
        signal.alarm(int(UNFAIR * limit_s))
        act()
    finally:
        os._exit(0)
