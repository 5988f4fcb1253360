"""The posterior of the mean net return: clustered by hour, fading, shadows reduced by the gap."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from turbo_trader.rules.evidence import Evidence, Gap, Posterior, Prior

PRIOR = Prior(mean=-0.0011, sd=0.0015, least_sd=0.0037, half_life_h=720.0)
HOUR = 490_000


def gathered(returns: list[float], *, per_hour: int = 1, real: bool = True, start: int = HOUR) -> Evidence:
    evidence = Evidence()
    for i, value in enumerate(returns):
        evidence.add(PRIOR, start + i // per_hour, value, real=real)
    return evidence


def look(evidence: Evidence, hour: int = HOUR + 200, gap: float = 0.0, prior: Prior = PRIOR) -> Posterior:
    return evidence.posterior(prior, hour, gap)


def test_without_trades_the_posterior_is_the_prior() -> None:
    found = look(Evidence())
    assert (found.mean, found.sd, found.luck) == (PRIOR.mean, PRIOR.sd, 1.0)
    assert found.chance == pytest.approx(0.2317, abs=1e-4)  # P(N(-11, 15) > 0)


def test_single_trades_an_hour_give_the_textbook_posterior() -> None:
    returns = np.random.default_rng(1).normal(0.001, 0.005, 400)
    prior = replace(PRIOR, half_life_h=1e9)
    evidence = Evidence()
    for i, value in enumerate(returns.tolist()):
        evidence.add(prior, HOUR + i, value, real=True)
    error = float(np.mean((returns - returns.mean()) ** 2)) / 400
    precision = 1 / prior.sd**2 + 1 / error
    found = evidence.posterior(prior, HOUR + 400, 0.0)
    assert found.mean == pytest.approx(
        (prior.mean / prior.sd**2 + returns.mean() / error) / precision, rel=1e-6
    )
    assert found.sd == pytest.approx(precision**-0.5, rel=1e-6)
    assert found.trade_sd == pytest.approx(float(returns.std()), rel=1e-6)


def test_trades_of_one_hour_that_go_together_say_less_than_as_many_apart() -> None:
    together = gathered([0.01] * 6 + [-0.01] * 6 + [0.01] * 6 + [-0.006] * 6, per_hour=6)
    apart = gathered([0.01, -0.01, 0.01, -0.006] * 6, per_hour=1)
    assert look(together).sd > 1.15 * look(apart).sd


def test_a_few_losses_of_one_hour_are_no_proof_either() -> None:
    one_hour, apart = gathered([-0.006] * 6, per_hour=6), gathered([-0.006] * 6)
    assert look(one_hour).chance > 0.02 > look(apart).chance


def test_three_lucky_trades_are_no_proof() -> None:
    assert look(gathered([0.008, 0.009, 0.010])).chance == pytest.approx(0.925, abs=0.001)


def test_the_error_of_a_trade_is_never_below_its_floor() -> None:
    same = look(gathered([0.001] * 50))
    assert same.trade_sd == PRIOR.least_sd
    assert same.sd >= PRIOR.least_sd / math.sqrt(50) / 1.2


def test_a_trade_counts_half_after_thirty_days() -> None:
    evidence = gathered([-0.004] * 100)
    later = [look(evidence, HOUR + 100 + days * 24).sd for days in (0, 30, 3000)]
    assert later[0] < later[1] < later[2]
    assert later[2] == pytest.approx(PRIOR.sd, rel=1e-6)
    old = gathered([-0.004] * 50)
    for i in range(50):
        old.add(PRIOR, HOUR + 720 + i, 0.004, real=True)
    weighed = replace(PRIOR, sd=10.0)  # hardly any prior
    assert old.posterior(weighed, HOUR + 800, 0.0).mean == pytest.approx(
        0.004 / 3, rel=0.05
    )  # (1 - 1/2) / (1 + 1/2)


def test_shadows_count_less_the_gap_and_real_fills_do_not() -> None:
    wide = replace(PRIOR, sd=10.0)
    shadow, real = gathered([0.001] * 40, real=False), gathered([0.001] * 40)
    assert look(shadow, gap=0.0002, prior=wide).mean == pytest.approx(0.0008, rel=1e-4)
    assert look(real, gap=0.0002, prior=wide).mean == pytest.approx(0.001, rel=1e-4)


def test_real_fills_that_lag_behind_shadows_are_noticed() -> None:
    evidence = Evidence()
    rng = np.random.default_rng(2)
    for i in range(200):
        evidence.add(PRIOR, HOUR + i, float(rng.normal(-0.002, 0.003)), real=True)
        evidence.add(PRIOR, HOUR + i, float(rng.normal(0.002, 0.003)), real=False)
    assert evidence.real_lags(PRIOR, HOUR + 200, 0.0002) > 2
    assert gathered([0.001] * 50).real_lags(PRIOR, HOUR, 0.0002) == 0.0


@pytest.mark.long
def test_luck_stays_below_its_level_however_often_one_looks() -> None:
    rng = np.random.default_rng(3)
    ever = 0
    for _ in range(200):
        evidence = Evidence()
        seen = False
        for i, value in enumerate(rng.normal(0.0, 0.0037, 250).tolist()):
            evidence.add(PRIOR, HOUR + i, value, real=True)
            seen = seen or (i >= 30 and look(evidence, HOUR + i).luck <= 0.10)
        ever += seen
    assert ever <= 0.10 * 200 + 2 * math.sqrt(200 * 0.1 * 0.9)


def test_a_return_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        Evidence().add(PRIOR, HOUR, math.nan, real=True)


def test_it_comes_back_from_json_as_it_was_and_goes_on_alike() -> None:
    evidence = gathered(np.random.default_rng(4).normal(0, 0.004, 60).tolist(), per_hour=3)
    again = Evidence.from_dict(json.loads(json.dumps(evidence.to_dict())))
    for each in (evidence, again):
        each.add(PRIOR, HOUR + 30, 0.002, real=False)
    assert look(again) == look(evidence)


def test_the_state_does_not_grow_with_the_trades() -> None:
    assert len(json.dumps(gathered([0.001] * 5000, per_hour=2).to_dict())) < 1000


def test_the_gap_is_the_mean_over_pairs() -> None:
    gap = Gap()
    for value in (0.0001, 0.0003, 0.0005):
        gap.add(value)
    assert gap.pairs == 3
    assert gap.mean == pytest.approx(0.0003)
