"""Candles of every interval from one-minute bars: [minute since 1970, open, high, low, close, volume, turnover]."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby, islice
from operator import itemgetter
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
) -> Iterator[Bar]:
    """At most `limit` candles, of bars that stand in order of time, or `backwards`."""
    inside = _inside(bars, interval, start_ms, end_ms, backwards=backwards)
    for opened, group in islice(groupby(inside, key=itemgetter(0)), limit):
        parts = [bar for _, bar in group]
        first, last = (parts[-1], parts[0]) if backwards else (parts[0], parts[-1])
        amounts = [sum(column) for column in zip(*(bar[5:] for bar in parts), strict=True)]
        yield [
            opened,
            first[1],
            max(bar[2] for bar in parts),
            min(bar[3] for bar in parts),
            last[4],
            *amounts,
        ]


def _inside(
    bars: Iterable[Bar], interval: str, start_ms: int, end_ms: int, *, backwards: bool
) -> Iterator[tuple[int, Bar]]:
    """The bars of candles that open within [start, end], each behind the minute at which its candle opens."""
    for bar in bars:
        opened = opening(int(bar[0]), interval)
        if start_ms <= opened * 60_000 <= end_ms:
            yield opened, bar
        elif backwards == (opened * 60_000 < start_ms):
            return  # all that follow lie outside too
