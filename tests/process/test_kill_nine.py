"""Killed with SIGKILL anywhere, started again: no duplicate, no orphan, no position without a stop, the ledger exact (S01, S04).

The suite plays three points; `scripts/test tests/process/test_kill_nine.py -m slow` all, fifty random seeds each, on a venue
that drops, delays, errs, doubles and reorders.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

POINTS = (
    "entry-written",
    "entry-sent",
    "entry-acked",
    "entry-filled",
    "entry-booked",
    "stop-sent",
    "close-sent",
)
SOCKET_POINTS = ("entry-written", "entry-handed", "entry-sent", "entry-acked", "entry-filled")
SEEDS = range(1, 51)
FAULTS = "drop=0.02,delay=0.05,delay_s=0.3,ret_10016=0.02,duplicate=0.05,reorder=0.05,reorder_s=0.1"


def seeded(test: Callable[..., None]) -> Callable[..., None]:
    """Fifty seeds, each with a venue of its own, on request; one alone: `-k seed07`."""
    names = [f"seed{seed:02}" for seed in SEEDS]
    venues = pytest.mark.parametrize(
        ("lives", "seed"), [((n, FAULTS), n) for n in SEEDS], indirect=["lives"], ids=names
    )
    marked: Callable[..., None] = pytest.mark.slow(venues(test))
    return marked


def play(lives: Any, point: str, seed: int) -> None:
    """A life that ends at the point (the first or second time it comes there, some ms later), and one that recovers."""
    draw = random.Random(f"{point} {seed}")
    count, late_ms = (draw.randint(1, 2), draw.randint(0, 40)) if seed else (1, 0)
    assert lives.live(150, point, count, late_ms) is None, f"{point} was never reached"
    assert not lives.unguarded()
    known = len(lives.notes("recovered"))
    heir = lives.begin(8.0 if seed else 5.0)
    lives.wait(lambda: len(lives.notes("recovered")) > known)
    assert not lives.unguarded()
    report = lives.end(heir, 60)
    assert report is not None
    lives.check(report)


@pytest.mark.parametrize("point", ["entry-sent", "entry-filled", "stop-sent"])
def test_s04_a_daemon_killed_there_leaves_no_duplicate_no_orphan_and_an_exact_ledger(
    lives: Any, point: str
) -> None:
    play(lives, point, 0)


def test_s04_killed_with_an_order_handed_to_the_trade_socket_the_same_holds(lives: Any) -> None:
    lives.order_entry = "websocket"
    play(lives, "entry-handed", 0)


@seeded
@pytest.mark.parametrize("point", POINTS)
def test_s04_the_same_with_faults_and_random_delays(lives: Any, seed: int, point: str) -> None:
    play(lives, point, seed)


@seeded
@pytest.mark.parametrize("point", SOCKET_POINTS)
def test_s04_the_same_over_the_trade_socket_with_faults(lives: Any, seed: int, point: str) -> None:
    lives.order_entry = "websocket"
    play(lives, point, seed)
