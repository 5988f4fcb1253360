"""Killed with SIGKILL anywhere, started again: no duplicate, no orphan, no position without a stop, the ledger exact (S01, S04).

A chain of lives on one account: each recovers what the one before left, lives on and dies at its own point; the last ends cleanly.
The suite plays a chain of four points and one over the trade socket; `scripts/test tests/process/test_kill_nine.py -m slow` all
points, fifty random seeds each, on a venue that drops, delays, errs, doubles and reorders.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import pytest

POINTS = (
    "entry-written",
    "entry-left",
    "entry-sent",
    "entry-acked",
    "entry-filled",
    "entry-booked",
    "stop-left",
    "stop-sent",
    "close-sent",
)
SOCKET_POINTS = ("entry-written", "entry-handed", "entry-sent", "entry-acked", "entry-filled")
ANY_TIME = "any-time"  # also while it starts and recovers; points: planted/sitecustomize.py
SEEDS = range(1, 51)
FAULTS = "drop=0.02,delay=0.05,delay_s=0.3,ret_10016=0.02,duplicate=0.05,reorder=0.05,reorder_s=0.1"


def seeded(test: Callable[..., None]) -> Callable[..., None]:
    """Fifty seeds, each with a venue of its own, on request; one alone: `-k seed07`."""
    names = [f"seed{seed:02}" for seed in SEEDS]
    venues = pytest.mark.parametrize(
        ("lives", "seed"), [((n, FAULTS, 20.0), n) for n in SEEDS], indirect=["lives"], ids=names
    )
    marked: Callable[..., None] = pytest.mark.slow(venues(test))
    return marked


def play(lives: Any, points: Sequence[str], draw: random.Random | None = None) -> None:
    """A life for each point, ended there the first or second time it comes there, some ms later; and one that ends cleanly."""
    for point in points:
        count, late_ms = (draw.randint(1, 2), draw.randint(0, 40)) if draw else (1, 0)
        if point == ANY_TIME and draw:
            count, late_ms = 1, draw.randint(300, 6_000)
        killable = recovered(lives, lives.begin(240, point, count, late_ms))
        assert lives.end(killable, 300) is None, f"{point} was never reached"
        assert not lives.unguarded(), f"after {point}"
    report = lives.end(recovered(lives, lives.begin(5)), 60)
    assert report is not None
    lives.check(report)


def recovered(lives: Any, life: Any) -> Any:
    """A life that has begun, once it has taken over from the last one or died of it; no position lacks a stop then."""
    known = len(lives.notes("recovered"))
    lives.wait(lambda: len(lives.notes("recovered")) > known or life.poll() is not None)
    assert not lives.unguarded()
    return life


@pytest.mark.process
def test_s04_killed_repeatedly_it_leaves_no_duplicate_no_orphan_an_exact_ledger(lives: Any) -> None:
    play(lives, ("entry-sent", "entry-filled", "stop-left", "stop-sent"))


@pytest.mark.process
def test_s04_killed_with_an_order_handed_to_the_trade_socket_the_same_holds(lives: Any) -> None:
    lives.order_entry = "websocket"
    play(lives, ("entry-handed",))


@seeded
def test_s04_the_same_with_faults_at_every_point_in_any_order(lives: Any, seed: int) -> None:
    draw = random.Random(f"rest {seed}")
    play(lives, draw.sample((*POINTS, ANY_TIME), len(POINTS) + 1), draw)


@seeded
def test_s04_the_same_over_the_trade_socket_with_faults(lives: Any, seed: int) -> None:
    lives.order_entry = "websocket"
    draw = random.Random(f"socket {seed}")
    play(lives, draw.sample(SOCKET_POINTS, len(SOCKET_POINTS)), draw)
