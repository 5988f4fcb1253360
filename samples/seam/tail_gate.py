"""A gate: no entry where single minutes move too far. `tail_gate.patch` has its lines in the list."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from turbo_trader.market.compiled import kernel
from turbo_trader.market.rows import Rows
from turbo_trader.numbers.declared import Declared
from turbo_trader.numbers.number import ours
from turbo_trader.rules.choices import Answer
from turbo_trader.rules.gate import BLOCK, PASS, WARN, Gate, When, bp, bp_check

if TYPE_CHECKING:
    from turbo_trader.rules.policy import Policy

WIDE_TAIL = 1001


class TailNumbers(Declared):
    """Numbers of the gate tail. `turbo_tail` and the others are one field of the record: `tail`."""

    tail_most: Decimal = ours(
        "0.02", "fraction", "5.10 tail", "99.9 % of one-minute ranges up to", low="1e-6", high="1",
        source="no line: a stop slips in a wide minute", why="six times the narrowest stop",
    )  # fmt: skip
    turbo_tail: Answer = ours(Answer.WARN, "answer", "5.10 tail", "wide tail, turbo", why="as flat")
    growing_tail: Answer = ours(Answer.BLOCK, "answer", "5.10 tail", "wide tail, growing", why="as flat")
    institutional_tail: Answer = ours(
        Answer.BLOCK, "answer", "5.10 tail", "wide tail, institutional", why="as flat"
    )


@kernel
def tail_gate(_states: Any, _s: int, _now: int, gp: Any, g: int, out: Any, j: int) -> tuple[int, int]:
    """The 99.9 % quantile of one-minute ranges."""
    if out[j].range_tail <= gp[g].tail_most:
        return PASS, 0
    return (BLOCK if gp[g].tail == 1 else WARN), WIDE_TAIL


def _figures(policy: Policy, row: Any, _said: Mapping[str, Any]) -> list[str]:
    return [bp_check("range tail", row["range_tail"], "<=", policy.tail_most, "wide")]


def _needed(policy: Policy, rows: Rows, j: int) -> str:
    return f"a range tail up to {bp(policy.tail_most)} (was {bp(rows[j]['range_tail'])})"


def _warning(_policy: Policy, row: Any) -> str:
    return f"wide minutes: range tail {bp(row['range_tail'])}"


TAIL: Final = Gate(
    name="tail",
    asks="99.9 % of one-minute ranges within TAIL_MOST",
    when=When.FIGURES,
    judge=tail_gate,
    numbers=TailNumbers,
    reasons={WIDE_TAIL: "single minutes move too far"},
    figures=_figures,
    needed=_needed,
    warning=_warning,
)
