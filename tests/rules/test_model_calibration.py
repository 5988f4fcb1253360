"""The report against numbers worked by hand and a model known to be right or wrong; maps that use the past alone."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.gate import BLOCK, PASS, WARN
from turbo_trader.rules.gates import EV, FEE, FLAT, PRE_FILTER
from turbo_trader.rules.maps import MAP_CONFIDENCE, MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.model_calibration import fit_maps, put_maps, report
from turbo_trader.rules.outcomes import OUTCOME, STOP, TARGET, TIMEOUT
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.signals.calibration_fits import Map
from turbo_trader.signals.expectation import Zones, exits_ev
from turbo_trader.signals.figures import WEIGHED

VOLATILITY = 0.004  # over h


def made(n: int, seed: int = 1, truth: float = 1.0, symbols: int = 1) -> Rows:
    """Outcomes of a model whose edge means `truth` times what it says, and whose probabilities are right where truth is 1."""
    rng = np.random.default_rng(seed)
    rows = cast("Rows", np.zeros(n, OUTCOME))
    rows["ts"] = np.arange(n) * 900 * SECOND
    rows["known_ts"] = rows["ts"] + 900 * SECOND
    rows["symbol"] = np.arange(n) % symbols
    rows["direction"] = rng.choice([-1, 1], n)
    edge = rng.exponential(0.001, n)
    rows["forecasts"][:, WEIGHED] = rows["direction"] * edge
    gain = truth * edge + VOLATILITY * rng.standard_normal(n)
    rows["realised"] = rows["direction"] * gain
    rows["confidences"][:, WEIGHED] = [0.5 * (1 + math.erf(x / VOLATILITY / math.sqrt(2))) for x in edge]
    rows["p_targets"][:, WEIGHED] = rng.uniform(0.1, 0.6, n)
    rows["first"] = np.where(
        rng.random(n) < truth * rows["p_targets"][:, WEIGHED], TARGET, rng.choice([STOP, TIMEOUT], n)
    )
    return rows


def test_a_perfect_model_has_slope_1_and_lies_on_the_diagonal() -> None:
    found = report(made(20_000), ["A"], [])["over_all"]["weighed"]
    slope = found["slope"]
    assert slope["low"] < 1 < slope["high"]
    assert abs(slope["slope"] - 1) < 3 * slope["error"] < 0.2
    for name in ("confidence", "p_tp"):
        assert len(found[name]) == 10
        hits = sum(row["low"] <= row["claimed"] <= row["high"] for row in found[name])
        assert hits >= 8  # of ten 95 % intervals


def test_a_model_that_says_four_times_too_much_is_found_out() -> None:
    found = report(made(20_000, truth=0.25), ["A"], [])["over_all"]["weighed"]
    assert found["slope"]["slope"] == pytest.approx(0.25, abs=0.1)
    assert found["slope"]["high"] < 0.5
    assert found["realised_return"] == pytest.approx(0.25 * found["predicted_return"], abs=1e-4)
    assert all(row["high"] < row["claimed"] for row in found["p_tp"])


def test_the_errors_of_slope_and_mean_are_those_of_repeated_samples() -> None:
    many = [report(made(400, seed), ["A"], [])["over_all"]["weighed"] for seed in range(200)]
    slopes = np.array([each["slope"]["slope"] for each in many])
    assert np.mean([each["slope"]["error"] for each in many]) == pytest.approx(slopes.std(), rel=0.15)
    means = np.array([each["realised_return"] for each in many])
    assert np.mean([each["realised_return_error"] for each in many]) == pytest.approx(means.std(), rel=0.15)


def test_symbols_that_move_together_are_not_counted_twice() -> None:
    one = made(800)
    one["ts"] *= 4  # an hour apart
    both = cast("Rows", np.concatenate([one, one]))
    both["symbol"][800:] = 1
    alone, pooled = report(one, ["A", "B"], []), report(both, ["A", "B"], [])
    assert pooled["over_all"]["weighed"]["slope"]["slope"] == pytest.approx(
        alone["over_all"]["weighed"]["slope"]["slope"]
    )
    assert pooled["over_all"]["weighed"]["slope"]["error"] == pytest.approx(
        alone["over_all"]["weighed"]["slope"]["error"]
    )
    assert pooled["over_all"]["weighed"]["realised_return_error"] == pytest.approx(
        alone["over_all"]["weighed"]["realised_return_error"]
    )
    assert pooled["symbols"]["A"]["weighed"]["slope"] == pooled["symbols"]["B"]["weighed"]["slope"]


def test_the_reliability_table_by_hand() -> None:
    rows = made(40)
    rows["confidences"][:, WEIGHED] = np.linspace(0.5, 0.9, 40)
    rows["realised"] = rows["direction"] * np.where(np.arange(40) % 4 == 0, -0.01, 0.01)
    table = report(rows, ["A"], [])["over_all"]["weighed"]["confidence"]
    assert [row["outcomes"] for row in table] == [20, 20]
    for k, row in enumerate(table):
        claimed = rows["confidences"][20 * k : 20 * k + 20, WEIGHED]
        assert (row["from"], row["to"]) == (claimed[0], claimed[-1])
        assert row["claimed"] == pytest.approx(claimed.mean())
        assert row["came"] == 0.75
        assert (row["low"], row["high"]) == pytest.approx((0.5313, 0.8881), abs=1e-4)  # Wilson, 15 of 20


def test_counts_and_trades_are_reported_per_symbol() -> None:
    rows = made(6, symbols=2)
    rows["first"] = [TARGET, STOP, STOP, TIMEOUT, TARGET, STOP]
    trades: list[dict[str, Any]] = [
        *[{"symbol": "B", "ev": 0.001, "net_fraction": -0.002}] * 5,
        *[{"symbol": "B", "ev": 0.003, "net_fraction": 0.004}] * 5,
        {"symbol": "B", "ev": None, "net_fraction": 9.0},  # of a position taken over: no EV is known
    ]
    found = report(rows, ["A", "B", "C"], trades)
    assert found["symbols"]["A"]["first"] == {"target": 2, "stop": 1, "timeout": 0}
    assert found["symbols"]["B"]["first"] == {"target": 0, "stop": 2, "timeout": 1}
    assert set(found["symbols"]) == {"A", "B"}
    reported = found["symbols"]["B"]["trades"]
    assert reported["closed"] == 10
    assert (reported["ev"], reported["realised"], reported["realised_error"]) == pytest.approx(
        (0.002, 0.001, 0.001)
    )
    assert found["over_all"]["trades"] == reported


def test_what_a_single_hour_says_has_no_error() -> None:
    rows = made(30, symbols=3)
    rows["ts"] %= 3_600 * SECOND
    found = report(rows, ["A", "B", "C"], [])
    assert found["over_all"]["weighed"]["slope"]["slope"] is not None
    assert [found["over_all"]["weighed"]["slope"][name] for name in ("error", "low", "high")] == [None] * 3
    assert found["over_all"]["weighed"]["realised_return_error"] is None
    assert found["symbols"]["A"]["weighed"]["slope"]["error"] > 0


def test_nothing_is_an_answer() -> None:
    found = report(cast("Rows", np.zeros(0, OUTCOME)), ["A"], [])
    assert found["symbols"] == {}
    assert found["over_all"]["outcomes"] == 0
    assert found["over_all"]["weighed"]["slope"] is None
    assert found["over_all"]["weighed"]["confidence"] == found["over_all"]["weighed"]["p_tp"] == []
    assert found["over_all"]["weighed"]["realised_return"] is None


# maps


def test_maps_use_only_outcomes_known_at_the_time() -> None:
    rows = made(1_000)
    now = int(rows["known_ts"][599])
    spoiled = rows.copy()
    spoiled["realised"][600:] *= -50
    spoiled["first"][600:] = STOP
    assert fit_maps(Policy(), rows, now) == fit_maps(Policy(), spoiled, now)
    assert fit_maps(Policy(), rows, now) != fit_maps(Policy(), spoiled, now + 300 * 900 * SECOND)


def test_maps_need_enough_outcomes_and_have_enough_behind_each_point() -> None:
    rows = made(1_000)
    known = rows["known_ts"]
    assert fit_maps(Policy(), rows, int(known[198])) is None
    found = fit_maps(Policy(), rows, int(known[199]))
    assert found is not None
    assert {which: each.samples for which, each in found.items()} == {0: 200, 1: 200, 2: 200}
    assert all(len(each.x) <= 2 for each in found.values())
    assert fit_maps(Policy(calibration_min_samples=500), rows, int(known[400])) is None
    for n, points in ((299, 2), (300, 3), (302, 3)):  # a hundred behind each
        certain = rows[:n].copy()
        certain["realised"] = certain["forecasts"][
            :, WEIGHED
        ]  # the more the better: no two points are pooled
        groups = fit_maps(Policy(), certain, int(known[-1]))
        assert groups is not None
        assert len(groups[MAP_FORECAST].x) == points
    finer = fit_maps(Policy(calibration_group=10), rows, int(known[-1]))
    assert finer is not None
    assert len(finer[MAP_FORECAST].x) == 33


@pytest.mark.parametrize("n", [200, 1_000, 2_000])
def test_without_an_edge_a_map_stays_below_the_fees_of_a_round_trip(n: int) -> None:
    tops = []
    for seed in range(200):
        found = fit_maps(Policy(), made(n, seed, truth=0.0), 1 << 62)
        assert found is not None
        tops.append(max(found[MAP_FORECAST].y))
    assert np.quantile(tops, 0.98) < 0.0009 < float(Policy().round_trip_fee)


def test_put_maps_replaces_what_was_there() -> None:
    policy = Policy(belief=Belief.MEASURED)
    gates = policy.gate_parameters(policy.capital_tier(Decimal(18)), Decimal(18), 2)
    maps = {which: Map((0.0, 1.0), (0.0, 0.5), 200) for which in (MAP_FORECAST, MAP_CONFIDENCE, MAP_P_TP)}
    put_maps(gates, [1], maps)
    assert gates["knots"].tolist() == [[0, 0, 0], [2, 2, 2]]
    put_maps(gates, [1], None)
    assert not gates["knots"].any()


# what enforce does to decisions


def enforced(evaluated: Any, edge: float, confidence: float, p_tp: float) -> Any:
    """The good candidate under measured, with maps that give these numbers for its own."""
    policy = Policy(belief=Belief.MEASURED)
    gates = policy.gate_parameters(policy.capital_tier(Decimal(18)), Decimal(18))
    points = {MAP_FORECAST: edge, MAP_CONFIDENCE: confidence, MAP_P_TP: p_tp}
    put_maps(gates, [0], {which: Map((0.0, 1.0), (y, y), 200) for which, y in points.items()})
    maps = {name: gates[name][0] for name in ("knots", "map_x", "map_y")}
    return evaluated(policy=policy, gate=maps)


def test_a_map_that_says_the_same_changes_nothing(evaluated: Any) -> None:
    plain = evaluated()
    same = enforced(
        evaluated, float(plain["used_edge"]), float(plain["used_confidence"]), float(plain["used_p_tp"])
    )
    assert plain["blocker"] == -1
    assert (same["verdict"] == plain["verdict"]).all()
    for name in ("used_edge", "used_confidence", "used_p_tp", "used_ev"):
        assert same[name] == pytest.approx(plain[name], rel=1e-12)


@pytest.mark.parametrize(
    ("edge", "confidence", "p_tp", "gate", "code"),
    [
        (0.004, 0.501, 0.9, -1, Code.NONE),
        (0.004, 0.50, 0.9, PRE_FILTER, Code.CONFIDENCE),
        (0.004, 0.501, 0.01, FEE, Code.FEE),
        (0.0012, 0.501, 0.9, EV, Code.MIN_EV),
        (-0.002, 0.501, 0.9, EV, Code.MIN_EV),
    ],
)
def test_decisions_change_as_the_maps_say(
    evaluated: Any, edge: float, confidence: float, p_tp: float, gate: int, code: Code
) -> None:
    row = enforced(evaluated, edge, confidence, p_tp)
    assert (row["blocker"], row["block_code"]) == (gate, code)
    assert row["verdict"][FLAT] == (PASS if edge >= 0.001 else WARN)
    assert (row["used_edge"], row["used_confidence"], row["used_p_tp"]) == pytest.approx(
        (edge, confidence, p_tp)
    )
    assert row["forecast"] == 0.004  # the model's numbers stay beside


@pytest.mark.parametrize("edge", [0.006, 0.004, 0.001, 0.0, -0.003])
def test_the_ev_under_enforce_is_that_of_the_calibrated_forecast(evaluated: Any, edge: float) -> None:
    row = enforced(evaluated, edge, 0.9, 0.9)
    policy = Policy(belief=Belief.MEASURED)
    cost, hold = float(row["cost"]), float(row["hold_s"])
    expected = exits_ev(
        float(row["take_profit"]), float(row["stop_loss"]), max(float(policy.break_even_min), cost), edge / 900, 0.0002, 900.0,
        hold, cost, float(policy.monitor_interval), Zones(0.5, 1.0, 0.5, 0.5, 3, 0.5, 2.0, 1, 0.5),
    )  # fmt: skip
    assert row["used_ev"] == pytest.approx(expected, rel=1e-12)
    assert row["ev"] == pytest.approx(evaluated()["ev"], rel=1e-12)
    assert row["verdict"][EV] == (PASS if expected >= 0 else BLOCK)
