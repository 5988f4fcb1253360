"""Candles of every interval against plain sums over their minutes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from turbo_trader.exchange.protocol.candles import INTERVALS, Bar, following, merged, opening

FIRST = int(datetime(2026, 1, 30, 22, 0, tzinfo=UTC).timestamp()) // 60


def minutes(count: int) -> list[Bar]:
    return [
        [FIRST + n, 100.0 + n % 7, 110.0 + n % 11, 90.0 - n % 5, 101.0 + n % 3, 1.0 + n % 2, 10.0]
        for n in range(count)
    ]


@pytest.mark.long
@pytest.mark.parametrize("interval", INTERVALS)
def test_each_candle_is_made_of_its_minutes(interval: str) -> None:
    bars = minutes(4_000)
    for candle in merged(bars, interval, 0, 10**15, 1_000):
        mine = [bar for bar in bars if candle[0] <= bar[0] < following(int(candle[0]), interval)]
        assert candle[1] == mine[0][1]
        assert candle[2] == max(bar[2] for bar in mine)
        assert candle[3] == min(bar[3] for bar in mine)
        assert candle[4] == mine[-1][4]
        assert candle[5] == sum(bar[5] for bar in mine)


@pytest.mark.parametrize("interval", INTERVALS)
@given(minute=st.integers(FIRST - 10**6, FIRST + 10**6))
def test_candles_tile_time(interval: str, minute: int) -> None:
    opened = opening(minute, interval)
    assert opened <= minute < following(opened, interval)
    assert opening(opened, interval) == opened
    assert opening(following(opened, interval), interval) == following(opened, interval)


def test_weeks_open_on_monday_and_months_on_the_first() -> None:
    week, month = (datetime.fromtimestamp(opening(FIRST, name) * 60, UTC) for name in ("W", "M"))
    assert (week.weekday(), week.hour) == (0, 0)
    assert (month.month, month.day) == (1, 1)


def test_a_start_gives_the_earliest_and_an_end_the_latest() -> None:
    bars = minutes(100)
    start = (FIRST + 10) * 60_000
    assert [bar[0] for bar in merged(bars, "1", start, 10**15, 3, earliest=True)] == [
        FIRST + 10,
        FIRST + 11,
        FIRST + 12,
    ]
    assert [bar[0] for bar in merged(bars, "1", 0, start, 3)] == [FIRST + 8, FIRST + 9, FIRST + 10]
