"""A scan in words: every gate, the first blocker, and what would have had to differ."""

from typing import Any

import numpy as np
import pytest

from turbo_trader.rules.explain import explain, needed, outcome
from turbo_trader.rules.gates import TEXTS, Code
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import GATES, SCAN
from turbo_trader.signals.figures import SIGNALS

P = Policy()


def rows_of(row: Any) -> Any:
    rows = np.zeros(1, SCAN)
    rows[0] = row
    return rows


def test_every_gate_and_every_signal_has_a_line(judged: Any) -> None:
    text = "\n".join(explain(P, rows_of(judged()), 0, "BTCUSDT"))
    for name in (*GATES, *SIGNALS):
        assert name in text
    assert "BTCUSDT long, tier A, capital tier turbo" in text


def test_first_blocker_and_what_would_have_had_to_differ(judged: Any) -> None:
    line = outcome(P, rows_of(judged(snr=0.7)), 0)
    assert line == "first blocker: pre-filter - SNR too low; needed: SNR above 1.0 (was 0.70)"
    line = outcome(P, rows_of(judged("500", consensus=0.4)), 0)
    assert "needed: consensus of 60% (was 40%)" in line
    line = outcome(P, rows_of(judged(confirms=1)), 0)
    assert "needed: confirmation by OU_DRIFT" in line


def test_nothing_blocked() -> None:
    rows = np.zeros(1, SCAN)
    rows["blocker"] = -1
    assert outcome(P, rows, 0) == "nothing blocked"


@pytest.mark.parametrize("code", list(Code))
def test_every_code_can_be_explained_even_on_an_empty_row(code: Code) -> None:
    rows = np.zeros(1, SCAN)
    rows["blocker"], rows["block_code"] = 0, int(code)
    assert needed(P, rows, 0)
    assert TEXTS[code] in outcome(P, rows, 0)
    assert explain(P, rows, 0, "X")
