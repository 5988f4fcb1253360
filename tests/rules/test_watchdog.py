"""The edge watchdog: P(mean net return > 0 | trades) by the Student t posterior, from 30 trades on, below 5 %."""

import json
from collections.abc import Iterable
from dataclasses import asdict

import numpy as np
import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.watchdog import Evidence, tripped

P = Policy()


def seen(returns: Iterable[float]) -> Evidence:
    evidence = Evidence()
    for value in returns:
        evidence.add(value)
    return evidence


def test_equals_the_one_sided_t_test_of_scipy() -> None:
    from scipy import stats

    x = np.random.default_rng(1).normal(-0.0005, 0.004, 50)
    reference = stats.ttest_1samp(x, 0.0, alternative="greater").pvalue
    assert seen(x.tolist()).probability_positive() == pytest.approx(1 - reference, abs=1e-12)


@pytest.mark.parametrize(
    ("returns", "p"), [([], 0.5), ([0.1], 0.5), ([0.0] * 5, 0.5), ([1.0] * 5, 1.0), ([-1.0] * 5, 0.0)]
)
def test_defined_where_there_is_no_spread(returns: list[float], p: float) -> None:
    assert seen(returns).probability_positive() == p


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        seen([0.1, float("nan")])


def test_a_restart_changes_no_bit_of_it() -> None:
    returns = np.random.default_rng(2).normal(0, 0.004, 600).tolist()
    half = seen(returns[:300])
    again = Evidence(**json.loads(json.dumps(asdict(half))))
    for value in returns[300:]:
        again.add(value)
    assert again == seen(returns)


def test_trips_from_30_trades_on() -> None:
    losing = [-0.004, -0.003] * 15
    assert not tripped(P, seen(losing[:29]))
    assert tripped(P, seen(losing))


def test_trips_below_5_percent() -> None:
    base = np.array([1.0, -1.0] * 20)
    spread = base.std(ddof=1) / np.sqrt(40)
    assert not tripped(P, seen((base - 1.68 * spread).tolist()))  # P = 5.05 %
    assert tripped(P, seen((base - 1.69 * spread).tolist()))  # P = 4.95 %
