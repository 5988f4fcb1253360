"""The mutation runner: `python -m turbo_trader.chaos.mutation`. Each mutant meets its room's tests, then seeds of chaos.

Results are appended to a file of JSON lines and not made again, so that it can be stopped and goes on.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from turbo_trader.chaos.mutants import Mutant, draw

TEST_S: Final = 120  # a test run that takes longer hangs: the mutant is noticed
SEEDS_S: Final = 300
ROOT: Final = Path(__file__).resolve().parents[3]
_TESTS = """
import json, sys
from turbo_trader.chaos.defect import Defect
from turbo_trader.chaos.planting import plant
plant(Defect(**json.load(sys.stdin)))
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""
_SEEDS = """
import json, sys
from turbo_trader.chaos.defect import Defect
from turbo_trader.chaos.planting import plant
plant(Defect(**json.load(sys.stdin)))
from turbo_trader.chaos.campaign import Options, play_seeds
for result in play_seeds(Options(hours=0.1), int(sys.argv[1]), 1):
    if result["violation"] is not None:
        sys.exit(f"{result['violation']['invariant']}, seed {result['seed']}")
"""


def judged(mutant: Mutant, seeds: int) -> dict[str, Any]:
    """Who notices a mutant: `tests`, `chaos`, or nobody ("")."""
    room = mutant.module.split(".")[1]
    folders = [f"tests/{room}", "tests/scenarios", *(["tests/live"] if room in ("bybit", "journal") else [])]
    arguments = [
        "-x",
        "-q",
        "-p",
        "no:cacheprovider",
        *(folder for folder in folders if (ROOT / folder).is_dir()),
    ]
    noticed = "tests" if _noticed(mutant, _TESTS, arguments, TEST_S) else ""
    if not noticed and _noticed(mutant, _SEEDS, [str(seeds)], SEEDS_S):
        noticed = "chaos"
    return {
        "name": mutant.name,
        "module": mutant.module,
        "line": mutant.line,
        "what": mutant.what,
        "noticed_by": noticed,
    }


def _noticed(mutant: Mutant, program: str, arguments: Sequence[str], seconds: int) -> bool:
    try:
        child = subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-c", program, *arguments], input=json.dumps(asdict(mutant.defect())), text=True, cwd=ROOT,
            capture_output=True, timeout=seconds, check=False, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return True
    return child.returncode != 0


def run(mutants: Sequence[Mutant], kept: Path, seeds: int, jobs: int) -> Iterator[Mapping[str, Any]]:
    """The results of all, those of before included; new ones are added to `kept` as they come."""
    lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
    before = {result["name"]: result for result in map(json.loads, lines)}
    yield from (before[mutant.name] for mutant in mutants if mutant.name in before)
    left = [mutant for mutant in mutants if mutant.name not in before]
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        for result in pool.map(lambda mutant: judged(mutant, seeds), left):
            with kept.open("a", encoding="utf-8") as file:
                file.write(json.dumps(result) + "\n")
            yield result


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The table of docs/reliability.md, then the survivors."""
    rooms = Counter(str(result["module"]).split(".")[1] for result in results)
    rows = ["| room | mutants | noticed by tests | by chaos | survivors |", "|---|---|---|---|---|"]
    for room, count in sorted(rooms.items()):
        by = Counter(
            result["noticed_by"] for result in results if str(result["module"]).split(".")[1] == room
        )
        rows.append(f"| `{room}` | {count} | {by['tests']} | {by['chaos']} | {by['']} |")
    return "\n".join(rows + [f"- {result['name']}" for result in results if not result["noticed_by"]]) + "\n"


def main() -> None:
    """Read the options, play, print the table."""
    parser = argparse.ArgumentParser(
        description="Mutants against tests and chaos; go on with the same --kept."
    )
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20, help="of the draw")
    parser.add_argument("--seeds", type=int, default=40, help="seeds of chaos a mutant meets")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--kept", type=Path, default=Path("mutants.jsonl"), help="results, a JSON line each")
    asked = parser.parse_args()
    results = []
    for result in run(draw(asked.count, asked.seed), asked.kept, asked.seeds, asked.jobs):
        results.append(result)
        sys.stderr.write(
            f"{len(results)}/{asked.count} {result['name']}: {result['noticed_by'] or 'SURVIVES'}\n"
        )
    sys.stdout.write(table(results))


if __name__ == "__main__":
    main()
