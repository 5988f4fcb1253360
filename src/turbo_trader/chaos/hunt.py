"""The search for planted defects: each in its own process, until a seed shows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, replace
from difflib import get_close_matches
from typing import Any, Final

from turbo_trader.chaos.campaign import Options
from turbo_trader.chaos.defects import DEFECTS
from turbo_trader.chaos.kernel_cache import own_cache
from turbo_trader.chaos.planting import Defect
from turbo_trader.chaos.situations import MIXED
from turbo_trader.market.errors import InputError

MOST: Final = 200  # seeds a defect may need


class NotPlanted(Exception):
    """A defect could not be planted, or its process ended otherwise than by a seed."""


@dataclass(frozen=True, slots=True)
class Found:
    """The result for one defect: `seeds` that were played, and the violation that showed it (None: none did)."""

    defect: str
    seeds: int
    violation: Mapping[str, Any] | None
    seconds: float
    results: Sequence[Mapping[str, Any]] = ()

    @property
    def needed(self) -> int | None:
        """Seeds needed to find it."""
        return None if self.violation is None else self.seeds


def defect_named(name: str) -> Defect:
    """A defect of the table. InputError for an unknown name, with the nearest one."""
    if name not in DEFECTS:
        near = get_close_matches(name, DEFECTS, n=1, cutoff=0.4)
        hint = f"did you mean {near[0]}?" if near else "they are listed in chaos/defects_of_*.py"
        raise InputError(f"defect {name!r}: none of the {len(DEFECTS)} has this name; {hint}")
    return DEFECTS[name]


def options_of(defect: Defect, asked: Options) -> Options:
    """Where a defect shows soonest, unless something else was asked for."""
    situation = asked.situation if asked.situation != MIXED else defect.situation
    hours = asked.hours or defect.hours
    return replace(
        asked, situation=situation, hours=hours, faults=asked.faults or defect.faults, defect=defect.name,
        rules={**defect.rules, **asked.rules},
    )  # fmt: skip


def hunt(defect: Defect, options: Options, seeds: int = MOST, tries: int = 0) -> Found:
    """Play seeds with the defect planted until one fails, which is shrunk in so many tries. NotPlanted where it cannot be."""
    began = time.monotonic()
    asked = {"defect": defect.name, "options": asdict(options), "seeds": seeds, "tries": tries}
    child = subprocess.run(
        [sys.executable, "-m", "turbo_trader.chaos.planted"], input=json.dumps(asked), capture_output=True, text=True,
        env={**os.environ, "TURBO_TRADER_CACHE": str(own_cache(defect))}, check=False,
    )  # fmt: skip
    results = [json.loads(line) for line in child.stdout.splitlines()]
    if child.returncode:
        raise NotPlanted(
            child.stderr.strip().splitlines()[-1]
            if child.stderr.strip()
            else f"{defect.name}: no seed was played"
        )
    violation = results[-1]["violation"] if results else None
    return Found(defect.name, len(results), violation, time.monotonic() - began, results)


def hunt_all(
    names: Sequence[str],
    asked: Options,
    jobs: int,
    seeds: int,
    progress: Callable[[Found], None],
    tries: int = 0,
) -> list[Found]:
    """All of them, so many at once; `tries`: of shrinking what each has shown."""

    def one(name: str) -> Found:
        defect = DEFECTS[name]
        found = hunt(defect, options_of(defect, asked), seeds, tries)
        progress(found)
        return found

    with ThreadPoolExecutor(max_workers=max(1, jobs)) as pool:
        return list(pool.map(one, names))
