"""`study edge`: one signal held against one data set, in full, and what comes of it as figures and a verdict."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from turbo_trader.lab import comparisons, scoring
from turbo_trader.lab.loading import Signal
from turbo_trader.lab.panel import Floats, Panel, lookback
from turbo_trader.lab.score_trades import DAY_NS, Costs, Moments, Tape, entries, maker_fills
from turbo_trader.lab.statistics import Mean, Shape, deflated_sharpe, expected_best, needed, sharpe_variance
from turbo_trader.lab.trials_ledger import DataPrint, Ledger, Trial
from turbo_trader.lab.verdict import Court, Verdict, decide
from turbo_trader.market.errors import InputError

BEST_DAYS: Final = (3, 5, 10)
_MOST_NEEDED: Final = 10_000_000
_KNOWS_BARS: Final = 20_000  # the last of them are shown another past
_KNOWS_T: Final = 4.0

Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Market:
    """What is studied: the panel a signal sees, and funding settled within each bar (a fraction, 0 where none)."""

    panel: Panel
    settled: Floats | None = None
    source: str = ""
    left_out: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything a study found. Returns are fractions of notional a trade, `net` after taker fees and spread on both sides."""

    verdict: Verdict
    reasons: tuple[str, ...]
    trials: int
    gross: Mean
    net: Mean  # its error is the larger one of days and of blocks of days as long as the holds
    t_by_day: float
    late: float
    random: comparisons.Random
    always_long: float
    always_short: float
    reversed: float
    dsr: float
    needed_trades: int | None
    details: dict[str, Any]

    def document(self) -> dict[str, Any]:
        """The JSON object of the verb; returns in basis points."""
        low, high = self.net.interval()
        return {
            "verdict": self.verdict.value,
            "reasons": list(self.reasons),
            "trials": self.trials,
            "trades": self.net.trades,
            "gross_bp": bp(self.gross.mean),
            "net_bp": bp(self.net.mean),
            "interval": [bp(low), bp(high)],
            "t_by_day": rounded(self.t_by_day),
            "late_bar": bp(self.late),
            "random": bp(self.random.gross),
            "always_long": bp(self.always_long),
            "always_short": bp(self.always_short),
            "reversed": bp(self.reversed),
            "dsr": rounded(self.dsr, 4),
            "needed_trades": self.needed_trades,
            "details": self.details,
        }


def bp(fraction: float) -> float | None:
    """Basis points with two decimals; None where it is not finite."""
    return rounded(fraction * 1e4)


def rounded(value: float, digits: int = 2) -> float | None:
    """JSON has no infinity."""
    return round(float(value), digits) if math.isfinite(value) else None


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
) -> Findings:
    """Hold `signal` against `market`; the trial is in the ledger before anything is known of its result."""
    costs, panel = costs or Costs(), market.panel
    tape = Tape.of(panel, market.settled)
    progress(f"{signal.name}: {len(panel):,} bars of {len(panel.symbols)} symbols: asking the signal")
    table = scoring.score_all(signal, panel)
    moments = _priced(tape, entries(table, len(panel)))
    net = tape.gross(moments) - costs.taker_taker
    by_day = comparisons.mean_of(tape, moments, net)
    counted = _counted(signal, market, ledger, by_day, now)
    progress("the future cut off, another future, another past, and time run backwards")
    leak = scoring.lookahead(signal, panel, table) or _knows(signal, panel, tape)
    backwards = _backwards(signal, panel)
    return _found(costs, tape, moments, counted, leak=leak, backwards=backwards, market=market)


def _priced(tape: Tape, moments: Moments) -> Moments:
    """Those whose way in and way out both have a price, late as well as on time."""
    there = np.isfinite(tape.gross(moments)) & np.isfinite(tape.gross(moments, late=1))
    return moments.chosen(there)


@dataclass(frozen=True, slots=True)
class _Counted:
    """The record by day, and what the ledger makes of it."""

    by_day: Mean
    trials: tuple[Trial, ...]
    dsr: float
    luck: float  # the Sharpe ratio that the best of the trials shows by luck


