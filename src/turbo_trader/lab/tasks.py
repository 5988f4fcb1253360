"""One evaluation of a search: a signal with parameters, or the rules with numbers, over data; run by any worker that can read it.

Every evaluation gives the record of its trades, so that folds can be cut out of it later: a signal's answer at t is a function of
the panel up to t, so its trades inside a fold are the same whether the whole data or the fold alone was asked.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from turbo_trader.lab.data import read_market
from turbo_trader.lab.loading import load_signal
from turbo_trader.lab.score_trades import DAY_NS, Market, entries
from turbo_trader.lab.scoring import score_all
from turbo_trader.lab.statistics import Mean, Shape, clustered_mean
from turbo_trader.lab.trials_ledger import DataPrint, Trial
from turbo_trader.market.errors import InputError
from turbo_trader.rules.policy import Policy

RULES: Final = "rules"  # instead of a signal: the whole daemon over a tape


@dataclass(frozen=True, slots=True)
class Task:
    """What is searched (`RULES` or a signal), over which data, with which parameters."""

    target: str
    data: Path
    parameters: Mapping[str, Any]
    symbols: tuple[str, ...] = ()
    round_trip: float = 0.0012
    balance: str = "18"


@dataclass(frozen=True, slots=True)
class Record:
    """Trades in order of their entry: times (ns) and net returns (fractions of notional). `answers`: a signal's print of them."""

    entered: NDArray[np.int64]
    left: NDArray[np.int64]
    net: NDArray[np.float64] = field(repr=False)
    answers: str = ""

    def between(self, first: int, last: int) -> Record:
        """Those that lie wholly in `[first, last]`."""
        inside = (self.entered >= first) & (self.left <= last)
        return Record(self.entered[inside], self.left[inside], self.net[inside])

    @property
    def mean(self) -> Mean:
        """Clustered by day of entry."""
        return clustered_mean(self.net, self.entered // DAY_NS)

    @property
    def sharpe(self) -> float:
        """Per day with trades."""
        return Shape.of(self.mean.values).sharpe if len(self.net) else 0.0

    def daily(self, days: NDArray[np.int64]) -> NDArray[np.float64]:
        """The sum of net returns of each day."""
        place = np.searchsorted(days, self.entered // DAY_NS)
        return np.bincount(np.clip(place, 0, len(days) - 1), self.net, len(days)).astype(np.float64)


def evaluate(task: Task) -> Record:
    """The record of one set of parameters. InputError where it cannot be."""
    return _rules(task) if task.target == RULES else _signal(task)


def check(task: Task) -> None:
    """InputError where its parameters cannot be."""
    if task.target == RULES:
        _policy(task)
    else:
        load_signal(task.target, task.parameters)


def ledger_trial(task: Task, parameters: Mapping[str, Any], record: Record) -> Trial:
    """The line of a set of parameters for the ledger: each is a trial of its own."""
    whole = {**task.parameters, **parameters}
    if task.target == RULES:
        said = json.dumps(whole, sort_keys=True, default=str)
        name, fingerprint = RULES, hashlib.sha256(f"{RULES}\n{said}".encode()).hexdigest()[:16]
    else:
        signal = load_signal(task.target, whole)
        name, fingerprint = signal.name, signal.fingerprint
    figures = record.sharpe, len(record.net), record.mean.mean * 1e4
    return Trial(name, fingerprint, whole, *figures, answers=record.answers)


def data_print(task: Task) -> DataPrint:
    """What data it is, for the ledger."""
    if task.target == RULES:
        return DataPrint.of_file(task.data)
    return DataPrint.of(_market(task.data, task.symbols).panel)


@lru_cache(maxsize=2)
def _market(data: Path, symbols: tuple[str, ...]) -> Market:
    return read_market(data, symbols)


def _signal(task: Task) -> Record:
    market = _market(task.data, task.symbols)
    signal, panel = load_signal(task.target, task.parameters), market.panel
    tape = market.tape()
    moments = entries(score_all(signal, panel), len(panel))
    net = tape.gross(moments) - task.round_trip
    there = np.isfinite(net)
    kept = moments.chosen(there)
    way_in = kept.at + 1
    return Record(panel.ts[way_in], panel.ts[way_in + kept.bars], net[there], moments.fingerprint)


@lru_cache(maxsize=1)
def _tape(data: Path, symbols: tuple[str, ...]) -> Any:
    from turbo_trader.market.tape import read_tape

    return read_tape(data, symbols or None, order="high-first")


class _Trades:
    """A sink that keeps closed trades."""

    def __init__(self) -> None:
        self.rows: list[tuple[int, int, float]] = []

    def event(self, event: Any) -> None:
        """Nothing of interest."""

    def command(self, command: Any) -> None:
        """Keep the notes of trades."""
        if getattr(command, "name", "") == "trade" and hasattr(command, "fields"):
            seconds, net = int(command.fields["seconds"]), float(command.fields["net_fraction"])
            self.rows.append((command.ts - seconds * 10**9, command.ts, net))


def _policy(task: Task) -> Policy:
    for name in task.parameters:
        if name.lower() not in Policy.model_fields:
            raise InputError(f"{name}: no number of the rules (turbo-trader policy has them all)")
    return Policy.from_env({name.upper(): str(value) for name, value in task.parameters.items()})


def _rules(task: Task) -> Record:
    from turbo_trader.simulation.backtest import Backtest

    policy, kept = _policy(task), _Trades()
    Backtest(
        _tape(task.data, task.symbols), policy, Decimal(task.balance), no_limits=True, recorder=kept
    ).run()
    rows = np.array(sorted(kept.rows), dtype=float).reshape(-1, 3)
    return Record(rows[:, 0].astype(np.int64), rows[:, 1].astype(np.int64), rows[:, 2])
