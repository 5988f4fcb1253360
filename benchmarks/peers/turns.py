"""Other programs and ours in turns on the same tapes: medians, spreads, ratios, and docs/performance.md."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from benchmarks.peers import performance_page
from benchmarks.peers.comparisons import Comparison, Tapes, comparisons
from benchmarks.peers.environments import Installed, environment
from benchmarks.peers.performance_page import Measured

PASSES: Final = 5
_WORKERS = Path(__file__).with_name("workers")
_PAGE = Path(__file__).resolve().parents[2] / "docs" / "performance.md"

OnePass = Callable[[], tuple[float, int]]


class WorkerFailed(Exception):
    """A peer's worker ended, with the last line it wrote to stderr."""


@dataclass(kw_only=True, slots=True)
class Outcome:
    """What was measured, and what could not be, with the reason."""

    measured: list[Measured] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Ratios by name, and the rates behind them."""
        rates = {
            each.name: {
                "package": f"{each.package} {each.version}", "unit": f"{each.unit}/s", "ours": each.ours, "theirs": each.theirs,
            }
            for each in self.measured
        }  # fmt: skip
        return {
            "ratios": {each.name: round(each.ratio, 2) for each in self.measured},
            "rates": rates,
            "missing": self.missing,
        }


class Worker:
    """A peer's process, which does one pass for each line it is sent."""

    def __init__(self, installed: Installed, script: str, tape: Path) -> None:
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the worker
        command = [str(installed.python), str(_WORKERS / f"{script}.py"), str(tape)]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._said, text=True, cwd=_WORKERS
        )
        self._answer()

    def one_pass(self) -> tuple[float, int]:
        """Its seconds and how much it did."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write("pass\n")
            self._process.stdin.flush()
        except BrokenPipeError:
            raise WorkerFailed(self._last_line()) from None
        answer = self._answer()
        return answer["seconds"], answer["count"]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait()
        self._said.close()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        for text in self._process.stdout:
            if text.startswith("{"):  # programs greet on stdout
                found: dict[str, Any] = json.loads(text)
                return found
        raise WorkerFailed(self._last_line())

    def _last_line(self) -> str:
        self._said.seek(0)
        said = self._said.read().strip().splitlines() or [
            f"it ended and said nothing ({self._process.poll()})"
        ]
        return said[-1][:160]


def in_turns(first: OnePass, second: OnePass, passes: int) -> tuple[list[float], list[float]]:
    """Rates of `passes` passes of each, one after the other."""
    rates: tuple[list[float], list[float]] = ([], [])
    for _ in range(passes):
        for one_pass, found in zip((first, second), rates, strict=True):
            seconds, count = one_pass()
            found.append(count / seconds)
    return rates


def measure(comparison: Comparison, installed: Installed, passes: int) -> Measured:
    """WorkerFailed where the peer could not do it."""
    tape = comparison.tape()

    def our_pass() -> tuple[float, int]:
        began = time.perf_counter()
        count = tape.ours()
        return time.perf_counter() - began, count

    worker = Worker(installed, comparison.worker, tape.path)
    try:
        our_pass()
        rates = in_turns(our_pass, worker.one_pass, passes)
    finally:
        worker.close()
    return Measured(
        name=comparison.name,
        package=comparison.package,
        version=installed.version,
        unit=comparison.unit,
        ours=rates[0],
        theirs=rates[1],
    )


def main(*, quick: bool, as_json: bool, only: str = "") -> int:
    """Measure, print, write the page; 1 where nothing could be measured. `only`: comparisons whose names begin so; no page then."""
    outcome = Outcome()
    with tempfile.TemporaryDirectory() as folder:
        for comparison in comparisons(Tapes(Path(folder), quick=quick)):
            if not comparison.name.startswith(only):
                continue
            installed = environment(comparison.package, version=comparison.version)
            if installed.python is None:
                outcome.missing[comparison.name] = (
                    f"{comparison.package} is not installed: {installed.why_not}"
                )
                continue
            print(f"{comparison.name} ...", file=sys.stderr, flush=True)
            try:
                outcome.measured.append(measure(comparison, installed, 3 if quick else PASSES))
            except WorkerFailed as error:
                outcome.missing[comparison.name] = f"{comparison.package} {installed.version} failed: {error}"
    if not outcome.measured and not outcome.missing:
        sys.stderr.write(f"no comparison's name begins with {only!r}; docs/performance.md has their names\n")
        return 2
    print(
        json.dumps(outcome.as_json(), indent=1)
        if as_json
        else performance_page.table(outcome.measured, outcome.missing)
    )
    if outcome.measured and not quick and not only:
        _PAGE.write_text(performance_page.page(outcome.measured, outcome.missing), encoding="utf-8")
    return 0 if outcome.measured else 1
