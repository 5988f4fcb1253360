"""Gates 1 to 7 at their boundaries, in their order; the first block stays the first."""

from decimal import Decimal
from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.gate import BLOCK, NOT_ASSESSED, PASS, TIER_A, TIER_B, TIER_NONE, WARN
from turbo_trader.rules.gates import CONSENSUS, DATA, EV, FEE, FLAT, PRE_FILTER, TIER
from turbo_trader.rules.maps import MAP_CONFIDENCE, MAP_FORECAST
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.reasons import Code
from turbo_trader.rules.records import NEVER
from turbo_trader.signals.figures import ACCEL, FUNDING, OFI, OU_DRIFT, VWAP

NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND
JUST_BELOW = 0.999999


def bits(*signals: int) -> int:
    return sum(1 << signal for signal in signals)


# 1 data


def test_data_passes_and_a_forecast_makes_a_candidate(evaluated: Any) -> None:
    row = evaluated()
    assert row["verdict"][DATA] == PASS
    assert row["candidate"] == 1
    assert evaluated(direction=0)["candidate"] == 0


@pytest.mark.parametrize(
    ("figures", "gate", "code"),
    [
        ({"warm": 0}, {}, Code.NOT_WARM),
        ({"fresh": 0}, {}, Code.STALE),
        ({"spread": 0.0010}, {}, Code.SPREAD),
        ({"spread": 0.0010 * JUST_BELOW}, {}, None),
        ({}, {"clock_offset": SECOND}, Code.CLOCK),
        ({}, {"clock_offset": -SECOND}, Code.CLOCK),
        ({}, {"clock_offset": SECOND - 1}, None),
        ({"mark_gap": 0.001}, {}, None),
        ({"mark_gap": 0.001001}, {}, Code.MARK_GAP),
        ({"jump_age": 300 * SECOND - 1}, {}, Code.JUMP),
        ({"jump_age": 300 * SECOND}, {}, None),
        ({}, {"btc_move_ts": NOON - 300 * SECOND + 1}, Code.BTC_MOVE),
        ({}, {"btc_move_ts": NOON - 300 * SECOND}, None),
        ({}, {"maintenance_ts": NOON + 900 * SECOND}, Code.MAINTENANCE),
        ({}, {"maintenance_ts": NOON + 900 * SECOND + 1}, None),
        ({}, {"maintenance_ts": NOON - 5, "maintenance_end_ts": NOON + 1}, Code.MAINTENANCE),
        ({}, {"maintenance_ts": NOON - 5, "maintenance_end_ts": NOON}, None),
        ({}, {"key_expiry_ts": NOON + 86_400 * SECOND}, Code.KEY_EXPIRY),
        ({}, {"key_expiry_ts": NOON + 86_400 * SECOND + 1}, None),
        ({}, {"key_expiry_ts": NEVER}, None),
    ],
)
def test_data_gate(evaluated: Any, figures: dict[str, Any], gate: dict[str, Any], code: Code | None) -> None:
    row = evaluated(gate=gate, **figures)
    assert row["verdict"][DATA] == (PASS if code is None else BLOCK)
    if code is not None:
        assert (row["blocker"], row["block_code"], row["candidate"]) == (DATA, code, 0)


@pytest.mark.parametrize(("off", "blocks"), [(-11, False), (-10, True), (0, True), (10, True), (11, False)])
@pytest.mark.parametrize("minutes", [480, 60, 0])
def test_data_gate_within_10_s_of_a_settlement(evaluated: Any, off: int, blocks: bool, minutes: int) -> None:
    now = 20_000 * 86_400 * SECOND + 16 * 3600 * SECOND + off * SECOND
    row = evaluated(now=now, state={"funding_minutes": minutes})
    assert bool(row["block_code"] == Code.SETTLEMENT) is blocks


def test_settlement_of_an_hourly_symbol(evaluated: Any) -> None:
    assert evaluated(state={"funding_minutes": 60})["block_code"] == Code.SETTLEMENT
    assert evaluated(state={"funding_minutes": 480})["block_code"] != Code.SETTLEMENT


# 2 pre-filter


