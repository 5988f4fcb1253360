"""A scan in sentences: every gate, the first blocker, and what would have had to differ."""

import re
from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.account_gates import LimitFacts, limits_gate
from turbo_trader.rules.explanation import explain, gate_lines, needed, outcome
from turbo_trader.rules.gate import BLOCK, PASS, Verdict
from turbo_trader.rules.gates import EV, GATES, LIMITS, SIZE, record
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import TEXTS, Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import OFI, OU_DRIFT, SIGNALS, VWAP

NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND

P = Policy(belief=Belief.WEIGHED)


def rows_of(row: Any) -> Any:
    rows = np.zeros(1, SCAN)
    rows[0] = row
    return rows


def test_every_gate_and_every_signal_has_a_line(evaluated: Any) -> None:
    text = "\n".join(explain(P, rows_of(evaluated()), 0, "BTCUSDT"))
    for name in (*GATES, *SIGNALS):
        assert name in text
    assert "BTCUSDT long, tier A, capital tier turbo" in text


def test_the_outcome_comes_first_and_names_what_would_have_had_to_differ(evaluated: Any) -> None:
    lines = explain(P, rows_of(evaluated(snr=0.7)), 0, "BTCUSDT")
    assert lines[1:3] == ["first blocker: pre-filter - SNR too low", "needed: SNR above 1.0 (was 0.70)"]


def test_what_was_not_computed_is_no_figure(evaluated: Any) -> None:
    row = evaluated().copy()
    for name in ("kalman_valid", "ou_valid", "ou_half_life_s", "ou_statistic", "take_profit"):
        row[name] = 0
    lines = explain(P, rows_of(row), 0, "BTCUSDT")
    assert {"Kalman no signal", "OU no signal", "no target and no stop: no forecast with a direction"} <= set(
        lines
    )
    row["ou_statistic"] = -0.5
    assert "OU no signal, it does not revert, Dickey-Fuller -0.50" in explain(P, rows_of(row), 0, "BTCUSDT")


@pytest.mark.parametrize(
    ("equity", "change", "said"),
    [
        ("18", {"warm": 0}, "300 s of prices without a gap, 60 one-minute closes, 30 returns"),
        ("18", {"fresh": 0, "age": 7_000_000_000}, "a complete book at most 5 s old (was 7.0 s)"),
        ("18", {"spread": 0.002}, "spread below 10.0 bp (was 20.0 bp)"),
        ("18", {"gate": {"clock_offset": 2 * 10**9}}, "a clock offset below 1 s"),
        ("18", {"mark_gap": 0.002}, "mark within 10.0 bp of the last price (was 20.0 bp)"),
        ("18", {"jump_age": 60 * 10**9}, "300 s since a move beyond 6 sigma within a minute (was 60 s)"),
        ("18", {"gate": {"btc_move_ts": NOON - 1}}, "300 s since BTC moved beyond 50.0 bp within a minute"),
        ("18", {"now": NOON + 4 * 3600 * 10**9}, "more than 10 s to or from the funding settlement"),
        (
            "18",
            {"gate": {"maintenance_ts": NOON + SECOND}},
            "more than 900 s to the announced maintenance, or its end",
        ),
        ("18", {"gate": {"key_expiry_ts": NOON}}, "a key valid for more than 24 h"),
        ("18", {"direction": 0}, "a valid Kalman velocity or a valid OU fit"),
        ("500", {"snr": 1.2}, "SNR above 1.5 (was 1.20)"),
        ("500", {"confidence": 0.6}, "confidence above 0.65 (was 0.600)"),
        ("500", {"consensus": 0.4}, "consensus of at least 60% (was 40%)"),
        ("500", {"forecast": 0.0005}, "a forecast edge of at least 10.0 bp (was 5.0 bp)"),
        ("18", {"gate": {"slippage": 0.004}}, "a target above 104.0 bp (was 90.0 bp)"),
    ],
)
def test_what_would_have_had_to_differ(
    evaluated: Any, equity: str, change: dict[str, Any], said: str
) -> None:
    assert outcome(P, rows_of(evaluated(equity, **change)), 0)[1] == f"needed: {said}"


def test_a_missing_confirmation_is_named_with_its_figure_and_what_is_asked(evaluated: Any) -> None:
    row = rows_of(evaluated(confirms=1 << OU_DRIFT))
    row["toward"][0, OFI], row["thresholds"][0, OFI] = 0.1, 0.15
    assert outcome(P, row, 0)[1] == "needed: confirmation by OFI (+0.10 toward it, needs > 0.15)"
    base = 1 << OFI | 1 << OU_DRIFT
    row = rows_of(evaluated("500", confirms=base, valid=base | 1 << VWAP))
    row["toward"][0, VWAP], row["thresholds"][0, VWAP] = 0.0004, 0.0020
    needs = outcome(P, row, 0)[1]
    assert "confirmation by at least 1 of: VWAP (4.0 bp on the cheap side, needs >= 20.0 bp)" in needs
    assert "ACCEL (no signal)" in needs


