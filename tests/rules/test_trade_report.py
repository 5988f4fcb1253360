"""The report: by hand on small lists; beside the targets; nothing invented where there is nothing to say."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.scan_funnel import TARGETS, Funnel
from turbo_trader.rules.strengths import Strengths
from turbo_trader.rules.trade_report import (
    PREDECESSOR,
    days_to,
    growth_per_day,
    target_days,
    trade_report,
    whole_report,
    win_interval,
)
from turbo_trader.signals.figures import OFI, SIGNALS, VWAP

D = Decimal


def trade(tier: str, net: str, fraction: float, seconds: int) -> dict[str, Any]:
    return {
        "tier": tier,
        "net": net,
        "fees": "0.10",
        "net_fraction": fraction,
        "seconds": seconds,
        "symbol": "XRPUSDT",
    }


TRADES = [
    trade("A", "2", 0.01, 600),
    trade("A", "-1", -0.005, 1200),
    trade("B", "-0.5", -0.003, 300),
    trade("B", "0", 0.0, 900),
]


def test_every_figure_by_hand() -> None:
    found = trade_report(TRADES, D(20), D("20.5"), 48.0)
    assert (found["trades"], found["trades_A"], found["trades_B"]) == (4, 2, 2)
    assert (found["win_rate"], found["win_rate_A"], found["win_rate_B"]) == (0.25, 0.5, 0.0)
    assert found["average_win"] == 0.01
    loss = -0.008 / 3  # a result of exactly 0 counts as a loss
    assert found["average_loss"] == pytest.approx(loss)
    assert found["reward_risk"] == pytest.approx(0.01 / -loss)
    assert found["break_even_win_rate"] == pytest.approx(-loss / (0.01 - loss))
    assert found["duration_minutes"] == {"mean": 12.5, "median": 12.5}
    assert found["trades_per_hour"] == pytest.approx(4 / 48)
    assert found["trades_per_day"] == 2.0
    assert found["growth_per_day"] == pytest.approx(1.025**0.5 - 1)
    assert found["growth"] == pytest.approx(0.025)
    short = trade_report(TRADES, D(20), D("20.5"), 23.9)
    assert (short["trades_per_day"], short["growth_per_day"]) == (None, None)  # a day is not made of an hour
    assert short["growth"] == found["growth"]
    assert found["fees"] == D("0.40")
    assert found["fee_drag"] == pytest.approx(0.02)
    assert found["fee_drag_per_trade"] == pytest.approx(0.005)


def test_without_trades_time_or_money_nothing_is_claimed() -> None:
    found = trade_report([], D(0), D(0), 0.0)
    said = {name for name, value in found.items() if value is None}
    assert {"win_rate", "average_win", "reward_risk", "trades_per_hour", "growth_per_day", "fee_drag"} <= said
    assert found["win_rate_95"] == (0.0, 1.0)
    assert growth_per_day(D(18), D(0), 1.0) == -1.0


def test_the_interval_of_the_predecessor_s_record_is_the_one_known() -> None:
    low, high = win_interval(40, 110)
    assert (round(low, 2), round(high, 2)) == PREDECESSOR["win_rate_95"]
    assert round(40 / 110, 3) == PREDECESSOR["win_rate"]
    for wins, trades in ((0, 5), (5, 5), (3, 10)):
        low, high = win_interval(wins, trades)
        assert 0 <= low <= wins / trades <= high <= 1


def test_the_whole_report_stands_beside_every_target_figure_it_can_report() -> None:
    found = whole_report(TRADES, Funnel(), Strengths(), (D(20), D(19)), 24.0)
    lines = {line["figure"]: line for line in found["beside_targets"]}
    assert list(lines) == list(TARGETS)
    assert all((line["before"], line["target"]) == TARGETS[name] for name, line in lines.items())
    assert lines["A : B"]["measured"] == "2 : 2"
    assert lines["win rate"]["measured"].startswith("25.0 % (5%-70%)")
    assert lines["growth per day"]["measured"] == "-5.00 %"
    assert set(found["strengths"]) == set(SIGNALS)


def test_strengths_are_the_quantiles_of_the_scores_toward_the_forecast() -> None:
    rng = np.random.default_rng(1)
    rows = np.zeros(4000, SCAN)
    rows["candidate"], rows["direction"], rows["valid"] = 1, rng.choice([-1, 1], 4000), 1 << OFI
    rows["score"][:, OFI] = rng.uniform(-1, 1, 4000)
    rows["confirms"] = np.where(rows["score"][:, OFI] * rows["direction"] > 0.15, 1 << OFI, 0)
    rows["candidate"][:1000] = 0
    strengths = Strengths()
    for part in np.split(rows, 8):
        strengths.join(Strengths.of(part))
    toward = (rows["score"][:, OFI] * rows["direction"])[1000:]
    said = strengths.to_dict()["OFI"]
    for name, q in (("q05", 0.05), ("q50", 0.5), ("q95", 0.95)):
        assert said[name] == pytest.approx(np.quantile(toward, q), abs=0.011)
    assert (said["valid"], said["confirms"]) == (1.0, pytest.approx(np.mean(toward > 0.15)))
    assert strengths.to_dict()[SIGNALS[VWAP]] == {
        "valid": 0.0, "confirms": 0.0, "q05": None, "q25": None, "q50": None, "q75": None, "q95": None
    }  # fmt: skip


def test_days_follow_from_compound_growth() -> None:
    assert days_to(18.0, 36.0, 1.0, 24.0) == 1.0  # doubling in a day
    assert days_to(50.0, 100.0, 2**0.5 - 1, 12.0) == 1.0


@pytest.mark.parametrize("growth", [0.0, -0.1])
def test_without_growth_the_goal_is_never_reached(growth: float) -> None:
    assert days_to(18.0, 100.0, growth, 1.0) is None


def test_a_goal_behind_takes_no_time() -> None:
    assert days_to(120.0, 100.0, -0.5, 1.0) == 0.0
    assert target_days(120.0, 100.0) == 0.0


def test_target_days_take_the_growth_of_each_balance() -> None:
    to_fifty, to_hundred = target_days(18.0, 50.0), target_days(50.0, 100.0)
    assert to_fifty == 5.6  # ln(50/18) / ln(1.20)
    assert to_hundred == 5.3
    both = target_days(18.0, 100.0)
    assert both is not None
    assert abs(both - 10.9) < 0.11
    assert target_days(0.0, 100.0) is None
