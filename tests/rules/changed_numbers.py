"""Changes every number of the policy a little, one at a time, and runs the tests that could notice: `scripts/check-policy`."""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import os
import re
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from annotated_types import Ge, Le
from hypothesis import Phase, settings
from pydantic.fields import FieldInfo

from turbo_trader.market.errors import InputError
from turbo_trader.numbers.declared import bounds, env_name, extra, shown, source
from turbo_trader.numbers.number import Value
from turbo_trader.rules.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("tests/rules", "tests/trader")
#: Asked first: where the rows of a section of the rules are tested.
ROWS = {
    "1": "rules/universe rules/sizing",
    "2": "rules/tiers rules/verdicts rules/gates rules/expectation_gates trader/policy_numbers",
    "3": "rules/measured",
    "4": "rules/measured rules/verdicts",
    "5": "rules/verdicts rules/measured rules/distances rules/expectation_gates rules/gates",
    "6": "rules/exits rules/distances rules/expectation_gates rules/executed_exits trader/policy_numbers",
    "7": "rules/sizing rules/portfolio rules/measured trader/policy_numbers",
    "8": "rules/session rules/usage rules/watchdog rules/entry trader/policy_numbers trader/resting",
    "9": "rules/calibration trader/calibrating rules/verdicts",
}
#: Not asked: tests of the declarations, which say nothing of what a number does, and those of this run.
DECLARATIONS = ("test_rules_page.py", "test_policy.py", "test_mutation.py")
USUAL = Policy()
DECLARED = Policy.model_fields


@dataclass(frozen=True, slots=True)
class Change:
    """Another default of one number."""

    name: str
    value: Value

    def __str__(self) -> str:
        declared, usual = DECLARED[self.name], getattr(USUAL, self.name)
        return f"{env_name(self.name)} = {shown(usual)} -> {shown(self.value)} ({source(declared)})"


def changes(name: str) -> list[Change]:
    """One step down and one up: 1 of a whole number, 1 in the last digit of another but a tenth of it at most; each choice."""
    declared = DECLARED[name]
    default, choices = declared.default, extra(declared)["choices"]
    values: list[Any]
    if isinstance(default, bool):
        values = [not default]
    elif choices:
        values = [entry for entry in choices if entry != default]
    elif isinstance(default, tuple) and isinstance(default[0], str):
        values = [default[1:], default[:-1]]
    elif isinstance(default, tuple):
        values = [(*default[:i], item + 1, *default[i + 1 :]) for i, item in enumerate(default)]
    elif isinstance(default, int):
        values = [default - 1, default + 1]
    else:
        assert isinstance(default, Decimal)
        step = min(Decimal((0, (1,), int(default.as_tuple().exponent))), default / 10)
        values = [default - step, default + step]
    return [Change(name, value) for value in values]


def declare(change: Change) -> None:
    """From now on `change.value` is the default in this process."""
    declared: FieldInfo = DECLARED[change.name]
    low, high = bounds(declared)
    declared.default = change.value
    if low is not None and low == high:  # pinned
        declared.metadata = [Ge(change.value), Le(change.value)]
    Policy.model_rebuild(force=True)


@dataclass(eq=False)
class Run:
    """A run of pytest and what came of each test; a plugin of it. `known`: how long tests take; the quickest run first."""

    known: Mapping[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    def pytest_collection(self) -> None:
        """Counterexamples need not be small."""
        settings.register_profile(
            "mutation", settings.get_profile("suite"), phases=(Phase.explicit, Phase.generate)
        )
        settings.load_profile("mutation")

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """The quickest first."""
        items.sort(key=lambda item: self.known.get(item.nodeid, 0.0))

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be imported any more has noticed."""
        if report.failed:
            self.failed.append(report.nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep how long a test took, and that it failed."""
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration
        if report.failed:
            self.failed.append(report.nodeid)

    def play(self, tests: Sequence[str]) -> Run:
        """Import the tests again and run them until one fails. RuntimeError where pytest itself does."""
        for name in [name for name in sys.modules if name.split(".")[0] == "tests"]:
            del sys.modules[name]
        ignored = [f"--ignore-glob=*/{name}" for name in DECLARATIONS]
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            code = pytest.main(["-x", "-p", "no:cacheprovider", *ignored, *tests], plugins=[self])
        if code not in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED, pytest.ExitCode.INTERRUPTED):
            raise RuntimeError(f"pytest ended with {code!r}: {said.getvalue()}")
        return self


