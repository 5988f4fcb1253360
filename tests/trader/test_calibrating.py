"""Calibration in the Trader: outcomes reported, maps from the past alone, refitted on time, taken up after a restart."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, cast

import numpy as np
import pytest

from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.assess import evaluate
from turbo_trader.rules.gates import PRE_FILTER
from turbo_trader.rules.maps import MAP_CONFIDENCE, MAP_FORECAST, MAP_P_TP
from turbo_trader.rules.model_calibration import fit_maps
from turbo_trader.rules.outcomes import OUTCOME, TARGET, TIMEOUT
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.trader import scanning
from turbo_trader.trader.commands import Resolved, Scanned
from turbo_trader.trader.persisted import OUTCOMES, WORLD

NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND
D = Decimal
QUICK: dict[str, Any] = {"turbo_horizon": 60, "turbo_max_hold": 90}
FORECAST: dict[str, Any] = {
    "candidate": 1, "direction": 1, "mid": 100.005, "sigma": 0.0002, "hold_sigma": 0.0002,
    "forecast": 0.002, "se": 0.001, "confidence": 0.6,
    "forecasts": (0.002, 0.002, 0.0), "errors": (0.001, 0.001, 0.0), "confidences": (0.6, 0.6, 0.0),
    "horizon_s": 60.0, "hold_s": 90.0, "take_profit": 0.01, "stop_loss": 0.005, "blocker": PRE_FILTER,
}  # fmt: skip


def past(n: int, s: int = 0, share: float = 0.25, hold: float = 90.0, until: int = NOON - SECOND) -> Rows:
    """Outcomes of a symbol, the last one known at `until`: a quarter of the edge came true, targets came at `share`."""
    rows = cast("Rows", np.zeros(n, OUTCOME))
    rows["known_ts"] = until - np.arange(n)[::-1] * SECOND
    rows["ts"] = rows["known_ts"] - 90 * SECOND
    rows["symbol"], rows["direction"], rows["horizon_s"], rows["hold_s"] = s, 1, 60.0, hold
    rows["forecasts"][:, WEIGHED] = np.linspace(0.0005, 0.004, n)
    rows["realised"] = rows["forecasts"][:, WEIGHED] / 4
    rows["confidences"][:, WEIGHED] = np.linspace(0.5, 0.9, n)
    rows["p_targets"][:, WEIGHED] = np.linspace(0.1, 0.8, n)
    rows["first"] = np.where(np.arange(n) % 100 < 100 * share, TARGET, TIMEOUT)
    return rows


def small(staged: Any, belief: Belief, *rows: Rows, **numbers: Any) -> Any:
    """A recovered stage of 18 USDT that remembers these outcomes."""
    policy = Policy(belief=belief, **QUICK, **numbers)
    kept = {OUTCOMES: {"rows": np.concatenate(rows)}} if rows else None
    made = staged(policy=policy, restored=kept)
    made.recover("18")
    return made


def forecasting(monkeypatch: pytest.MonkeyPatch, **figures: Any) -> None:
    """Every scan of the first symbol is a candidate."""

    def assess_all(*args: Any) -> bool:
        for s, row in enumerate(args[7]):
            for name, value in {**FORECAST, **figures, "blocker": PRE_FILTER}.items():
                row[name] = value
            row["candidate"] = int(s == 0)
        return False

    monkeypatch.setattr(scanning, "assess_all", assess_all)


def live(stage: Any, bids: list[str]) -> None:
    """A book a second, as long as there are bids."""
    for bid in bids:
        stage.now += SECOND
        stage.quote(bid, str(D(bid) + D("0.01")))
        stage.clock()


def gates(stage: Any) -> Any:
    return stage.inside._scanner._gates


# outcomes


def test_a_forecast_is_followed_and_its_outcome_reported(
    staged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasting(monkeypatch)
    stage = small(staged, Belief.WEIGHED)
    opened = stage.inside._calibrating._work["ts"][0]
    live(stage, ["100.00"] * 20 + ["100.50"] * 250)
    first = stage.all(Resolved)[0]
    assert len(first.rows) == 1
    (row,) = first.rows
    assert row["ts"] == opened == stage.all(Scanned)[0].ts
    assert row["realised"] == pytest.approx(0.5 / 100.005, rel=1e-9)
    assert (row["forecasts"][WEIGHED], row["first"], row["known_ts"]) == (
        0.002,
        TIMEOUT,
        opened + 90 * SECOND,
    )
    assert first.ts >= row["known_ts"]
    assert 0 < row["p_targets"][WEIGHED] < 0.5
    follow_up = stage.all(Resolved)[1].rows[0]
    assert follow_up["ts"] >= row["known_ts"]


@pytest.mark.parametrize("belief", list(Belief))
def test_outcomes_are_kept_and_maps_are_made_under_every_belief(
    staged: Any, monkeypatch: pytest.MonkeyPatch, belief: Belief
) -> None:
    forecasting(monkeypatch)
    stage = small(staged, belief, past(300))
    live(stage, ["100.00"] * 200)
    assert stage.all(Resolved)
    assert gates(stage)["knots"].all()


@pytest.mark.parametrize(
    ("changed", "hole", "lost"), [({}, 59, 0), ({}, 60, 1), ({"calibration_hole": 65}, 60, 0)]
)
def test_a_hole_in_the_prices_leaves_no_outcome(
    staged: Any, monkeypatch: pytest.MonkeyPatch, changed: dict[str, int], hole: int, lost: int
) -> None:
    forecasting(monkeypatch)
    stage = small(staged, Belief.WEIGHED, **changed)
    live(stage, ["100.00"] * 20)
    stage.now += hole * SECOND
    live(stage, ["100.00"] * 60)
    assert stage.trader.summary()["outcomes_lost"] == lost
    assert len(stage.all(Resolved)) == 1 - lost


def test_an_open_shadow_is_not_kept_over_a_restart(staged: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    forecasting(monkeypatch)
    stage = small(staged, Belief.WEIGHED)
    live(stage, ["100.00"] * 40)
    assert stage.inside._calibrating._shadows["open"][0] == 1
    again = stage.restart()
    again.recover("18")
    live(again, ["100.00"] * 200)
    assert min(row["ts"] for each in again.all(Resolved) for row in each.rows) > stage.now


# maps


def test_without_outcomes_measured_blocks_with_its_reason(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED)
    assert not gates(stage)["knots"].any()
    note = stage.notes("calibration")[-1].fields
    assert note == {"outcomes": 0, "own": 0, "pooled": 0, "none": 2}


def test_a_symbol_has_its_own_maps_where_it_has_enough_outcomes_else_those_of_all(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED, past(250), past(40, s=1, share=0.75))
    assert stage.notes("calibration")[-1].fields == {"outcomes": 290, "own": 1, "pooled": 1, "none": 0}
    own = fit_maps(stage.policy, past(250), NOON)
    pooled = fit_maps(
        stage.policy, cast("Rows", np.concatenate([past(250), past(40, s=1, share=0.75)])), NOON
    )
    assert own is not None
    assert pooled is not None
    for s, maps in enumerate((own, pooled)):
        for which in (MAP_FORECAST, MAP_CONFIDENCE, MAP_P_TP):
            n = int(gates(stage)["knots"][s, which])
            assert tuple(gates(stage)["map_x"][s, which, :n]) == maps[which].x
            assert tuple(gates(stage)["map_y"][s, which, :n]) == maps[which].y
    assert own != pooled


@pytest.mark.parametrize(
    "rows",
    [past(199), past(300, hold=2_700.0), past(300, until=NOON + 200 * SECOND)],
    ids=["few", "other", "unknown"],
)
def test_outcomes_that_are_few_of_another_hold_or_not_known_yet_make_no_map(staged: Any, rows: Rows) -> None:
    assert not gates(small(staged, Belief.MEASURED, rows))["knots"].any()


def test_only_the_last_outcomes_of_a_symbol_count(staged: Any) -> None:
    old, new = past(300, until=NOON - 1_000 * SECOND), past(250, share=0.75)
    stage = small(staged, Belief.MEASURED, old, new, calibration_window=250)
    alone = small(staged, Belief.MEASURED, new)
    assert (gates(stage)["map_y"] == gates(alone)["map_y"]).all()


def test_maps_are_refitted_on_schedule_with_the_outcomes_since(
    staged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    forecasting(monkeypatch)
    stage = small(staged, Belief.MEASURED, past(199), calibration_refit=300)
    due = (stage.now // (300 * SECOND) + 1) * 300 * SECOND
    live(stage, ["100.00"] * 150)
    assert stage.all(Resolved)
    assert stage.now < due
    assert not gates(stage)["knots"].any()  # enough outcomes by now, but the maps wait for their time
    live(stage, ["100.00"] * ((due - stage.now) // SECOND + 30))
    assert gates(stage)["knots"].all()
    assert stage.notes("calibration")[-1].ts == due


def test_the_last_2000_outcomes_of_a_symbol_are_kept(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED, past(2_100), past(30, s=1))
    assert stage.notes("calibration")[-1].fields["outcomes"] == 2_030


def test_maps_are_refitted_every_four_hours(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED, past(250))
    for hour in (4, 8):
        stage.now = NOON + hour * 3600 * SECOND - 31 * SECOND
        live(stage, ["100.00"] * 60)
    assert [note.ts - NOON for note in stage.notes("calibration")[1:]] == [
        4 * 3600 * SECOND,
        8 * 3600 * SECOND,
    ]


def test_another_horizon_fits_at_once(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED, past(250), growing_horizon=70, growing_max_hold=95)
    assert gates(stage)["knots"].all()
    tier = stage.policy.capital_tier(D(500))
    growing = stage.policy.gate_parameters(tier, D(500), 2)
    stage.inside._calibrating.before_scan(growing, tier)
    assert not growing["knots"].any()


def test_a_new_tier_of_the_same_horizon_keeps_its_maps(staged: Any) -> None:
    stage = small(staged, Belief.MEASURED, past(250), growing_horizon=60, growing_max_hold=90)
    notes = len(stage.notes("calibration"))
    tier = stage.policy.capital_tier(D(500))
    growing = stage.policy.gate_parameters(tier, D(500), 2)
    stage.inside._calibrating.before_scan(growing, tier)
    assert (growing["map_y"] == gates(stage)["map_y"]).all()
    assert len(stage.notes("calibration")) == notes


def test_the_scan_is_blocked_as_uncalibrated_until_there_are_maps(staged: Any) -> None:
    def verdict(stage: Any) -> tuple[int, float]:
        row = np.zeros(2, SCAN)
        for name, value in {**FORECAST, "warm": 1, "fresh": 1, "snr": 2.0, "snrs": 2.0}.items():
            row[name] = value
        row["jump_age"] = 1 << 60
        evaluate(stage.trader.states, 0, NOON + 3600 * SECOND, gates(stage), row, 0)
        return int(row[0]["block_code"]), float(row[0]["used_edge"])

    assert verdict(small(staged, Belief.MEASURED)) == (Code.UNCALIBRATED, 0.0)
    code, edge = verdict(small(staged, Belief.MEASURED, past(250)))
    assert code != Code.UNCALIBRATED
    assert edge == pytest.approx(0.0005, rel=0.25)  # a quarter, as it came


def scored(staged: Any, fingerprint: str, kept: dict[str, Any], rows: Rows) -> Any:
    """A stage whose entries come from a panel signal, after runs that left `kept` and these outcomes."""
    policy = Policy(belief=Belief.MEASURED, signal="mine.py", **QUICK)
    world = {"name": "paper:mine", "signal": fingerprint}
    made = staged(policy=policy, restored={**kept, WORLD: world, OUTCOMES: {"rows": rows}})
    made.recover("18")
    return made


def scored_past() -> Rows:
    """Of scores that look an hour ahead, wherever the tier's horizon is."""
    rows = past(300)
    rows["horizon_s"] = rows["hold_s"] = 3600.0
    return rows


