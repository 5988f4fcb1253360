"""Outcomes: hand-worked, causal, alike however often one looks, never overlapping, dropped where the path was lost."""

from __future__ import annotations

import math
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turbo_trader.market.rows import SECOND, Rows
from turbo_trader.market.state import SECONDS, STATE
from turbo_trader.numbers.number import Belief
from turbo_trader.rules.gate import TIER_B
from turbo_trader.rules.model_calibration import report
from turbo_trader.rules.outcomes import OUTCOME, SHADOW, STOP, TARGET, TIMEOUT, follow
from turbo_trader.rules.policy import Policy
from turbo_trader.rules.scan import SCAN
from turbo_trader.signals.figures import WEIGHED
from turbo_trader.signals.passage import two_barrier_forecast

START = 1_000_000  # seconds; the scan of the forecast
FIGURES: dict[str, Any] = {
    "candidate": 1, "direction": 1, "tier": TIER_B, "mid": 100.0, "hold_sigma": 0.0005, "forecasts": 0.004, "errors": 0.001,
    "confidences": 0.7, "horizon_s": 60.0, "hold_s": 100.0, "take_profit": 0.01, "stop_loss": 0.005,
}  # fmt: skip


class Watch:
    """One or more symbols whose one-second samples are written by hand, followed at times of one's own."""

    def __init__(self, symbols: int = 1, hole: int = 20, **figures: Any) -> None:
        self.states = np.zeros(symbols, STATE)
        self.rows = np.zeros(symbols, SCAN)
        for name, value in {**FIGURES, **figures}.items():
            self.rows[name] = value
        policy = Policy(belief=Belief.WEIGHED)
        self.gates = policy.gate_parameters(policy.capital_tier(Decimal(18)), Decimal(18), symbols)
        self.gates["max_hold_s"] = FIGURES["hold_s"]
        self.hole = hole
        self.shadows = cast("Rows", np.zeros(symbols, SHADOW))
        self.work = cast("Rows", np.zeros(symbols, OUTCOME))

    def sample(self, second: int, price: float, s: int = 0) -> None:
        at = int(self.states["samples"][s]) & (SECONDS - 1)
        self.states["sample_second"][s, at] = START + second
        self.states["sample_y"][s, at] = math.log(price)
        self.states["samples"][s] += 1

    def scan(self, second: float, *, candidate: bool = False, **figures: Any) -> list[Any]:
        for name, value in figures.items():
            self.rows[name] = value
        self.rows["candidate"] = candidate
        out = cast("Rows", np.zeros(len(self.states), OUTCOME))
        now = START * SECOND + int(second * SECOND)
        ended = follow(self.states, self.rows, self.gates, now, self.hole, self.shadows, self.work, out)
        return list(out[:ended])

    def play(self, prices: dict[int, float], every: int, until: int, *, again: bool = False) -> list[Any]:
        """Samples second by second, a scan `every` seconds; a forecast at the first, or (`again`) at each."""
        found = self.scan(0, candidate=True)
        for second in range(until):
            if second in prices:
                self.sample(second, prices[second])
            if (second + 1) % every == 0:
                found += self.scan(second + 1, candidate=again)
        return found


def steady(price: float = 100.0, until: int = 200) -> dict[int, float]:
    return dict.fromkeys(range(until), price)


def test_the_return_at_h_is_the_last_whole_seconds_and_the_figures_are_the_scans() -> None:
    prices = steady() | {59: 100.3, 60: 100.4}
    (found,) = Watch().play(prices, every=30, until=150)
    assert found["realised"] == pytest.approx(0.003, abs=1e-12)
    assert found["first"] == TIMEOUT
    assert found["ts"] == START * SECOND
    assert found["known_ts"] == (START + 100) * SECOND
    for name in (
        "direction",
        "tier",
        "mid",
        "take_profit",
        "stop_loss",
        "horizon_s",
        "hold_s",
    ):
        assert found[name] == FIGURES[name]
    assert found["forecasts"].tolist() == [0.004] * 3
    assert found["confidences"].tolist() == [0.7] * 3
    assert found["p_targets"].tolist() == [0.7, pytest.approx(found["p_targets"][WEIGHED]), 0.0]
    assert (found["p_targets"][WEIGHED], found["p_sl"]) == pytest.approx(
        two_barrier_forecast(
            math.log(1.01), math.log(0.995), 0.004, FIGURES["errors"], 0.0005, 0.6, 60, 100, 1
        )[:2],
        rel=1e-12,
    )


