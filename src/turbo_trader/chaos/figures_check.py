"""I6: the figures of a scan that the market itself shows: prices, spread, mark, freshness, warm-up; of an entry also volatility."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.chaos.scan_rows import Row
from turbo_trader.chaos.violations import Invariant, Violated
from turbo_trader.chaos.world import World
from turbo_trader.market.rows import FINE, KIND_MASK, MARK, MINUTE, SECOND, TRADE

EXACT: Final = 1e-9
LATE: Final = SECOND  # rows of this moment may or may not have been read
NEAR: Final = 0.03  # a last price may be so far from the book
HALF_LIFE: Final = 30.0  # minutes
LOOKED: Final = 300  # minutes back
ROUGH: Final = 1.6  # between a volatility of mids and one of closing prints
JUMP: Final = 0.015  # between two prints that follow each other
SURELY: Final = 6.5  # sigmas: more than JUMP_SIGMAS by default, of a volatility that is not quite ours
WEIGHT: Final = 1 - 0.5 ** (1 / HALF_LIFE)  # of the newest minute


class Figures:
    """Compared with the tape."""

    def __init__(self, world: World) -> None:
        self._world = world

    def look(self, row: Row, s: int) -> None:
        """Raise Violated where a scan shows another market than there was."""
        world = self._world
        since, until = world.simulation.cursors.came_through(s)
        wrong = self._spread(row) or (self._prices(row, s, since, until) if world.quiet else "")
        late = world.simulation.cursors.feed_ns(s)  # a feed that has just become late had brought more before
        if row["fresh"] and row["ts"] - until > int(world.policy.stale_book + 1) * SECOND + late:
            wrong = "it calls data fresh that are not"
        if row["warm"] and row["ts"] - world.born < (world.policy.kalman_warmup - 2) * SECOND:
            wrong = "it calls warm what has just begun"
        if wrong:
            raise Violated(Invariant.LIMITS, f"a scan shows another market: {wrong}", s=s, row=row)

    def _spread(self, row: Row) -> str:
        bid, ask, mark, last = row["bid"], row["ask"], row["mark"], row["last_price"]
        if row["mid"] and abs((ask - bid) / row["mid"] - row["spread"]) > EXACT:
            return "its spread is not that of its prices"
        gap = abs(mark / last - 1) if mark > 0 and last > 0 else 0.0
        return "its mark gap is not that of its prices" if abs(gap - row["mark_gap"]) > EXACT else ""

    def _prices(self, row: Row, s: int, since: int, until: int) -> str:
        """The last print and mark before it was made, where the tape still has them."""
        rows = self._world.simulation.cursors.between(s, max(since, row["ts"] - 10 * SECOND), until)
        tick = float(self._world.simulation.exchange.instruments[s].tick)
        kinds = rows["kind"] & KIND_MASK
        marks = rows["lots"][kinds == MARK] * tick / FINE
        if len(marks) and row["mark"] and np.min(np.abs(marks[-3:] / row["mark"] - 1)) > EXACT:
            return "its mark is not the market's"
        prints = rows["price"][kinds == TRADE] * tick
        if len(prints) and row["last_price"]:
            if np.min(np.abs(prints[-40:] / row["last_price"] - 1)) > EXACT:
                return "its last price is not the market's"
            if row["mid"] and np.min(np.abs(prints[-40:] / row["mid"] - 1)) > NEAR:
                return "its book is not the market's"
        return ""

    def of_an_entry(self, row: Row, s: int) -> None:
        """Volatility by the bars of the last hours; no jump that must be waited out."""
        world = self._world
        closes = np.log(world.bars.before(s, row["ts"])["close"][-LOOKED:])
        moves = np.diff(closes) ** 2
        weights = 0.5 ** (np.arange(len(moves))[::-1] / HALF_LIFE)
        if len(moves) > HALF_LIFE:
            sigma = math.sqrt(float((weights * moves).sum() / weights.sum()) / 60)
            if not sigma / ROUGH < row["sigma"] < sigma * ROUGH:
                raise Violated(
                    Invariant.SIZE, "the volatility is not that of the last hours", s=s, sigma=sigma, row=row
                )
        self._no_jump(row, s)

    def _no_jump(self, row: Row, s: int) -> None:
        world = self._world
        since, until = world.simulation.cursors.came_through(s)
        after = max(since + MINUTE, row["ts"] - world.policy.violent_pause * SECOND)
        prints = self._trades(s, after, min(until, row["ts"]) - 2 * SECOND)
        if len(prints) < 2:
            return
        moves = np.abs(np.diff(np.log(prints["price"])))
        at = int(moves.argmax())
        move, before, ts = float(moves[at]), row["sigma"] ** 2 * 60, int(prints["ts"][at + 1])
        if row["ts"] - ts > 70 * SECOND:  # its minute is in the volatility
            before = max(0.0, before - WEIGHT * move * move) / (1 - WEIGHT)
        if move > JUMP and min(move, self._of_a_minute(s, ts)) > SURELY * math.sqrt(before):
            raise Violated(Invariant.LIMITS, "an entry right after a violent move", s=s, move=move, row=row)

    def _of_a_minute(self, s: int, ts: int) -> float:
        """The least that a price of then has moved since a minute before; 0 where nothing was traded."""
        earlier = self._trades(s, ts - MINUTE - 10 * SECOND, ts - MINUTE + SECOND)
        now = self._trades(s, ts - 1, ts + 1)
        if not len(earlier) or not len(now):
            return 0.0
        return float(np.min(np.abs(np.log(now["price"][-1] / earlier["price"]))))

    def _trades(self, s: int, since: int, until: int) -> NDArray[Any]:
        rows = self._world.simulation.cursors.between(s, since, until)
        trades: NDArray[Any] = rows[(rows["kind"] & KIND_MASK) == TRADE]
        return trades
