"""The driftless study tells what holds from what does not, with the past only; its small version holds in the suite."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studies.driftless import bonferroni, calibrated, main, reliability, validity_rows
from studies.scans import Scans
from studies.signals import scan_synthetic
from studies.trades import Trades, apart, by_time, drop_forecast, play, without_forecast
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.policy import Policy

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def scans() -> Scans:
    return scan_synthetic(6, 48, 3, 0.0, with_book=True)


def made_up(rng: np.random.Generator, count: int, p: np.ndarray, hit: np.ndarray) -> Trades:
    scan = np.sort(rng.integers(0, 20 * 2880, count))
    whole, ones = np.zeros(count, np.int64), np.ones(count)
    return Trades(
        scan=scan,
        symbol=whole,
        direction=whole + 1,
        take_profit=ones,
        stop_loss=ones,
        cost=ones,
        sigma=ones,
        p_tp=p,
        ev=ones,
        edge=ones,
        net=ones,
        hit=hit,
    )


def test_reliability_passes_the_truth_and_fails_what_overstates() -> None:
    rng = np.random.default_rng(1)
    p = rng.uniform(0.02, 0.6, 4000)
    hit = rng.random(4000) < p
    rows, worst = reliability(p, hit)
    assert len(rows) == 10
    assert worst < bonferroni(10)
    assert reliability(np.minimum(1.0, p + 0.1), hit)[1] > bonferroni(10)
    assert reliability(np.zeros(400), np.arange(400) < 40)[1] > bonferroni(
        10
    )  # nothing predicted is no free pass


def test_the_bound_of_the_largest_of_several_is_that_of_bonferroni() -> None:
    assert bonferroni(1) == pytest.approx(1.96, abs=0.001)
    assert bonferroni(10) == pytest.approx(2.807, abs=0.001)


def test_calibrated_numbers_use_what_was_known_before_and_hold() -> None:
    rng = np.random.default_rng(2)
    p = rng.uniform(0.0, 0.8, 3000)
    hit = rng.random(3000) < 0.3 * p  # the model overstates threefold
    trades = made_up(rng, 3000, p, hit)
    mapped, outcome = calibrated(trades, 60, Policy(belief=Belief.WEIGHED))
    assert reliability(p, hit)[1] > 10
    assert reliability(mapped, outcome)[1] < bonferroni(10)
    other = replace(trades, hit=np.where(trades.scan >= 10 * 2880, ~hit, hit))
    changed, _ = calibrated(other, 60, Policy(belief=Belief.WEIGHED))
    before = np.count_nonzero(trades.scan[-len(mapped) :] < 10 * 2880)
    assert before > 500
    assert np.array_equal(mapped[:before], changed[:before])
    assert not np.array_equal(mapped, changed)


def test_trades_of_a_symbol_do_not_overlap() -> None:
    assert apart(np.array([1, 1, 0, 1, 1, 0, 1], bool), 3).tolist() == [0, 3, 6]


def test_exits_earn_minus_the_cost_where_there_is_no_drift(scans: Scans) -> None:
    policy = Policy(belief=Belief.WEIGHED)
    rng = np.random.default_rng(4)
    shape = scans.figures["mid"].shape
    coin = np.where(rng.random(shape) < 0.5, 1, -1)
    trades = play(without_forecast(scans, policy), np.ones(shape, bool), coin, policy)
    trades = drop_forecast(trades, policy)
    assert len(trades.scan) > 200
    assert abs(by_time(trades, trades.net + trades.cost, shape[1], 120).z()) < 3.0
    assert trades.net.std() > 5e-4
    assert abs(trades.hit.mean() - trades.p_tp.mean()) < 0.06
    assert (trades.net >= -(trades.stop_loss + trades.cost) - 0.004).all()


def test_mean_reversion_is_rarely_found_in_a_random_walk(scans: Scans) -> None:
    assert scans.figures["ou_valid"].mean() < 0.1
    assert [row[0] for row in validity_rows(scans)] == ["OU valid, all scans", "OU valid, 00:00-01:00 UTC"]


def test_the_study_prints_its_tables(capsys: pytest.CaptureFixture[str]) -> None:
    main(["--symbols", "3", "--days", "1", "--paths", "20"])
    text = capsys.readouterr().out
    assert text.startswith("**3 symbol-days")
    assert "EV against Monte Carlo" in text
    assert "p_tp without drift" in text
