"""Scans taken in one go while nothing else is due: a simulated market that is known ahead is scanned at memory speed.

What each scan gives is what it gives one by one. The account's part of a scan is left out, because nothing on the account moves: a
row that the account would refuse is refused afterwards, one that it might not is left to a scan of its own. While a position is
held its prices at the scans to come are looked up first: they end where its watch is hit, or its equity comes to a level at which
something is decided.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.record_copies import copied
from turbo_trader.market.rows import Rows
from turbo_trader.market.state import STATE
from turbo_trader.rules.ahead import prices_ahead, scan_ahead
from turbo_trader.rules.scan import SCAN
from turbo_trader.rules.sizing import reference_notional
from turbo_trader.trader.calibrating import Calibrating
from turbo_trader.trader.commands import Scanned
from turbo_trader.trader.events import MarketAhead
from turbo_trader.trader.fitting import FIRST, Fitting
from turbo_trader.trader.limits import Limits
from turbo_trader.trader.scan_groups import Group, ScanGroups, Taken, Workers
from turbo_trader.trader.scanning import Scanner
from turbo_trader.trader.trader_state import SymbolState, TraderState

_SCANS: Final = 128  # at most in one go: an hour at one every 30 s


class Ahead:
    """Takes the scans of a market that is known ahead."""

    def __init__(
        self, state: TraderState, scanner: Scanner, calibrating: Calibrating, fitting: Fitting, limits: Limits,
        workers: Workers,
    ) -> None:  # fmt: skip
        self._state, self._scanner, self._calibrating, self._fitting = state, scanner, calibrating, fitting
        self._limits = limits
        count = len(state.symbols)
        self._rows: Rows = cast("Rows", np.zeros(0, SCAN))
        self._scratch: Rows = cast("Rows", np.zeros(count, SCAN))
        records = state.states, state.filters, *calibrating.shadows
        self._groups = ScanGroups(records, scanner.leader, _SCANS, workers)
        self._shared = False
        self._notionals = np.zeros(_SCANS)
        self._market = np.zeros(1, STATE)
        self._prices = np.zeros((_SCANS, 2))

    @property
    def until(self) -> int:
        """Before when scans can be taken in one go (ns), as far as scanning itself goes."""
        return min(self._scanner.until, self._calibrating.due)

    def take(self, event: MarketAhead) -> int:
        """Take the scans due before event.until; returns when the last of them was (0: none)."""
        state, scanner = self._state, self._scanner
        count, first, step = len(state.symbols), scanner.next_ns, scanner.interval_ns
        if not len(self._rows):
            self._rows = cast("Rows", np.zeros(_SCANS * count, SCAN))
        quiet = self._equities(event, first, step)
        known = {equity: float(reference_notional(state.policy, equity)) for equity in set(quiet)}
        self._notionals[: len(quiet)] = [known[equity] for equity in quiet]
        if not self._shared:
            self._share(event, first, step)
        until = self._fit_due(first, step, len(quiet))

        def scan(group: Group, scans: int, stop: NDArray[np.int64]) -> tuple[int, int]:
            return scan_ahead(
                group.symbols, state.states, state.filters, event.tape, event.cursors, event.feed, first, step,
                first + (scans - 1) * step, *scanner.parameters, self._notionals, scanner.thin, closed, scanner.leader, group.moves,
                self._fitting.due, FIRST, state.policy.calibration_hole, *self._calibrating.shadows, self._rows, self._scratch,
                group.resolved, group.ended, stop,
            )  # fmt: skip

        closed, leader = scanner.closed(), scanner.leader
        move = int(state.states["big_move_ts"][leader]) if leader >= 0 else 0
        taken = self._groups.take(until, event.cursors, move, scan)
        done = taken.scans
        if done:
            self._give(first, step, copied(self._rows[: done * count]), taken)
        if taken.passed:
            at = done * count
            scanner.begun(first + done * step, self._rows[at : at + count])
        return first + (done - 1) * step if done else 0

    def _share(self, event: MarketAhead, first: int, step: int) -> None:
        """Share the symbols out among the workers, by what is on the tape."""
        self._shared = True
        last = max(int(event.tape["ts"][end - 1]) for _, end in event.cursors if end)
        self._groups.share(event.cursors[:, 1] - event.cursors[:, 0], max(0, last - first) // step)

    def _fit_due(self, first: int, step: int, count: int) -> int:
        """How many of `count` scans there are up to the first after which a fit is due."""
        due = self._fitting.due[self._state.states["samples"] >= FIRST]
        return min(count, max(0, int(due.min()) - first + step - 1) // step + 1) if len(due) else count

    def _equities(self, event: MarketAhead, first: int, step: int) -> list[Decimal]:
        """The equity at each scan before event.until, as far as no watch is hit and none of them can decide anything."""
        state, held = self._state, self._state.held
        count = min(_SCANS, max(0, (event.until - 1 - first) // step + 1))
        if not held:
            return [state.equity()] * count
        if state.policy.capital_tier(state.equity(), state.capital) != self._scanner.tier:
            return []  # the equity has come past a step since the last scan
        prices = []
        for each in held:
            prices.append(self._prices_of(each, event, (first, step, count)))
            count = len(prices[-1])
        low, high = self._limits.calm
        quiet: list[Decimal] = []
        for at in zip(*prices, strict=False):
            equity = state.equity_at(at)
            if not low < equity < high:
                break
            quiet.append(equity)
        return quiet

    def _prices_of(
        self, each: SymbolState, event: MarketAhead, scans: tuple[int, int, int]
    ) -> list[tuple[Decimal | None, Decimal | None]]:
        """(mark, closable price) of a held symbol at each of `scans` (first, interval, how many) before its watch is hit."""
        first, step, count = scans
        found: NDArray[np.float64] = self._prices[:count]
        last = first + (count - 1) * step
        known = prices_ahead(
            self._state.states, each.s, self._market, event.tape, event.cursors, int(event.feed[each.s]), first, step, last, found
        )  # fmt: skip
        return [
            (Decimal(repr(mark)) if mark > 0 else None, each.instrument.price(int(ticks)) if ticks else None)
            for ticks, mark in found[:known].tolist()
        ]

    def _give(self, first: int, step: int, rows: Rows, taken: Taken) -> None:
        state, count = self._state, len(self._state.symbols)
        ended, known = taken.ended, 0
        passed = set((np.flatnonzero(rows["blocker"] < 0) // count).tolist())
        for k in range(taken.scans):
            state.now = first + k * step
            if k in passed:
                self._scanner.refuse(rows[k * count : (k + 1) * count])
            if ended[k] > known:
                self._calibrating.remember(copied(taken.resolved[known : ended[k]]))
                known = ended[k]
        state.give(Scanned(state.now, rows))
        self._scanner.taken(rows, state.now)
        self._fitting.on_scan()
