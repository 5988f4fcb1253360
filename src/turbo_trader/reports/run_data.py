"""A run as reports see it: its trades with everything that happened to them, its scans counted, its prices. Plain data.

Money and prices of orders are Decimal (USDT), times ns UTC. Prices of the chart are floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from turbo_trader.market.rows import Rows
from turbo_trader.rules.scan_funnel import Funnel

ZERO = Decimal(0)


class RunState(StrEnum):
    """How a run stands."""

    EMPTY = "empty"  # nothing was ever started here
    RUNNING = "running"
    ENDED = "ended"
    CRASHED = "crashed"  # it has no end and nobody writes it


@dataclass(frozen=True, slots=True)
class PriceStep:
    """From `ts` on an exit stands at `price`."""

    ts: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class FillRecord:
    """One execution of a trade. `side` +1 buy, -1 sell; `fee` USDT paid."""

    ts: int
    side: int
    qty: Decimal
    price: Decimal
    fee: Decimal


@dataclass(kw_only=True, slots=True)
class TradeRecord:
    """One trade from its entry to its end. While it is open, `closed_ts` is 0 and `exit`, `reason` and results say nothing."""

    id: str
    symbol: str
    tier: str  # A or B
    direction: int  # +1 long, -1 short
    decided_ts: int
    qty: Decimal = ZERO
    entry: Decimal = ZERO  # average fill
    exit: Decimal = ZERO
    opened_ts: int = 0
    closed_ts: int = 0
    result: Decimal = ZERO  # before fees and funding
    fees: Decimal = ZERO
    funding: Decimal = ZERO  # > 0 received
    net: Decimal = ZERO
    net_fraction: float = 0.0
    ev: float | None = None
    honest_ev: float | None = None
    reason: str = ""
    stage: str = ""  # scout, earned; "" under SIZE=full
    binding: str = ""  # the limit that set the size
    leverage: str = ""
    coin_fees: str = ""  # what was paid in other coins, as "0.001 MNT"
    stops: list[PriceStep] = field(default_factory=list)
    targets: list[PriceStep] = field(default_factory=list)
    zones: list[tuple[int, str]] = field(default_factory=list)  # when, and what was reached
    fills: list[FillRecord] = field(default_factory=list)
    entry_quote: tuple[Decimal, Decimal] | None = None  # bid and ask when the entry was decided
    exit_quote: tuple[Decimal, Decimal] | None = (
        None  # and when the close was; None where the venue closed it
    )
    exit_trigger: Decimal | None = None  # of the stop or backstop that closed it

    @property
    def closed(self) -> bool:
        """Is it over?"""
        return self.closed_ts > 0

    @property
    def notional(self) -> Decimal:
        """Of the entry, USDT."""
        return self.qty * self.entry

    @property
    def entry_fees(self) -> Decimal:
        """Fees of the fills that opened it, USDT."""
        return sum((fill.fee for fill in self.fills if fill.side == self.direction), ZERO)


@dataclass(frozen=True, slots=True)
class Prices:
    """Mid prices at the scans: `mids[i, j]` of `symbols[j]` at `ts[i]`; nan where it was not scanned."""

    ts: NDArray[np.int64]
    symbols: tuple[str, ...]
    mids: NDArray[np.float64]

    def of(self, symbol: str) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Times and mids of one symbol, those that are there."""
        if symbol not in self.symbols:
            return np.zeros(0, np.int64), np.zeros(0)
        mids = self.mids[:, self.symbols.index(symbol)]
        there = np.isfinite(mids) & (mids > 0)
        return self.ts[there], mids[there]


@dataclass(frozen=True, slots=True)
class Scanned:
    """What the scans of a run came to: counted over all, by symbol and by hour (its begin, ns), the scores, the prices."""

    total: Funnel
    symbols: Mapping[str, Funnel]
    hours: Mapping[int, Funnel]
    strengths: Mapping[str, Mapping[str, Any]]
    prices: Prices


@dataclass(frozen=True, kw_only=True, slots=True)
class Run:
    """Everything a report is made of."""

    name: str
    folder: Path
    mode: str  # paper, live, ..., backtest; "" where nothing was started
    state: RunState
    why_ended: str
    begin: int  # of what is reported, ns; 0 where there is nothing
    end: int
    source: str  # of a backtest: the tape or market; else ""
    made_up: bool  # the market is synthetic or rebuilt from bars
    trades: Sequence[TradeRecord]  # by the time they were closed, then the open ones
    trade_notes: Sequence[Mapping[str, Any]]  # of the closed ones, as the Trader wrote them
    scanned: Scanned
    outcome_symbols: Sequence[str]
    outcomes: Rows
    events: Sequence[Mapping[str, Any]]  # halts, limits, stages: notes
    start_equity: Decimal
    end_equity: Decimal
    evidence: str
    discrepancies: Mapping[str, Decimal]

    @property
    def closed(self) -> list[TradeRecord]:
        """Trades that are over."""
        return [trade for trade in self.trades if trade.closed]
