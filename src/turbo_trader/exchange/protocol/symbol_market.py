"""One symbol's past as reads show it: minutes, prints, settled funding rates, open interest, the last 24 hours."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import islice
from typing import Final

from turbo_trader.exchange.protocol.candles import Bar
from turbo_trader.market.rows import KIND_MASK, MINUTE, TRADE, Rows

Print = tuple[int, int, int, int, int, str]  # number, ts, price (ticks), lots, side, tick direction
Interest = tuple[int, str, str]  # ts, open interest of both sides, of one

_PRINTS: Final = 1_000
_BARS: Final = 10_080  # a week of minutes
_DAY_MINUTES: Final = 1_440
_FUNDINGS: Final = 1_000
INTEREST_NS: Final = 5 * MINUTE  # between two notes of the open interest
_INTERESTS: Final = 2_016  # a week of them


@dataclass(frozen=True, slots=True)
class Day:
    """The last 24 hours of a symbol: prices at their beginning and an hour ago, extremes, sums. All 0 where nothing is known."""

    first: float = 0.0
    hour: float = 0.0
    high: float = 0.0
    low: float = 0.0
    volume: float = 0.0
    turnover: float = 0.0

    @staticmethod
    def of(bars: Sequence[Bar]) -> Day:
        """Of one-minute bars, oldest first, before the one that runs."""
        if not bars:
            return Day()
        first, hour = bars[0][1], bars[-59][1] if len(bars) >= 59 else bars[0][1]
        high, low = max(bar[2] for bar in bars), min(bar[3] for bar in bars)
        return Day(first, hour, high, low, sum(bar[5] for bar in bars), sum(bar[6] for bar in bars))

    def and_then(self, bar: Bar) -> Day:
        """With the minute that runs."""
        if not self.first:
            return Day.of([bar])
        volume, turnover = self.volume + bar[5], self.turnover + bar[6]
        return Day(self.first, self.hour, max(self.high, bar[2]), min(self.low, bar[3]), volume, turnover)


class SymbolMarket:
    """One symbol's bars, prints and settled funding rates, kept for reads."""

    def __init__(self, history: Rows) -> None:
        self.bars: deque[Bar] = deque(maxlen=_BARS)
        self.bars.extend([ts // MINUTE, *figures] for ts, *figures in history[-_BARS:].tolist())
        # mark and index have no history of their own: before the venue began they are taken to have been the last price
        self.marks: deque[Bar] = deque((bar[:5] for bar in self.bars), maxlen=_BARS)
        self.indices: deque[Bar] = deque((bar[:5] for bar in self.bars), maxlen=_BARS)
        self.prints: deque[Print] = deque(maxlen=_PRINTS)
        self.fundings: deque[tuple[int, Decimal]] = deque(maxlen=_FUNDINGS)  # settlement time, rate
        self.interests: deque[Interest] = deque(maxlen=_INTERESTS)
        self.direction = "ZeroPlusTick"
        self._last = 0
        self._numbers = 0
        self._past = (-1.0, Day())  # the running minute, and the day before it

    def day(self) -> Day:
        """The last 24 hours. What is over of them is added up once a minute."""
        if not self.bars:
            return Day()
        minute = self.bars[-1][0]
        if self._past[0] != minute:
            past = list(islice(reversed(self.bars), 1, _DAY_MINUTES))[::-1]
            self._past = minute, Day.of(past)
        return self._past[1].and_then(self.bars[-1])

    def take(self, rows: Rows, tick: float, lot: float) -> list[Print]:
        """Note the prints of these rows in bars and list; returns them."""
        printed = ((rows["kind"] & KIND_MASK) == TRADE) & (rows["price"] > 0) & (rows["lots"] > 0)
        trades = rows[printed]
        reported = []
        for ts, lots, price, taker in zip(
            trades["ts"].tolist(),
            trades["lots"].tolist(),
            trades["price"].tolist(),
            trades["side"].tolist(),
            strict=True,
        ):
            self._numbers += 1
            if price != self._last:
                self.direction = "PlusTick" if price > self._last else "MinusTick"
            elif not self.direction.startswith("Zero"):
                self.direction = f"Zero{self.direction}"
            self._last = price
            reported.append((self._numbers, ts, price, lots, taker, self.direction))
            self.roll(ts // MINUTE)
            self._bar(ts // MINUTE, price * tick, lots * lot)
        self.prints.extend(reported)
        return reported

    def regrid(self, k: int, m: int) -> None:
        """Ticks and lots are `k` and `m` times finer from now on."""
        for _ in range(len(self.prints)):
            number, ts, price, lots, side, direction = self.prints.popleft()
            self.prints.append((number, ts, price * k, lots * m, side, direction))
        self._last *= k

    def roll(self, minute: int) -> None:
        """Minutes without a print up to `minute` are flat bars at the last price."""
        while self.bars and self.bars[-1][0] < minute:
            close = self.bars[-1][4]
            self.bars.append(
                [max(self.bars[-1][0] + 1, minute - _BARS), close, close, close, close, 0.0, 0.0]
            )

    def note(self, minute: int, mark: float, index: float) -> None:
        """Note mark and index price of this moment."""
        for bars, price in ((self.marks, mark), (self.indices, index)):
            if bars and bars[-1][0] == minute:
                bars[-1][2:5] = max(bars[-1][2], price), min(bars[-1][3], price), price
            elif price:
                bars.append([minute, price, price, price, price])

    def interest(self, ts: int, both: str, single: str) -> None:
        """Note the open interest of `ts`, where it was not noted yet."""
        if not self.interests or self.interests[-1][0] < ts:
            self.interests.append((ts, both, single))

    def _bar(self, minute: int, price: float, volume: float) -> None:
        bar = self.bars[-1] if self.bars else None
        if bar is None or bar[0] != minute:
            self.bars.append([minute, price, price, price, price, volume, volume * price])
            return
        if not bar[6]:  # flat so far: the first print opens it
            bar[1] = bar[2] = bar[3] = price
        bar[2] = max(bar[2], price)
        bar[3] = min(bar[3], price)
        bar[4] = price
        bar[5] += volume
        bar[6] += volume * price
