"""Counts of a run's scans: how far they got, how strong their signals were, by run and by hour."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from turbo_trader.market.record_copies import joined
from turbo_trader.market.rows import Rows
from turbo_trader.rules.scan_funnel import Funnel
from turbo_trader.rules.strengths import Strengths
from turbo_trader.trader.hourly import Hourly
from turbo_trader.trader.trader_state import TraderState

_AT_ONCE: Final = 64  # scans: counting many at once costs as much as counting one


class ScanCounts:
    """Counts the rows of scans, some scans at a time."""

    def __init__(self, state: TraderState) -> None:
        self.scans = 0  # rows of scans
        self._state = state
        self._waiting: list[Rows] = []  # not counted yet
        self._most = _AT_ONCE * len(state.symbols)
        self._rows = 0
        self._funnel = Funnel()
        self._strengths = Strengths()
        self._hourly = Hourly(state)

    @property
    def funnel(self) -> Funnel:
        """How many scans came how far."""
        self._count()
        return self._funnel

    @property
    def strengths(self) -> Strengths:
        """How strong the signals of candidates were."""
        self._count()
        return self._strengths

    @property
    def until(self) -> int:
        """Before when no summary is due, ns; 0: the next scan may bring one."""
        return self._hourly.until

    def look(self, equity: Decimal) -> None:
        """A scan comes, at this equity: emit the summary that is due before it."""
        if self._state.now >= self._hourly.until:
            self._count()
        self._hourly.look(equity)

    def add(self, rows: Rows) -> None:
        """The rows of one scan or of several, with the verdicts of all gates."""
        self.scans += len(rows)
        if len(rows) >= self._most:
            self._count()  # and so many are counted where they lie
        self._waiting.append(rows)
        self._rows += len(rows)
        if self._rows >= self._most:
            self._count()

    def end(self, equity: Decimal) -> None:
        """The run is over."""
        self._count()
        self._hourly.end(equity)

    def _count(self) -> None:
        if self._waiting:
            rows = joined(self._waiting)
            self._waiting, self._rows = [], 0
            funnel, strengths = Funnel.of(rows), Strengths.of(rows)
            self._funnel.join(funnel)
            self._strengths.join(strengths)
            self._hourly.add(funnel, strengths)
