"""The mutation runner: `python -m turbo_trader.chaos.mutation`. Each mutant runs against the tests that reach it, then seeds.

One process collects the tests and forks for each mutant, so that nothing is imported twice. Results are appended to a file of JSON
lines and never repeated, so a stopped run resumes. `--seeds 0`, then 7, then 40 finds first what is noticed soonest.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from turbo_trader.chaos.mutants import draw
from turbo_trader.chaos.mutation_results import ROOT, left_to_do, read, table
from turbo_trader.chaos.mutation_session import play


def main() -> None:
    """Read the options, play, print the table."""
    parser = argparse.ArgumentParser(
        description="Mutants against tests and chaos; go on with the same --kept."
    )
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--seed", type=int, default=20, help="of the draw")
    parser.add_argument(
        "--seeds",
        type=int,
        default=40,
        help="seeds of chaos a mutant meets; 0: tests alone, more later go on from there",
    )
    parser.add_argument("--jobs", type=int, default=2, help="mutants at once")
    parser.add_argument(
        "--kept", type=Path, default=ROOT / "var" / "mutants.jsonl", help="results, a JSON line each"
    )
    parser.add_argument(
        "--reach",
        type=Path,
        default=ROOT / "var" / "mutants-reach.json",
        help="what tests call, measured once",
    )
    parser.add_argument("--only-table", action="store_true", help="play nothing, print what was kept")
    asked = parser.parse_args()
    drawn = draw(asked.count, asked.seed)
    if not asked.only_table:
        asked.kept.parent.mkdir(parents=True, exist_ok=True)
        play(left_to_do(drawn, asked.kept, asked.seeds), asked.kept, asked.reach, asked.seeds, asked.jobs)
    names = {mutant.name for mutant in drawn}
    sys.stdout.write(table([result for result in read(asked.kept) if result["name"] in names]))


if __name__ == "__main__":
    main()
