"""Section 3a: whose figures the gates see, and what is kept of the others."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import reprice
from turbo_trader.rules.belief import cannot_block, cannot_block_lines
from turbo_trader.rules.entry import entry_limit
from turbo_trader.rules.explanation import explain
from turbo_trader.rules.gate import BLOCK, PASS, TIER_A
from turbo_trader.rules.gates import EV, FEE, PRE_FILTER
from turbo_trader.rules.maps import MAP_CONFIDENCE, MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.records import set_map
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.expectation import exits_ev
from turbo_trader.signals.figures import ACCEL, ASKED, FUNDING, MEASURED, VWAP, WEIGHED

D = Decimal
#: A plain forecast of 40 bp of which the averaged one leaves 2 bp the other way.
APART: dict[str, Any] = {
    "forecast": 0.004, "confidence": 0.6,
    "forecasts": (0.004, -0.0002, 0.0), "errors": (0.002, 0.001, 0.0), "snrs": (2.0, 0.2, 0.0),
    "confidences": (0.6, 0.51, 0.0),
}  # fmt: skip


def test_under_asked_the_gates_see_the_plain_forecast(evaluated: Any) -> None:
    row = evaluated(policy=Policy(), **APART)
    assert (row["used_edge"], row["used_confidence"], row["used_p_tp"]) == (0.004, 0.6, 0.6)
    assert row["verdict"][PRE_FILTER] == PASS
    assert row["tier"] == TIER_A


def test_under_asked_p_is_the_confidence_and_ev_as_the_user_writes_it(evaluated: Any) -> None:
    row = evaluated(policy=Policy(), **APART)
    tp, sl, cost = (float(row[name]) for name in ("take_profit", "stop_loss", "cost"))
    assert row["used_ev"] == row["evs"][ASKED] == pytest.approx(0.6 * tp - 0.4 * sl - cost)


def test_under_weighed_the_same_scan_is_no_candidate_of_that_strength(evaluated: Any) -> None:
    row = evaluated(policy=Policy(belief=Belief.WEIGHED), **{**APART, "direction": -1})
    assert row["used_edge"] == pytest.approx(0.0002)
    assert (row["blocker"], row["block_code"]) == (PRE_FILTER, Code.SNR)


def test_all_three_figure_sets_are_kept_whichever_gates(evaluated: Any) -> None:
    gate: dict[str, Any] = {}
    for belief in Belief:
        policy = Policy(belief=belief)
        params = policy.gate_parameters(policy.capital_tier(D(18)), D(18))
        for which, y in ((MAP_FORECAST, 0.0001), (MAP_CONFIDENCE, 0.505), (MAP_P_TP, 0.2)):
            set_map(params, [0], which, [0.0, 1.0], [y, y])
        gate = {name: params[name] for name in ("knots", "map_x", "map_y")}
        row = evaluated(policy=policy, gate=gate, **APART)
        assert row["forecasts"].tolist() == [0.004, -0.0002, pytest.approx(-0.0001)]
        assert row["confidences"].tolist() == [0.6, 0.51, 0.505]
        assert row["p_targets"].tolist() == [0.6, row["p_tp"], 0.2]
        assert len(set(row["evs"].tolist())) == 3
        assert row["evs"].all()


def test_the_honest_ev_is_that_of_the_exits_under_weighed_in_the_trades_direction(evaluated: Any) -> None:
    policy = Policy()
    row = evaluated(policy=policy, **APART)
    against, none = row["ev"], evaluated(policy=policy, **{**APART, "forecasts": (0.004, 0.0, 0.0)})["ev"]
    assert against < none  # the averaged forecast points the other way
    assert none == pytest.approx(-float(row["cost"]))  # without one there is no drift: exits earn their cost
    toward = evaluated(policy=policy, **{**APART, "forecasts": (0.004, 0.004, 0.0)})["ev"]
    assert toward > none
    assert exits_ev.__doc__


def test_p_under_weighed_counts_a_drift_against_the_trade(evaluated: Any) -> None:
    def p(forecast: float) -> float:
        figures = {
            **APART,
            "forecasts": (0.004, forecast, 0.0),
            "errors": (0.002, abs(forecast) / 5 or 0.001, 0.0),
        }
        return float(evaluated(policy=Policy(), **figures)["p_tp"])

    assert p(-0.003) < p(0.0) < p(0.003)


def test_a_short_mirrors_a_long(evaluated: Any) -> None:
    long = evaluated(policy=Policy(), **APART)
    flipped = {**APART, "direction": -1, "forecast": -0.004, "forecasts": (-0.004, 0.0002, 0.0)}
    short = evaluated(policy=Policy(), **flipped)
    assert short["used_edge"] == long["used_edge"]
    assert short["evs"][ASKED] == long["evs"][ASKED]
    assert short["ev"] == pytest.approx(long["ev"], abs=1e-5)


def test_asked_figures_of_a_scan_that_weighed_decides_count_its_direction(evaluated: Any) -> None:
    row = evaluated(policy=Policy(belief=Belief.WEIGHED), **{**APART, "direction": -1})
    assert row["p_targets"][ASKED] == pytest.approx(0.4)


def test_measured_without_a_map_blocks_and_has_no_figures(evaluated: Any) -> None:
    row = evaluated(policy=Policy(belief=Belief.MEASURED), **APART)
    assert (row["blocker"], row["block_code"]) == (PRE_FILTER, Code.UNCALIBRATED)
    assert row["forecasts"][MEASURED] == row["p_targets"][MEASURED] == row["evs"][MEASURED] == 0.0


def test_zone_one_pays_three_basis_points_beyond_the_cost_under_asked(evaluated: Any) -> None:
    assert Policy().break_even(D("0.0011")) == D("0.0014")
    assert Policy(belief=Belief.WEIGHED).break_even(D("0.0011")) == D("0.0011")
    exactly = Policy(break_even_cost=False, break_even_extra=D(0))
    assert exactly.break_even(D("0.0011")) == D("0.0010")
    costly = {"sigma": 0.0001, "spread": 0.0008}  # TP 0.6 %, B 0.42 %: zone 1 at 0.30 %, cost 0.19 %
    assert evaluated(policy=Policy(), **{**APART, **costly})["verdict"][FEE] == PASS
    extra = Policy(break_even_extra=D("0.0012"))
    row = evaluated(policy=extra, **{**APART, **costly})
    assert (row["verdict"][FEE], row["block_code"]) == (BLOCK, Code.TARGET_BELOW_COST)


def test_under_asked_the_entry_limit_is_two_basis_points_whatever_the_ev() -> None:
    from tests.rules.sized import instrument

    item = instrument(tick=D("0.00001"))
    for margin in (D(0), D("0.01")):
        assert entry_limit(Policy(), item, 1, D("0.99990"), D(1), margin) == D("1.00020")
    weighed = Policy(belief=Belief.WEIGHED)
    assert entry_limit(weighed, item, 1, D("0.99990"), D(1), D("0.0002")) == D("1.00010")
    assert entry_limit(weighed, item, 1, D("0.99990"), D(1), D("0.01")) == D("1.00050")


def test_gates_that_cannot_block_are_named_with_the_cost_from_which_they_could() -> None:
    found = cannot_block(Policy(), "turbo")
    assert set(found) == {"consensus", "flat", "fee"}
    assert "0.210%" in found["fee"]
    assert set(cannot_block(Policy(belief=Belief.WEIGHED), "turbo")) == {"consensus", "flat"}
    assert "consensus" not in cannot_block(Policy(), "growing")
    assert cannot_block_lines(Policy())[0].startswith("turbo: cannot block: consensus")


def test_explain_shows_the_three_beliefs_and_which_decides(evaluated: Any) -> None:
    rows = np.zeros(1, SCAN)
    rows[0] = evaluated(policy=Policy(), **APART)
    text = "\n".join(explain(Policy(), rows, 0, "XRPUSDT"))
    assert "asked (decides): forecast 40.0 bp, SNR 2.00, confidence 0.600, p 0.600, net EV" in text
    assert "weighed: forecast -2.0 bp, SNR 0.20, confidence 0.510" in text
    assert "measured: no forecast" in text
    assert "honest net EV" in text
    assert "cannot block" in text


def test_what_was_needed_under_asked_is_a_confidence_or_a_cost(evaluated: Any) -> None:
    b_trade = {"confirms": 0b10001, "valid": 0b11111, "confidences": (0.505, 0.5, 0.0), "confidence": 0.505}
    row = evaluated(policy=Policy(), **{**APART, **b_trade, "sigma": 0.0001})
    assert (row["blocker"], row["block_code"]) == (EV, Code.MIN_EV)
    rows = np.zeros(1, SCAN)
    rows[0] = row
    text = "\n".join(explain(Policy(), rows, 0, "XRPUSDT"))
    tp, sl, cost = (float(row[name]) for name in ("take_profit", "stop_loss", "cost"))
    assert f"a confidence of {(sl + cost) / (tp + sl):.3f} (was 0.505)" in text


def test_the_recheck_at_size_uses_the_belief_in_force(evaluated: Any) -> None:
    policy = Policy()
    params = policy.gate_parameters(policy.capital_tier(D(18)), D(18))
    rows = np.zeros(1, SCAN)
    rows[0] = evaluated(policy=policy, **APART)
    assert reprice(params, 0, rows, 0, 0.0012)
    tp, sl = float(rows[0]["take_profit"]), float(rows[0]["stop_loss"])
    assert rows[0]["used_ev"] == pytest.approx(0.6 * tp - 0.4 * sl - 0.0012)
    assert (VWAP, ACCEL, FUNDING, WEIGHED) == (1, 2, 3, 1)