@pytest.mark.parametrize(
    ("direction", "moves", "first", "known"),
    [
        (1, {10: 101.0}, TARGET, 60),
        (1, {10: 100.999}, TIMEOUT, 100),
        (1, {70: 101.0}, TARGET, 71),
        (1, {10: 99.5, 20: 101.5}, STOP, 60),
        (1, {10: 99.501, 20: 101.5}, TARGET, 60),
        (1, {99: 101.0}, TARGET, 100),
        (1, {100: 101.0}, TIMEOUT, 100),
        (-1, {10: 99.0}, TARGET, 60),
        (-1, {10: 99.001}, TIMEOUT, 100),
        (-1, {80: 100.5}, STOP, 81),
        (-1, {80: 100.499}, TIMEOUT, 100),
    ],
)  # fmt: skip
def test_the_first_barrier_touched_on_the_grid_decides(
    direction: int, moves: dict[int, float], first: int, known: int
) -> None:
    watch = Watch(direction=direction)
    (found,) = watch.play(steady() | moves, every=10, until=150)
    assert found["first"] == first
    assert found["known_ts"] == (START + known) * SECOND
    assert found["realised"] == 0.0


def test_what_is_not_a_candidate_has_no_shadow() -> None:
    watch = Watch()
    assert watch.scan(0) == []
    for second in range(150):
        watch.sample(second, 100.0)
    assert watch.scan(150) == []
    assert watch.shadows["open"][0] == 0


def test_symbols_are_followed_apart() -> None:
    watch = Watch(symbols=3)
    watch.scan(0, candidate=True)
    for second in range(100):
        for s, price in enumerate((100.0, 101.0, 99.0)):
            watch.sample(second, price, s)
    found = watch.scan(100)
    assert [(int(each["symbol"]), int(each["first"])) for each in found] == [
        (0, TIMEOUT),
        (1, TARGET),
        (2, STOP),
    ]


def test_a_symbols_outcomes_never_overlap_and_the_next_candidate_opens_the_next() -> None:
    rng = np.random.default_rng(4)
    path = 100 * np.exp(np.cumsum(rng.normal(0, 0.0008, 3_000)))
    watch = Watch()
    found = watch.play(dict(enumerate(path)), every=7, until=3_000, again=True)
    assert len(found) > 25
    for one, after in pairwise(found):
        assert after["ts"] >= one["known_ts"]
        assert after["ts"] - one["known_ts"] < 7 * SECOND
        assert one["known_ts"] - one["ts"] >= 60 * SECOND


@pytest.mark.parametrize(
    ("away", "lost"),
    [
        (range(30, 50), False),  # 29 to 50: 21 s
        (range(30, 49), False),
        (range(30, 51), True),
        (range(45, 120), True),
        (range(101, 190), False),  # nothing of it is needed
    ],
)
def test_a_hole_breaks_the_shadow(away: range, lost: bool) -> None:
    watch = Watch(hole=21)
    prices = {second: 100.0 for second in range(190) if second not in away}
    found = watch.play(prices, every=10, until=190)
    assert len(found) == (0 if lost else 1)
    assert watch.shadows["lost"][0] == int(lost)
    assert watch.shadows["open"][0] == 0


def test_samples_that_left_the_ring_unseen_break_the_shadow() -> None:
    watch = Watch(horizon_s=3_000.0, hold_s=4_000.0)
    watch.scan(0, candidate=True)
    for second in range(SECONDS + 1):
        watch.sample(second, 100.0)
    assert watch.scan(SECONDS + 1) == []
    assert watch.shadows["lost"][0] == 1


