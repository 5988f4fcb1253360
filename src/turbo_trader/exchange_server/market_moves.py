"""Market moves by control routes: a price jumps, a book is lost for a while, a market halts.

Rows pass through on their way from the source to the Exchange, in the ticks in force. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

import numpy as np

from turbo_trader.exchange.exchange_state import State
from turbo_trader.exchange.protocol.shown_books import DEEPEST, as_levels, standing
from turbo_trader.market.errors import InputError
from turbo_trader.market.instruments import Instrument
from turbo_trader.market.record_copies import copied, joined
from turbo_trader.market.rows import (
    FINE,
    FIRST,
    GAP,
    INDEX,
    KIND_MASK,
    LAST,
    LEVEL,
    MARK,
    NEVER,
    ROW,
    SNAPSHOT,
    TRADE,
    WHOLE,
    Rows,
)

_PRICED = (TRADE, LEVEL, MARK, INDEX)
_BOOK = (LEVEL, SNAPSHOT, GAP)
_HIGHEST = 2**30  # ticks


@dataclass(slots=True)
class _Pause:
    """Rows that wait until `end` (ns), without the prints."""

    end: int
    kept: list[Rows]


@dataclass(slots=True)
class _Market:
    """One symbol: ticks that its later prices are moved by, rows that come next, a pause in force."""

    offset: int = 0
    coming: list[Rows] = field(default_factory=list)
    pause: _Pause | None = None


class MarketMoves:
    """The moves of all symbols of an Exchange; `s` as there. A move begins with the next rows."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._markets = [_Market() for _ in state.instruments]

    def jump(self, s: int, now: int, fraction: Decimal) -> None:
        """Book, mark and index move by `fraction` at once, with one print at the new price; all later prices with them. InputError
        where a price would leave the range."""
        self._free(s)
        ticks = self._ticks(s, fraction)
        state = self._state.states[s]
        last = int(state["last"]) + ticks
        reference = [_row(kind, now, last, round(price / float(state["tick"]) * FINE) + ticks * FINE)
                     for kind, price in ((MARK, float(state["mark"])), (INDEX, float(state["index"]))) if price > 0]  # fmt: skip
        self._markets[s].coming += [
            _frame(self._book(s, ticks), now), *reference, _row(TRADE, now, last, 1, 1 if ticks > 0 else -1)
        ]  # fmt: skip
        self._markets[s].offset += ticks

    def gap(self, s: int, now: int, fraction: Decimal, lasts_ns: int) -> None:
        """The book is lost and nothing trades for `lasts_ns`; it comes back moved by `fraction`. InputError as `jump`."""
        self._free(s)
        ticks, market = self._ticks(s, fraction), self._markets[s]
        market.pause = _Pause(now + lasts_ns, [self._book(s, ticks)])
        market.coming.append(_row(GAP, now))
        market.offset += ticks

    def halt(self, s: int, now: int, lasts_ns: int | None) -> None:
        """Prices and book stand still and new orders are refused, for `lasts_ns` or (None) until `resume`."""
        self._free(s)
        self._markets[s].pause = _Pause(NEVER if lasts_ns is None else now + lasts_ns, [])
        self._state.halted.add(self._state.instruments[s].symbol)

    def resume(self, s: int, now: int) -> None:
        """End a gap or halt now."""
        if (pause := self._markets[s].pause) is not None:
            pause.end = min(pause.end, now)

    def check_grid(self, s: int, new: Instrument) -> None:
        """InputError where tick or step would change during a gap or halt: rows that wait count in the old ones."""
        old = self._state.instruments[s]
        if (old.tick, old.step) != (new.tick, new.step):
            self._free(s)

    def regrid(self, s: int, factor: int) -> None:
        """Ticks are `factor` times finer from now on."""
        self._markets[s].offset *= factor

    def through(self, s: int, rows: Rows, until: int) -> Rows:
        """What of the source's next rows (ts < `until`) takes place before `until`."""
        market = self._markets[s]
        if not (market.offset or market.coming or market.pause):
            return rows
        moved = copied(rows)
        kinds = moved["kind"] & KIND_MASK
        moved["price"][np.isin(kinds, _PRICED)] += market.offset
        moved["lots"][np.isin(kinds, (MARK, INDEX))] += market.offset * FINE
        parts = [*market.coming, *self._waited(s, market, moved, until)]
        market.coming = []
        return joined([moved[:0], *parts])

    def _waited(self, s: int, market: _Market, rows: Rows, until: int) -> list[Rows]:
        """The rows, or what a pause leaves of them."""
        pause = market.pause
        if pause is None:
            return [rows]
        split = int(np.searchsorted(rows["ts"], pause.end))
        pause.kept.append(rows[:split][(rows[:split]["kind"] & KIND_MASK) != TRADE])
        if until <= pause.end:
            return []
        market.pause = None
        self._state.halted.discard(self._state.instruments[s].symbol)
        kept = np.concatenate(pause.kept) if pause.kept else rows[:0]
        of_book = np.isin(kept["kind"] & KIND_MASK, _BOOK)
        others = kept[~of_book].copy()
        others["ts"] = pause.end
        return [_frame(kept[of_book], pause.end), others, rows[split:]]

    def _free(self, s: int) -> None:
        if self._markets[s].pause is not None:
            raise InputError(f"{self._state.instruments[s].symbol}: a gap or halt lasts; send resume first")

    def _ticks(self, s: int, fraction: Decimal) -> int:
        """The move in ticks."""
        state, symbol = self._state.states[s], self._state.instruments[s].symbol
        ticks = round(int(state["last"]) * fraction)
        levels = self._book(s, 0)["price"][1:]
        if not len(levels) or not int(state["last"]):
            raise InputError(f"{symbol}: no book or no price to move yet")
        if int(levels.min()) + ticks < 1 or int(levels.max()) + ticks >= _HIGHEST:
            raise InputError(f"{symbol}: percent: prices would leave the range of a contract")
        return ticks

    def _book(self, s: int, ticks: int) -> Rows:
        """A snapshot of the book, moved by `ticks`."""
        rows = np.zeros(1 + 2 * DEEPEST, ROW)
        rows["kind"][0] = SNAPSHOT
        n = 1
        for side, levels in zip((1, -1), as_levels(standing(self._state.states, s, DEEPEST)), strict=True):
            for price, lots in levels.items():
                rows[n] = (0, lots, price + ticks, LEVEL, side, 0)
                n += 1
        return rows[:n]


def _row(kind: int, ts: int, price: int = 0, lots: int = 0, side: int = 0) -> Rows:
    return np.array([(ts, lots, price, kind | WHOLE, side, 0)], ROW)


def _frame(rows: Rows, ts: int) -> Rows:
    """The rows as one frame at `ts`."""
    made = rows.copy()
    if len(made):
        made["ts"] = ts
        made["kind"] &= KIND_MASK
        made["kind"][0] |= FIRST
        made["kind"][-1] |= LAST
    return made
