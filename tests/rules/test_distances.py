"""Section 6's ranges of target and stop, section 5's cost."""

from typing import Any

import pytest

from turbo_trader.market.rows import SECOND
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.figures import OFI, OU_DRIFT

B = 1 << OFI | 1 << OU_DRIFT
NOON = 20_000 * 86_400 * SECOND + 12 * 3600 * SECOND


def sigma_for(tp: float) -> float:
    return tp / 1.5 / 30.0  # h = 900 s


@pytest.mark.parametrize(
    ("raw", "tp", "sl"),
    [
        (0.001, 0.006, 0.003), (0.006, 0.006, 0.003), (0.010, 0.010, 0.005), (0.012, 0.012, 0.006),
        (0.0149, 0.0149, 0.006), (0.015, 0.015, 0.006), (0.05, 0.015, 0.006),
    ],
)  # fmt: skip
def test_a_trade_has_the_normal_exits(evaluated: Any, raw: float, tp: float, sl: float) -> None:
    row = evaluated(sigma=sigma_for(raw))
    assert row["take_profit"] == pytest.approx(tp, rel=1e-12)
    assert row["stop_loss"] == pytest.approx(sl, rel=1e-12)


@pytest.mark.parametrize(
    ("raw", "tp", "sl"),
    [
        (0.001, 0.0042, 0.0025),
        (0.010, 0.007, 0.004),
        (0.0115, 0.008, 0.0046),
        (0.015, 0.008, 0.0048),
        (0.05, 0.008, 0.0048),
    ],
)
def test_b_trade_has_its_own_exits(evaluated: Any, raw: float, tp: float, sl: float) -> None:
    row = evaluated(sigma=sigma_for(raw), confirms=B)
    assert row["take_profit"] == pytest.approx(tp, rel=1e-12)
    assert row["stop_loss"] == pytest.approx(sl, rel=1e-12)


def test_reward_to_risk_lies_between_1_67_and_2_5(evaluated: Any) -> None:
    for raw in range(1, 40):
        for confirms in (31, B):
            row = evaluated(sigma=sigma_for(raw / 1000), confirms=confirms)
            assert 1.66 < row["take_profit"] / row["stop_loss"] < 2.51


def test_b_limits_bind_where_the_normal_range_is_wider(evaluated: Any) -> None:
    low = Policy.from_env({"BELIEF": "weighed", "TP_MIN": "0.4%", "SL_MIN": "0.2%", "SL_MAX": "0.7%"})
    assert evaluated(policy=low, sigma=1e-9, confirms=B)["take_profit"] == pytest.approx(0.004)
    assert evaluated(policy=low, sigma=1e-9, confirms=B)["stop_loss"] == pytest.approx(0.0025)
    assert evaluated(policy=low, sigma=1.0, confirms=B)["stop_loss"] == pytest.approx(0.005)


def test_a_stop_is_never_nearer_than_three_tenths_of_a_percent(evaluated: Any) -> None:
    row = evaluated(policy=Policy.from_env({"BELIEF": "weighed", "SL_OF_TP": "0.4"}), sigma=sigma_for(0.006))
    assert row["stop_loss"] == pytest.approx(0.003, rel=1e-12)


def test_cost_is_both_fees_spread_and_slippage(evaluated: Any) -> None:
    row = evaluated(spread=0.0002, gate={"slippage": 0.0003})
    assert row["cost"] == pytest.approx(0.00055 * 2 + 0.0002 + 0.0003)


def test_cost_of_a_maker_entry(evaluated: Any) -> None:
    row = evaluated(policy=Policy.from_env({"BELIEF": "weighed", "ENTRY_STYLE": "maker"}), spread=0.0002)
    assert row["cost"] == pytest.approx(0.00075 + 0.0001)


@pytest.mark.parametrize(
    ("to_settlement", "direction", "rate", "funding"),
    [
        (1800, 1, 0.0004, 0.0004),
        (1801, 1, 0.0004, 0.0),
        (1800, -1, 0.0004, 0.0),  # income is not counted
        (1800, -1, -0.0004, 0.0004),
    ],
)
def test_funding_counts_when_t_crosses_a_settlement(
    evaluated: Any, to_settlement: int, direction: int, rate: float, funding: float
) -> None:
    now = NOON + 4 * 3600 * SECOND - to_settlement * SECOND
    row = evaluated(
        now=now, direction=direction, spread=0.0, state={"funding_rate": rate, "funding_minutes": 480}
    )
    assert row["cost"] == pytest.approx(0.0011 + funding)


def test_no_exits_without_a_forecast_or_sigma(evaluated: Any) -> None:
    for row in (evaluated(direction=0), evaluated(sigma=0.0)):
        assert (row["take_profit"], row["stop_loss"], row["cost"]) == (0, 0, 0)
