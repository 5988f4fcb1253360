"""The edge watchdog: P(mean net return > 0 | trades) by the Student t posterior, from 30 trades on, below 5
%.
"""

import numpy as np
import pytest

from turbo_trader.rules.policy import Policy
from turbo_trader.rules.watchdog import probability_positive, tripped

P = Policy()


def test_equals_the_one_sided_t_test_of_scipy() -> None:
    from scipy import stats

    x = np.random.default_rng(1).normal(-0.0005, 0.004, 50)
    reference = stats.ttest_1samp(x, 0.0, alternative="greater").pvalue
    assert probability_positive(x.tolist()) == pytest.approx(1 - reference, abs=1e-12)


@pytest.mark.parametrize(
    ("returns", "p"), [([], 0.5), ([0.1], 0.5), ([0.0] * 5, 0.5), ([1.0] * 5, 1.0), ([-1.0] * 5, 0.0)]
)
def test_defined_where_there_is_no_spread(returns: list[float], p: float) -> None:
    assert probability_positive(returns) == p


def test_not_a_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        probability_positive([0.1, float("nan")])


def test_trips_from_30_trades_on() -> None:
    losing = [-0.004, -0.003] * 15
    assert not tripped(P, losing[:29])
    assert tripped(P, losing)


def test_trips_below_5_percent() -> None:
    base = np.array([1.0, -1.0] * 20)
    spread = base.std(ddof=1) / np.sqrt(40)
    assert not tripped(P, (base - 1.68 * spread).tolist())  # P = 5.05 %
    assert tripped(P, (base - 1.69 * spread).tolist())  # P = 4.95 %
