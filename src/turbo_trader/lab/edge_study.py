"""`study edge`: the full test of one signal on one data set, with its figures and a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from turbo_trader.lab import alone, comparisons, histories, leaks, scoring
from turbo_trader.lab.findings import Findings, bp, rounded
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Floats, Panel
from turbo_trader.lab.score_trades import DAY_NS, Costs, Market, Moments, Tape, entries, maker_fills
from turbo_trader.lab.scoring import ScoreTable
from turbo_trader.lab.statistics import Mean, Shape, deflated_sharpe, expected_best, needed, sharpe_variance
from turbo_trader.lab.trials_ledger import DataPrint, Ledger, Trial
from turbo_trader.lab.verdict import Court, Verdict, decide

BEST_DAYS: Final = (3, 5, 10)
_MOST_NEEDED: Final = 10_000_000

Progress = Callable[[str], None]


def _silent(line: str) -> None:
    """No progress."""


def study_edge(
    signal: Signal,
    market: Market,
    ledger: Ledger,
    *,
    now: str,
    costs: Costs | None = None,
    progress: Progress = _silent,
    share: scoring.Share = scoring.unseen,
) -> Findings:
    """Hold `signal` against `market`; the trial is in the ledger before anything is known of its result.

    `progress` hears what is done next, `share` how much of that part is done.
    """
    panel = market.panel
    progress(f"{signal.name}: {len(panel):,} bars of {len(panel.symbols)} symbols: asking the signal")
    table = scoring.score_all(signal, panel, share)
    record = _Record.of(costs or Costs(), market.tape(), entries(table, len(panel)))
    counted = _counted(signal, market, ledger, record, now)
    court = _tried(signal, panel, table, record, counted, progress=progress, share=share)
    verdict, reasons = decide(court)
    return Findings(
        verdict=verdict,
        reasons=reasons,
        court=court,
        t_by_day=counted.by_day.t,
        cost=record.costs.taker_taker,
        needed_trades=_more(court.net, counted, verdict),
        details={**_details(record, court), "data": _data(market)},
    )


def objections(signal: Signal, market: Market, costs: Costs) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict on a signal whose trials are paid for already, as those of a walk-forward are."""
    table = scoring.score_all(signal, market.panel)
    record = _Record.of(costs, market.tape(), entries(table, len(market.panel)))
    counted = _Counted(record.mean(record.net), (), 1.0, 0.0)
    return decide(_tried(signal, market.panel, table, record, counted))


def leak_of(signal: Signal, market: Market) -> str:
    """How `signal` knows more than its panel; "" where it does not."""
    panel = market.panel
    table = scoring.score_all(signal, panel)
    found = leaks.lookahead(signal, panel, table) or alone.differs(signal, panel, table)
    return found or leaks.other_sources(signal, panel, market.tape(), entries(table, len(panel))).leak


def _tried(
    signal: Signal,
    panel: Panel,
    table: ScoreTable,
    record: _Record,
    counted: _Counted,
    *,
    progress: Progress = _silent,
    share: scoring.Share = scoring.unseen,
) -> Court:
    """Every test; those that cost most only where nothing else is against it."""
    progress("the future cut off, then another future")
    leak, sources = leaks.lookahead(signal, panel, table, share=share), leaks.Sources()
    if not leak and counted.by_day.mean > 0.0:  # what loses has no future to explain it
        progress("another past")
        sources = leaks.other_sources(signal, panel, record.tape, record.moments, share)
    progress("time run backwards")
    court = _court(
        record,
        counted,
        panel,
        leak=leak or sources.leak,
        calendar=sources.calendar,
        backwards=_backwards(signal, panel, share),
    )
    if decide(court)[0] is Verdict.EDGE:
        progress("other prices")
        levels = leaks.levels(signal, panel, record.tape, record.moments, share)
        progress("a process of its own")
        return replace(court, leak=alone.differs(signal, panel, table, share), levels=levels)
    return court


@dataclass(frozen=True, slots=True)
class _Record:
    """The trades of a signal and what they paid: fractions of notional, gross after funding."""

    costs: Costs
    tape: Tape
    moments: Moments
    gross: Floats

    @classmethod
    def of(cls, costs: Costs, tape: Tape, moments: Moments) -> _Record:
        """Of the moments at which there was a price to enter at."""
        priced = moments.chosen(np.isfinite(tape.gross(moments)))
        return cls(costs, tape, priced, tape.gross(priced))

    @property
    def net(self) -> Floats:
        """After two taker fees and a spread."""
        found: Floats = self.gross - self.costs.taker_taker
        return found

    def mean(self, returns: Floats, days_together: int = 1) -> Mean:
        """Of returns of these trades, clustered."""
        return comparisons.mean_of(self.tape, self.moments, returns, days_together)

    def surest(self, interval_ns: int) -> Mean:
        """The mean net return with the larger of its errors: by days, and by stretches as long as the holds."""
        hold = float(np.max(self.moments.bars, initial=0)) * interval_ns / DAY_NS
        by_day = self.mean(self.net)
        if hold <= 1 / 6:
            return by_day
        stretches = self.mean(self.net, 1 + math.ceil(hold))  # holds of many hours reach into the next days
        return stretches if stretches.error > by_day.error else by_day