@pytest.mark.parametrize(
    ("equity", "figures", "code"),
    [
        ("18", {"snr": 1.0}, Code.SNR),
        ("18", {"snr": 1.0001}, None),
        ("100", {"snr": 1.5}, Code.SNR),
        ("100", {"snr": 1.5001}, None),
        ("1000", {"snr": 1.5}, Code.SNR),
        ("18", {"confidence": 0.50}, Code.CONFIDENCE),
        ("18", {"confidence": 0.5001}, None),
        ("100", {"confidence": 0.65}, Code.CONFIDENCE),
        ("100", {"confidence": 0.6501}, None),
        ("1000", {"confidence": 0.65}, Code.CONFIDENCE),
        ("18", {"direction": 0}, Code.NO_FORECAST),
    ],
)
def test_pre_filter(evaluated: Any, equity: str, figures: dict[str, Any], code: Code | None) -> None:
    row = evaluated(equity, **figures)
    assert row["verdict"][PRE_FILTER] == (PASS if code is None else BLOCK)
    if code is not None:
        assert (row["blocker"], row["block_code"]) == (PRE_FILTER, code)


# 3 tier


@pytest.mark.parametrize(
    ("confirms", "tier", "tier_growing"),
    [
        (bits(OFI, OU_DRIFT, VWAP), TIER_A, TIER_A),
        (bits(OFI, OU_DRIFT, ACCEL), TIER_A, TIER_A),
        (bits(OFI, OU_DRIFT, FUNDING), TIER_A, TIER_A),
        (bits(OFI, OU_DRIFT, VWAP, ACCEL, FUNDING), TIER_A, TIER_A),
        (bits(OFI, OU_DRIFT), TIER_B, TIER_NONE),
        (bits(OFI, VWAP, ACCEL, FUNDING), TIER_NONE, TIER_NONE),
        (bits(OU_DRIFT, VWAP, ACCEL, FUNDING), TIER_NONE, TIER_NONE),
        (bits(OFI), TIER_NONE, TIER_NONE),
        (0, TIER_NONE, TIER_NONE),
    ],
)
def test_trade_tier(evaluated: Any, confirms: int, tier: int, tier_growing: int) -> None:
    for equity, expected in (("18", tier), ("100", tier_growing), ("1000", tier_growing)):
        row = evaluated(equity, confirms=confirms)
        assert row["tier"] == expected
        assert row["verdict"][TIER] == (BLOCK if expected == TIER_NONE else PASS)


def test_b_where_it_is_not_allowed_says_so(evaluated: Any) -> None:
    assert evaluated("100", confirms=bits(OFI, OU_DRIFT))["block_code"] == Code.B_NOT_ALLOWED
    assert evaluated("100", confirms=bits(OFI))["block_code"] == Code.NO_TIER


def test_a_confirmation_by_an_invalid_signal_does_not_count(evaluated: Any) -> None:
    assert evaluated(valid=bits(OFI, OU_DRIFT))["tier"] == TIER_B
    assert evaluated(valid=bits(VWAP, ACCEL))["tier"] == TIER_NONE


# 4 consensus


@pytest.mark.parametrize(
    ("equity", "consensus", "verdict"),
    [
        ("18", 0.6, PASS), ("18", 0.4, WARN), ("99.99", 0.4, WARN), ("100", 0.4, WARN), ("100.01", 0.4, BLOCK),
        ("100.01", 0.6, PASS), ("100.01", 0.5999, BLOCK), ("1000", 0.4, BLOCK), ("1000", 0.6, PASS),
    ],
)  # fmt: skip
def test_consensus(evaluated: Any, equity: str, consensus: float, verdict: int) -> None:
    row = evaluated(equity, consensus=consensus)
    assert row["verdict"][CONSENSUS] == verdict


def test_no_horizon_is_a_low_consensus(evaluated: Any) -> None:
    assert evaluated("500", consensus=1.0, consensus_horizons=0)["verdict"][CONSENSUS] == BLOCK


# 5 flat


@pytest.mark.parametrize(
    ("equity", "forecast", "verdict"),
    [
        ("18", 0.0010, PASS), ("18", 0.00099, WARN), ("18", -0.0010, PASS), ("99.99", 0.00099, WARN),
        ("100", 0.00099, BLOCK), ("100", 0.0010, PASS), ("1000", 0.00099, BLOCK),
    ],
)  # fmt: skip
def test_flat(evaluated: Any, equity: str, forecast: float, verdict: int) -> None:
    row = evaluated(equity, forecast=forecast, direction=1 if forecast > 0 else -1)
    assert row["verdict"][FLAT] == verdict