def test_the_forecast_or_the_cost_that_would_have_been_enough_really_is(evaluated: Any) -> None:
    poor = {"forecast": 0.0022, "sigma": 0.0003}
    row = evaluated("60", **poor)
    assert row["block_code"] == Code.MIN_EV
    needs = outcome(P, rows_of(row), 0)[1]
    found = re.search(r"a forecast of ([0-9.]+) bp .* or a cost of ([0-9.]+) bp", needs)
    assert found is not None, needs
    edge, cost = (float(each) / 1e4 for each in found.groups())
    assert evaluated("60", **{**poor, "forecast": edge + 1e-5})["verdict"][EV] == PASS
    assert evaluated("60", **{**poor, "forecast": edge - 2e-5})["verdict"][EV] == BLOCK
    cheaper = {"slippage": cost - float(row["cost"]) - 1e-5}
    assert evaluated("60", gate=cheaper, **poor)["verdict"][EV] == PASS


def test_the_account_s_gates_are_quoted_with_their_figures(evaluated: Any) -> None:
    rows = rows_of(evaluated())
    refusal = limits_gate(P.capital_tier(Decimal(18)), LimitFacts("", 3, False, ""), NOON, 1.0)
    record(rows, 0, LIMITS, refusal)
    said = {"limits": {"why": refusal.text, "needed": refusal.needed}}
    lines = explain(P, rows, 0, "BTCUSDT", said)
    assert lines[1] == "first blocker: limits - 3 of 3 positions are open"
    assert lines[2] == "needed: fewer than 3 open positions (was 3)"
    assert "gate 8 limits: block  3 of 3 positions are open" in lines
    rows = rows_of(evaluated())
    record(rows, 0, SIZE, Verdict(PASS))
    size = {
        "qty": "1.4",
        "leverage": "33",
        "binding": "same direction",
        "allowed": {"same direction": "240.10"},
    }
    text = explain(P, rows, 0, "BTCUSDT", {"size": size})[-1]
    assert (
        text == "gate 9 size: pass  1.4 at 33x, set by same direction; allowed, USDT: same direction 240.10"
    )


def test_nothing_blocked() -> None:
    rows = np.zeros(1, SCAN)
    rows["blocker"] = -1
    assert outcome(P, rows, 0) == ["nothing blocked"]


@pytest.mark.parametrize("code", list(Code))
def test_every_code_can_be_explained_even_on_an_empty_row(code: Code) -> None:
    rows = np.zeros(1, SCAN)
    rows["blocker"], rows["block_code"] = 0, int(code)
    assert needed(P, rows, 0)
    assert TEXTS[code] in outcome(P, rows, 0)[0]
    assert explain(P, rows, 0, "X")


@pytest.mark.parametrize(
    ("code", "gate", "figures", "said"),
    [
        (Code.STALE, 0, {"age": 8_000_000_000}, "age 8.0 s > 5 s: stale"),
        (Code.SPREAD, 0, {"spread": 0.0014}, "spread 14.0 bp >= 10.0 bp: too wide"),
        (Code.MARK_GAP, 0, {"mark_gap": 0.00122}, "mark gap 12.2 bp > 10.0 bp: mark and last price apart"),
        (Code.JUMP, 0, {}, "violent one-minute move"),
        (Code.SNR, 1, {"snr": 0.62}, "SNR 0.62 <= 1.0: too low"),
        (Code.CONFIDENCE, 1, {"snr": 2.0, "used_confidence": 0.41}, "confidence 0.410 <= 0.50: too low"),
        (Code.NO_TIER, 2, {}, "confirmed none, signals give neither A nor B"),
        (Code.LOW_CONSENSUS, 3, {"consensus": 0.2, "consensus_horizons": 5}, "20% of 5 horizons < 60%: low"),
        (Code.FLAT_MARKET, 4, {"used_edge": 0.0008}, "edge 8.0 bp < 10.0 bp: flat"),
        (Code.FEE, 5, {"used_p_tp": 0.1, "take_profit": 0.01, "cost": 0.0012},
         "p_tp x TP 10.0 bp < 1.0 x cost 12.0 bp: does not pay the cost"),
        (Code.MIN_EV, 6, {"used_ev": -0.0003, "min_ev": 0.0005}, "net EV -3.0 bp < 5.0 bp: too low"),
    ],
)  # fmt: skip
def test_a_check_that_failed_never_reads_as_if_it_held(
    code: Code, gate: int, figures: dict[str, Any], said: str
) -> None:
    row = np.zeros(1, SCAN)
    row["blocker"], row["block_code"] = gate, int(code)
    row["verdict"][0, : gate + 1] = BLOCK
    for name, value in figures.items():
        row[name] = value
    assert said in gate_lines(P, row, 0)[gate]


def test_a_check_that_held_reads_as_it_did() -> None:
    row = np.zeros(1, SCAN)
    row["blocker"], row["age"], row["spread"] = -1, 1_000_000_000, 0.0003
    row["verdict"][:] = PASS
    line = gate_lines(P, row, 0)[0]
    assert line == "data: pass  spread 3.0 bp < 10.0 bp, mark gap 0.0 bp <= 10.0 bp, age 1.0 s <= 5 s"