def reference(prices: dict[int, float], direction: int, hole: int) -> tuple[int, int, float] | None:
    """(first, known second, return at h) of a forecast at second 0, by the rules read as they stand; None: lost."""
    first, decided = TIMEOUT, 100
    for second in sorted(prices):
        gain = prices[second] / 100 - 1
        if second + 1 <= 100 and (direction * gain >= 0.01 or direction * gain <= -0.005):
            first, decided = (TARGET if direction * gain > 0 else STOP), second + 1
            break
    needed = max(60, decided)
    looked = [0, *(second for second in sorted(prices) if second < needed), needed]
    if max(after - before for before, after in pairwise(looked)) > hole:
        return None
    seen = [100.0, *(prices[second] for second in sorted(prices) if second < 60)]
    return first, needed, seen[-1] / 100 - 1


@given(
    seed=st.integers(0, 10_000), every=st.sampled_from([1, 5, 13, 30, 60, 150]), direction=st.sampled_from([1, -1]),
    share=st.sampled_from([1.0, 0.9, 0.4, 0.15]), volatility=st.sampled_from([0.0002, 0.0008, 0.002]),
)  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_outcomes_are_those_of_rules_and_use_nothing_before_scan_or_after_their_end(
    seed: int, every: int, direction: int, share: float, volatility: float
) -> None:
    rng = np.random.default_rng(seed)
    path = 100 * np.exp(np.cumsum(rng.normal(0, volatility, 300)))
    prices = {second: float(price) for second, price in enumerate(path) if rng.random() < share}
    expected = reference(prices, direction, hole=20)
    spoiled = {
        second: price if expected is None or second < expected[1] else 1e6 for second, price in prices.items()
    }
    for given_prices, before in ((prices, 100.0), (spoiled, 3.0)):
        watch = Watch(direction=direction)
        for second in range(-50, 0):
            watch.sample(second, before)
        found = watch.play(given_prices, every=every, until=300)
        if expected is None:
            assert found == []
            continue
        (one,) = found
        assert (int(one["first"]), int(one["known_ts"])) == (expected[0], (START + expected[1]) * SECOND)
        assert one["realised"] == pytest.approx(expected[2], abs=1e-12)


@pytest.mark.long
def test_on_a_market_that_does_what_the_model_says_slope_is_1_and_p_tp_is_right() -> None:
    rng = np.random.default_rng(8)
    n, sigma = 6_000, 0.0008
    watch = Watch(symbols=n, hold_sigma=sigma)
    watch.gates["vol_log_sd"] = 0.0  # sigma is known
    edge = rng.exponential(0.006, n)
    side = rng.choice([-1, 1], n)
    watch.rows["forecasts"], watch.rows["direction"] = (side * edge)[:, None], side
    watch.scan(0, candidate=True)
    drift = np.where(np.arange(100)[:, None] < 60, side * edge / 60, 0.0) - sigma**2 / 2
    path = np.cumsum(drift + sigma * rng.standard_normal((100, n)), axis=0)
    watch.states["sample_second"][:, :100] = START + np.arange(100)
    watch.states["sample_y"][:, :100] = math.log(100.0) + path.T
    watch.states["samples"] = 100
    rows = cast("Rows", np.array(watch.scan(100)))
    found = report(rows, [f"S{s}" for s in range(n)], [])["over_all"]
    assert found["outcomes"] == n
    claims = found["weighed"]
    assert claims["slope"]["slope"] == pytest.approx(1.0, abs=0.03)
    for row in claims["p_tp"]:
        assert row["came"] == pytest.approx(row["claimed"], abs=3 * math.sqrt(0.25 / row["outcomes"]))
    assert claims["p_tp"][-1]["claimed"] > claims["p_tp"][0]["claimed"] + 0.4
    assert found["first"]["stop"] == pytest.approx(float(rows["p_sl"].sum()), abs=3 * math.sqrt(0.25 * n))
