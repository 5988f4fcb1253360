import pytest

from turbo_trader.rules.pace import days_to, target_days


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
