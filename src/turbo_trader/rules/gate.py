"""How a gate is declared: once, beside its kernel. Verdicts, numbers, `explain`, the funnel and the docs follow from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.market.rows import Rows
from turbo_trader.numbers.declared import Declared, extra

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

#: Verdicts of a gate; 0 is never a pass.
NOT_ASSESSED: Final = 0
PASS: Final = 1
WARN: Final = 2
BLOCK: Final = 3

TIER_NONE: Final = 0  # as kernels write them
TIER_B: Final = 1
TIER_A: Final = 2


class SignalTier(IntEnum):
    """How much the signals of a candidate agree."""

    NONE = TIER_NONE
    B = TIER_B
    A = TIER_A

    @property
    def text(self) -> str:
        """A, B or none."""
        return "none" if self is SignalTier.NONE else self.name


class When(Enum):
    """When a gate is assessed, and what its kernel is given."""

    FIGURES = (
        "each scan"  # (states, s, now, gp, g, out, j) -> (verdict, code): the signals' figures are in out[j]
    )
    WORTH = "candidates with a tier, and again at the exact size"  # (gp, g, out, j) -> ...: exits, p and EV are there too
    ACCOUNT = "what passed the others"  # no kernel: Python decides, who knows the account


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One gate.

    `gp[g]`, of its kernel: the record with each of its `numbers` under its name: seconds as integer ns, answers as the index of
    the choice, switches as 0 or 1, others as floats. A number per capital tier (`turbo_x`, `growing_x`, `institutional_x`) is
    there once (`x`), as the tier in force has it.
    """

    name: str
    asks: str  # the condition to pass, for the docs
    when: When
    reasons: Mapping[int, str]  # codes of its verdicts, and why
    figures: Callable[
        [Policy, Any, Mapping[str, Any]], list[str]
    ]  # of a row: figures beside what is asked; what the log said
    needed: Callable[
        [Policy, Rows, int], str
    ]  # of rows[j] that it blocked: what would have had to differ; "" = nothing to add
    judge: Any = None  # the kernel
    numbers: type[Declared] | None = None
    warning: Callable[[Policy, Any], str] | None = None  # softened in some capital tiers: what it warns of


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a gate said in Python: PASS, WARN or BLOCK, why with the figures, and what would have had to differ."""

    value: int
    code: int = 0
    text: str = ""
    needed: str = ""
    allowed: dict[str, str] = field(default_factory=dict)  # gate size: the notional (USDT) each limit allows


def gate_fields(numbers: type[Declared], tiers: tuple[str, ...]) -> dict[str, str]:
    """The fields of a gate's numbers in the record for kernels, by name, with their numpy types."""
    found = {}
    for name, declared in numbers.model_fields.items():
        facts = extra(declared)
        tier = next((tier for tier in tiers if name.startswith(f"{tier}_")), "")
        kind = "u1" if declared.annotation is bool or facts["choices"] else "f8"
        found[name.removeprefix(f"{tier}_") if tier else name] = "<i8" if facts["unit"] == "s" else kind
    return found


# -- sentences

_OPPOSITE = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}


def bp(fraction: Any) -> str:
    """A fraction in basis points."""
    return f"{float(fraction) * 1e4:.1f} bp"


def check(figure: str, holds: bool, sign: str, asked: str, failed: str) -> str:
    """`age 1.0 s <= 5 s` where it holds, `age 8.0 s > 5 s: stale` where it does not."""
    return f"{figure} {sign} {asked}" if holds else f"{figure} {_OPPOSITE[sign]} {asked}: {failed}"


def bp_check(name: str, value: Any, sign: str, asked: Any, failed: str) -> str:
    """The same of fractions, in basis points."""
    left, right = float(value), float(asked)
    holds = {"<": left < right, "<=": left <= right, ">=": left >= right}[sign]
    return check(f"{name} {bp(left)}", holds, sign, bp(right), failed)