def test_outcomes_of_a_panel_signal_make_maps_at_its_own_horizon(staged: Any) -> None:
    kept = {"forecaster": {"signal": "f1", "since": 0}}
    assert gates(scored(staged, "f1", kept, scored_past()))["knots"].all()


def test_a_score_passes_the_pre_filter_under_measured_once_there_are_maps(staged: Any) -> None:
    stage = scored(staged, "f1", {"forecaster": {"signal": "f1", "since": 0}}, scored_past())
    row = np.zeros(2, SCAN)
    for name, value in {**FORECAST, "warm": 1, "fresh": 1, "confidences": (0.9, 0.9, 0.0)}.items():
        row[name] = value
    row["jump_age"] = 1 << 60
    params = gates(stage)
    params["map_y"][:, MAP_CONFIDENCE] = 0.9
    evaluate(stage.trader.states, 0, NOON + 3600 * SECOND, params, row, 0)
    assert int(row[0]["block_code"]) not in (Code.UNCALIBRATED, Code.NO_SCORE, Code.SNR, Code.CONFIDENCE)
    assert float(row[0]["used_edge"]) == pytest.approx(0.0005, rel=0.25)


def test_outcomes_of_another_signal_are_not_taken_up_now_or_later(staged: Any) -> None:
    stage = scored(staged, "f2", {"forecaster": {"signal": "f1", "since": 0}}, scored_past())
    assert not gates(stage)["knots"].any()
    assert stage.kept["forecaster"]["signal"] == "f2"
    again = scored(staged, "f2", {"forecaster": stage.kept["forecaster"]}, scored_past())
    assert not gates(again)["knots"].any()


# trades


def test_a_closed_trade_reports_the_ev_its_entry_was_let_in_with(stage: Any) -> None:
    sent = stage.hold(ev=0.009, used_ev=0.004)
    expected = stage.notes("entry")[-1].fields["used_ev"]
    stage.deliver(stage.fill("x", -1, sent.qty, "100.20", closed=str(sent.qty)))
    assert stage.notes("trade")[-1].fields["ev"] == expected
    assert stage.notes("trade")[-1].fields["net_fraction"] != 0


def test_the_ev_of_an_open_trade_survives_a_restart(stage: Any) -> None:
    sent = stage.hold(used_ev=0.004)
    again = stage.restart()
    assert again.state().trade.ev == stage.state().trade.ev is not None
    del stage.kept["position:AAAUSDT"]["trade"]["ev"]  # as an earlier version kept it
    assert stage.restart().state().trade.ev is None
    assert sent.qty == again.state().held
