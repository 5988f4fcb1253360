"""How a signal of the scan is declared: once, beside its kernel. Figures, numbers, bits, `explain` and the docs follow from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from turbo_trader.numbers.declared import Declared

Field = tuple[str, str]  # a figure of the scan row: its name and its numpy type


class Part(Enum):
    """What a signal is to the signal tiers."""

    BASE = "A and B need it"
    OTHER = "A needs A_MIN_OTHERS of these"
    SHOWN = "shown, decides nothing"


class Unit(Enum):
    """What a signal compares, and how it reads."""

    SCORE = ("score", 1.0, "{:+.2f}", "{:g}")
    SD = ("sd", 1.0, "z {:+.2f}", "{:g}")
    FRACTION = ("fraction", 1e4, "{:.1f} bp", "{:.1f} bp")

    def figure(self, value: float) -> str:
        """What the signal sees, as text."""
        return self.value[2].format(value * self.value[1] + 0.0)

    def threshold(self, value: float) -> str:
        """What it must exceed, as text."""
        return self.value[3].format(value * self.value[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """One signal.

    `score` is a kernel `(states, s, now, params, out, j) -> (valid, score, toward, threshold)`: `score` in [-1, 1], + = long;
    `toward` what it sees in the direction of the forecast (`out[j].direction`), `threshold` what that must exceed to confirm. It
    may fill in the `fields` it declares. `params[0]` has each of its `numbers` under its name, as a float.
    """

    name: str
    short: str  # for narrow columns
    about: str  # what it sees, for the docs
    part: Part
    score: Any  # the kernel
    numbers: type[Declared]
    unit: Unit
    side: str  # after its figure: "toward it", "on the cheap side"
    at_least: bool = False  # it confirms at the threshold too
    fields: tuple[Field, ...] = ()
    remark: Callable[[Any], str] | None = None  # of a scan row, after `side`; "" = nothing to remark

    def terms(self, row: Any, k: int) -> str:
        """Its figure in a scan row (SCAN) and what is asked of it; `k`: its place in `signals.listed.LISTED`."""
        if not row["thresholds"].any():  # of a version that did not keep them
            return "its figures were not kept with this scan"
        seen, asked = (
            self.unit.figure(float(row["toward"][k])),
            self.unit.threshold(float(row["thresholds"][k])),
        )
        remark = self.remark(row) if self.remark else ""
        return f"{seen} {self.side}{remark}, needs {'>=' if self.at_least else '>'} {asked}"


def parameter_fields(numbers: Iterable[type[Declared]]) -> list[Field]:
    """A float field per number, under its name."""
    return [(name, "f8") for declared in numbers for name in declared.model_fields]
