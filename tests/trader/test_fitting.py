"""When the Kalman noise is fitted again, from which samples, and what an answer does."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from turbo_trader.market.reference import universe
from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import SECONDS, new_states
from turbo_trader.rules.policy import Policy
from turbo_trader.signals.filters import new_filters
from turbo_trader.signals.noise import Noise
from turbo_trader.trader.commands import FitNoise
from turbo_trader.trader.events import NoiseFitted
from turbo_trader.trader.fitting import FIRST, USED, WAITS, Fitting

MOVING = Noise(
    jerk=1e-9, walk=1e-6, measurement=1e-5, velocity_valid=True,
    belief=0.5, log_jerk_sd=1.0, likelihood_ratio=9.0, portmanteau=10.0, samples=FIRST,
)  # fmt: skip
STILL = replace(MOVING, jerk=0.0, velocity_valid=False, belief=0.0, log_jerk_sd=0.0, likelihood_ratio=0.0)


@pytest.fixture
def state() -> Any:
    """Two symbols without samples, at a time of their own; `given` are the commands."""
    instruments = universe()[:2]
    given: list[FitNoise] = []
    return SimpleNamespace(
        symbols=[i.symbol for i in instruments],
        states=new_states(instruments, **Policy().market_parameters()),
        filters=new_filters(2),
        now=1_000 * SECOND,
        given=given,
        give=given.append,
    )


def sample(state: Any, s: int, count: int) -> None:
    """Symbol `s` has taken `count` samples, one a second, each worth its second."""
    at = np.arange(max(0, count - SECONDS), count)
    state.states["sample_second"][s][at & (SECONDS - 1)] = at
    state.states["sample_y"][s][at & (SECONDS - 1)] = at
    state.states["samples"][s] = count


def asked(fitting: Fitting, state: Any) -> list[FitNoise]:
    """What one scan asks for."""
    state.given.clear()
    fitting.on_scan()
    return list(state.given)


def test_the_first_fit_is_asked_for_with_enough_samples_each_symbol_by_itself(state: Any) -> None:
    fitting = Fitting(state)
    sample(state, 0, FIRST - 1)
    sample(state, 1, FIRST)
    (command,) = asked(fitting, state)
    assert (command.symbol, len(command.y)) == (1, FIRST)
    sample(state, 0, FIRST)
    assert [command.symbol for command in asked(fitting, state)] == [0]


@pytest.mark.parametrize("count", [FIRST, USED, USED + 1, SECONDS, SECONDS + 700, 5 * SECONDS + 3])
def test_a_fit_looks_at_the_newest_samples_oldest_first(state: Any, count: int) -> None:
    fitting = Fitting(state)
    sample(state, 0, count)
    (command,) = asked(fitting, state)
    expected = np.arange(max(0, count - USED), count)
    assert (command.seconds == expected).all()
    assert (command.y == expected).all()


def test_an_unanswered_fit_is_asked_for_again_after_a_minute(state: Any) -> None:
    fitting = Fitting(state)
    sample(state, 0, FIRST)
    assert asked(fitting, state)
    state.now += 60 * SECOND - 1
    assert not asked(fitting, state)
    state.now += 1
    assert asked(fitting, state)


def test_fits_are_ever_less_often_and_set_the_filter(state: Any) -> None:
    fitting = Fitting(state)
    sample(state, 0, FIRST)
    assert list(WAITS) == sorted(set(WAITS))
    assert WAITS[0] == 1800 * SECOND
    for wait in (*WAITS, WAITS[-1]):
        assert asked(fitting, state)
        fitting.on_fitted(NoiseFitted(state.now, 0, STILL))
        state.now += wait - 1
        assert not asked(fitting, state)
        state.now += 1
    assert state.filters[0]["noise_set"] == 1
    assert state.filters[0]["walk2"] == STILL.walk**2
    assert state.filters[1]["noise_set"] == 0


def test_a_velocity_is_believed_for_half_an_hour_at_any_time(state: Any) -> None:
    fitting = Fitting(state)
    sample(state, 0, FIRST)
    for noise, wait in (
        (STILL, WAITS[0]),
        (STILL, WAITS[1]),
        (MOVING, WAITS[0]),
        (MOVING, WAITS[0]),
        (STILL, WAITS[2]),
    ):
        assert asked(fitting, state)
        fitting.on_fitted(NoiseFitted(state.now, 0, noise))
        state.now += wait - 1
        assert not asked(fitting, state)
        state.now += 1


def test_a_fit_that_found_nothing_leaves_filter_and_is_asked_for_at_first_pace_again(
    state: Any,
) -> None:
    fitting = Fitting(state)
    sample(state, 0, FIRST)
    for _ in range(3):
        assert asked(fitting, state)
        fitting.on_fitted(NoiseFitted(state.now, 0, None))
        state.now += WAITS[0]
    assert state.filters[0]["noise_set"] == 0
