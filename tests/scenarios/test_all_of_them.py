"""Every scenario this daemon answers for has a test that is named after it; those that need real processes have one of these."""

from __future__ import annotations

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
SCENARIOS = {*range(1, 42), *range(44, 51)}  # 42 and 43 are of replays and backtests
PROCESSES = {1, 2, 4, 10, 16, 39, 40, 47}
NAMED = re.compile(r"^ *(?:async )?def test_s(\d\d)_", re.MULTILINE)


def named(folder: Path) -> set[int]:
    return {int(number) for path in folder.rglob("test_*.py") for number in NAMED.findall(path.read_text())}


def test_every_scenario_has_a_test_of_its_name() -> None:
    assert SCENARIOS - named(TESTS) == set()


def test_scenarios_of_crashes_are_played_by_real_processes() -> None:
    assert PROCESSES - named(TESTS / "process") == set()