def _counted(signal: Signal, market: Market, ledger: Ledger, by_day: Mean, now: str) -> _Counted:
    shape = Shape.of(by_day.values)
    trial = Trial(
        signal.name,
        signal.fingerprint,
        dict(signal.parameters),
        shape.sharpe,
        by_day.trades,
        by_day.mean * 1e4,
    )
    trials = tuple(ledger.record(DataPrint.of(market.panel), [trial], now))
    variance = sharpe_variance([each.sharpe for each in trials], by_day.clusters)
    dsr = deflated_sharpe(shape, len(trials), variance) if by_day.clusters > 1 else 0.0
    return _Counted(by_day, trials, dsr, expected_best(variance, len(trials)))


def leak_of(signal: Signal, market: Market) -> str:
    """How `signal` knows more than its panel; "" where it does not."""
    table = scoring.score_all(signal, market.panel)
    tape = Tape.of(market.panel, market.settled)
    return scoring.lookahead(signal, market.panel, table) or _knows(signal, market.panel, tape)


def _knows(signal: Signal, panel: Panel, tape: Tape) -> str:
    """Show it another past at each moment: what it says then must not fit the true market."""
    bars = max(_KNOWS_BARS, 3 * lookback(signal.fresh(), panel.interval_ns))
    panel, tape = panel.slice(max(0, len(panel) - bars), len(panel)), tape.last(bars)
    gross = _fits(signal, scoring.with_another_past(panel), tape)
    if gross.trades < 30 or gross.t <= _KNOWS_T:
        return ""
    try:
        clock = _fits(signal, scoring.a_year_later(panel), tape)
    except InputError:  # it looks dates up that are not there
        clock = None
    if clock is not None and clock.t > _KNOWS_T / 2 and clock.mean > gross.mean / 2:
        return ""  # it goes by the clock, which it may
    return (
        f"shown another past it still knows the true market ({gross.mean * 1e4:+.1f} bp, t {gross.t:.1f}): "
        "it reads more than its panel"
    )


def _fits(signal: Signal, shown: Panel, tape: Tape) -> Mean:
    """What its answers to `shown` make on the true market beyond its drift."""
    moments = entries(scoring.score_all(signal, shown), len(shown))
    return comparisons.mean_of(tape, moments, _about_mean(tape, moments))


def _about_mean(tape: Tape, moments: Moments) -> Floats:
    """Gross returns less what the market's drift gives such trades."""
    gross = tape.gross(moments)
    drift = comparisons.random_entries(tape, moments, 0.0).gross
    found: Floats = gross - drift
    return found


def _backwards(signal: Signal, panel: Panel) -> Mean:
    shown = scoring.reversed_in_time(panel)
    tape = Tape.of(shown)
    moments = _priced(tape, entries(scoring.score_all(signal, shown), len(shown)))
    return comparisons.mean_of(tape, moments, tape.gross(moments))


def _found(
    costs: Costs,
    tape: Tape,
    moments: Moments,
    counted: _Counted,
    *,
    leak: str,
    backwards: Mean,
    market: Market,
) -> Findings:
    cost = costs.taker_taker
    gross = tape.gross(moments)
    net, net_mean = gross - cost, counted.by_day
    days = _days_together(moments, market.panel)
    blocks = comparisons.mean_of(tape, moments, net, days) if days > 1 else net_mean
    careful = blocks if blocks.error > net_mean.error else net_mean
    late = comparisons.mean_of(tape, moments, tape.gross(moments, late=1) - cost)
    chance = comparisons.random_entries(tape, moments, float(np.mean(gross)) if len(gross) else 0.0)
    sides = {d: tape.gross(moments.towards(d)) for d in (1, -1)}
    beaten = {d: comparisons.mean_of(tape, moments, gross - sides[d]) for d in (1, -1)}
    years = comparisons.by_year(tape, moments, net) if len(net) else {}
    without = {days: comparisons.without_best_days(tape, moments, net, days) for days in BEST_DAYS}
    court = Court(
        leak=leak,
        net=careful,
        gross=comparisons.mean_of(tape, moments, gross),
        late=late,
        random_chance=chance.chance,
        random_gross=chance.gross,
        one_sided=comparisons.one_sided(moments),
        beats_long=beaten[1],
        beats_short=beaten[-1],
        backwards=backwards,
        dsr=counted.dsr,
        trials=len(counted.trials),
        without_best=without[BEST_DAYS[0]],
        years=years,
    )
    verdict, reasons = decide(court)
    more = _more(careful, counted, verdict)
    return Findings(
        verdict=verdict,
        reasons=reasons,
        trials=len(counted.trials),
        gross=court.gross,
        net=careful,
        t_by_day=net_mean.t,
        late=late.mean,
        random=comparisons.Random(chance.gross - cost, chance.chance),
        always_long=_mean(sides[1]) - cost,
        always_short=_mean(sides[-1]) - cost,
        reversed=backwards.mean - cost,
        dsr=counted.dsr,
        needed_trades=more,
        details=_details(costs, tape, moments, court, market, careful),
    )


