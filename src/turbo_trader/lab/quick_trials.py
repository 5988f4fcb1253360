"""Many signals at once on one data set: each asked once, all of them in the ledger, the best first."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from turbo_trader.lab import comparisons
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.score_trades import Costs, Market, entries
from turbo_trader.lab.scoring import score_all
from turbo_trader.lab.statistics import Mean, Shape
from turbo_trader.lab.trials_ledger import DataPrint, Ledger, Trial
from turbo_trader.lab.verdict import LEAST_DAYS


@dataclass(frozen=True, slots=True)
class Tried:
    """A signal and its net record by day."""

    signal: Signal
    net: Mean
    answers: str  # print of its trades

    @property
    def sharpe(self) -> float:
        """Per day with trades."""
        return Shape.of(self.net.values).sharpe

    @property
    def rank(self) -> float:
        """t by day; what has too few days to have one comes last."""
        return self.net.t if self.net.clusters >= LEAST_DAYS else -math.inf

    def trial(self) -> Trial:
        """The line for the ledger."""
        named = (self.signal.name, self.signal.fingerprint, dict(self.signal.parameters))
        return Trial(*named, self.sharpe, self.net.trades, self.net.mean * 1e4, answers=self.answers)


def record_of(signal: Signal, market: Market, round_trip: float) -> Tried:
    """The net returns of a signal's trades, clustered by day."""
    tape = market.tape()
    moments = entries(score_all(signal, market.panel), len(market.panel))
    net = tape.gross(moments) - round_trip
    return Tried(signal, comparisons.mean_of(tape, moments, net), moments.fingerprint)


def quick_trials(
    signals: Sequence[Signal],
    market: Market,
    ledger: Ledger,
    *,
    now: str,
    round_trip: float = Costs().taker_taker,
) -> list[Tried]:
    """Every signal's record, written to the ledger before any is known, the best t by day first."""
    tried = [record_of(signal, market, round_trip) for signal in signals]
    ledger.record(DataPrint.of(market.panel), [each.trial() for each in tried], now)
    return sorted(tried, key=lambda each: -each.rank)
