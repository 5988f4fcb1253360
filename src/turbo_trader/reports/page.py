"""The report as one self-contained HTML page that makes no request and can be sent to others."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from typing import Any

from turbo_trader.reports import charts as drawn
from turbo_trader.reports import report_figures
from turbo_trader.reports.costs import split
from turbo_trader.reports.equity_curve import EquityCurve, equity_curve, thinned
from turbo_trader.reports.markup import (
    asset,
    cards,
    chart,
    fold,
    notice,
    pair,
    plotly_script,
    section,
    tables,
)
from turbo_trader.reports.paths import COLUMNS, path_of, trade_row
from turbo_trader.reports.run_data import Run, TradeRecord
from turbo_trader.rules.model_calibration import report as calibration_report
from turbo_trader.rules.strengths import Strengths
from turbo_trader.rules.trade_report import whole_report

#: The page may load nothing and send nothing: what is not inside it does not exist.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_FOOTER = (
    "Money in USDT, times in UTC, 1 bp = 0.01 % of notional. Made by turbo-trader; nothing here is advice."
)


def render(run: Run) -> str:
    """The whole page of a run. Its size is bounded but for the trades, which are all there (some 300 bytes each)."""
    report = Report(run)
    title = f"{escape(run.name)} - turbo-trader"
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{title}</title>',
            f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            '<meta name="referrer" content="no-referrer"><link rel="icon" href="data:,">',
            f"<style>{asset('report.css')}</style></head><body>",
            report.header(),
            f"<main>{''.join(report.sections())}<footer>{_FOOTER}</footer></main>",
            f'<script type="application/json" id="data">{json_text(report.data())}</script>',
            f"<script>{plotly_script()}</script><script>{asset('charts.js')}{asset('report.js')}</script>",
            "</body></html>",
        )
    )


def json_text(value: Mapping[str, Any]) -> str:
    """JSON that ends no script element early."""
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


@dataclass(frozen=True)
class Report:
    """The parts of the page of one run."""

    run: Run

    def header(self) -> str:
        """Which run, what time, and what must be known before any figure."""
        run = self.run
        source = f", {run.source}" if run.source else ""
        lead = f"<p class=lead>{escape(run.mode or 'no run')}{escape(source)}</p><p>{escape(report_figures.span(run))}</p>"
        notices = "".join(notice(line) for line in report_figures.notices(run))
        return f"<header><h1>{escape(run.name)}</h1>{lead}{notices}</header>"

    def sections(self) -> Iterator[str]:
        """The parts in their order; what there is nothing for is left out."""
        run, closed = self.run, self.run.closed
        yield cards(report_figures.cards(run, self.measured, self.curve.worst))
        if run.end:
            text = "By the books, deposits and withdrawals left out; open trades at the mid of each scan."
            yield section("Equity and drawdown", text, chart("equity", tall=True))
        if run.trades:
            text = "The price with stop and target over time. Choose a symbol, or a trade in the table."
            yield section("Trades", text, asset("trades.html"))
        if closed:
            found = tables(report_figures.reasons_table(closed), report_figures.tiers_table(closed))
            yield section("Results", "", pair(chart("results"), found))
            yield self._costs(closed)
        if run.scanned.total.scans:
            parts = pair(chart("funnel"), chart("gates")), chart("hours")
            by_symbol = fold("By symbol", report_figures.symbols_table(run.scanned.symbols))
            yield section(
                "Funnel", "How many scans came how far, and what each gate stopped.", *parts, by_symbol
            )
        yield from self._evidence()
        text = "Targets are what the user hopes for; they are reported, never assumed."
        targets = self.measured["beside_targets"]
        yield section("Beside the target figures", text, tables(report_figures.targets_table(targets)))

    def data(self) -> dict[str, Any]:
        """What the script draws: the figures of the charts, the trades (newest first), the paths of their symbols."""
        run = self.run
        by_symbol: dict[str, list[TradeRecord]] = {}
        for trade in run.trades:
            by_symbol.setdefault(trade.symbol, []).append(trade)
        paths = {name: path_of(run.scanned.prices, name, of) for name, of in sorted(by_symbol.items())}
        trades = [trade_row(trade) for trade in reversed(run.trades)]
        return {"charts": self.charts(), "columns": COLUMNS, "paths": paths, "trades": trades}

    def charts(self) -> dict[str, drawn.Figure]:
        """Every chart by its name."""
        run, calibration = self.run, self.calibration
        return {
            "equity": drawn.equity_chart(thinned(self.curve)),
            "results": drawn.results_chart(run.closed),
            "costs": drawn.costs_chart(split(run.closed)),
            "funnel": drawn.funnel_chart(run.scanned, len(run.closed)),
            "gates": drawn.gates_chart(run.scanned),
            "hours": drawn.hours_chart(run),
            "sizes": drawn.sizes_chart(run),
            "confidence": drawn.reliability_chart(calibration, "confidence"),
            "p_tp": drawn.reliability_chart(calibration, "p_tp"),
        }

    def _costs(self, closed: list[TradeRecord]) -> str:
        unknown = split(closed).unknown
        text = "Spread and slippage: from the quote at the decision (a stop: from its trigger) to the fill."
        if unknown:
            text += f" They are not known, and count as 0, where a quote was not kept: in {unknown:,} of {len(closed):,} trades."
        return section("Costs", text, chart("costs"), tables(report_figures.costs_table(closed)))

    def _evidence(self) -> Iterator[str]:
        run = self.run
        if len(run.outcomes):
            text = "What the model said beside what came: the direction (confidence), then the target before stop and time (p_tp)."
            charts_of = pair(chart("confidence"), chart("p_tp"))
            yield section(
                "Calibration", text, charts_of, tables(report_figures.beliefs_table(self.calibration))
            )
        if run.trades:
            found = tables(report_figures.stages_table(run.events))
            yield section("Size by evidence", run.evidence, chart("sizes"), found)

    @cached_property
    def curve(self) -> EquityCurve:
        """Equity over the whole time."""
        run = self.run
        return equity_curve(run.start_equity, run.begin, run.trades, run.scanned.prices)

    @cached_property
    def measured(self) -> dict[str, Any]:
        """What the trades and scans came to (`rules.trade_report.whole_report`)."""
        run, total = self.run, self.run.scanned.total
        return whole_report(
            run.trade_notes, total, Strengths(), (run.start_equity, run.end_equity), total.hours
        )

    @cached_property
    def calibration(self) -> dict[str, Any]:
        """What the model said beside the outcomes, over all symbols."""
        run = self.run
        found: dict[str, Any] = calibration_report(run.outcomes, run.outcome_symbols, run.trade_notes)[
            "over_all"
        ]
        return found
