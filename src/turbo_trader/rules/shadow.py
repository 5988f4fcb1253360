"""A trade that the rules would have made, followed without money: entered at the touch, ended by the exits as executed.

It looks at the closable price at the end of each second, where a real position is watched at every frame, and its stop fills at
the worse of stop and price: what that is worth is the gap to real fills (rules.evidence). A post-only entry is made where the price
comes to its limit in time. A hole in the prices, or a restart, ends a shadow without a result.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import SECOND
from turbo_trader.market.state import SECONDS
from turbo_trader.rules.exits import Bracket, ClosePosition, MoveBackstop

_FAR: Final = math.inf


class Outcome(StrEnum):
    """How a shadow ended."""

    STOP = "stop"
    BACKSTOP = "backstop"
    TARGET = "target"
    TIME = "time"
    NOT_FILLED = "not filled"  # the price never came to its limit
    LOST = "lost"  # the prices had a hole


@dataclass(frozen=True, slots=True)
class Ended:
    """The end of a shadow; `fraction`: net return of notional, None where there was no trade or nobody saw its end."""

    outcome: Outcome
    fraction: float | None


@dataclass(kw_only=True, slots=True)
class Shadow:
    """One shadow. `half`: half the spread at the entry, a fraction; fees are fractions of notional."""

    tier: str  # A or B
    began_ns: int
    bracket: Bracket
    half: float
    entry_fee: float
    exit_fee: float
    seen: int  # samples of the one-second grid behind it
    second: int  # of the newest of them
    fill_by_ns: int = 0  # a post-only entry still waits until then; 0 = made
    pair: str = ""  # the entry it accompanies; "" = it is the trade

    def follow(self, state: Any, now_ns: int, hole_s: int, confirmed: Callable[[], bool]) -> Ended | None:
        """Take the prices since the last look; None while it continues. `confirmed` is asked where a target is reached."""
        samples = int(state["samples"])
        if samples - self.seen > SECONDS:
            return Ended(Outcome.LOST, None)
        at = np.arange(self.seen, samples) & (SECONDS - 1)
        seconds, prices = state["sample_second"][at], np.exp(state["sample_y"][at])
        self.seen = samples
        gaps = np.diff(seconds, prepend=self.second)
        if len(gaps) and int(gaps.max()) > hole_s:
            return Ended(Outcome.LOST, None)
        if len(seconds):
            self.second = int(seconds[-1])
        elif now_ns // SECOND - self.second > hole_s:
            return Ended(Outcome.LOST, None)
        ends = (seconds + 1) * SECOND
        if self.fill_by_ns:
            made = self._made(ends, prices, now_ns)
            if made is None:
                return Ended(Outcome.NOT_FILLED, None) if now_ns >= self.fill_by_ns else None
            ends, prices = ends[made:], prices[made:]
        return self._walk(ends, prices * (1.0 - self.bracket.direction * self.half), confirmed)

    def _made(self, ends: NDArray[np.int64], prices: NDArray[np.float64], now_ns: int) -> int | None:
        """The sample from which a post-only entry is made; None: not yet, or never."""
        side, limit = self.bracket.direction, float(self.bracket.entry)
        touch = prices * (1.0 + side * self.half)
        inside = np.flatnonzero((side * (touch - limit) <= 0.0) & (ends <= min(self.fill_by_ns, now_ns)))
        if not len(inside):
            return None
        self.fill_by_ns = 0
        return int(inside[0]) + 1

    def _walk(
        self, ends: NDArray[np.int64], prices: NDArray[np.float64], confirmed: Callable[[], bool]
    ) -> Ended | None:
        bracket, side, at = self.bracket, self.bracket.direction, 0
        moves = side * prices
        while at < len(moves):
            stop, level, backstop = side * float(bracket.stop), self._level(), side * float(bracket.backstop)
            left = moves[at:]
            hit = np.flatnonzero(
                (left <= stop) | (left >= min(level, backstop)) | (ends[at:] >= bracket.deadline_ns)
            )
            if not len(hit):
                return None
            at += int(hit[0])
            price, move = float(prices[at]), float(moves[at])
            if move <= stop:
                return self._end(Outcome.STOP, min(move, stop) * side)
            if move >= level:
                if self._reached(price, confirmed):
                    return self._end(Outcome.TARGET, price)
            elif move >= backstop:
                return self._end(Outcome.BACKSTOP, float(bracket.backstop))
            elif int(ends[at]) >= bracket.deadline_ns:
                return self._end(Outcome.TIME, price)
            at += 1
        return None

    def _level(self) -> float:
        """The next price in favour at which the zones act, times the direction."""
        level = self.bracket.next_level
        return _FAR if level is None else self.bracket.direction * float(level)

    def _reached(self, price: float, confirmed: Callable[[], bool]) -> bool:
        """Let the zones act at this price; True where they close."""
        exact = Decimal(repr(price))
        asked = confirmed() if self.bracket.at_target(exact) else None
        closes = False
        for action in self.bracket.on_price(exact, asked):
            if isinstance(action, MoveBackstop):
                self.bracket.backstop_confirmed(action.price)
            closes = closes or isinstance(action, ClosePosition)
        return closes

    def _end(self, outcome: Outcome, price: float) -> Ended:
        ratio = price / float(self.bracket.entry)
        return Ended(outcome, self.bracket.direction * (ratio - 1.0) - self.entry_fee - self.exit_fee * ratio)