def naming(name: str) -> list[str]:
    """The test files that name a number, as a field or as an environment variable."""
    paths = [
        path
        for path in sorted((ROOT / "tests").rglob("test_*.py"))
        if path.name not in DECLARATIONS and path.parent.name not in ("process", "scenarios")
    ]
    entry = re.compile(rf"\b({name}|{name.upper()})\b")
    said = [path for path in paths if entry.search(path.read_text())]
    return [str(path.relative_to(ROOT)) for path in said]


def search(tests: Sequence[str], wanted: Sequence[Change], jobs: int) -> dict[Change, str]:
    """Per change, the first test that fails under it; "" where none does. RuntimeError where one fails without any."""
    before = Run().play(tests)
    if before.failed:
        raise RuntimeError(f"{before.failed[0]} fails without any change")
    found = {}
    with get_context("fork").Pool(jobs, maxtasksperchild=1) as pool:
        asked = partial(noticed, tests, before.seconds)
        for change, test in zip(wanted, pool.imap(asked, wanted), strict=True):
            found[change] = test
            if not test:
                print(f"{' '.join(tests)}: no test notices {change}", file=sys.stderr, flush=True)
    return found


def noticed(tests: Sequence[str], seconds: Mapping[str, float], change: Change) -> str:
    """The first test that fails under a change, those of its section's rows first. Changes the process it runs in."""
    declare(change)
    try:
        Policy()
    except InputError as refused:
        return f"refused: {refused}"
    rounds = [tests]
    if tests == ROOMS:
        rows = ROWS[extra(DECLARED[change.name])["section"][0]].split()
        rounds.insert(0, [f"tests/{room}/test_{name}.py" for room, name in (row.split("/") for row in rows)])
    for asked in rounds:
        if failed := Run(seconds).play(asked).failed:
            return failed[0]
    return ""


def main() -> int:
    """0: each change is noticed; 1: those that are not are named; 2: nothing can be said."""
    parser = argparse.ArgumentParser(prog="scripts/check-policy", description=__doc__)
    parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="such as TP_MIN; default: all")
    parser.add_argument(
        "--tests", nargs="+", metavar="FILE", help=f"default: {' '.join(ROOMS)}, then those that name it"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--json", action="store_true", help="each change with the test that noticed it")
    asked = parser.parse_args()
    names = [name.lower() for name in asked.numbers] or list(DECLARED)
    if unknown := [name for name in names if name not in DECLARED]:
        parser.error(f"{unknown[0].upper()}: no number of the policy; `turbo-trader policy` lists them")
    os.chdir(ROOT)
    begin = time.monotonic()
    try:
        found = search(
            asked.tests or ROOMS, [change for name in names for change in changes(name)], asked.jobs
        )
        for name in names if not asked.tests else ():
            left = [change for change in found if change.name == name and not found[change]]
            others = [path for path in naming(name) if not path.startswith(ROOMS)]
            if left and others:
                found |= search(others, left, asked.jobs)
    except RuntimeError as broken:
        print(f"check-policy: {broken}", file=sys.stderr)
        return 2
    left = [change for change in found if not found[change]]
    if asked.json:
        print(json.dumps({str(change): test for change, test in found.items()}, indent=1))
    else:
        for change in left:
            print(f"no test notices {change}")
        took = time.monotonic() - begin
        print(f"{len(names)} numbers, {len(found)} changes, {len(left)} not noticed, in {took:.0f} s")
    return 1 if left else 0


if __name__ == "__main__":
    raise SystemExit(main())