def test_flat_blocks_in_turbo_too_where_the_signals_gave_no_tier(evaluated: Any) -> None:
    assert evaluated("18", forecast=0.0005, confirms=0)["verdict"][FLAT] == BLOCK


# 6 fee, 7 EV


def test_fee_and_ev_are_not_assessed_without_a_tier_or_a_candidate(evaluated: Any) -> None:
    for row in (evaluated(confirms=0), evaluated(fresh=0), evaluated(direction=0)):
        assert list(row["verdict"][FEE : EV + 1]) == [NOT_ASSESSED, NOT_ASSESSED]
        assert (row["p_tp"], row["ev"]) == (0, 0)


def test_target_whose_half_does_not_exceed_the_cost_is_rejected(evaluated: Any) -> None:
    assert evaluated(gate={"slippage": 0.0032})["block_code"] != Code.TARGET_BELOW_COST
    assert evaluated(gate={"slippage": 0.0034})["block_code"] == Code.TARGET_BELOW_COST


def test_every_gate_is_assessed_after_a_block(evaluated: Any) -> None:
    row = evaluated("500", snr=0.1, consensus=0.0, forecast=0.0)
    assert (row["blocker"], row["block_code"]) == (PRE_FILTER, Code.SNR)
    assert list(row["verdict"][CONSENSUS : FLAT + 1]) == [BLOCK, BLOCK]
    assert row["verdict"][FEE] != NOT_ASSESSED


def test_row_of_an_earlier_scan_leaves_no_trace(evaluated: Any) -> None:
    row = evaluated(confirms=0, take_profit=9.0, p_tp=0.9, ev=0.9, blocker=5, verdict=[3] * 9)
    assert row["ev"] == 0
    assert row["blocker"] == TIER


# calibration


def maps(gate: dict[str, Any]) -> dict[str, Any]:
    knots, x, y = [0] * 3, [[0.0] * 33 for _ in range(3)], [[0.0] * 33 for _ in range(3)]
    for which, points in gate.items():
        knots[int(which)] = len(points)
        for i, (a, b) in enumerate(points):
            x[int(which)][i], y[int(which)][i] = a, b
    return {"knots": knots, "map_x": x, "map_y": y}


def test_measured_without_a_map_blocks(evaluated: Any) -> None:
    policy = Policy.from_env({"BELIEF": "measured"})
    row = evaluated(policy=policy)
    assert (row["blocker"], row["block_code"]) == (PRE_FILTER, Code.UNCALIBRATED)


def test_measured_replaces_the_models_numbers_before_the_gates(evaluated: Any) -> None:
    policy = Policy.from_env({"BELIEF": "measured"})
    tables = maps(
        {str(MAP_FORECAST): [(0.0, 0.0), (0.01, 0.001)], str(MAP_CONFIDENCE): [(0.5, 0.4), (1.0, 0.6)]}
    )
    row = evaluated(policy=policy, gate=tables)
    assert row["forecast"] == 0.004
    assert row["used_edge"] == pytest.approx(0.0004)
    assert row["used_confidence"] == pytest.approx(0.56)
    assert row["verdict"][PRE_FILTER] == PASS
    assert row["verdict"][FLAT] == WARN
    assert row["verdict"][FEE] == BLOCK  # no map for p_tp yet
    assert evaluated(policy=policy, gate=tables, confidence=0.1)["used_confidence"] == pytest.approx(0.4)
    assert evaluated(policy=policy, gate=tables, forecast=0.5)["used_edge"] == pytest.approx(0.001)


def test_report_and_off_use_the_models_numbers(evaluated: Any) -> None:
    tables = maps({str(MAP_FORECAST): [(0.0, 0.0), (0.01, 0.001)]})
    assert evaluated(gate=tables)["used_edge"] == pytest.approx(0.004)


def test_min_ev_of_the_row_is_the_tiers(evaluated: Any) -> None:
    for equity in ("18", "25", "25.01", "100", "1000"):
        minimum = Policy(belief=Belief.WEIGHED).capital_tier(Decimal(equity)).min_ev
        assert evaluated(equity)["min_ev"] == float(minimum)