def _days_together(moments: Moments, panel: Panel) -> int:
    """Days that share a cluster: holds of many hours reach into the next days."""
    hold = float(np.max(moments.bars, initial=0)) * panel.interval_ns / DAY_NS
    return 1 if hold <= 1 / 6 else 1 + math.ceil(hold)


def _more(net: Mean, counted: _Counted, verdict: Verdict) -> int | None:
    """Trades still wanting until this mean would be decided; 0 where it is, None where no number would do."""
    if verdict is not Verdict.NOT_ENOUGH:
        return 0
    luck = counted.luck * math.sqrt(max(1, net.clusters))
    total = needed(net.mean, net.error * math.sqrt(max(1, net.trades)), 1.645 + luck)
    more = total - net.trades
    return max(1, math.ceil(more)) if more < _MOST_NEEDED else None


def _mean(values: Floats) -> float:
    return float(np.mean(values)) if len(values) else 0.0


def _style(gross: Floats, net: Floats) -> dict[str, Any]:
    return {"trades": len(net), "gross_bp": bp(_mean(gross)), "net_bp": bp(_mean(net))}


def _details(
    costs: Costs, tape: Tape, moments: Moments, court: Court, market: Market, careful: Mean
) -> dict[str, Any]:
    """What stands beside the verdict: each way to pay, each year, what the best days make, what was expected."""
    panel = market.panel
    gross = tape.gross(moments)
    maker = maker_fills(tape, moments, costs)
    filled = float(np.mean(maker.filled)) if len(maker.filled) else 0.0
    made = gross[maker.filled]
    styles = {
        "taker/taker": _style(gross, gross - costs.taker_taker),
        "maker/taker": _style(made, maker.maker_taker),
        "maker/maker": _style(made, maker.maker_maker),
    }
    return {
        "styles": styles,
        "maker_filled": rounded(filled, 3),
        "missed_gross_bp": bp(
            _mean(gross[~maker.filled])
        ),  # adverse selection: what is not filled would have been better
        "cost_bp": bp(costs.taker_taker),
        "expected_bp": bp(_mean(moments.expected)),
        "years": {year: {"trades": n, "net_bp": bp(mean)} for year, (n, mean) in court.years.items()},
        "without_best_days": {
            str(days): bp(comparisons.without_best_days(tape, moments, gross - costs.taker_taker, days))
            for days in BEST_DAYS
        },
        "random_chance": rounded(court.random_chance, 4),
        "reversed_t": rounded(court.backwards.t),
        "beats_always_long_t": rounded(court.beats_long.t),
        "beats_always_short_t": rounded(court.beats_short.t),
        "clusters": careful.clusters,
        "win_rate": rounded(float(np.mean(gross > costs.taker_taker)), 4) if len(gross) else None,
        "data": {
            "source": market.source,
            "symbols": list(panel.symbols),
            "bars": len(panel),
            "interval_s": panel.interval_ns // 10**9,
            "start_ns": int(panel.ts[0]),
            "end_ns": panel.now_ns,
            "left_out": market.left_out,
        },
    }
