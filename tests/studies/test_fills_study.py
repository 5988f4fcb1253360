"""No fill flatters, on any kind of tape: each is held against a second reading of its book (`scripts/study fills`)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from studies.fills import (
    Checked,
    Plan,
    Way,
    checked,
    rebuilt_walk,
    recorded,
    summary,
    synthetic,
)
from turbo_trader.market.reference import universe
from turbo_trader.market.rows import MINUTE, SECOND

pytestmark = pytest.mark.long

DATA = Path(__file__).resolve().parents[2].parent / "shared" / "data"
SLOW = Plan(every=MINUTE, distance=10e-4)
FAST = Plan(every=SECOND // 4, distance=0.1e-4)
XRP = next(instrument for instrument in universe() if instrument.symbol == "XRPUSDT")


def honest(fills: Sequence[Checked], *, stops: int) -> None:
    """No fill is better than its book, and on average none is better than trigger, touch or limit."""
    assert [fill for fill in fills if fill.flatters] == []
    found = {way: (count, mean, error) for way, count, _, mean, error, _ in summary(fills)}
    assert set(found) == set(Way)
    assert found[Way.STOP][0] >= stops
    for way in (Way.STOP, Way.MARKET, Way.IOC, Way.RESTING):
        _, mean, error = found[way]
        assert mean <= 2 * error, f"{way} is {mean:.2f} bp better than its reference"


def test_no_fill_flatters_on_the_synthetic_market() -> None:
    tape = synthetic(["SOLUSDT", "XRPUSDT"], 4, 3)
    fills = [
        fill for i, rows in zip(tape.instruments, tape.rows, strict=True) for fill in checked(i, rows, SLOW)
    ]
    honest(fills, stops=30)
    stopped = [fill.gain for fill in fills if fill.way is Way.STOP]
    assert sum(gain > 0 for gain in stopped) < len(stopped) / 2  # 29 of 33 were better than their trigger


def test_no_fill_flatters_on_a_rebuilt_tape() -> None:
    honest(checked(XRP, rebuilt_walk(XRP, 500, 2), SLOW), stops=50)


@pytest.mark.skipif(not DATA.exists(), reason="needs the recorded session in ../shared/data")
def test_no_fill_flatters_on_a_recorded_tape() -> None:
    tape = recorded(DATA)
    fills = [
        fill for i, rows in zip(tape.instruments, tape.rows, strict=True) for fill in checked(i, rows, FAST)
    ]
    honest(fills, stops=3)


def test_a_resting_limit_is_hit_when_the_market_goes_against_it() -> None:
    tape = synthetic(["SOLUSDT", "XRPUSDT"], 4, 4)
    fills = [
        fill for i, rows in zip(tape.instruments, tape.rows, strict=True) for fill in checked(i, rows, SLOW)
    ]
    (markout,) = [row[5] for row in summary(fills) if row[0] is Way.RESTING]
    assert markout < 0
