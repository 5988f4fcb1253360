"""The child process of a planted defect: `python -m turbo_trader.chaos.planted`, options as JSON on stdin, a JSON line per seed."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

from turbo_trader.chaos.defects import DEFECTS
from turbo_trader.chaos.planting import Unapplicable, plant


def hunted(first: int, count: int, known: int) -> Iterator[int]:
    """So many seeds from the first on, the known one before all others where it is among them."""
    seeds = range(first, first + count)
    if known in seeds:
        yield known
    yield from (seed for seed in seeds if seed != known)


def main() -> int:
    """Plant the defect, then play seeds until one fails; exit code 3 where the defect does not fit."""
    asked: dict[str, Any] = json.load(sys.stdin)
    try:
        plant(DEFECTS[asked["defect"]])
    except Unapplicable as error:
        sys.stderr.write(f"{error}\n")
        return 3
    from turbo_trader.chaos.kernel_cache import (
        keep_apart,
    )  # after planting: from here on the package is imported

    keep_apart(DEFECTS[asked["defect"]])
    from turbo_trader.chaos.campaign import Options, play_seed
    from turbo_trader.chaos.reporting import as_json
    from turbo_trader.chaos.shrinking import shrunk

    options = Options(**asked["options"])
    for seed in hunted(options.first, int(asked["seeds"]), DEFECTS[asked["defect"]].seed):
        result = play_seed(options, seed)
        if asked["tries"] and result["violation"] is not None:
            result["violation"]["shrunk"] = shrunk(options, result["violation"], asked["tries"])
        sys.stdout.write(as_json(result) + "\n")
        sys.stdout.flush()
        if result["violation"] is not None:
            break
    return 0


if __name__ == "__main__":
    sys.exit(main())
