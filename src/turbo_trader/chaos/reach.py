"""Which functions of the rooms the tests and seeds call: a mutant runs against the tests that reach it, and no others."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any, Self

from turbo_trader.chaos.mutants import ROOMS
from turbo_trader.chaos.planting import PACKAGE


def name_of(module: str, qualname: str) -> str:
    """A function's name in every process."""
    return f"{module}:{qualname}"


@dataclass(slots=True)
class Reach:
    """Measured without a mutant. `tests`: seconds of a core of each; `functions`: the tests that call one.

    `chaos`: functions that seeds of chaos call.
    """

    tests: dict[str, float] = field(default_factory=dict)
    functions: dict[str, list[str]] = field(default_factory=dict)
    chaos: list[str] = field(default_factory=list)
    seed_s: float = 0.0  # of a core, for one seed

    def add(self, test: str, seconds: float, called: Collection[str]) -> None:
        """One test."""
        self.tests[test] = seconds
        for function in called:
            self.functions.setdefault(function, []).append(test)

    def quickest(self, module: str, function: str, seconds: float) -> list[str]:
        """The tests that call a function (""; any of the module), the quickest first, for so many seconds of a core."""
        names = [function] if function else [each for each in self.functions if each.startswith(f"{module}:")]
        found = {test for name in names for test in self.functions.get(name, ())}
        chosen: list[str] = []
        for test in sorted(found, key=self.tests.__getitem__):
            seconds -= self.tests[test]
            if seconds < 0 and chosen:
                break
            chosen.append(test)
        return chosen

    def write(self, path: Path) -> None:
        """Keep it."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @staticmethod
    def read(path: Path) -> Reach:
        """As it was kept."""
        return Reach(**json.loads(path.read_text(encoding="utf-8")))


class Watcher:
    """Notes the functions called while it is entered."""

    def __init__(self) -> None:
        self.called: set[str] = set()
        self._modules = {
            str(file): f"turbo_trader.{room}.{file.stem}"
            for room in ROOMS
            for file in (PACKAGE / room).glob("*.py")
        }

    def __enter__(self) -> Self:
        self.called = set()
        sys.setprofile(self._look)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType | None, event: str, _: Any) -> None:
        if event != "call":
            return
        while frame is not None and (module := self._modules.get(frame.f_code.co_filename)) is not None:
            if not frame.f_code.co_name.startswith("<"):
                self.called.add(name_of(module, frame.f_code.co_qualname))
                return
            frame = frame.f_back  # a comprehension or lambda belongs to the function around it
