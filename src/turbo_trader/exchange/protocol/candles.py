"""Candles of every interval from one-minute bars: [minute since 1970, open, high, low, close, volume, turnover]."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

INTERVALS: Final = ("1", "3", "5", "15", "30", "60", "120", "240", "360", "720", "D", "W", "M")
_DAY: Final = 1_440
_MONDAY: Final = 3  # 1970-01-01 was a Thursday: three days after a Monday

Bar = list[float]


def opening(minute: int, interval: str) -> int:
    """The minute at which the candle that holds `minute` opens (UTC; weeks on Monday, months on the first)."""
    if interval == "D":
        return minute - minute % _DAY
    if interval == "W":
        return ((minute // _DAY + _MONDAY) // 7 * 7 - _MONDAY) * _DAY
    if interval == "M":
        day = datetime.fromtimestamp(minute * 60, UTC)
        return int(datetime(day.year, day.month, 1, tzinfo=UTC).timestamp()) // 60
    return minute - minute % int(interval)


def following(opened: int, interval: str) -> int:
    """The minute at which the next candle opens."""
    if interval == "D":
        return opened + _DAY
    if interval == "W":
        return opened + 7 * _DAY
    if interval == "M":
        return opening(opened + 31 * _DAY, interval)
    return opened + int(interval)


def merged(
    bars: Sequence[Bar], interval: str, start_ms: int, end_ms: int, limit: int, *, earliest: bool = False
) -> list[Bar]:
    """Candles that open within [start, end], oldest first; of more than `limit` the latest, or the `earliest`."""
    if earliest:
        return list(_merge(bars, interval, start_ms, end_ms, limit, backwards=False))
    return list(_merge(reversed(bars), interval, start_ms, end_ms, limit, backwards=True))[::-1]


@dataclass(frozen=True, slots=True)
class Span:
    """Which candles are asked for (see `merged`)."""

    interval: str
    start_ms: int
    end_ms: int
    limit: int
    earliest: bool

    def of(self, bars: Sequence[Bar]) -> list[Bar]:
        """Those of `bars`, newest first."""
        return merged(bars, self.interval, self.start_ms, self.end_ms, self.limit, earliest=self.earliest)[
            ::-1
        ]


def _merge(
    bars: Iterable[Bar], interval: str, start_ms: int, end_ms: int, limit: int, *, backwards: bool
) -> Iterable[Bar]:
    candle: Bar | None = None
    count = 0
    for bar in bars:
        opened = opening(int(bar[0]), interval)
        if not start_ms <= opened * 60_000 <= end_ms:
            if backwards == (opened * 60_000 < start_ms):
                break  # all that follow lie outside too
            continue
        if candle is None or candle[0] != opened:
            if candle is not None:
                yield candle
                count += 1
                if count == limit:
                    return
            candle = [opened, *bar[1:]]
            continue
        candle[2], candle[3] = max(candle[2], bar[2]), min(candle[3], bar[3])
        if backwards:
            candle[1] = bar[1]
        else:
            candle[4] = bar[4]
        for i in range(5, len(bar)):
            candle[i] += bar[i]
    if candle is not None:
        yield candle
