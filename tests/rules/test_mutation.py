"""The mutation run itself, over a handful of numbers: `scripts/check-policy` runs it over all of them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

RUN = Path(__file__).with_name("changed_numbers.py")
ASKED = "tests/rules/test_verdicts.py"


def check(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, RUN, *arguments], capture_output=True, text=True, check=False)


@pytest.mark.slow  # it plays whole test files; scripts/check-policy does so too
def test_each_change_names_the_test_that_notices_it_and_an_unnoticed_one_ends_with_1() -> None:
    numbers = ("MAX_SPREAD", "settlement_window", "TURBO_FLAT", "TURBO_B_TRADES", "SESSION_LOSS")
    done = check(*numbers, "--json", "--tests", ASKED)
    reported = json.loads(done.stdout)
    assert {
        change.split(" (")[0]: test.startswith(f"{ASKED}::test_") for change, test in reported.items()
    } == {
        "MAX_SPREAD = 0.0010 -> 0.0009": True,
        "MAX_SPREAD = 0.0010 -> 0.0011": True,
        "SETTLEMENT_WINDOW = 10 -> 9": True,
        "SETTLEMENT_WINDOW = 10 -> 11": True,
        "TURBO_FLAT = warn -> block": True,
        "TURBO_B_TRADES = true -> false": True,
        "SESSION_LOSS = 0.20 -> 0.19": False,
        "SESSION_LOSS = 0.20 -> 0.21": False,
    }
    assert f"{ASKED}: no test notices SESSION_LOSS = 0.20 -> 0.19" in done.stderr
    assert done.returncode == 1


@pytest.mark.slow  # the other codes of exit are above
def test_it_ends_with_0_where_all_are_noticed_and_with_2_where_nothing_can_be_said() -> None:
    done = check("FLAT_EDGE", "--tests", ASKED)
    assert (done.returncode, done.stdout.split(", in ")[0]) == (0, "1 numbers, 2 changes, 0 not noticed")
    assert check("MOON").returncode == 2
