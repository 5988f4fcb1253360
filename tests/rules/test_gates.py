"""Gate 8: session, pauses, open positions, cool-down, nothing unresolved."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.account_gates import LimitFacts, limits_gate
from turbo_trader.rules.gate import BLOCK, PASS, Verdict
from turbo_trader.rules.gates import LIMITS, SIZE, record
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import TEXTS, Code
from turbo_trader.rules.scan import SCAN

FREE = LimitFacts(session_refusal="", open_positions=0, open_on_symbol=False, unresolved="")
NOW = 10_000 * SECOND


def gate(equity: str = "18", **changes: Any) -> Verdict:
    policy = Policy(belief=Belief.WEIGHED)
    facts = replace(FREE, **changes)
    return limits_gate(policy.capital_tier(Decimal(equity)), facts, NOW, float(policy.cooldown_horizons))


def test_nothing_in_the_way_passes() -> None:
    assert gate() == Verdict(PASS)


@pytest.mark.parametrize(("equity", "most"), [("18", 3), ("99.99", 3), ("100", 5), ("5000", 5)])
def test_open_positions_at_most(equity: str, most: int) -> None:
    assert gate(equity, open_positions=most - 1).value == PASS
    blocked = gate(equity, open_positions=most)
    assert (blocked.value, blocked.code) == (BLOCK, Code.POSITIONS)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"session_refusal": "paused", "session_lift": "its end"}, Code.SESSION),
        ({"tradable": False}, Code.NOT_TRADABLE),
        ({"unresolved": "entry unknown"}, Code.UNRESOLVED),
        ({"open_on_symbol": True}, Code.OPEN_ON_SYMBOL),
    ],
)
def test_blocks(changes: dict[str, Any], code: Code) -> None:
    verdict = gate(**changes)
    assert verdict.code == code
    assert verdict.text
    assert verdict.needed


@pytest.mark.parametrize(("ago", "value"), [(899, BLOCK), (900, PASS), (901, PASS)])
def test_cool_down_is_h_after_a_stop_out(ago: int, value: int) -> None:
    assert gate(stopped_out_ns=NOW - ago * SECOND).value == value


def test_cool_down_of_the_growing_tier_is_its_own_h() -> None:
    assert gate("500", stopped_out_ns=NOW - 1799 * SECOND).code == Code.COOL_DOWN
    assert gate("500", stopped_out_ns=NOW - 1800 * SECOND).value == PASS


def test_first_block_stays_first() -> None:
    rows = np.zeros(1, SCAN)
    rows["blocker"] = -1
    record(rows, 0, LIMITS, Verdict(PASS))
    assert rows[0]["blocker"] == -1
    record(rows, 0, LIMITS, Verdict(BLOCK, Code.POSITIONS))
    record(rows, 0, SIZE, Verdict(BLOCK, Code.SIZE))
    assert (rows[0]["blocker"], rows[0]["block_code"]) == (LIMITS, Code.POSITIONS)
    assert rows[0]["verdict"][SIZE] == BLOCK


def test_every_code_has_a_text() -> None:
    assert set(TEXTS) == set(Code)