@dataclass(frozen=True, slots=True)
class _Counted:
    """The record by day, and what the ledger makes of it."""

    by_day: Mean
    trials: tuple[Trial, ...]
    dsr: float
    luck: float  # the Sharpe ratio that the best of the trials shows by luck


def _counted(signal: Signal, market: Market, ledger: Ledger, record: _Record, now: str) -> _Counted:
    by_day, surest = record.mean(record.net), record.surest(market.panel.interval_ns)
    shape = Shape.of(by_day.values)
    trial = Trial(
        signal.name,
        signal.fingerprint,
        dict(signal.parameters),
        shape.sharpe,
        by_day.trades,
        by_day.mean * 1e4,
        answers=record.moments.fingerprint,
    )
    trials = tuple(ledger.record(DataPrint.of(market.panel), [trial], now))
    variance = sharpe_variance([each.sharpe for each in trials], by_day.clusters)
    if by_day.clusters > 1 and surest.error > by_day.error:  # days that share trades say less
        shape = replace(shape, sharpe=shape.sharpe * by_day.error / surest.error)
    dsr = deflated_sharpe(shape, len(trials), variance) if by_day.clusters > 1 else 0.0
    return _Counted(by_day, trials, dsr, expected_best(variance, len(trials)))


def _backwards(signal: Signal, panel: Panel, share: scoring.Share) -> Mean:
    shown = histories.reversed_in_time(panel)
    tape = Tape.of(shown)
    moments = entries(scoring.score_all(signal, shown, share), len(shown))
    return comparisons.mean_of(tape, moments, tape.gross(moments))


def _court(
    record: _Record, counted: _Counted, panel: Panel, *, leak: str, calendar: str, backwards: Mean
) -> Court:
    tape, moments, gross, net = record.tape, record.moments, record.gross, record.net
    cost = record.costs.taker_taker
    chance = comparisons.random_entries(tape, moments, float(np.mean(gross)) if len(gross) else 0.0)
    beaten = {way: record.mean(gross - tape.gross(moments.towards(way))) for way in (1, -1)}
    return Court(
        leak=leak,
        net=record.surest(panel.interval_ns),
        gross=record.mean(gross),
        late=record.mean(tape.gross(moments, late=1) - cost),
        random_chance=chance.chance,
        random_gross=chance.gross,
        one_sided=comparisons.one_sided(moments),
        beats_long=beaten[1],
        beats_short=beaten[-1],
        backwards=backwards,
        dsr=counted.dsr,
        trials=len(counted.trials),
        without_best=comparisons.without_best_days(tape, moments, net, BEST_DAYS[0]),
        years=comparisons.by_year(tape, moments, net) if len(net) else {},
        calendar=calendar,
    )


def _more(net: Mean, counted: _Counted, verdict: Verdict) -> int | None:
    """Trades still wanting until this mean would be decided; 0 where it is, None where no number would do."""
    if verdict is not Verdict.NOT_ENOUGH:
        return 0
    luck = counted.luck * math.sqrt(max(1, net.clusters))
    total = needed(net.mean, net.error * math.sqrt(max(1, net.trades)), 1.645 + luck)
    more = total - net.trades
    return max(1, math.ceil(more)) if more < _MOST_NEEDED else None


def _details(record: _Record, court: Court) -> dict[str, Any]:
    """What stands beside the verdict: each way to pay, each year, what the best days make, what was expected."""
    tape, moments, gross = record.tape, record.moments, record.gross
    maker = maker_fills(tape, moments, record.costs)
    made, missed = gross[maker.filled], gross[~maker.filled]
    best = {days: comparisons.without_best_days(tape, moments, record.net, days) for days in BEST_DAYS}
    return {
        "styles": {
            "taker/taker": _style(gross, record.net),
            "maker/taker": _style(made, maker.maker_taker),
            "maker/maker": _style(made, maker.maker_maker),
        },
        "maker_filled": rounded(float(np.mean(maker.filled)) if len(gross) else 0.0, 3),
        "missed_gross_bp": bp(_mean(missed)),  # adverse selection: what is not filled would have been better
        "cost_bp": bp(record.costs.taker_taker),
        "expected_bp": bp(_mean(moments.expected)),
        "years": {year: {"trades": n, "net_bp": bp(mean)} for year, (n, mean) in court.years.items()},
        "without_best_days": {str(days): bp(mean) for days, mean in best.items()},
        "random_chance": rounded(court.random_chance, 4),
        "reversed_t": rounded(court.backwards.t),
        "beats_always_long_t": rounded(court.beats_long.t),
        "beats_always_short_t": rounded(court.beats_short.t),
        "clusters": court.net.clusters,
        "win_rate": rounded(float(np.mean(record.net > 0.0)), 4) if len(gross) else None,
    }


def _data(market: Market) -> dict[str, Any]:
    panel = market.panel
    return {
        "source": market.source,
        "symbols": list(panel.symbols),
        "bars": len(panel),
        "interval_s": panel.interval_ns // 10**9,
        "start_ns": int(panel.ts[0]),
        "end_ns": panel.now_ns,
        "left_out": market.left_out,
    }


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _style(gross: Floats, net: Floats) -> dict[str, Any]:
    return {"trades": len(net), "gross_bp": bp(_mean(gross)), "net_bp": bp(_mean(net))}
