"""The oracle's own gates: a scan that the rules allow must pass, one that they refuse must not, and its figures must agree."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from turbo_trader.chaos.candidates_check import BEGUN, LIMITS, Candidates
from turbo_trader.chaos.figures_check import Figures
from turbo_trader.chaos.gates_check import GATES, Gates
from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.session_check import SessionLimits
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import World
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy

SOL: Instrument = universe()[2]
#: An A-trade of SOLUSDT, as the default rules let it pass.
ROW: Row = {
    "ts": 1_767_581_520 * SECOND, "symbol": 0, "direction": 1, "warm": 1, "fresh": 1, "valid": 27, "bid": 156.38, "ask": 156.4,
    "mid": 156.39, "last_price": 156.38, "mark": 156.38, "spread": 0.02 / 156.39, "mark_gap": 0.0, "age": SECOND,
    "jump_age": 1 << 62, "big_move_age": 1 << 62, "forecasts": [0.00926, 0.0, 0.0], "snrs": [3.589, 0.0, 0.0],
    "confidences": [0.656, 0.0, 0.0], "sigma": 0.00076, "horizon_s": 900.0, "ou_z": -0.8636, "vwap_z": -0.7163,
    "vwap_gap": -0.0071, "accel_z": 0.0, "funding_8h": 1.7e-5, "score": [0.9594, 0.358, 0.0, -0.017, 0.43],
    "consensus": 0.25, "consensus_horizons": 4, "capital_tier": 0, "tier": 2, "blocker": -1, "take_profit": 0.015,
    "stop_loss": 0.006, "cost": 0.0011 + 0.02 / 156.39, "slippage": 0.0, "evs": [0.0, 0.0, 0.0], "used_p_tp": 0.656,
    "used_ev": 0.656 * 0.015 - 0.344 * 0.006 - 0.0011 - 0.02 / 156.39, "min_ev": 0.0008, "hold_s": 1800.0,
}  # fmt: skip


def world(equity: str = "60") -> Any:
    """A world with one instrument and an empty account of so many USDT."""
    made = World(Policy())
    fees = Decimal("0.00055"), Decimal("0.00020")
    exchange = SimpleNamespace(
        wallet=lambda _: Decimal(equity), instruments=(SOL,), index={SOL.symbol: 0}, fee_rates=lambda *_: fees
    )
    cursors = SimpleNamespace(came_through=lambda _: (0, ROW["ts"]), feed_ns=lambda _: 0)
    simulation: Any = SimpleNamespace(now=ROW["ts"], uid="test", exchange=exchange, cursors=cursors)
    made.simulation = simulation
    made.terms[SOL.symbol] = SOL
    return made


def judged(**changes: Any) -> str:
    return Gates(world()).refusal({**ROW, **changes})


def test_a_scan_that_the_rules_allow_passes_every_gate() -> None:
    assert judged() == ""


@pytest.mark.parametrize(
    ("gate", "changes"),
    [
        ("data", {"warm": 0}),
        ("data", {"spread": 0.0011}),
        ("data", {"jump_age": 299 * SECOND}),
        ("data", {"ts": 1_767_571_200 * SECOND + 9 * SECOND}),
        ("pre-filter", {"snrs": [1.0, 0.0, 0.0]}),
        ("pre-filter", {"confidences": [0.5, 0.0, 0.0]}),
        ("tier", {"score": [0.14, 0.358, 0.0, -0.017, 0.43], "tier": 0}),
        ("EV", {"take_profit": 0.006, "stop_loss": 0.003, "sigma": 0.0001, "confidences": [0.51, 0.0, 0.0],
                "used_p_tp": 0.51, "used_ev": 0.51 * 0.006 - 0.49 * 0.003 - ROW["cost"]}),
    ],
)  # fmt: skip
def test_a_scan_is_refused_by_the_first_gate_that_does_not_hold(gate: str, changes: dict[str, Any]) -> None:
    assert judged(**changes) == gate


@pytest.mark.parametrize(
    "changes",
    [
        {"direction": -1},  # not that of the forecast
        {"tier": 1},  # VWAP confirms, too
        {"take_profit": 0.0075},  # not 1.5 sigma sqrt(h)
        {"stop_loss": 0.003},
        {"cost": 0.0011},  # without the spread
        {"used_ev": 0.002},
    ],
)
def test_figures_that_do_not_follow_from_the_others_are_a_violation(changes: dict[str, Any]) -> None:
    with pytest.raises(Violated):
        judged(**changes)


@pytest.mark.parametrize(
    ("invariant", "changes"),
    [
        (Invariant.LIMITS, {"snrs": [0.5, 0.0, 0.0]}),  # passes all the same
        (Invariant.LIVES, {"blocker": GATES.index("tier")}),  # refused without a reason
        (Invariant.LIMITS, {"capital_tier": 1, "horizon_s": 1800.0, "hold_s": 2700.0}),  # of 60 USDT
        (Invariant.LIMITS, {"min_ev": 0.0}),  # of up to 25 USDT
    ],
)
def test_a_verdict_other_than_the_rules_is_a_violation(invariant: Invariant, changes: dict[str, Any]) -> None:
    with pytest.raises(Violated) as broken:
        Gates(world()).look([{**ROW, **changes}])
    assert broken.value.invariant is invariant


@pytest.mark.parametrize("changes", [{"spread": 0.0002}, {"mark": 156.5}])
def test_a_figure_that_its_own_prices_do_not_give_is_a_violation(changes: dict[str, Any]) -> None:
    with pytest.raises(Violated):
        Figures(world()).look({**ROW, **changes}, 0)


def candidates(**changes: Any) -> Candidates:
    """After one scan."""
    seen = world()
    seen.scanned = [{**ROW, **changes}]
    found = Candidates(seen, SessionLimits(seen))
    found._account()
    return found


def test_a_scan_that_passes_must_become_an_entry() -> None:
    checked = candidates()
    checked.step()
    simulation: Any = checked.world.simulation
    simulation.now += BEGUN + SECOND
    with pytest.raises(Violated, match="no entry follows"):
        checked.step()


def test_the_account_refuses_a_candidate_only_with_a_reason() -> None:
    with pytest.raises(Violated, match="without a reason"):
        candidates(blocker=LIMITS)
