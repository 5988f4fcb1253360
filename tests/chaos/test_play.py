"""One seed in simulated time: deterministic, watched by the oracle, exact at the end."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from turbo_trader.chaos.campaign import Options, play, total
from turbo_trader.chaos.play import begins
from turbo_trader.chaos.situations import SITUATIONS
from turbo_trader.market.rows import DAY, MINUTE


@cache
def played(seed: int, situation: str, hours: float = 0.15) -> dict[str, Any]:
    return Options(situation=situation, hours=hours).chaos(seed).play(seed)


@pytest.mark.long
@pytest.mark.parametrize("situation", sorted(SITUATIONS))
def test_no_invariant_breaks(situation: str) -> None:
    assert played(1, situation)["violation"] is None


def test_the_faulty_network_loses_and_doubles_messages_and_ends_lives() -> None:
    figures = total([played(seed, "faulty", 0.3) for seed in (1, 2)], wall=1.0)
    assert figures["trades"] > 0
    assert {"drop_before", "drop_after", "delay", "slow", "duplicate"} <= set(figures["faults"])
    assert figures["violations"] == []


@pytest.mark.long
def test_a_seed_is_played_again_the_same() -> None:
    first = played(1, "healthy")
    again = Options(situation="healthy", hours=0.15).chaos(1).play(1)
    times = ("cpu_seconds", "speed")
    assert {k: v for k, v in first.items() if k not in times} == {
        k: v for k, v in again.items() if k not in times
    }


@pytest.mark.parametrize(
    ("seed", "situation", "hours"),
    [
        (1278, "maker", 0.052),  # an entry that fills in the next life has its scan in the life before
        pytest.param(
            1633, "losing", 0.12, marks=pytest.mark.long
        ),  # a lock above the lagging mark was a peak: a gain paused
        (1722, "faulty", 0.12),  # rows let go while a market was on its way back: it stood still from then on
        (
            1757,
            "faulty",
            0.12,
        ),  # a stop left before its step was on disk, and was removed before anybody saw it
        (
            1804,
            "small",
            0.12,
        ),  # three entries of one scan: the fills of two were heard before the third had its leverage
        (
            1985,
            "maker",
            0.12,
        ),  # an entry that a death kept from leaving is cancelled by the life after the next, too
        (
            2447,
            "maker",
            0.12,
        ),  # the wallet could not be read after an absence: an entry was sized by the one before
        pytest.param(
            2402, "healthy", 0.12, marks=pytest.mark.long
        ),  # the equity of one tick, a jump before the next note
        pytest.param(
            8626, "losing", 0.12, marks=pytest.mark.long
        ),  # prices leapt at midnight, when a session began
        pytest.param(
            46004, "maker", 0.05, marks=pytest.mark.long
        ),  # a resting entry was taken back, and the wallet still held its margin
        pytest.param(
            6482, "losing", 0.12, marks=pytest.mark.long
        ),  # funding made the result of a stopped trade a gain
        pytest.param(
            6560, "faulty", 0.01, marks=pytest.mark.long
        ),  # a fill of others came before the account was read, and no session had begun
        pytest.param(
            7162, "losing", 0.12, marks=pytest.mark.long
        ),  # a leap that was no violent move of a minute, which had fallen before
        pytest.param(
            7177, "healthy", 0.12, marks=pytest.mark.long
        ),  # two positions ended in one step, and one was heard of first
        pytest.param(
            72105, "healthy", 0.12, marks=pytest.mark.long
        ),  # flat for a tenth of a second between two looks
        pytest.param(
            11214, "larger", 0.12, marks=pytest.mark.long
        ),  # a flatten in 22 parts: the venue refused more than ten orders in a second
        pytest.param(11243, "default", 0.12, marks=pytest.mark.long),  # a target on the tick before it
        pytest.param(
            8691, "default", 0.12, marks=pytest.mark.long
        ),  # a close filled beyond its stop, which became the peak
    ],
)
def test_a_seed_that_once_broke_an_invariant_holds(seed: int, situation: str, hours: float) -> None:
    result = played(seed, situation, hours)
    assert result["trades"] > 0
    assert result["violation"] is None


def test_another_seed_gives_another_trace() -> None:
    assert played(1, "healthy")["trace"] != played(1, "small")["trace"]


def test_without_faults_nothing_dies_and_nothing_is_lost() -> None:
    result = played(9, "healthy")  # far from midnight
    assert result["faults"] == {}
    assert result["lives"] == 1
    assert 0 < result["trades"] <= result["entries"]


@pytest.mark.long
def test_two_hundred_short_seeds_hold() -> None:
    figures = play(Options(hours=0.05), seeds=200, jobs=2, progress=lambda _: None)
    assert figures["seeds"] == 200
    assert figures["trades"] > 200
    assert figures["violations"] == []


def test_every_other_round_of_situations_meets_midnight() -> None:
    midnights = [
        seed for seed in range(1, 49) if -15 * MINUTE < (begins(seed) + DAY // 2) % DAY - DAY // 2 < 0
    ]
    assert {seed % len(SITUATIONS) for seed in midnights} == set(range(len(SITUATIONS)))
    assert len(midnights) == 24
