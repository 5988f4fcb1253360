"""What a mutation run has found so far: a file of JSON lines, from which a stopped run resumes, and the table of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from turbo_trader.chaos.mutants import Mutant

ROOT: Final = Path(__file__).resolve().parents[3]
FOLDERS: Final = tuple(
    f"tests/{room}"
    for room in ("trader", "runtime", "journal", "bybit", "simulation", "scenarios", "live", "console")
)
TESTS, CHAOS, NOBODY = "tests", "chaos", ""
NEW: Final = -1  # seeds survived by a mutant that has met nothing yet
MANY: Final = 10**6  # ... by one that no seed reaches


def left_to_do(mutants: Sequence[Mutant], kept: Path, seeds: int) -> list[tuple[Mutant, int]]:
    """Those that are not judged yet, each with the seeds it has survived: NEW before it met its tests.

    What survived its tests and fewer seeds than asked for meets the others.
    """
    known = {result["name"]: result for result in read(kept)}
    found = [(mutant, _survived(known.get(mutant.name))) for mutant in mutants]
    return [(mutant, survived) for mutant, survived in found if survived < seeds]


def _survived(result: Mapping[str, Any] | None) -> int:
    if result is None:
        return NEW
    return MANY if result["noticed_by"] else int(result.get("seeds", MANY))


def read(kept: Path) -> list[dict[str, Any]]:
    """The last result of each mutant so far; a line that was torn off is made again."""
    if not kept.exists():
        return []
    return list({each["name"]: each for each in _lines(kept.read_text(encoding="utf-8"))}.values())


def _lines(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        try:
            yield json.loads(line)
        except ValueError:
            continue


def keep(kept: Path, mutant: Mutant, noticed_by: str, how: str, seeds: int = MANY) -> dict[str, Any]:
    """Append one result. `how`: the test or the violation, or why nobody could; `seeds`: it survived so many."""
    result = {
        "name": mutant.name, "module": mutant.module, "line": mutant.line, "what": mutant.what, "noticed_by": noticed_by,
        "how": how, "seeds": seeds,
    }  # fmt: skip
    with kept.open("a", encoding="utf-8") as file:
        file.write(json.dumps(result) + "\n")
    return result


def table(results: Sequence[Mapping[str, Any]]) -> str:
    """The table of docs/reliability.md, then the survivors."""
    rooms = Counter(_room(result) for result in results)
    rows = ["| room | mutants | noticed by tests | by chaos | survivors |", "|---|---|---|---|---|"]
    for room, count in sorted(rooms.items()):
        by = Counter(result["noticed_by"] for result in results if _room(result) == room)
        rows.append(f"| `{room}` | {count} | {by[TESTS]} | {by[CHAOS]} | {by[NOBODY]} |")
    survivors = [result for result in results if not result["noticed_by"]]
    return "\n".join([*rows, *(f"- {each['name']} ({each.get('how', '')})" for each in survivors)]) + "\n"


def _room(result: Mapping[str, Any]) -> str:
    return str(result["module"]).split(".")[1]
