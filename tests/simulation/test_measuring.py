"""How often a backtest traded: rates, the time in which entries were allowed, and what is switched off for measuring."""

from __future__ import annotations

from decimal import Decimal

import pytest

from turbo_trader.market.rows import MINUTE
from turbo_trader.rules.choices import TradeSize
from turbo_trader.rules.policy import Policy
from turbo_trader.simulation.measuring import WEEK, OpenTime, entries_by_limit, rates, without_limits

HOUR = 60 * MINUTE


def test_rates_are_scaled_to_fifteen_symbols_over_all_and_over_open_hours() -> None:
    trades = [
        {"ts": hour * HOUR, "net_fraction": net} for hour, net in ((1, 0.002), (2, -0.001), (3, 0.0005))
    ]
    found = rates(trades, (0, 10 * HOUR), 4 * HOUR, 9)
    assert (found["hours"], found["hours_open"]) == (10, 4)
    assert found["trades_per_hour_15"] == pytest.approx(0.5)
    assert found["trades_per_hour_15_open"] == pytest.approx(1.25)
    assert found["net_bp_per_trade"] == pytest.approx(5.0)


def test_rates_of_nothing_are_an_answer() -> None:
    found = rates([], (0, HOUR), 0, 9)
    assert found["trades_per_hour_15"] == 0
    assert found["trades_per_hour_15_open"] is found["net_bp_per_trade"] is None


def test_weeks_are_counted_one_by_one() -> None:
    trades = [{"ts": WEEK + k, "net_fraction": 0.0} for k in range(7 * 24)]
    weeks = rates(trades, (0, 2 * WEEK), WEEK, 15)["weeks"]
    assert [week["trades_per_hour_15"] for week in weeks] == [0, pytest.approx(1.0)]


def test_open_time_is_what_lies_between_scans_that_were_open() -> None:
    seen = OpenTime()
    for ts, refusal in ((0, ""), (10, ""), (20, "paused"), (30, "paused"), (40, ""), (50, "")):
        seen.look(ts, refusal)
    assert seen.ns == 30
    assert seen.halted_at == 0


def test_open_time_counts_from_the_first_candidate() -> None:
    seen = OpenTime()
    for ts, candidates in ((0, False), (10, False), (20, True), (30, False), (40, False)):
        seen.look(ts, "", candidates=candidates)
    assert seen.ns == 20


def test_it_says_since_when_and_why_entries_were_not_allowed_at_the_end() -> None:
    seen = OpenTime()
    for ts, refusal in ((10, ""), (20, "halted: session loss"), (30, "halted: session loss")):
        seen.look(ts, refusal)
    assert (seen.halted_at, seen.why) == (20, "halted: session loss")


def test_without_limits_nothing_of_the_session_can_stop_entries() -> None:
    policy = without_limits(Policy(size=TradeSize.EARNED))
    assert (policy.session_loss, policy.drawdown_pause, policy.pauses_to_halt) == (Decimal(1), Decimal(1), 0)
    assert (policy.watchdog_probability, policy.size) == (Decimal(0), "full")


def test_entries_are_counted_by_the_limit_that_set_their_size() -> None:
    notes = [{"binding": "loss at stop"}, {"binding": "margin target"}, {"binding": "loss at stop"}]
    assert entries_by_limit(notes) == {"loss at stop": 2, "margin target": 1}
