"""The command of a failing seed: shrunk, and played by another process it fails in the same way."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from turbo_trader.chaos.campaign import Options
from turbo_trader.chaos.defects import DEFECTS
from turbo_trader.chaos.hunt import hunt, options_of

UNUSUAL = Options(hours=0.123456789, symbols=3, balance="75", edge=1.5, rules={"MAX_LEVERAGE": "25"})


def played(command: str, folder: Path) -> dict[str, str]:
    """What a process reports that is given this command."""
    phrases = shlex.split(command)
    begin = phrases.index("turbo-trader")
    rules = dict(each.split("=", 1) for each in phrases[:begin])
    ended = subprocess.run(
        [Path(sys.executable).with_name("turbo-trader"), *phrases[begin + 1 :], "--json", "--no-shrink"], capture_output=True,
        cwd=folder, env={**os.environ, **rules}, text=True, check=True,
    )  # fmt: skip
    found: dict[str, str] = json.loads(ended.stdout)["invariants"]
    return found


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("stop-distance-doubled", UNUSUAL), ("never-trades", Options()), ("stop-not-put-back", replace(UNUSUAL, hours=0.5)),
        ("no-answer-taken-for-refused", Options(faults="drop_after=0.300000001", situation="maker")),
    ],
)  # fmt: skip
def test_a_shrunk_command_breaks_the_same_invariant_in_another_process(
    name: str, asked: Options, tmp_path: Path
) -> None:
    options = options_of(DEFECTS[name], asked)
    found = hunt(DEFECTS[name], options, seeds=20, tries=12)
    assert found.violation is not None
    assert played(found.violation["shrunk"], tmp_path) == {name: found.violation["invariant"]}
