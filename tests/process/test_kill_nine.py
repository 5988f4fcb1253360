"""Killed with SIGKILL anywhere, started again: no duplicate, no orphan, no position without a stop, the ledger exact (S01, S04).

The suite plays three points; `scripts/test tests/process/test_kill_nine.py -m slow` all, fifty random seeds each, on a venue
that drops, delays, errs, doubles and reorders.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

START = 1_767_603_600_000_000_000
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
FAULTS = "drop=0.02,delay=0.05,delay_s=0.3,ret_10016=0.02,duplicate=0.05,reorder=0.05,reorder_s=0.1"


def play(lives: Any, point: str, seed: int) -> None:
    draw = random.Random(f"{point} {seed}")
    seconds = 8.0 if seed else 5.0
    count = draw.randint(1, 3) if seed else 1
    killed = lives.live(40, point, count, draw.randint(0, 40) if seed else 0) is None
    assert not lives.unguarded()
    report = lives.live(seconds)
    assert report is not None
    lives.check(report)
    assert killed or seed, f"{point} was never reached"


@pytest.mark.parametrize("point", ["entry-sent", "entry-filled", "stop-sent"])
def test_s04_a_daemon_killed_there_leaves_no_duplicate_no_orphan_and_an_exact_ledger(
    lives: Any, point: str
) -> None:
    play(lives, point, 0)


def test_s04_killed_with_an_order_handed_to_the_trade_socket_the_same_holds(lives: Any) -> None:
    lives.order_entry = "websocket"
    play(lives, "entry-handed", 0)


@pytest.mark.slow
@pytest.mark.parametrize("lives", [(seed, FAULTS) for seed in range(1, 51)], indirect=True)
@pytest.mark.parametrize("point", SOCKET_POINTS)
def test_s04_the_same_over_the_trade_socket_with_faults(
    lives: Any, point: str, request: pytest.FixtureRequest
) -> None:
    lives.order_entry = "websocket"
    play(lives, point, request.node.callspec.params["lives"][0])


@pytest.mark.slow
@pytest.mark.parametrize("lives", [(seed, FAULTS) for seed in range(1, 51)], indirect=True)
@pytest.mark.parametrize("point", POINTS)
def test_s04_the_same_with_faults_and_random_delays(
    lives: Any, point: str, request: pytest.FixtureRequest
) -> None:
    play(lives, point, request.node.callspec.params["lives"][0])
