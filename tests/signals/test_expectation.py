"""The expected value of the exits as executed, against Monte Carlo of those exits."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.compiled import kernel
from turbo_trader.signals.drift_belief import two_points
from turbo_trader.signals.expectation import Zones, exits_ev

COST = 0.0011
RULES = Zones(0.5, 1.0, 0.5, 0.5, 3, 0.5, 2.0, 1, 0.5)


@kernel
def play(
    seed: int,
    paths: int,
    step_s: float,
    take_profit: float,
    stop_loss: float,
    breakeven: float,
    drift: float,
    sigma: float,
    drift_s: float,
    hold_s: float,
    zones: Zones,
) -> tuple[float, float, float, float]:
    """(mean gross return, its standard error, the same with the martingale part of each path as control variate)."""
    np.random.seed(seed)
    steps = int(zones.hold_factor * hold_s / step_s)
    plain = plain2 = total = total2 = 0.0
    for _ in range(paths):
        x, zone, reached, martingale, held = 0.0, 0, 0, 0.0, False
        stop = math.log1p(-stop_loss)
        for k in range(steps):
            if zone == 0 and k * step_s >= hold_s:
                break
            moved = x + (drift * step_s if k * step_s < drift_s else 0.0)
            noise = np.random.normal()
            x = moved - 0.5 * sigma * sigma * step_s + sigma * math.sqrt(step_s) * noise
            martingale += math.exp(x) - math.exp(moved)
            if x <= stop:
                break
            if zone == 0 and x >= math.log1p(zones.one * take_profit):
                zone, stop = 1, math.log1p(breakeven)
            closing = held and x >= math.log1p(
                (zones.two + zones.extension * reached + zones.backstop) * take_profit
            )
            while not (closing or held) and x >= math.log1p(
                (zones.two + zones.extension * reached) * take_profit
            ):
                stop = math.log1p(
                    max(breakeven, zones.lock * (zones.two + zones.extension * reached) * take_profit)
                )
                confirmed = np.random.random() < zones.extension_share
                if confirmed and reached < zones.extensions:
                    reached += 1
                elif confirmed or zones.close_unconfirmed == 1:
                    closing = True
                else:
                    held = True
            if closing:
                break
        gain = math.expm1(x)
        plain += gain
        plain2 += gain * gain
        total += gain - martingale
        total2 += (gain - martingale) ** 2
    mean, controlled = plain / paths, total / paths
    error = math.sqrt((plain2 / paths - mean * mean) / paths)
    return mean, error, controlled, math.sqrt(max(0.0, total2 / paths - controlled * controlled) / paths)


@pytest.mark.long
@pytest.mark.parametrize(
    ("take_profit", "stop_loss", "drift", "sigma", "zones"),
    [
        (0.012, 0.006, 2e-6, 2.7e-4, {}),
        (0.006, 0.003, 3e-6, 1.3e-4, {}),
        (0.006, 0.003, 5e-6, 1e-4, {"extension_share": 0.0}),
        (0.015, 0.006, 4e-6, 4e-4, {"extension_share": 1.0}),
        (0.008, 0.004, -2e-6, 2e-4, {"extension_share": 0.3, "extensions": 1}),
        (0.006, 0.003, 4e-6, 5e-5, {"extension_share": 0.3}),
        (0.012, 0.006, 5e-6, 2.7e-4, {"one": 0.3}),
        (0.008, 0.004, 5e-6, 2.2e-4, {"one": 0.7, "two": 1.5}),
        (0.008, 0.004, 5e-6, 2.2e-4, {"one": 1.0}),
        (0.006, 0.003, 5e-6, 2.0e-4, {"lock": 0.1, "extension_share": 0.9}),
        (0.006, 0.003, 5e-6, 2.0e-4, {"lock": 0.9, "extension": 1.5}),
        (0.012, 0.006, 4e-6, 1.5e-4, {"hold_factor": 1.0}),
        (0.006, 0.003, 5e-6, 2.0e-4, {"close_unconfirmed": 0}),
        (
            0.006,
            0.003,
            5e-6,
            2.0e-4,
            {"close_unconfirmed": 0, "backstop": 2.0, "extension_share": 0.0, "lock": 0.2},
        ),
    ],
)
def test_value_is_within_a_basis_point_of_the_exits_as_executed(
    take_profit: float, stop_loss: float, drift: float, sigma: float, zones: dict[str, float]
) -> None:
    step_s, rules = 5.0, RULES._replace(**zones)  # type: ignore[arg-type]
    # T below h where the time limit is what is looked at
    hold_s = 600.0 if "hold_factor" in zones else 1800.0
    arguments = (take_profit, stop_loss, COST, drift, sigma, 900.0, hold_s)
    value = exits_ev(*arguments, COST, step_s, rules) + COST
    mean, error, controlled, smaller = play(3, 8000, step_s, *arguments, rules)
    assert abs(value - mean) < 3 * error
    assert smaller < 0.3e-4
    assert abs(value - controlled) < 1e-4


@pytest.mark.parametrize(
    "change",
    [{"one": 0.3}, {"two": 1.2}, {"lock": 0.8}, {"extension": 1.0}, {"extensions": 1}, {"extension_share": 0.9},
     {"hold_factor": 1.0}, {"close_unconfirmed": 0}],
)  # fmt: skip
def test_every_zone_figure_counts(change: dict[str, float]) -> None:
    arguments = (0.006, 0.003, COST, 5e-6, 2e-4, 900.0, 600.0, COST, 1.0)
    assert exits_ev(*arguments, RULES) != exits_ev(*arguments, RULES._replace(**change))  # type: ignore[arg-type]


def test_without_drift_every_set_of_exits_earns_exactly_minus_cost() -> None:
    assert exits_ev(0.01, 0.005, COST, 0.0, 2e-4, 900.0, 1800.0, COST, 1.0, RULES) == -COST


def test_value_grows_with_the_drift_and_never_exceeds_it() -> None:
    drifts = np.linspace(-1e-5, 1e-5, 41)
    values = [exits_ev(0.01, 0.005, COST, d, 2e-4, 900.0, 1800.0, 0.0, 1.0, RULES) for d in drifts]
    assert (np.diff(values) > 0).all()
    assert (np.abs(values) <= np.abs(drifts) * 900 * 1.03).all()


def test_at_mean_drift_it_is_within_twentieth_of_mean_over_drift_likelier_than_none() -> None:
    """So an EV need not be averaged over whether the drift is there: past the pre-filter (SNR > 1) it is likelier than not."""
    for sigma in (1e-4, 2e-4, 4e-4):
        spread = sigma * math.sqrt(900.0)
        take_profit = min(max(1.5 * spread, 0.006), 0.015)
        for snr in (1.0, 1.5, 3.0):
            for mean in np.linspace(0.001, spread, 5):
                there, size = two_points(mean, mean / snr)

                def gain(forecast: float, target: float = take_profit, sd: float = sigma) -> float:
                    exits = (target, target / 2, COST, forecast / 900.0, sd, 900.0, 1800.0)
                    return exits_ev(*exits, 0.0, 1.0, RULES)

                assert there * gain(size) == pytest.approx(gain(mean), rel=0.05)


@given(
    take_profit=st.floats(1e-4, 0.2),
    stop_loss=st.floats(1e-4, 0.2),
    drift=st.floats(-1e-3, 1e-3),
    sigma=st.one_of(st.just(0.0), st.floats(1e-12, 0.5)),
    drift_s=st.floats(0, 1e5),
    hold_s=st.floats(0, 1e5),
    share=st.floats(0, 1),
)
@settings(max_examples=300, deadline=None)
def test_value_is_finite_and_bounded_by_the_drift_at_any_extreme(
    take_profit: float,
    stop_loss: float,
    drift: float,
    sigma: float,
    drift_s: float,
    hold_s: float,
    share: float,
) -> None:
    value = exits_ev(
        take_profit,
        stop_loss,
        COST,
        drift,
        sigma,
        drift_s,
        hold_s,
        COST,
        1.0,
        RULES._replace(extension_share=share),
    )
    assert math.isfinite(value)
    assert abs(value + COST) <= abs(drift) * drift_s * (1 + 2.5 * take_profit) + 1e-12


def test_nothing_that_is_not_finite_comes_back() -> None:
    assert exits_ev(math.nan, 0.005, COST, 1e-6, 2e-4, 900.0, 1800.0, COST, 1.0, RULES) == -COST
